//! The state of one stream's import, and what its stages share: progress, the summary, and the end.

mod begun;
mod holding;
mod planning;
mod receiving;

pub(crate) use begun::{BegunImport, UndoRequest};
pub(crate) use receiving::receive_start;

use std::{collections::BTreeSet, future::Future, pin::pin, sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};
use tokio_stream::Stream;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    PlanRequest, import_limiter::ImportPermit, kept_input::KeptInput,
    read_ahead::DirectoryReadAhead,
};
use crate::import::{
    ImportError, ImportOptions, Importer, ResponseSender, messages, record::import_record,
    respond::ProgressCounters, review::HeldRun,
};
use crate::{
    access::{AccessDenial, Principal},
    domain::{AuditActor, Column, ImportState, OutcomeCounts},
    input::Header,
    limits::MemoryReservation,
    plan::{DigestKey, RowMatching},
    proto::{ImportSummary, timestamp},
    store::{AttemptEnd, ImportRecord},
    telemetry::metrics,
};

/// Bytes that an upload needs besides its rows: one record for each delimiter that its header may have.
pub(crate) const SESSION_BYTES: usize = 512 * 1024;

/// A client's messages. An error ends them: a refusal for the client, or [`ImportError::ClientGone`] if it has
/// gone. `None` is a message without content.
pub trait RequestStream:
    Stream<Item = Result<Option<PlanRequest>, ImportError>> + Send + Unpin
{
}

impl<S> RequestStream for S where
    S: Stream<Item = Result<Option<PlanRequest>, ImportError>> + Send + Unpin
{
}

/// Whether an attempt is recorded. A quick upload is recorded together with the lease, or with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptRecording {
    /// The attempt is not recorded, and the record under its ID has not been read.
    Unknown,
    /// The attempt is not recorded, and there was no record under the ID when `started` was sent.
    New,
    /// The attempt is not recorded, and no import had begun applying under the ID when `started` was sent. The ID had a
    /// record: that of an earlier attempt, or of the upload that the attempt imports.
    Replacing,
    /// The attempt is recorded.
    Recorded,
}

/// One import that has begun, for the client that sends it.
pub(crate) struct ImportSession<'a> {
    pub(crate) importer: &'a Importer,
    /// The caller.
    pub(crate) principal: Arc<Principal>,
    pub(crate) responses: &'a ResponseSender,
    pub(crate) organization: i64,
    pub(crate) options: ImportOptions,
    /// How rows find their users.
    pub(crate) matching: RowMatching,
    /// For an undo: the import whose changes the rows reverse, and the number of batches that the record of that import
    /// had then.
    pub(crate) undone: Option<(Uuid, i32)>,
    /// The caller as the audit trail names it.
    pub(crate) actor: AuditActor,
    pub(crate) options_digest: [u8; 32],
    /// The options in the audit trail's format.
    pub(crate) asked_for: String,
    pub(crate) digest_key: DigestKey,
    /// The names that columns have in the file; known once all of it has come.
    pub(crate) file_columns: Arc<[(Column, String)]>,
    /// The record of this attempt, as it began.
    pub(crate) record: ImportRecord,
    pub(crate) progress: Arc<ProgressCounters>,
    /// The summary so far. It is sent as the last message.
    pub(crate) summary: ImportSummary,
    /// Held from the end of the upload to the end of the import.
    pub(crate) permit: Option<ImportPermit>,
    /// The held import that this session reviews or applies.
    pub(crate) held: Option<HeldRun>,
    /// The input, if the import asks to be held.
    pub(crate) kept_input: Option<KeptInput>,
    /// Memory for the received rows and their plan, and for the input that is kept.
    pub(crate) memory: MemoryReservation,
    pub(crate) resumed: bool,
    pub(crate) recording: AttemptRecording,
    /// If an upload still comes in this long after its beginning, it looks at the lease once.
    pub(crate) looks_after: Option<Duration>,
    /// When `start` was received.
    pub(crate) began: Instant,
    pub(crate) started: bool,
    /// The directory, if it is read while the upload comes in.
    pub(crate) read_ahead: Option<DirectoryReadAhead>,
    /// A read-ahead has begun; there is at most one for each upload.
    pub(crate) has_read_ahead: bool,
}

