//! The stages of one import, in order.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::{sleep_until, timeout},
};
use tokio_stream::Stream;
use tracing::info;
use uuid::Uuid;

use super::{
    ImportError, Importer, Options, Outlet, Received, Receiver, Refusal,
    apply::{Applier, Committed},
    guard,
    progress::Progress,
    receive::out_of_order,
    refusal,
    verdict::{Judged, Tally, messages},
};
use crate::{
    domain::{Column, Issue, IssueCode, Row},
    plan::Scope,
    proto::{
        ImportFinish, ImportPhase, ImportStarted, ImportState, ImportSummary,
        import_users_request::Message as Call, import_users_response::Message as Reply, timestamp,
    },
    store::StoreError,
};

/// Input of at least this size is decoded on a thread for blocking work.
const HEAVY_BYTES: usize = 32 * 1024;

/// A client's messages. An error ends them: a refusal where the client is to be told,
/// [`ImportError::Broken`] where it has gone. `None` is a message without content.
pub trait Inbound: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

impl<S> Inbound for S where S: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

/// Runs one import from its first message to its summary.
///
/// # Errors
/// However it ends, if not well; where it had begun, the summary has been sent.
pub async fn run(
    importer: &Importer,
    mut inbound: impl Inbound,
    outlet: &Outlet,
) -> Result<(), ImportError> {
    let started_at = importer.clock.now();
    let options = receive_start(&mut inbound).await?;
    let receiver = Receiver::new(&options.csv, importer.settings.limits)?;
    let organization = match importer.store.organization(&options.organization).await {
        Ok(organization) => organization.id,
        Err(StoreError::UnknownOrganization) => {
            return Err(ImportError::UnknownOrganization(options.organization));
        }
        Err(error) => return Err(error.into()),
    };
    let mut session = Session {
        importer,
        outlet,
        organization,
        started: None,
        progress: Arc::default(),
        summary: ImportSummary {
            import_id: options.import_id.unwrap_or_else(Uuid::now_v7).to_string(),
            validate_only: options.validate_only,
            started_at: Some(timestamp(started_at)),
            ..ImportSummary::default()
        },
        options,
    };
    let result = session.run(&mut inbound, receiver).await;
    session.end(result, &mut inbound).await
}

async fn receive_start(inbound: &mut impl Inbound) -> Result<Options, ImportError> {
    match inbound.next().await {
        Some(Ok(Some(Call::Start(start)))) => Ok(Options::parse(start)?),
        Some(Ok(_)) => Err(out_of_order("The first message was not start.").into()),
        Some(Err(error)) => Err(error),
        None => Err(out_of_order("The stream was empty.").into()),
    }
}

/// One import that has begun.
struct Session<'a> {
    importer: &'a Importer,
    outlet: &'a Outlet,
    organization: i64,
    options: Options,
    started: Option<ImportStarted>,
    progress: Arc<Progress>,
    summary: ImportSummary,
}

