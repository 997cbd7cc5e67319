//! One transaction of an import: its parts, its retries, and the changes to the writer's state once it has
//! committed.

use prost::Message;
use time::OffsetDateTime;

use super::{CommittedChange, ImportWriter};
use super::{
    batch::WriteBatch,
    changed_concurrently::{SkippedDeactivations, split_deactivated, user_ids},
    pipeline::ReadyBatch,
};
use crate::{
    domain::{ImportState, OutcomeCounts},
    import::{
        messages,
        record::{EncodedResults, FinalResults, ResultBatches, ResultLog, changed_users},
        review::UserToDeactivate,
    },
    store::{
        BackOff, BatchKind, CompressedMessage, FEW_ROWS, ImportRecord, ImportTransaction,
        RecordChanges, WriteError, WriteVolume,
    },
    telemetry::metrics::ImportStageTimer,
};

/// What one transaction does: each part that is given, in the order of the fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TransactionParts<'a> {
    /// Resume an interrupted import.
    pub(super) resume: bool,
    /// Bind the ID; record the results that are final already and, unless the import ends with this transaction, the
    /// users to deactivate.
    pub(super) open: Option<&'a FinalResults>,
    /// Write rows.
    pub(super) rows: RowsToWrite<'a>,
    /// Record these results of a later plan.
    pub(super) results: &'a [EncodedResults],
    /// Deactivate these users.
    pub(super) deactivate: &'a [UserToDeactivate],
    /// Record the end of the import, and release its lease.
    pub(super) end: Option<ImportState>,
}

/// The rows that one transaction writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum RowsToWrite<'a> {
    #[default]
    None,
    /// One batch, which the transaction may have `written` already.
    Batch {
        batch: &'a WriteBatch,
        written: bool,
    },
    /// All rows of the plan.
    All,
}

impl TransactionParts<'_> {
    /// Returns `true` if the transaction needs the directory that the plan was made on.
    const fn depends_on_plan(&self) -> bool {
        self.open.is_some() || !matches!(self.rows, RowsToWrite::None)
    }

    /// Returns `true` if the transaction is the whole import.
    const fn is_whole(&self) -> bool {
        self.open.is_some() && self.end.is_some()
    }

    /// Returns `true` if a request to cancel the import prevents the transaction. Before the ID is bound, nobody can
    /// ask for that.
    const fn may_be_cancelled(&self) -> bool {
        let writes = !matches!(self.rows, RowsToWrite::None) || !self.deactivate.is_empty();
        self.open.is_none() && writes
    }
}

impl ImportWriter {
    /// Runs one transaction, and tries it again while its fault is transient.
    pub(super) async fn transact(&mut self, parts: TransactionParts<'_>) -> Result<(), WriteError> {
        let back_off = self.importer.store.back_off();
        self.transact_with(parts, back_off, false).await
    }

    pub(super) async fn transact_with(
        &mut self,
        parts: TransactionParts<'_>,
        mut back_off: BackOff,
        mut unsure: bool,
    ) -> Result<(), WriteError> {
        loop {
            match self.attempt(parts, None, unsure).await {
                Err(WriteError::Store(error)) if back_off.wait_after(&error).await => unsure = true,
                result => return result,
            }
        }
    }

    /// Runs one transaction once. `begun` is a transaction that has written its batch early. `unsure` means that an
    /// earlier attempt may have committed although it reported a failure.
    pub(super) async fn attempt(
        &mut self,
        parts: TransactionParts<'_>,
        begun: Option<ImportTransaction>,
        unsure: bool,
    ) -> Result<(), WriteError> {
        let mut write = match begun.or_else(|| self.exclusive.take()) {
            Some(write) => write,
            None => self.begin().await?,
        };
        if !write.is_claimed() {
            write.claim(parts.open.is_some()).await?;
        }
        // The claim comes first: it waits for a commit that is still in progress. A transaction that takes the lease does not
        // even begin until then.
        if unsure && let Some(stored) = self.stored(&write).await? {
            drop(write);
            return self.catch_up(parts, stored).await;
        }
        let mut result_log = ResultLog::new(&write, self.record.results);
        let mut effects = TransactionEffects::default();
        self.perform(parts, &write, &mut result_log, &mut effects)
            .await?;
        let (revision, now) = (write.revision(), write.now());
        let (sequence, counts) = (result_log.sequence, result_log.counts);
        write.commit().await?;
        self.take_over(parts, now, revision, sequence, counts);
        self.announce_written(parts).await;
        self.announce_effects(effects);
        Ok(())
    }