impl ImportSession<'_> {
    /// Records how a failed attempt ended. One that was turned away before it began applying leaves no record.
    pub(crate) async fn close(&mut self, error: &ImportError) {
        let state = match error {
            ImportError::Refused(refusals) => {
                self.summary.refusals = messages::refusals(refusals);
                self.state_of_refused()
            }
            ImportError::Held(_, _, refusals) => {
                self.summary.refusals = messages::refusals(refusals);
                ImportState::Held
            }
            ImportError::Busy(refusal) => {
                self.summary.refusals = messages::refusals(std::slice::from_ref(refusal));
                ImportState::Refused
            }
            ImportError::OrganizationHeld(_)
            | ImportError::ImportIdBound(_)
            | ImportError::ImportIdInUse(_)
            | ImportError::OvertakenBy(_)
            | ImportError::Denied(_) => {
                self.summary.refusals = messages::refusals(&[error.refusal()]);
                // The import may have written rows in an earlier attempt.
                match self.summary.state == i32::from(ImportState::Interrupted) {
                    true => ImportState::Interrupted,
                    false => self.state_of_refused(),
                }
            }
            ImportError::Cancelled => ImportState::Cancelled,
            _ => {
                // Planned counts are not final counts. If the client has gone, the attempt that resumes the import
                // counts its rows.
                let only_planned = self.summary.state == i32::from(ImportState::Receiving);
                if only_planned || matches!(error, ImportError::ClientGone) {
                    messages::set_counts(&mut self.summary, &OutcomeCounts::default());
                    self.summary.identity_changes = 0;
                    self.summary.going_inactive = 0;
                    self.summary.consequences.clear();
                }
                ImportState::Interrupted
            }
        };
        let is_turned_away = matches!(
            error,
            ImportError::OrganizationHeld(_) | ImportError::Busy(_) | ImportError::ImportIdInUse(_)
        );
        match is_turned_away {
            true => self.withdraw(state).await,
            false => self.close_as(state).await,
        }
    }

    /// The state of an attempt that is refused. What is held stays held.
    const fn state_of_refused(&self) -> ImportState {
        match self.held {
            Some(_) => ImportState::Held,
            None => ImportState::Refused,
        }
    }

    /// Returns `true` if the session only looks at a held import: it records nothing.
    pub(crate) fn is_review(&self) -> bool {
        self.held.as_ref().is_some_and(HeldRun::is_review)
    }

    /// Sets the final state in the summary, and removes the record of the attempt.
    async fn withdraw(&mut self, state: ImportState) {
        self.set_end(state);
        if self.is_recorded() {
            let withdraw = self.importer.store.withdraw_import(&self.record);
            if let Err(error) = withdraw.await {
                warn!(%error, "the record of an import that was turned away could not be removed");
            }
        }
        self.log(state);
    }

    fn set_end(&mut self, state: ImportState) -> OffsetDateTime {
        let now = self.importer.clock.now();
        self.summary.state = state.into();
        if self.summary.finished_at.is_none() {
            self.summary.finished_at = Some(timestamp(now));
        }
        now
    }

    /// Sets the final state in the summary, and records it.
    pub(crate) async fn close_as(&mut self, state: ImportState) {
        let now = self.set_end(state);
        // The writer has recorded the end of a completed import already, and a held import is recorded with its input.
        let is_recorded = match state {
            ImportState::Completed => !self.options.validate_only,
            ImportState::Held => self.held.is_none(),
            _ => false,
        };
        match self.is_review() {
            true if state == ImportState::Held => self.note_review(now).await,
            false if !is_recorded => self.record_end(now).await,
            _ => {}
        }
        self.log(state);
    }

    /// Tells the audit trail what a review has shown.
    async fn note_review(&mut self, now: OffsetDateTime) {
        import_record::close(&mut self.record, &self.summary, now);
        let store = &self.importer.store;
        let noted = store.note_review(&self.record, &self.actor, &self.asked_for);
        if let Err(error) = noted.await {
            warn!(%error, "a review could not be recorded");
        }
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
        let attempt = (&self.record, self.is_recorded());
        let close = store.close_import(attempt, &self.actor, end);
        if let Err(error) = close.await {
            warn!(%error, "the end of an import could not be recorded");
        }
        self.importer.note_attempt(self.organization);
    }

    /// Returns `true` if the attempt is recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        self.recording == AttemptRecording::Recorded
    }

    /// Posts `started` once.
    pub(crate) fn post_start(&mut self, header: Option<&Header>, sheet: Option<&str>) {
        if self.started {
            return;
        }
        self.started = true;
        self.responses.post(messages::started(
            self.record.id,
            self.resumed,
            header,
            sheet,
        ));
    }

    /// Fails if the caller's credential is no longer valid. Called before the first write.
    pub(crate) async fn expect_still_admitted(&self) -> Result<(), ImportError> {
        let importer = self.importer;
        let confirmed = importer.store.retry(|| async {
            match importer.authenticator.confirm(&self.principal).await {
                Err(AccessDenial::Store(error)) => Err(error),
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
                    self.progress.set_due_in(self.importer.settings.progress_interval);
                }
            }
        }
    }

    /// Waits for `work` as [`with_progress`](Self::with_progress) does. If it is not ready, fails when the client has
    /// gone or the server shuts down.
    pub(crate) async fn while_wanted<T>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, ImportError> {
        tokio::select! {
            biased;
            result = self.with_progress(work) => Ok(result),
            () = self.responses.closed() => Err(ImportError::ClientGone),
            () = self.importer.stop.cancelled() => Err(ImportError::ShuttingDown),
        }
    }

    fn log(&self, state: ImportState) {
        let summary = &self.summary;
        metrics::import_ended(state, summary.validate_only, &messages::counts(summary));
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
