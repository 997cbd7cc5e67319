//! One stream's import, stage by stage: start, receive, wait for a permit, plan, apply, summary.

mod planning;
mod receiving;

use std::{collections::BTreeSet, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::Stream;
use tracing::{info, warn};
use uuid::Uuid;

pub(crate) use planning::{PlanCancellation, judge};

use super::{
    import_limiter::{ImportPermit, UploadPermit},
    receiver::out_of_order,
};
use crate::import::{
    ImportError, ImportOptions, Importer, ResponseSender, RosterReceiver,
    record::{audited, import_record},
    respond::{ProgressCounters, refusal},
    review::{guard, planned_import},
    upload::Submitter,
};
use crate::{
    access::{CredentialExpiry, Denial, Principal},
    domain::{Actor, Permission, Tally},
    limits::{MemoryParty, MemoryReservation},
    plan::DigestKey,
    proto::{
        ImportStart, ImportStarted, ImportState, ImportSummary,
        import_users_request::Message as Call, import_users_response::Message as Reply, timestamp,
    },
    store::{AttemptEnd, AttemptOpening, ImportRecord},
    telemetry::{
        metrics::{self, ImportStageTimer},
        traces,
    },
};
use planning::DirectoryReadAhead;

/// Bytes that an upload needs besides its rows: one record for each delimiter that its header may have.
const SESSION_BYTES: usize = 512 * 1024;

/// Bytes that the plan of one row needs.
const PLAN_BYTES: usize = 128;

/// A client's messages. An error ends them: a refusal for the client, or [`ImportError::ClientGone`] if it has
/// gone. `None` is a message without content.
pub trait RequestStream: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

impl<S> RequestStream for S where S: Stream<Item = Result<Option<Call>, ImportError>> + Send + Unpin {}

/// Runs one import, which began at `started_at`, from its first message to its summary.
///
/// # Errors
/// Fails if the import does not complete. If it had begun, the summary has been sent.
pub async fn run(
    importer: &Importer,
    Submitter {
        principal,
        actor,
        account,
    }: Submitter,
    started_at: OffsetDateTime,
    mut requests: impl RequestStream,
    responses: &ResponseSender,
) -> Result<(), ImportError> {
    let mut expiry = importer.gate.credential_expiry(Arc::clone(&principal));
    let start = receive_start(&mut requests, importer, &mut expiry).await?;
    expect_permitted(&principal, &start)?;
    let uploading = importer
        .limiter
        .begin_upload(&start.organization, &principal.name)?;
    account.charge_to(MemoryParty::Organization(start.organization.clone()))?;
    let memory = account.reserve(SESSION_BYTES)?;
    let options_digest = import_record::options_digest(&start);
    let asked_for = audited::options(&start);
    let options = ImportOptions::parse(start.clone())?;
    let mut receiver = RosterReceiver::new(&options.csv, importer.settings.limits)?;
    let store = &importer.store;
    let organization = importer.organization(&options.organization).await?;
    let secret = store.digest_secret(&organization);
    let digest_key = DigestKey::new(&secret.await?);
    receiver.set_phone_region(organization.phone_region());
    let organization = organization.id;
    let import = options.import_id.unwrap_or_else(Uuid::now_v7);
    traces::tell_import(import);
    let by = (importer.server, &*principal.name);
    let record = import_record::begun(organization, import, by, &start, started_at);
    let mut session = ImportSession {
        importer,
        principal,
        responses,
        organization,
        options_digest,
        asked_for,
        digest_key,
        resumed: false,
        started: false,
        progress: Arc::new(ProgressCounters::new(importer.settings.progress_interval)),
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
        read_ahead: None,
        has_read_ahead: false,
        actor,
    };
    session.open().await?;
    let receiving = (receiver, uploading);
    let result = session.run(&mut requests, receiving, &mut expiry).await;
    session.end(result, &mut requests).await
}

/// Fails if the caller has no permission for these options (semantics §3). Checked before any look-up.
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
    requests: &mut impl RequestStream,
    importer: &Importer,
    expiry: &mut CredentialExpiry,
) -> Result<ImportStart, ImportError> {
    let first = tokio::select! {
        first = requests.next() => first,
        denial = expiry => return Err(denial.into()),
        () = importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
    };
    match first {
        Some(Ok(Some(Call::Start(start)))) => Ok(start),
        Some(Ok(_)) => Err(out_of_order("The first message was not start.").into()),
        Some(Err(error)) => Err(error),
        None => Err(out_of_order("The stream was empty.").into()),
    }
}