impl Session<'_> {
    /// The stages. On return `self.summary` says what is known; it has not been sent.
    async fn run(
        &mut self,
        inbound: &mut impl Inbound,
        receiver: Receiver,
    ) -> Result<(), ImportError> {
        let received = self.receive(inbound, receiver).await?;
        self.await_half_close(inbound).await?;
        let judged = self.plan(received).await?;
        let refusals = guard::check(
            &self.options,
            &self.importer.settings.mass_deactivation,
            &judged,
        );
        if !refusals.is_empty() || self.options.validate_only {
            self.preview(&judged).await;
            return match refusals.is_empty() {
                true => Ok(()),
                false => Err(refusals.into()),
            };
        }
        self.apply(judged).await
    }

    /// Sends the summary, as the last message.
    async fn end(
        mut self,
        result: Result<(), ImportError>,
        inbound: &mut impl Inbound,
    ) -> Result<(), ImportError> {
        let state = match &result {
            Ok(()) => ImportState::Completed,
            Err(ImportError::Refused(_)) => ImportState::Refused,
            Err(ImportError::Broken) => return result,
            Err(_) => ImportState::Interrupted,
        };
        if let Err(ImportError::Refused(refusals)) = &result {
            self.summary.refusals = refusal::listed(refusals);
        }
        self.announce_start(None);
        self.summary.state = state.into();
        self.summary.finished_at = Some(timestamp(self.importer.clock.now()));
        self.log();
        self.outlet.send(Reply::Summary(self.summary)).await;
        if result.is_err() {
            // What the client is still sending is read and dropped, so that it gets to reading.
            drain(inbound, self.importer.settings.half_close_grace).await;
        }
        result
    }

    async fn receive(
        &mut self,
        inbound: &mut impl Inbound,
        mut receiver: Receiver,
    ) -> Result<Received, ImportError> {
        self.progress.enter(ImportPhase::Receiving);
        loop {
            let message = self.with_progress(inbound.next()).await;
            match message.transpose()? {
                Some(Some(Call::Finish(finish))) => {
                    return self.finish(receiver, finish).await;
                }
                Some(Some(message)) => {
                    let (back, result) = push(receiver, message).await?;
                    receiver = back;
                    self.progress.set_received(receiver.rows());
                    self.announce_start(Some(&receiver));
                    result?;
                }
                Some(None) => return Err(out_of_order("A message was empty.").into()),
                None => return Err(incomplete().into()),
            }
        }
    }

    async fn finish(
        &mut self,
        mut receiver: Receiver,
        stated: ImportFinish,
    ) -> Result<Received, ImportError> {
        let finishing = spawn_blocking(move || {
            let received = receiver.finish(&stated);
            (receiver, received)
        });
        let (receiver, received) = self.with_progress(finishing).await?;
        self.announce_start(Some(&receiver));
        let received = received?;
        self.progress.set_total(receiver.rows());
        self.summary.input_sha256 = received.digest.to_vec();
        self.summary.warnings = location_warning(&received.rows);
        Ok(received)
    }

    /// Posts `started` once: as soon as the kind of input and the header are known, or, with
    /// `None`, whatever is known.
    fn announce_start(&mut self, receiver: Option<&Receiver>) {
        if self.started.is_some() {
            return;
        }
        let mut started = ImportStarted {
            import_id: self.summary.import_id.clone(),
            ..ImportStarted::default()
        };
        if let Some(receiver) = receiver {
            match receiver.header() {
                Some(header) => {
                    let columns = header.columns.iter().map(|c| c.header().to_owned());
                    started.columns = columns.collect();
                    started.ignored_columns.clone_from(&header.ignored);
                    header.charset.clone_into(&mut started.charset);
                    started.delimiter = header.delimiter.to_string();
                }
                None if receiver.is_typed() => {}
                None => return,
            }
        }
        self.outlet.post(Reply::Started(started.clone()));
        self.started = Some(started);
    }

    /// A client that goes on sending after `finish` does not mean what it says.
    async fn await_half_close(&self, inbound: &mut impl Inbound) -> Result<(), ImportError> {
        let grace = self.importer.settings.half_close_grace;
        match self.with_progress(timeout(grace, inbound.next())).await {
            Ok(Some(Ok(_))) => Err(out_of_order("A message came after finish.").into()),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    async fn plan(&mut self, received: Received) -> Result<Judged, ImportError> {
        self.progress.enter(ImportPhase::Planning);
        let import = self.import()?;
        let snapshot = self.importer.store.snapshot(self.organization);
        let snapshot = self.with_progress(snapshot).await?;
        let scope = match &self.options.deactivate_missing {
            Some(missing) => Some(missing.resolve(&snapshot.catalog)?),
            None => None,
        };
        let planning = judge(received.rows, snapshot, import, scope);
        let judged = self.with_progress(planning).await?;
        self.progress
            .set_planned(u32::try_from(judged.rows.len()).unwrap_or(u32::MAX));
        self.summary.plan_digest = judged.plan.digest.to_vec();
        judged.tally().fill(&mut self.summary);
        Ok(judged)
    }

    fn import(&self) -> Result<Uuid, ImportError> {
        Uuid::try_parse(&self.summary.import_id)
            .map_err(|error| ImportError::Internal(error.to_string()))
    }

    /// Tells what would happen, without writing.
    async fn preview(&self, judged: &Judged) {
        let rows = (0u32..).take(judged.rows.len());
        let results = judged.results(rows, self.options.filter, self.options.include_values);
        let _ = self.outlet.send_all(results).await
            && self
                .outlet
                .send_all(judged.deactivations(judged.plan.deactivations.iter().copied()))
                .await;
    }

    /// Writes. The writing has a task of its own: it waits neither for the client nor for this one.
    async fn apply(&mut self, mut judged: Judged) -> Result<(), ImportError> {
        judged.assign_ids();
        let (committed, mut events) = mpsc::unbounded_channel();
        let writing = self.start_applier(judged, committed)?;
        let mut reading = true;
        while let Some(event) = self.with_progress(events.recv()).await {
            reading = reading && self.tell(event).await;
        }
        let (tally, result) = writing.await?;
        match &result {
            // Rolled back: the summary keeps the counts that were planned.
            Err(ImportError::Refused(_)) => {}
            _ => tally.fill(&mut self.summary),
        }
        result
    }

    fn start_applier(
        &self,
        judged: Judged,
        committed: mpsc::UnboundedSender<Committed>,
    ) -> Result<JoinHandle<(Tally, Result<(), ImportError>)>, ImportError> {
        let mut applier = Applier::new(
            self.importer.clone(),
            self.organization,
            self.import()?,
            Arc::new(judged),
            Arc::clone(&self.progress),
            committed,
        );
        let all_or_nothing = self.options.all_or_nothing;
        Ok(tokio::spawn(async move {
            let result = applier.run(all_or_nothing).await;
            (applier.tally(), result)
        }))
    }

    /// Sends what has become final. False: the client has gone.
    async fn tell(&self, event: Committed) -> bool {
        match event {
            Committed::Rows(judged, rows) => {
                let (filter, values) = (self.options.filter, self.options.include_values);
                self.outlet
                    .send_all(judged.results(rows, filter, values))
                    .await
            }
            Committed::Verdicts(results) => {
                self.outlet.send_all(messages(results.into_iter())).await
            }
            Committed::Deactivated(judged, users) => {
                self.outlet.send_all(judged.deactivations(users)).await
            }
        }
    }

    /// Waits for `work`, and meanwhile offers the client a progress message now and then.
    async fn with_progress<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let mut work = pin!(work);
        let interval = self.importer.settings.progress_interval;
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = sleep_until(self.progress.due(interval)) => {
                    self.outlet.offer(self.progress.tell());
                }
            }
        }
    }

    fn log(&self) {
        let summary = &self.summary;
        info!(
            import_id = %summary.import_id,
            state = summary.state().as_str_name(),
            validate_only = summary.validate_only,
            rows = summary.rows,
            created = summary.created,
            updated = summary.updated,
            unchanged = summary.unchanged,
            rejected = summary.rejected,
            deactivated = summary.deactivated,
            "import ended"
        );
    }
}

