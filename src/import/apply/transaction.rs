//! One transaction: what it does, tried again where its fault may pass, and what is known once it has
//! committed.

use std::sync::Arc;

use prost::Message;
use time::OffsetDateTime;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Applier, Committed};
use super::{
    batch::Batch,
    changed_concurrently::{LeftAlone, ids, split},
};
use crate::{
    domain::Tally,
    import::{
        lease::Patience,
        record::{EncodedResults, Journal, Settled, import_record},
        review::planned_import,
    },
    plan::Schedule,
    proto::{DeactivatedUser, Deactivations, ImportState},
    store::{BatchKind, ImportRecord, ImportTransaction, Payload, WriteError},
};

/// One transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// Bind the ID; record what is final already, and whom to deactivate.
    Open(&'a Settled),
    /// Take an interrupted import up again.
    Resume,
    /// Write these rows of the plan, unless the transaction has `written` them already.
    Rows { batch: &'a Batch, written: bool },
    /// Record these verdicts of a later plan.
    Verdicts(&'a [EncodedResults]),
    /// Deactivate these users.
    Deactivate(&'a [DeactivatedUser]),
    /// All of the above but `Resume`, and the end.
    AtOnce(&'a Settled),
    /// Record the end.
    End(ImportState),
}

impl Applier {
    /// One transaction, tried again for a while where the fault may pass.
    pub(super) async fn transact(&mut self, step: Step<'_>) -> Result<(), WriteError> {
        let patience = Patience::new(&self.importer);
        self.transact_with(step, patience, false).await
    }

    pub(super) async fn transact_with(
        &mut self,
        step: Step<'_>,
        mut patience: Patience,
        mut unsure: bool,
    ) -> Result<(), WriteError> {
        loop {
            match self.attempt(step, None, unsure).await {
                Err(WriteError::Store(error)) if patience.bears(&error).await => unsure = true,
                result => return result,
            }
        }
    }

    /// One transaction, or the end of one that has `begun` by writing its batch. `unsure`: an earlier
    /// attempt at it may be stored after all.
    pub(super) async fn attempt(
        &mut self,
        step: Step<'_>,
        begun: Option<ImportTransaction>,
        unsure: bool,
    ) -> Result<(), WriteError> {
        let now = self.importer.clock.now();
        let mut write = match begun.or_else(|| self.held.take()) {
            Some(write) => write,
            None => self.begin(now).await?,
        };
        write.claim().await?;
        // Asked only now: a commit under way would still have held the organisation.
        if unsure && let Some(stored) = self.stored(&write).await? {
            drop(write);
            return self.catch_up(step, stored).await;
        }
        let mut journal = Journal::new(&write, self.record.results);
        let mut done = Done::default();
        self.perform(step, &write, &mut journal, &mut done).await?;
        journal.close().await?;
        let revision = write.revision();
        let (sequence, counts) = (journal.sequence, journal.counts);
        write.commit().await?;
        self.take_over(step, now, revision, sequence, counts);
        self.tell(done);
        Ok(())
    }

    async fn begin(&self, now: OffsetDateTime) -> Result<ImportTransaction, WriteError> {
        let (lease, import) = (self.tenure.lease(), self.record.id);
        let store = &self.importer.store;
        store.begin_write(lease, import, &self.actor, now).await
    }

    /// Begins the next transaction now, so that nobody else writes until it ends; where that can be had.
    pub(super) async fn hold(&mut self) {
        let now = self.importer.clock.now();
        let (lease, import) = (self.tenure.lease(), self.record.id);
        let store = &self.importer.store;
        self.held = store.begin_exclusive(lease, import, &self.actor, now).await;
    }

    /// The record, where it has more than what is known to be stored.
    async fn stored(&self, write: &ImportTransaction) -> Result<Option<ImportRecord>, WriteError> {
        let further = |stored: &ImportRecord| {
            stored.attempt == self.record.attempt && stored.results > self.record.results
        };
        Ok(write.import_record().await?.filter(further))
    }

    /// Takes over what a transaction has changed whose end nobody saw.
    async fn catch_up(&mut self, step: Step<'_>, stored: ImportRecord) -> Result<(), WriteError> {
        let mut done = Done::default();
        match step {
            Step::Deactivate(users) => {
                done.deactivated = self.recorded_deactivated().await?;
                (_, done.left_alone) = split(users, &ids(&done.deactivated));
            }
            Step::AtOnce(_) => {
                done.deactivated = self.recorded_deactivated().await?;
                // All that it said it has recorded.
                self.warnings = import_record::warnings(&stored);
            }
            _ => {}
        }
        self.record = stored;
        self.revision += 1;
        self.tell(done);
        Ok(())
    }

    async fn perform(
        &self,
        step: Step<'_>,
        write: &ImportTransaction,
        journal: &mut Journal<'_>,
        done: &mut Done,
    ) -> Result<(), WriteError> {
        match step {
            Step::Open(settled) => {
                write.expect_revision(self.revision)?;
                self.open(write, journal, settled).await?;
                journal.noted(&self.noted).await
            }
            Step::Resume => write.resume(self.importer.server).await,
            Step::Rows { batch, written } => {
                write.expect_not_cancelled().await?;
                write.expect_revision(self.revision)?;
                if !written {
                    batch.write(write).await?;
                }
                journal.results(&batch.results).await
            }
            Step::Verdicts(results) => journal.results(results).await,
            Step::Deactivate(users) => {
                write.expect_not_cancelled().await?;
                self.deactivate_users(write, journal, users, done).await
            }
            Step::AtOnce(settled) => {
                write.expect_revision(self.revision)?;
                self.open(write, journal, settled).await?;
                self.write_all(write, journal, done).await?;
                journal.close().await?;
                self.end(write, ImportState::Completed, done).await
            }
            Step::End(state) => self.end(write, state, done).await,
        }
    }

    async fn open(
        &self,
        write: &ImportTransaction,
        journal: &mut Journal<'_>,
        settled: &Settled,
    ) -> Result<(), WriteError> {
        write.bind(&self.record, &self.asked_for).await?;
        journal.settled(settled).await?;
        let messages: Vec<Deactivations> =
            planned_import::deactivations(self.missing.iter().cloned()).collect();
        for users in messages {
            let users = Payload::new(&users.encode_to_vec());
            journal
                .write(BatchKind::ToDeactivate, &users, Tally::default())
                .await?;
        }
        Ok(())
    }

    async fn write_all(
        &self,
        write: &ImportTransaction,
        journal: &mut Journal<'_>,
        done: &mut Done,
    ) -> Result<(), WriteError> {
        let size = self.size();
        let mut schedule = Schedule::new(&self.judged.plan.order);
        let mut next = self.prepare(&mut schedule, size);
        while let Some(batch) = next.await.map_err(WriteError::task)? {
            next = self.prepare(&mut schedule, size);
            batch.write(write).await?;
            journal.results(&batch.results).await?;
        }
        for users in self.missing.chunks(size) {
            self.deactivate_users(write, journal, users, done).await?;
        }
        Ok(())
    }

    /// Begins to make the next batch of about `size` rows, on a thread of its own. `None` comes of
    /// it where there are no more.
    fn prepare(&self, schedule: &mut Schedule, size: usize) -> JoinHandle<Option<Batch>> {
        let judged = Arc::clone(&self.judged);
        let rows = schedule.take(&judged.plan.order, size);
        spawn_blocking(move || (!rows.is_empty()).then(|| Batch::new(&judged, rows, false)))
    }

    /// Each user is looked at again in the statement itself; who is protected or inactive by then, or
    /// has a privileged role that the caller may not touch, is left alone, and that is said.
    async fn deactivate_users(
        &self,
        write: &ImportTransaction,
        journal: &mut Journal<'_>,
        users: &[DeactivatedUser],
        done: &mut Done,
    ) -> Result<(), WriteError> {
        let may_privileged = self.judged.terms().permitted.privileged;
        let written = write.deactivate_users(&ids(users), may_privileged).await?;
        let (deactivated, left_alone) = split(users, &written);
        for users in deactivated {
            let counts = Tally {
                deactivated: u32::try_from(users.users.len()).unwrap_or(u32::MAX),
                ..Tally::default()
            };
            let payload = Payload::new(&users.encode_to_vec());
            journal
                .write(BatchKind::Deactivated, &payload, counts)
                .await?;
            done.deactivated.extend(users.users);
        }
        done.left_alone.extend(left_alone);
        Ok(())
    }

    async fn end(
        &self,
        write: &ImportTransaction,
        state: ImportState,
        done: &Done,
    ) -> Result<(), WriteError> {
        let mut left_alone = self.left_alone.clone();
        left_alone.add(&done.left_alone);
        write.record_end(state, self.notes(&left_alone)).await
    }

    /// What the record says beside counts and results.
    fn notes(&self, left_alone: &LeftAlone) -> Vec<u8> {
        let warnings = [self.warnings.as_slice(), &left_alone.warnings()].concat();
        import_record::encode_notes(&[], &warnings, self.identity_changes)
    }

    /// What a committed transaction has changed.
    fn take_over(
        &mut self,
        step: Step<'_>,
        now: OffsetDateTime,
        revision: i64,
        sequence: i32,
        counts: Tally,
    ) {
        // Steps that plan nothing may have met a directory that others have changed; the next one
        // that does must notice.
        let planned = matches!(step, Step::Open(_) | Step::Rows { .. } | Step::AtOnce(_));
        if planned || revision == self.revision + 1 {
            self.revision = revision;
        }
        self.record.results = sequence;
        let mut tally = import_record::tally(&self.record);
        tally.add(&counts);
        import_record::set_tally(&mut self.record, &tally);
        let ended = match step {
            Step::End(state) => Some(state),
            Step::AtOnce(_) => Some(ImportState::Completed),
            _ => None,
        };
        if let Some(state) = ended {
            self.record.state = state.into();
            self.record.finished_at = Some(now);
        }
    }

    fn tell(&mut self, done: Done) {
        self.left_alone.add(&done.left_alone);
        self.record.notes = self.notes(&self.left_alone);
        if !done.deactivated.is_empty() {
            let _ = self
                .committed
                .send(Committed::Deactivated(done.deactivated));
        }
    }

    /// The users whom the record says to be deactivated beyond what is known to be stored.
    async fn recorded_deactivated(&self) -> Result<Vec<DeactivatedUser>, WriteError> {
        let (organization, import) = (self.record.organization_id, self.record.id);
        let store = &self.importer.store;
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

/// What a transaction has brought about, to be told once it has committed.
#[derive(Debug, Default)]
struct Done {
    deactivated: Vec<DeactivatedUser>,
    left_alone: Vec<DeactivatedUser>,
}
