//! One transaction of an import: its steps, its retries, and the changes to the writer's state once it has
//! committed.

use std::sync::Arc;

use prost::Message;
use time::OffsetDateTime;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{CommittedChange, ImportWriter};
use super::{
    batch::WriteBatch,
    changed_concurrently::{SkippedDeactivations, split_deactivated, user_ids},
};
use crate::{
    domain::{ImportState, Tally},
    import::{
        messages,
        record::{EncodedResults, FinalResults, ResultLog, import_record},
    },
    plan::Schedule,
    proto::{DeactivatedUser, Deactivations},
    store::{BackOff, BatchKind, ImportRecord, ImportTransaction, Payload, WriteError},
};

/// What one transaction does.
#[derive(Clone, Copy, Debug)]
pub(super) enum TransactionStep<'a> {
    /// Bind the ID; record the results that are final already, and the users to deactivate.
    Open(&'a FinalResults),
    /// Resume an interrupted import.
    Resume,
    /// Write these rows, unless the transaction has `written` them already.
    Rows {
        batch: &'a WriteBatch,
        written: bool,
    },
    /// Record these results of a later plan.
    RecordResults(&'a [EncodedResults]),
    /// Deactivate these users.
    Deactivate(&'a [DeactivatedUser]),
    /// Open, write all rows, deactivate, and record the end.
    AtOnce(&'a FinalResults),
    /// Record the end.
    End(ImportState),
}

impl TransactionStep<'_> {
    /// Returns `true` if the step needs the directory that the plan was made on.
    const fn depends_on_plan(self) -> bool {
        matches!(self, Self::Open(_) | Self::Rows { .. } | Self::AtOnce(_))
    }

    /// The state in which the import is after the step, if the step ends it.
    const fn end_state(self) -> Option<ImportState> {
        match self {
            Self::End(state) => Some(state),
            Self::AtOnce(_) => Some(ImportState::Completed),
            _ => None,
        }
    }
}

impl ImportWriter {
    /// Runs one transaction, and tries it again while its fault is transient.
    pub(super) async fn transact(&mut self, step: TransactionStep<'_>) -> Result<(), WriteError> {
        let back_off = self.importer.store.back_off();
        self.transact_with(step, back_off, false).await
    }

    pub(super) async fn transact_with(
        &mut self,
        step: TransactionStep<'_>,
        mut back_off: BackOff,
        mut unsure: bool,
    ) -> Result<(), WriteError> {
        loop {
            match self.attempt(step, None, unsure).await {
                Err(WriteError::Store(error)) if back_off.wait_after(&error).await => unsure = true,
                result => return result,
            }
        }
    }

    /// Runs one transaction once. `begun` is a transaction that has written its batch early. `unsure` means that an
    /// earlier attempt may have committed although it reported a failure.
    pub(super) async fn attempt(
        &mut self,
        step: TransactionStep<'_>,
        begun: Option<ImportTransaction>,
        unsure: bool,
    ) -> Result<(), WriteError> {
        let now = self.importer.clock.now();
        let mut write = match begun.or_else(|| self.exclusive.take()) {
            Some(write) => write,
            None => self.begin(now).await?,
        };
        write.claim().await?;
        // The claim comes first: it waits for a commit that is still in progress.
        if unsure && let Some(stored) = self.stored(&write).await? {
            drop(write);
            return self.catch_up(step, stored).await;
        }
        let mut result_log = ResultLog::new(&write, self.record.results);
        let mut effects = TransactionEffects::default();
        self.perform(step, &write, &mut result_log, &mut effects)
            .await?;
        result_log.close().await?;
        let revision = write.revision();
        let (sequence, counts) = (result_log.sequence, result_log.counts);
        write.commit().await?;
        self.take_over(step, now, revision, sequence, counts);
        self.announce_effects(effects);
        Ok(())
    }

    async fn begin(&self, now: OffsetDateTime) -> Result<ImportTransaction, WriteError> {
        let (lease, import) = (self.held_lease.lease(), self.record.id);
        let store = &self.importer.store;
        store.begin_write(lease, import, &self.actor, now).await
    }

    /// Begins the next transaction now, if the store can lock other writers out until it ends.
    pub(super) async fn begin_exclusive(&mut self) {
        let now = self.importer.clock.now();
        let (lease, import) = (self.held_lease.lease(), self.record.id);
        let store = &self.importer.store;
        self.exclusive = store.begin_exclusive(lease, import, &self.actor, now).await;
    }

    /// Returns the stored record if it has more results than are known to be stored.
    async fn stored(&self, write: &ImportTransaction) -> Result<Option<ImportRecord>, WriteError> {
        let further = |stored: &ImportRecord| {
            stored.attempt == self.record.attempt && stored.results > self.record.results
        };
        Ok(write.import_record().await?.filter(further))
    }

    /// Takes over the changes of a transaction that committed although it reported a failure.
    async fn catch_up(
        &mut self,
        step: TransactionStep<'_>,
        stored: ImportRecord,
    ) -> Result<(), WriteError> {
        let mut effects = TransactionEffects::default();
        match step {
            TransactionStep::Deactivate(users) => {
                effects.deactivated = self.recorded_deactivated().await?;
                (_, effects.skipped) = split_deactivated(users, &user_ids(&effects.deactivated));
            }
            TransactionStep::AtOnce(_) => {
                effects.deactivated = self.recorded_deactivated().await?;
                // The record has all warnings.
                self.warnings = import_record::warnings(&stored);
            }
            _ => {}
        }
        self.record = stored;
        self.revision += 1;
        self.announce_effects(effects);
        Ok(())
    }

    async fn perform(
        &self,
        step: TransactionStep<'_>,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        effects: &mut TransactionEffects,
    ) -> Result<(), WriteError> {
        match step {
            TransactionStep::Open(final_results) => {
                write.expect_revision(self.revision)?;
                self.open(write, result_log, final_results).await?;
                result_log
                    .first_plan_warnings(&self.first_plan_warnings)
                    .await
            }
            TransactionStep::Resume => write.resume(self.importer.server).await,
            TransactionStep::Rows { batch, written } => {
                write.expect_not_cancelled().await?;
                write.expect_revision(self.revision)?;
                if !written {
                    batch.write(write).await?;
                }
                result_log.results(&batch.results).await
            }
            TransactionStep::RecordResults(results) => result_log.results(results).await,
            TransactionStep::Deactivate(users) => {
                write.expect_not_cancelled().await?;
                self.deactivate_users(write, result_log, users, effects)
                    .await
            }
            TransactionStep::AtOnce(final_results) => {
                write.expect_revision(self.revision)?;
                self.open(write, result_log, final_results).await?;
                self.write_all(write, result_log, effects).await?;
                result_log.close().await?;
                self.end(write, ImportState::Completed, effects).await
            }
            TransactionStep::End(state) => self.end(write, state, effects).await,
        }
    }

    async fn open(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        final_results: &FinalResults,
    ) -> Result<(), WriteError> {
        write.bind(&self.record, &self.asked_for).await?;
        result_log.final_results(final_results).await?;
        let messages: Vec<Deactivations> =
            messages::deactivations(self.missing.iter().cloned()).collect();
        for users in messages {
            let users = Payload::new(&users.encode_to_vec());
            result_log
                .write(BatchKind::ToDeactivate, &users, Tally::default())
                .await?;
        }
        Ok(())
    }

    async fn write_all(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        effects: &mut TransactionEffects,
    ) -> Result<(), WriteError> {
        let size = self.size();
        let mut schedule = Schedule::new(&self.planned.plan.order);
        let mut next = self.prepare(&mut schedule, size);
        while let Some(batch) = next.await.map_err(WriteError::task)? {
            next = self.prepare(&mut schedule, size);
            batch.write(write).await?;
            result_log.results(&batch.results).await?;
        }
        for users in self.missing.chunks(size) {
            self.deactivate_users(write, result_log, users, effects)
                .await?;
        }
        Ok(())
    }

    /// Begins to make the next batch of about `size` rows on a blocking thread. It gives `None` if there are no more
    /// rows.
    fn prepare(&self, schedule: &mut Schedule, size: usize) -> JoinHandle<Option<WriteBatch>> {
        let planned = Arc::clone(&self.planned);
        let rows = schedule.take(&planned.plan.order, size);
        spawn_blocking(move || (!rows.is_empty()).then(|| WriteBatch::new(&planned, rows, false)))
    }

    /// Deactivates users. The statement checks each user again: one who is protected or inactive by then, or has a
    /// privileged role that the caller may not change, is skipped with a warning.
    async fn deactivate_users(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        users: &[DeactivatedUser],
        effects: &mut TransactionEffects,
    ) -> Result<(), WriteError> {
        let may_privileged = self.planned.terms().permitted.privileged;
        let written = write
            .deactivate_users(&user_ids(users), may_privileged)
            .await?;
        let (deactivated, skipped) = split_deactivated(users, &written);
        for users in deactivated {
            let counts = Tally {
                deactivated: u32::try_from(users.users.len()).unwrap_or(u32::MAX),
                ..Tally::default()
            };
            let payload = Payload::new(&users.encode_to_vec());
            result_log
                .write(BatchKind::Deactivated, &payload, counts)
                .await?;
            effects.deactivated.extend(users.users);
        }
        effects.skipped.extend(skipped);
        Ok(())
    }

    async fn end(
        &self,
        write: &ImportTransaction,
        state: ImportState,
        effects: &TransactionEffects,
    ) -> Result<(), WriteError> {
        let mut skipped = self.skipped.clone();
        skipped.add(&effects.skipped);
        write.record_end(state, self.notes(&skipped)).await
    }

    /// The record's notes: warnings and the number of identity changes.
    fn notes(&self, skipped: &SkippedDeactivations) -> Vec<u8> {
        let warnings = [self.warnings.as_slice(), &skipped.warnings()].concat();
        import_record::encode_notes(&[], &warnings, self.identity_changes)
    }

    /// Updates the writer's state after a commit.
    fn take_over(
        &mut self,
        step: TransactionStep<'_>,
        now: OffsetDateTime,
        revision: i64,
        sequence: i32,
        counts: Tally,
    ) {
        // A step that does not depend on the plan may run on a directory that others have changed. The next step that
        // does depend on it must notice.
        if step.depends_on_plan() || revision == self.revision + 1 {
            self.revision = revision;
        }
        self.record.results = sequence;
        let mut tally = messages::recorded_counts(&self.record);
        tally.add(&counts);
        messages::set_recorded_counts(&mut self.record, &tally);
        if let Some(state) = step.end_state() {
            self.record.state = state.into();
            self.record.finished_at = Some(now);
        }
    }

    fn announce_effects(&mut self, effects: TransactionEffects) {
        self.skipped.add(&effects.skipped);
        self.record.notes = self.notes(&self.skipped);
        if !effects.deactivated.is_empty() {
            let _ = self
                .committed
                .send(CommittedChange::Deactivated(effects.deactivated));
        }
    }

    /// The deactivated users that are recorded after the results known to be stored.
    async fn recorded_deactivated(&self) -> Result<Vec<DeactivatedUser>, WriteError> {
        let (organization, import) = (self.record.organization_id, self.record.id);
        // The transaction that needs them is retried as a whole.
        let store = self.importer.store.without_retries();
        let recorded = store.recorded_batches(organization, import, self.record.results, i32::MAX);
        let mut deactivated = Vec::new();
        for batch in recorded.await? {
            if batch.kind == BatchKind::Deactivated {
                let users = Deactivations::decode(batch.payload.as_slice());
                deactivated.extend(users.map_err(WriteError::task)?.users);
            }
        }
        Ok(deactivated)
    }
}

/// What a transaction has done, reported once it has committed.
#[derive(Debug, Default)]
struct TransactionEffects {
    deactivated: Vec<DeactivatedUser>,
    skipped: Vec<DeactivatedUser>,
}