/// One import that has begun, for the client that sends it.
pub(crate) struct ImportSession<'a> {
    pub(crate) importer: &'a Importer,
    /// The caller.
    pub(crate) principal: Arc<Principal>,
    pub(crate) responses: &'a ResponseSender,
    pub(crate) organization: i64,
    pub(crate) options: ImportOptions,
    /// The caller as the audit trail names it.
    pub(crate) actor: Actor,
    pub(crate) options_digest: [u8; 32],
    /// The options in the audit trail's format.
    pub(crate) asked_for: String,
    pub(crate) digest_key: DigestKey,
    /// The record of this attempt, as it began.
    pub(crate) record: ImportRecord,
    pub(crate) progress: Arc<ProgressCounters>,
    /// What is known so far. It is sent as the last message.
    pub(crate) summary: ImportSummary,
    /// Held from the end of the upload to the end of the import.
    permit: Option<ImportPermit>,
    /// Memory for the received rows and their plan.
    memory: MemoryReservation,
    resumed: bool,
    started: bool,
    /// The directory, if it is read while the upload comes in.
    read_ahead: Option<DirectoryReadAhead>,
    /// A read-ahead has begun; there is at most one for each upload.
    has_read_ahead: bool,
}

impl ImportSession<'_> {
    /// Records the attempt, and fails early if another import holds the organisation.
    async fn open(&mut self) -> Result<(), ImportError> {
        let store = &self.importer.store;
        let open = store.open_import(&self.record);
        self.resumed = match open.await? {
            AttemptOpening::Recorded => false,
            AttemptOpening::Bound => true,
            AttemptOpening::InUse => return Err(ImportError::ImportIdInUse(self.record.id)),
        };
        if self.resumed || self.options.validate_only {
            return Ok(());
        }
        let ttl = self.importer.settings.lease;
        let holder = store.holder(self.organization, ttl);
        match holder.await? {
            Some(holder) if holder.import != self.record.id => {
                let error = ImportError::OrganizationHeld(holder);
                self.close(&error).await;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Runs the stages. On return `self.summary` is complete but not sent.
    async fn run(
        &mut self,
        requests: &mut impl RequestStream,
        (receiver, uploading): (RosterReceiver, UploadPermit),
        expiry: &mut CredentialExpiry,
    ) -> Result<(), ImportError> {
        let received = self.receive(requests, receiver, expiry).await?;
        self.await_half_close(requests).await?;
        self.enter(expiry).await?;
        self.memory.grow(received.rows.len() * PLAN_BYTES)?;
        drop(uploading);
        self.responses.accept();
        let rows = Arc::new(received.rows);
        if !self.options.validate_only {
            return self.carry_out(rows).await;
        }
        self.expect_own_id().await?;
        let planned = self.plan(rows).await?;
        let stage = ImportStageTimer::begin("guard");
        let refusals = guard::check(&self.options, &self.importer.settings, &planned);
        drop(stage);
        tokio::select! {
            () = self.preview(&planned) => {}
            denial = expiry => return Err(denial.into()),
        }
        match refusals.is_empty() {
            true => Ok(()),
            false => Err(refusals.into()),
        }
    }

    /// Waits for an import permit.
    async fn enter(&mut self, expiry: &mut CredentialExpiry) -> Result<(), ImportError> {
        let asked = Instant::now();
        let permit = self.importer.limiter.enter(&self.options.organization);
        let permit = tokio::select! {
            permit = self.with_progress(permit) => permit?,
            denial = expiry => return Err(denial.into()),
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
        requests: &mut impl RequestStream,
    ) -> Result<(), ImportError> {
        match &result {
            Ok(()) => self.close_as(ImportState::Completed).await,
            Err(error) => self.close(error).await,
        }
        if let Err(ImportError::ClientGone) = result {
            return result;
        }
        self.post_start(ImportStarted::default());
        self.responses.send(Reply::Summary(self.summary)).await;
        if result.is_err() {
            // The rest of the client's messages are dropped, so that the client gets to reading.
            drain(requests, self.importer.settings.half_close_grace).await;
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
            ImportError::OrganizationHeld(_)
            | ImportError::ImportIdBound(_)
            | ImportError::OvertakenBy(_)
            | ImportError::Denied(_) => {
                self.summary.refusals = vec![error.refusal()];
                // An import that wrote rows in an earlier attempt is not one that wrote nothing.
                match self.summary.state() {
                    ImportState::Interrupted => ImportState::Interrupted,
                    _ => ImportState::Refused,
                }
            }
            ImportError::Cancelled => ImportState::Cancelled,
            _ => {
                // Planned counts are not final counts. If the client has gone, the attempt that resumes the import
                // counts its rows.
                let only_planned = self.summary.state() == ImportState::Unspecified;
                if only_planned || matches!(error, ImportError::ClientGone) {
                    planned_import::fill(&mut self.summary, &Tally::default());
                    self.summary.identity_changes = 0;
                }
                ImportState::Interrupted
            }
        };
        self.close_as(state).await;
    }

    /// Sets the final state in the summary, and records it.
    async fn close_as(&mut self, state: ImportState) {
        let now = self.importer.clock.now();
        self.summary.state = state.into();
        if self.summary.finished_at.is_none() {
            self.summary.finished_at = Some(timestamp(now));
        }
        // The writer has recorded the end of a completed import.
        if self.options.validate_only || state != ImportState::Completed {
            self.record_end(now).await;
        }
        self.log();
    }

    /// Records the end of an attempt. The record of a bound import does not change.
    async fn record_end(&mut self, now: OffsetDateTime) {
        import_record::close(&mut self.record, &self.summary, now);
        let refusals = self.summary.refusals.iter().map(|r| &*r.code);
        let end = AttemptEnd {
            refusals: &distinct(refusals),
            options: &self.asked_for,
        };
        let store = &self.importer.store;
        let close = store.close_import(&self.record, &self.actor, end);
        if let Err(error) = close.await {
            warn!(%error, "the end of an import could not be recorded");
        }
        self.importer.note_attempt(self.organization);
    }

    /// Posts `started` once.
    fn post_start(&mut self, heard: ImportStarted) {
        if self.started {
            return;
        }
        self.started = true;
        self.responses.post(Reply::Started(ImportStarted {
            import_id: self.record.id.to_string(),
            resumed: self.resumed,
            ..heard
        }));
    }

    /// Fails if the caller's credential is no longer valid. Called before the first write.
    pub(crate) async fn expect_still_admitted(&self) -> Result<(), ImportError> {
        let importer = self.importer;
        let confirmed = importer.store.retry(|| async {
            match importer.gate.confirm(&self.principal).await {
                Err(Denial::Store(error)) => Err(error),
                confirmed => Ok(confirmed),
            }
        });
        Ok(confirmed.await??)
    }

    /// Waits for `work`, and offers the client a progress message in each interval.
    pub(crate) async fn with_progress<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = sleep_until(self.progress.due()) => {
                    self.responses.offer(self.progress.message());
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

/// Joins the distinct codes with commas.
fn distinct<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let codes: BTreeSet<_> = codes.collect();
    codes.into_iter().collect::<Vec<_>>().join(",")
}

async fn drain(requests: &mut impl RequestStream, grace: Duration) {
    let dropping = async { while let Some(Ok(_)) = requests.next().await {} };
    let _ = timeout(grace, dropping).await;
}