    async fn begin(&self) -> Result<ImportTransaction, WriteError> {
        if self.held_lease.is_none() {
            return self.begin_with_lease().await;
        }
        let import = (self.lease()?, self.record.id);
        let rows = self.planned.plan.order.rows().len().max(self.missing.len());
        let volume = match rows <= FEW_ROWS {
            true => WriteVolume::Few,
            false => WriteVolume::Any,
        };
        let (store, now) = (&self.importer.store, self.importer.clock.now());
        store.begin_write(import, volume, &self.actor, now).await
    }

    /// Begins the next transaction now, if the store can lock other writers out until it ends.
    pub(super) async fn begin_exclusive(&mut self) {
        let Ok(lease) = self.lease() else {
            return;
        };
        let (now, import) = (self.importer.clock.now(), self.record.id);
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
        parts: TransactionParts<'_>,
        stored: ImportRecord,
    ) -> Result<(), WriteError> {
        let mut effects = TransactionEffects::default();
        if !parts.deactivate.is_empty() {
            effects.deactivated = self.recorded_deactivated().await?;
            let deactivated = user_ids(&effects.deactivated);
            (_, effects.skipped) = split_deactivated(parts.deactivate, &deactivated);
        }
        self.record = stored;
        self.revision += 1;
        self.is_released |= parts.end.is_some();
        self.announce_written(parts).await;
        self.announce_effects(effects);
        Ok(())
    }

    async fn perform(
        &self,
        parts: TransactionParts<'_>,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        effects: &mut TransactionEffects,
    ) -> Result<(), WriteError> {
        if parts.may_be_cancelled() {
            write.expect_not_cancelled().await?;
        }
        if parts.depends_on_plan() {
            write.expect_revision(self.revision)?;
        }
        // These parts are the whole import, whose end is completed.
        if let (None, Some(final_results), RowsToWrite::Batch { batch, .. }) =
            (&self.held_lease, parts.open, parts.rows)
        {
            return self
                .write_few(write, result_log, final_results, batch)
                .await;
        }
        if parts.resume {
            write.note_resumed();
        }
        if let Some(final_results) = parts.open {
            self.open(write, result_log, final_results).await?;
            if parts.end.is_none() {
                self.record_rest(result_log).await?;
            }
        }
        match parts.rows {
            RowsToWrite::None => {}
            RowsToWrite::Batch { batch, written } => {
                if !written {
                    batch.write(write).await?;
                }
                result_log.results(&batch.results, &batch.changes).await?;
            }
            RowsToWrite::All => self.write_all(write, result_log).await?,
        }
        if !parts.results.is_empty() {
            result_log.results(parts.results, &[]).await?;
        }
        let is_whole = parts.is_whole();
        let _stage = is_whole.then(|| ImportStageTimer::begin("deactivate"));
        for users in parts.deactivate.chunks(self.size()) {
            self.deactivate_users(write, result_log, users, effects)
                .await?;
        }
        // The record must show that the transaction has committed.
        if parts.open.is_some() && result_log.counted().is_none() {
            result_log.results(&[], &[]).await?;
        }
        write
            .change_record(self.record_changes(parts, result_log.counted(), effects))
            .await?;
        match parts.end {
            Some(_) => write.release_lease().await,
            None => Ok(()),
        }
    }

