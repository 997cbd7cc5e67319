//! The stages of one import, in order.

use std::{collections::BTreeSet, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::Stream;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    ImportError, Importer, Options, Outlet, Received, Receiver, Refusal,
    admission::Place,
    guard,
    progress::Progress,
    receive::out_of_order,
    record, refusal,
    verdict::{self, Judged, Terms},
};
use crate::{
    access::{Denial, Outlived, Principal},
    domain::{Actor, Column, Issue, IssueCode, Permission, Row},
    plan::Scope,
    proto::{
        self, ImportFinish, ImportPhase, ImportStart, ImportStarted, ImportState, ImportSummary,
        import_users_request::Message as Call, import_users_response::Message as Reply, timestamp,
    },
    store::{ImportRecord, Snapshot, StoreError},
    telemetry::{
        metrics::{self, Stage, Work},
        traces,
    },
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
    principal: Arc<Principal>,
    actor: Actor,
    mut inbound: impl Inbound,
    outlet: &Outlet,
) -> Result<(), ImportError> {
    let started_at = importer.clock.now();
    let mut outlived = importer.gate.outlived(Arc::clone(&principal));
    let start = receive_start(&mut inbound, importer, &mut outlived).await?;
    expect_permitted(&principal, &start)?;
    let place = importer.admission.enter(&start.organization)?;
    let options_digest = record::options_digest(&start);
    let options = Options::parse(start.clone())?;
    let receiver = Receiver::new(&options.csv, importer.settings.limits)?;
    let store = &importer.store;
    let organization = importer.patiently(|| store.organization(&options.organization));
    let organization = match organization.await {
        Ok(organization) => organization.id,
        Err(StoreError::UnknownOrganization) => {
            return Err(ImportError::UnknownOrganization(options.organization));
        }
        Err(error) => return Err(error.into()),
    };
    let import = options.import_id.unwrap_or_else(Uuid::now_v7);
    traces::tell_import(import);
    let by = (importer.server, &*principal.name);
    let record = record::begun(organization, import, by, &start, started_at);
    let mut session = Session {
        importer,
        principal,
        outlet,
        organization,
        options_digest,
        resumed: false,
        started: false,
        ahead: None,
        progress: Arc::new(Progress::new(importer.settings.progress_interval)),
        summary: ImportSummary {
            import_id: import.to_string(),
            validate_only: options.validate_only,
            started_at: Some(timestamp(started_at)),
            ..ImportSummary::default()
        },
        record,
        options,
        place,
        actor,
    };
    session.open().await?;
    let result = session.run(&mut inbound, receiver, &mut outlived).await;
    session.end(result, &mut inbound).await
}

/// Expects that the caller may ask for this (semantics §3; api.md). Asked before anything is looked up.
fn expect_permitted(principal: &Principal, start: &ImportStart) -> Result<(), Denial> {
    principal.expect_organization(&start.organization)?;
    principal.expect(Permission::UsersImport)?;
    if start.include_values {
        principal.expect(Permission::UsersRead)?;
    }
    if start.deactivate_missing.is_some() {
        principal.expect(Permission::UsersDeactivate)?;
    }
    Ok(())
}

async fn receive_start(
    inbound: &mut impl Inbound,
    importer: &Importer,
    outlived: &mut Outlived,
) -> Result<ImportStart, ImportError> {
    let first = tokio::select! {
        first = inbound.next() => first,
        denial = outlived => return Err(denial.into()),
        () = importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
    };
    match first {
        Some(Ok(Some(Call::Start(start)))) => Ok(start),
        Some(Ok(_)) => Err(out_of_order("The first message was not start.").into()),
        Some(Err(error)) => Err(error),
        None => Err(out_of_order("The stream was empty.").into()),
    }
}