/// Decodes a message; a large one where it keeps nobody else waiting.
async fn push(
    mut receiver: Receiver,
    message: Call,
) -> Result<(Receiver, Result<(), Vec<Refusal>>), ImportError> {
    let heavy = match &message {
        Call::CsvChunk(chunk) => chunk.len() >= HEAVY_BYTES,
        Call::Rows(rows) => rows.rows.len() >= HEAVY_BYTES / 128,
        Call::Start(_) | Call::Finish(_) => false,
    };
    if !heavy {
        let result = receiver.push(message);
        return Ok((receiver, result));
    }
    let pushing = spawn_blocking(move || {
        let result = receiver.push(message);
        (receiver, result)
    });
    Ok(pushing.await?)
}

/// Plans on a thread for blocking work.
pub(super) async fn judge(
    rows: Vec<Row>,
    snapshot: crate::store::Snapshot,
    import: Uuid,
    scope: Option<Scope>,
) -> Result<Judged, ImportError> {
    let planning = spawn_blocking(move || Judged::new(rows, snapshot, import, scope));
    Ok(planning.await?)
}

async fn drain(inbound: &mut impl Inbound, grace: Duration) {
    let dropping = async { while let Some(Ok(_)) = inbound.next().await {} };
    let _ = timeout(grace, dropping).await;
}

fn incomplete() -> Refusal {
    let message = "The stream ended without finish, so the roster may be cut off. Nothing was \
        written; send it again.";
    Refusal::precondition("INCOMPLETE", "finish", message)
}

fn location_warning(rows: &[Row]) -> Vec<crate::proto::Issue> {
    let mut located = rows.iter().filter(|row| row.has_location());
    let Some(first) = located.next() else {
        return Vec::new();
    };
    let message = format!(
        "LOCATION is reserved and not stored; {} rows have a value, the first is row {}.",
        located.count() + 1,
        first.number
    );
    let issue = Issue::warning(IssueCode::LocationIgnored, Column::Location, "", message);
    vec![(&issue.about_row(first.number)).into()]
}