    fn record_changes(
        &self,
        parts: TransactionParts<'_>,
        counted: Option<(i32, OutcomeCounts)>,
        effects: &TransactionEffects,
    ) -> RecordChanges<'_> {
        let end = parts.end.map(|state| {
            let mut skipped = self.skipped.clone();
            skipped.add(&effects.skipped);
            (state, self.encoded_notes(&skipped))
        });
        RecordChanges {
            bind: parts.open.is_some().then_some(&self.record),
            resume: parts.resume.then_some(self.importer.server),
            counted,
            end,
        }
    }

    async fn open(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        final_results: &FinalResults,
    ) -> Result<(), WriteError> {
        write.note_begun(&self.record, &self.asked_for);
        result_log.final_results(final_results).await
    }

    /// Records what an attempt that goes on with the import has to know: the users to deactivate, and the warnings of
    /// the first plan.
    async fn record_rest(&self, result_log: &mut ResultLog<'_>) -> Result<(), WriteError> {
        for users in messages::deactivations(self.missing.iter().cloned()) {
            let users = CompressedMessage::new(&users.encode_to_vec());
            let users = [(BatchKind::ToDeactivate, &users)];
            result_log.write(&ResultBatches::of(&users)).await?;
        }
        result_log
            .first_plan_warnings(&self.first_plan_warnings)
            .await
    }

    /// Writes all rows of the plan within one transaction.
    async fn write_all(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
    ) -> Result<(), WriteError> {
        let mut pipeline = self.pipeline(false)?;
        while let Some(ReadyBatch { batch, .. }) = pipeline.next(self.size()).await? {
            batch.write(write).await?;
            result_log.results(&batch.results, &batch.changes).await?;
            pipeline.committed(&batch.rows);
        }
        Ok(())
    }

    /// Deactivates users. The statement checks each user again: one who is protected or inactive by then, or has a
    /// privileged role that the caller may not change, is skipped with a warning.
    async fn deactivate_users(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        users: &[UserToDeactivate],
        effects: &mut TransactionEffects,
    ) -> Result<(), WriteError> {
        let may_privileged = self.planned.plan.request.terms.permitted.privileged;
        let written = write
            .deactivate_users(&user_ids(users), may_privileged)
            .await?;
        let (deactivated, skipped) = split_deactivated(users, &written);
        let mut rest = deactivated.as_slice();
        for users in messages::deactivations(deactivated.iter().cloned()) {
            let (described, others) = rest.split_at(users.users.len());
            rest = others;
            let counts = OutcomeCounts {
                deactivated: u32::try_from(described.len()).unwrap_or(u32::MAX),
                ..OutcomeCounts::default()
            };
            let payload = CompressedMessage::new(&users.encode_to_vec());
            let changes = changed_users::encode_deactivated(described);
            let batches = [
                (BatchKind::Deactivated, &payload),
                (BatchKind::Changes, &changes),
            ];
            let batches = ResultBatches::of(&batches).with(counts);
            result_log.write(&batches).await?;
        }
        effects.deactivated.extend(deactivated);
        effects.skipped.extend(skipped);
        Ok(())
    }

    /// The record's notes: warnings and the number of identity changes.
    pub(super) fn encoded_notes(&self, skipped: &SkippedDeactivations) -> Vec<u8> {
        self.notes.encode_with(&skipped.warnings())
    }

    /// Updates the writer's state after a commit.
    fn take_over(
        &mut self,
        parts: TransactionParts<'_>,
        now: OffsetDateTime,
        revision: i64,
        sequence: i32,
        counts: OutcomeCounts,
    ) {
        // A transaction that does not depend on the plan may run on a directory that others have changed. The next one
        // that does depend on it must notice.
        if parts.depends_on_plan() || revision == self.revision + 1 {
            self.revision = revision;
        }
        self.record.results = sequence;
        let mut total = messages::recorded_counts(&self.record);
        total.add(&counts);
        messages::set_recorded_counts(&mut self.record, &total);
        if let Some(state) = parts.end {
            self.record.state = state.into();
            self.record.finished_at = Some(now);
            self.is_released = true;
        }
    }

    /// Announces the rows of a transaction that opens the import, in the order recorded.
    async fn announce_written(&self, parts: TransactionParts<'_>) {
        if let Some(final_results) = parts.open {
            for (rows, part) in final_results.kept().await {
                self.announce_rows(rows, part);
            }
        }
        if let RowsToWrite::All = parts.rows {
            self.announce_rows(self.planned.plan.order.rows().to_vec(), None);
        }
    }

    fn announce_effects(&mut self, effects: TransactionEffects) {
        self.skipped.add(&effects.skipped);
        self.record.notes = self.encoded_notes(&self.skipped);
        if !effects.deactivated.is_empty() {
            let _ = self
                .committed
                .send(CommittedChange::Deactivated(effects.deactivated));
        }
    }

    /// The deactivated users that are recorded after the results known to be stored.
    async fn recorded_deactivated(&self) -> Result<Vec<UserToDeactivate>, WriteError> {
        let (organization, import) = (self.record.organization_id, self.record.id);
        // The transaction that needs them is retried as a whole.
        let store = self.importer.store.without_retries();
        let recorded = store.recorded_batches(organization, import, self.record.results, i32::MAX);
        let mut deactivated = Vec::new();
        for batch in recorded.await? {
            if batch.kind == BatchKind::Deactivated {
                let users = messages::recorded_users(&batch.payload);
                deactivated.extend(users.map_err(WriteError::task)?);
            }
        }
        Ok(deactivated)
    }
}

/// What a transaction has done, reported once it has committed.
#[derive(Debug, Default)]
struct TransactionEffects {
    deactivated: Vec<UserToDeactivate>,
    skipped: Vec<UserToDeactivate>,
}
