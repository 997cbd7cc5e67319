//! The stages of one import, in order.

mod planning;
mod receiving;

use std::{collections::BTreeSet, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::Stream;
use tracing::{info, warn};
use uuid::Uuid;

pub(crate) use planning::{Wanted, judge};

use super::{
    import_limiter::{ImportPermit, UploadPermit},
    receiver::out_of_order,
};
use crate::import::{
    ImportError, Importer, Options, Outlet, Receiver,
    record::{audited, import_record},
    respond::{Progress, refusal},
    review::{guard, planned_import},
    upload::Sender,
};
use crate::{
    access::{Denial, Outlived, Principal},
    domain::{Actor, Permission, Tally},
    limits::{Party, Reservation},
    plan::DigestKey,
    proto::{
        ImportStart, ImportStarted, ImportState, ImportSummary,
        import_users_request::Message as Call, import_users_response::Message as Reply, timestamp,
    },
    store::{AttemptEnd, AttemptOpening, ImportRecord},
    telemetry::{
        metrics::{self, Stage},
        traces,
    },
};
use planning::Ahead;

/// Bytes that an upload takes besides its rows: a record, for each delimiter that its header may have.
const SESSION_BYTES: usize = 512 * 1024;

/// Bytes that the plan of a row takes.
const PLAN_BYTES: usize = 128;

/// A client's messages. An error ends them: a refusal where the client is to be told,
/// [`ImportError::Broken`] where it has gone. `None` is a message without content.
pub trait Inbound: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

impl<S> Inbound for S where S: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

/// Runs one import, which began at `started_at`, from its first message to its summary.
///
/// # Errors
/// However it ends, if not well; where it had begun, the summary has been sent.
pub async fn run(
    importer: &Importer,
    Sender {
        principal,
        actor,
        account,
    }: Sender,
    started_at: OffsetDateTime,
    mut inbound: impl Inbound,
    outlet: &Outlet,
) -> Result<(), ImportError> {
    let mut outlived = importer.gate.outlived(Arc::clone(&principal));
    let start = receive_start(&mut inbound, importer, &mut outlived).await?;
    expect_permitted(&principal, &start)?;
    let uploading = importer
        .limiter
        .begin_upload(&start.organization, &principal.name)?;
    account.charge_to(Party::Organization(start.organization.clone()))?;
    let memory = account.reserve(SESSION_BYTES)?;
    let options_digest = import_record::options_digest(&start);
    let asked_for = audited::options(&start);
    let options = Options::parse(start.clone())?;
    let mut receiver = Receiver::new(&options.csv, importer.settings.limits)?;
    let store = &importer.store;
    let organization = importer.organization(&options.organization).await?;
    let secret = importer.patiently(|| store.digest_secret(&organization));
    let digest_key = DigestKey::new(&secret.await?);
    receiver.set_phone_region(organization.phone_region());
    let organization = organization.id;
    let import = options.import_id.unwrap_or_else(Uuid::now_v7);
    traces::tell_import(import);
    let by = (importer.server, &*principal.name);
    let record = import_record::begun(organization, import, by, &start, started_at);
    let mut session = Session {
        importer,
        principal,
        outlet,
        organization,
        options_digest,
        asked_for,
        digest_key,
        resumed: false,
        started: false,
        progress: Arc::new(Progress::new(importer.settings.progress_interval)),
        summary: ImportSummary {
            import_id: import.to_string(),
            validate_only: options.validate_only,
            started_at: Some(timestamp(started_at)),
            ..ImportSummary::default()
        },
        record,
        options,
        permit: None,
        memory,
        ahead: None,
        looked_ahead: false,
        actor,
    };
    session.open().await?;
    let receiving = (receiver, uploading);
    let result = session.run(&mut inbound, receiving, &mut outlived).await;
    session.end(result, &mut inbound).await
}

/// Expects that the caller may ask for this (semantics §3; api.md). Asked before anything is looked up.
pub(crate) fn expect_permitted(principal: &Principal, start: &ImportStart) -> Result<(), Denial> {
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
pub(crate) struct Session<'a> {
    pub(crate) importer: &'a Importer,
    /// Who sends this stream.
    pub(crate) principal: Arc<Principal>,
    pub(crate) outlet: &'a Outlet,
    pub(crate) organization: i64,
    pub(crate) options: Options,
    /// Who has sent it, from where.
    pub(crate) actor: Actor,
    pub(crate) options_digest: [u8; 32],
    /// The options, as the audit trail has them.
    pub(crate) asked_for: String,
    pub(crate) digest_key: DigestKey,
    /// The record of this attempt, as it began.
    pub(crate) record: ImportRecord,
    pub(crate) progress: Arc<Progress>,
    /// What is known; sent as the last message.
    pub(crate) summary: ImportSummary,
    /// Held from when the upload has been received until the end.
    permit: Option<ImportPermit>,
    /// For what has been received, and what is planned of it.
    memory: Reservation,
    resumed: bool,
    started: bool,
    /// The directory, read while the upload comes in.
    ahead: Option<Ahead>,
    /// It was read once, and not for the rest of the upload again.
    looked_ahead: bool,
}

impl Session<'_> {
    /// Refuses early where another import holds the organisation, and records the attempt.
    async fn open(&mut self) -> Result<(), ImportError> {
        let store = &self.importer.store;
        let open = || store.open_import(self.record.clone());
        self.resumed = match self.importer.patiently(open).await? {
            AttemptOpening::Recorded => false,
            AttemptOpening::Bound => true,
            AttemptOpening::InUse => return Err(ImportError::IdInUse(self.record.id)),
        };
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
        (receiver, uploading): (Receiver, UploadPermit),
        outlived: &mut Outlived,
    ) -> Result<(), ImportError> {
        let received = self.receive(inbound, receiver, outlived).await?;
        self.await_half_close(inbound).await?;
        self.enter(outlived).await?;
        self.memory.grow(received.rows.len() * PLAN_BYTES)?;
        drop(uploading);
        self.outlet.accept();
        let rows = Arc::new(received.rows);
        if !self.options.validate_only {
            return self.carry_out(rows).await;
        }
        self.expect_own_id().await?;
        let judged = self.plan(rows).await?;
        let stage = Stage::begin("guard");
        let refusals = guard::check(&self.options, &self.importer.settings, &judged);
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

    /// Waits until there may be one more import.
    async fn enter(&mut self, outlived: &mut Outlived) -> Result<(), ImportError> {
        let asked = Instant::now();
        let permit = self.importer.limiter.enter(&self.options.organization);
        let permit = tokio::select! {
            permit = self.with_progress(permit) => permit?,
            denial = outlived => return Err(denial.into()),
            () = self.importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
        };
        metrics::waited("import", asked.elapsed());
        self.permit = Some(permit);
        Ok(())
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
            ImportError::Busy(refusal) => {
                self.summary.refusals = refusal::listed(std::slice::from_ref(refusal));
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
            _ => {
                // What was planned is not what has become of it; and where the client has gone, whoever goes on
                // with the import counts its rows.
                let only_planned = self.summary.state() == ImportState::Unspecified;
                if only_planned || matches!(error, ImportError::Broken) {
                    planned_import::fill(&mut self.summary, &Tally::default());
                    self.summary.identity_changes = 0;
                }
                ImportState::Interrupted
            }
        };
        self.close_as(state).await;
    }

    /// Takes the state over into the summary, and records it.
    async fn close_as(&mut self, state: ImportState) {
        let now = self.importer.clock.now();
        self.summary.state = state.into();
        if self.summary.finished_at.is_none() {
            self.summary.finished_at = Some(timestamp(now));
        }
        // Who has applied an import to its end has recorded that.
        if self.options.validate_only || state != ImportState::Completed {
            self.record_end(now).await;
        }
        self.log();
    }

    /// Records the end of an attempt; a record that is bound stays as it is.
    async fn record_end(&mut self, now: OffsetDateTime) {
        import_record::close(&mut self.record, &self.summary, now);
        let refusals = self.summary.refusals.iter().map(|r| &*r.code);
        let end = AttemptEnd {
            refusals: &distinct(refusals),
            options: &self.asked_for,
        };
        let store = &self.importer.store;
        let close = || store.close_import(&self.record, &self.actor, end);
        if let Err(error) = self.importer.patiently(close).await {
            warn!(%error, "the end of an import could not be recorded");
        }
        self.importer.note_attempt(self.organization);
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

    /// Expects that the caller's credential is still good, now that something is to be written.
    pub(crate) async fn expect_still_admitted(&self) -> Result<(), ImportError> {
        let importer = self.importer;
        let confirmed = importer.patiently(|| async {
            match importer.gate.confirm(&self.principal).await {
                Err(Denial::Store(error)) => Err(error),
                confirmed => Ok(confirmed),
            }
        });
        Ok(confirmed.await??)
    }

    /// Waits for `work`, and meanwhile offers the client a progress message now and then.
    pub(crate) async fn with_progress<T>(&self, work: impl Future<Output = T> + Send) -> T {
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

/// Each of these codes once, apart by a comma.
fn distinct<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let codes: BTreeSet<_> = codes.collect();
    codes.into_iter().collect::<Vec<_>>().join(",")
}

async fn drain(inbound: &mut impl Inbound, grace: Duration) {
    let dropping = async { while let Some(Ok(_)) = inbound.next().await {} };
    let _ = timeout(grace, dropping).await;
}