/// One import that has begun.
pub(super) struct Session<'a> {
    pub(super) importer: &'a Importer,
    /// Who sends this stream.
    pub(super) principal: Arc<Principal>,
    pub(super) outlet: &'a Outlet,
    pub(super) organization: i64,
    pub(super) options: Options,
    /// Who has sent it, from where.
    pub(super) actor: Actor,
    pub(super) options_digest: [u8; 32],
    /// The record of this attempt, as it began.
    pub(super) record: ImportRecord,
    pub(super) progress: Arc<Progress>,
    /// What is known; sent as the last message.
    pub(super) summary: ImportSummary,
    /// Held until the end.
    pub(super) place: Place,
    resumed: bool,
    started: bool,
    /// The directory, read while the upload comes in.
    ahead: Option<Ahead>,
}

/// A directory that is being read.
type Ahead = JoinHandle<Result<Snapshot, StoreError>>;

impl Session<'_> {
    /// Refuses early where another import holds the organisation, and records the attempt.
    async fn open(&mut self) -> Result<(), ImportError> {
        let store = &self.importer.store;
        let open = || store.open_import(self.record.clone());
        self.resumed = !self.importer.patiently(open).await?;
        if self.resumed || self.options.validate_only {
            return Ok(());
        }
        let ttl = self.importer.settings.lease;
        let holder = || store.holder(self.organization, ttl);
        match self.importer.patiently(holder).await? {
            Some(holder) if holder.import != self.record.id => {
                let error = ImportError::Held(holder);
                self.close(&error).await;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The stages. On return `self.summary` says what is known; it has not been sent.
    async fn run(
        &mut self,
        inbound: &mut impl Inbound,
        receiver: Receiver,
        outlived: &mut Outlived,
    ) -> Result<(), ImportError> {
        let received = self.receive(inbound, receiver, outlived).await?;
        self.await_half_close(inbound).await?;
        let rows = Arc::new(received.rows);
        if !self.options.validate_only {
            return self.carry_out(rows).await;
        }
        self.expect_own_id().await?;
        let judged = self.plan(rows).await?;
        let limits = &self.importer.settings.mass_deactivation;
        let stage = Stage::begin("guard");
        let refusals = guard::check(&self.options, limits, &judged);
        drop(stage);
        tokio::select! {
            () = self.preview(&judged) => {}
            denial = outlived => return Err(denial.into()),
        }
        match refusals.is_empty() {
            true => Ok(()),
            false => Err(refusals.into()),
        }
    }

    /// Records how the attempt ended, and sends the summary as the last message.
    async fn end(
        mut self,
        result: Result<(), ImportError>,
        inbound: &mut impl Inbound,
    ) -> Result<(), ImportError> {
        match &result {
            Ok(()) => self.close_as(ImportState::Completed).await,
            Err(error) => self.close(error).await,
        }
        if let Err(ImportError::Broken) = result {
            return result;
        }
        self.post_start(ImportStarted::default());
        self.outlet.send(Reply::Summary(self.summary)).await;
        if result.is_err() {
            // What the client is still sending is read and dropped, so that it gets to reading.
            drain(inbound, self.importer.settings.half_close_grace).await;
        }
        result
    }

    async fn close(&mut self, error: &ImportError) {
        let state = match error {
            ImportError::Refused(refusals) => {
                self.summary.refusals = refusal::listed(refusals);
                ImportState::Refused
            }
            ImportError::Held(_)
            | ImportError::IdBound(_)
            | ImportError::OvertakenBy(_)
            | ImportError::Denied(_) => {
                self.summary.refusals = vec![error.refusal()];
                // An import that had begun to write before is not one that wrote nothing.
                match self.summary.state() {
                    ImportState::Interrupted => ImportState::Interrupted,
                    _ => ImportState::Refused,
                }
            }
            ImportError::Cancelled => ImportState::Cancelled,
            _ => ImportState::Interrupted,
        };
        self.close_as(state).await;
    }

    /// Takes the state over into summary and record; a record that is bound has been written by who
    /// applied it, and stays as it is.
    async fn close_as(&mut self, state: ImportState) {
        let now = self.importer.clock.now();
        self.summary.state = state.into();
        if self.summary.finished_at.is_none() {
            self.summary.finished_at = Some(timestamp(now));
        }
        record::close(&mut self.record, &self.summary, now);
        let refusals = self.summary.refusals.iter().map(|r| &*r.code);
        let refusals = distinct(refusals);
        let store = &self.importer.store;
        let close = || store.close_import(&self.record, &self.actor, &refusals);
        if let Err(error) = self.importer.patiently(close).await {
            warn!(%error, "the end of an import could not be recorded");
        }
        self.log();
    }

    async fn receive(
        &mut self,
        inbound: &mut impl Inbound,
        mut receiver: Receiver,
        outlived: &mut Outlived,
    ) -> Result<Received, ImportError> {
        let _stage = Stage::begin("receive");
        let mut decoding = Duration::ZERO;
        self.progress.enter(ImportPhase::Receiving);
        loop {
            let message = tokio::select! {
                message = self.with_progress(inbound.next()) => message,
                denial = &mut *outlived => return Err(denial.into()),
                () = self.importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
            };
            match message.transpose()? {
                Some(Some(Call::Finish(finish))) => {
                    let begun = Instant::now();
                    let received = self.finish(receiver, finish).await;
                    metrics::stage_took("decode", decoding + begun.elapsed());
                    return received;
                }
                Some(Some(message)) => {
                    let begun = Instant::now();
                    let (back, result) = push(receiver, message).await?;
                    decoding += begun.elapsed();
                    receiver = back;
                    self.progress.set_received(receiver.rows());
                    self.announce_start(&receiver).await;
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
        self.announce_start(&receiver).await;
        let received = received?;
        self.summary.rows = u32::try_from(received.rows.len()).unwrap_or(u32::MAX);
        self.progress.set_total(self.summary.rows);
        self.summary.input_sha256 = received.digest.to_vec();
        self.summary.warnings = location_warning(&received.rows);
        Ok(received)
    }

    /// Posts `started` once, as soon as there is something to tell. An ID that nothing was written
    /// under when the stream opened may have been bound by another attempt since.
    async fn announce_start(&mut self, receiver: &Receiver) {
        if self.started {
            return;
        }
        let Some(heard) = heard(receiver) else {
            return;
        };
        let chosen = self.options.import_id.is_some();
        self.resumed = self.resumed || (chosen && self.is_bound().await);
        self.post_start(heard);
        self.look_ahead();
    }

    /// Begins to read the directory while the rest of the upload comes in. Whether it is still as it
    /// was then is asked once the lease is held.
    fn look_ahead(&mut self) {
        let (store, organization) = (self.importer.store.clone(), self.organization);
        self.ahead = Some(tokio::spawn(
            async move { store.snapshot(organization).await },
        ));
    }

    /// The directory as it is now.
    async fn snapshot(&self, ahead: &mut Option<Ahead>) -> Result<Snapshot, ImportError> {
        let (store, organization) = (&self.importer.store, self.organization);
        if let Some(ahead) = ahead.take()
            && let Ok(snapshot) = ahead.await?
        {
            let revision = self.importer.patiently(|| store.revision(organization));
            if revision.await? == snapshot.revision {
                return Ok(snapshot);
            }
        }
        let snapshot = self.importer.patiently(|| store.snapshot(organization));
        Ok(snapshot.await?)
    }

    /// Posts `started` if it has not been posted yet.
    fn post_start(&mut self, heard: ImportStarted) {
        if self.started {
            return;
        }
        self.started = true;
        self.outlet.post(Reply::Started(ImportStarted {
            import_id: self.record.id.to_string(),
            resumed: self.resumed,
            ..heard
        }));
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

    pub(super) async fn plan(&mut self, rows: Arc<Vec<Row>>) -> Result<Judged, ImportError> {
        let _stage = Stage::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let import = self.record.id;
        let reading = Work::begin("snapshot");
        let mut ahead = self.ahead.take();
        let snapshot = self.snapshot(&mut ahead);
        let snapshot = self.with_progress(snapshot).await?;
        drop(reading);
        let scope = match &self.options.deactivate_missing {
            Some(missing) => Some(missing.resolve(&snapshot.catalog)?),
            None => None,
        };
        let asked = Instant::now();
        let turn = self.with_progress(self.place.planning_turn()).await;
        metrics::waited("planning", asked.elapsed());
        let terms = self.terms(scope);
        let planning = judge(rows, snapshot, import, terms);
        let judged = self.with_progress(planning).await?;
        drop(turn);
        self.progress.set_planned(self.summary.rows);
        self.summary.plan_digest = judged.plan.digest.to_vec();
        verdict::fill(&mut self.summary, &judged.tally());
        self.warn_of_skipped(&judged);
        Ok(judged)
    }

    /// What this caller's plans are made under.
    pub(super) fn terms(&self, scope: Option<Scope>) -> Terms {
        let permitted = self.principal.permissions.into();
        Terms { scope, permitted }
    }

    /// In place of what an earlier plan of this attempt said.
    fn warn_of_skipped(&mut self, judged: &Judged) {
        let warnings = &mut self.summary.warnings;
        warnings.retain(|known| known.code() != proto::IssueCode::RoleNotGrantable);
        warnings.extend(judged.skipped().iter().map(Into::into));
    }

    /// Expects that the caller's credential is still good, now that something is to be written.
    pub(super) async fn expect_still_admitted(&self) -> Result<(), ImportError> {
        let importer = self.importer;
        let confirmed = importer.patiently(|| async {
            match importer.gate.confirm(&self.principal).await {
                Err(Denial::Store(error)) => Err(error),
                confirmed => Ok(confirmed),
            }
        });
        Ok(confirmed.await??)
    }

    /// Tells what would happen, without writing.
    pub(super) async fn preview(&self, judged: &Judged) {
        let rows = (0u32..).take(judged.rows.len());
        let results = judged.results(rows, self.options.filter, self.options.include_values);
        let _ = self.outlet.send_all(results.map(Reply::Results)).await
            && self
                .outlet
                .send_all(verdict::deactivations(judged.missing()).map(Reply::Deactivations))
                .await;
    }

    /// Waits for `work`, and meanwhile offers the client a progress message now and then.
    pub(super) async fn with_progress<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = sleep_until(self.progress.due()) => {
                    self.outlet.offer(self.progress.message());
                    self.progress.told(self.importer.settings.progress_interval);
                }
            }
        }
    }

    fn log(&self) {
        let summary = &self.summary;
        metrics::import_ended(summary);
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

/// What `started` says of the input; `None` until its kind and, of CSV, its header are known.
fn heard(receiver: &Receiver) -> Option<ImportStarted> {
    let Some(header) = receiver.header() else {
        return receiver.is_typed().then(ImportStarted::default);
    };
    let columns = header.columns.iter().map(|c| c.header().to_owned());
    Some(ImportStarted {
        columns: columns.collect(),
        ignored_columns: header.ignored.clone(),
        charset: header.charset.to_owned(),
        delimiter: header.delimiter.to_string(),
        ..ImportStarted::default()
    })
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
    rows: Arc<Vec<Row>>,
    snapshot: Snapshot,
    import: Uuid,
    terms: Terms,
) -> Result<Judged, ImportError> {
    let planning = spawn_blocking(move || Judged::new(rows, snapshot, import, terms));
    Ok(planning.await?)
}

/// Each of these codes once, apart by a comma.
fn distinct<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let codes: BTreeSet<_> = codes.collect();
    codes.into_iter().collect::<Vec<_>>().join(",")
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
    let number = first.number;
    let whose = match located.count() {
        0 => format!("row {number} has a value"),
        others => format!(
            "{} rows have a value, the first is row {number}",
            others + 1
        ),
    };
    let message = format!("LOCATION is reserved and not stored; {whose}.");
    let issue = Issue::warning(IssueCode::LocationIgnored, Column::Location, "", message);
    vec![(&issue.about_row(number)).into()]
}
