//! Writes a planned import, transaction by transaction, in the plan's order, and records every
//! result in the transaction that makes it true.
//!
//! Runs in a task of its own and does not need the client: what it has committed it tells through a
//! channel that never makes it wait. Where it finds that the directory has changed since the plan
//! was made, it plans the rows that are still to be written again, on a new snapshot; a row that no
//! longer fits is then rejected as changed concurrently.

use std::sync::Arc;

use prost::Message;
use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};
use tracing::warn;

use super::{
    ImportError, Importer, Refusal,
    batch::Batch,
    changed::{changed, cloned, given_up_results, ids, overtaken, remaining, split},
    journal::{self, EncodedResults, Journal},
    lease::Tenure,
    noted::Noted,
    pace::Pace,
    patience::Patience,
    pipeline::{Opening, Pipeline, Ready},
    progress::Progress,
    record, session,
    verdict::{self, Judged},
};
use crate::{
    domain::{Actor, Row, Tally},
    plan::{Outcome, Schedule},
    proto::{DeactivatedUser, Deactivations, ImportPhase, ImportState, RowResult},
    store::{BatchKind, DirectoryWrite, ImportRecord, Payload, WriteError},
};

/// How often a transaction that has one group only is tried on a new plan before its rows are
/// given up, and how often the plan is made again for all rows or none.
const ATTEMPTS: u32 = 3;

/// Most users whose being left alone is said one by one: a summary is a message like others.
const MAX_WARNINGS: usize = 200;

/// What has become final.
#[derive(Debug)]
pub enum Committed {
    /// Rows of a plan, by index.
    Rows(Arc<Judged>, Vec<u32>),
    /// Rows that a later plan rejects.
    Verdicts(Vec<RowResult>),
    /// Users deactivated because they are not listed.
    Deactivated(Vec<DeactivatedUser>),
}

/// What is to be written, and the record that goes with it.
#[derive(Debug)]
pub struct Work {
    /// The rows to write; users to be created have their IDs.
    pub judged: Arc<Judged>,
    /// The record as it is, or as it is to be once the ID is bound.
    pub record: ImportRecord,
    /// The warnings of the rows to write, by the first plan.
    pub noted: Arc<Noted>,
    /// Users to deactivate after the rows.
    pub missing: Vec<DeactivatedUser>,
    /// The record is there already: only its state is to be changed.
    pub resumed: bool,
    /// Who has sent it.
    pub actor: Actor,
}

/// Applies one import, under a lease that it gives back.
#[derive(Debug)]
pub struct Applier {
    importer: Importer,
    tenure: Tenure,
    judged: Arc<Judged>,
    noted: Arc<Noted>,
    record: ImportRecord,
    missing: Vec<DeactivatedUser>,
    resumed: bool,
    actor: Actor,
    warnings: Vec<crate::proto::Issue>,
    revision: i64,
    progress: Arc<Progress>,
    committed: mpsc::UnboundedSender<Committed>,
}

/// One transaction.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    /// Bind the ID; record what is final already, and whom to deactivate.
    Open(&'a [EncodedResults]),
    /// Take an interrupted import up again.
    Resume,
    /// Write these rows of the plan, unless the transaction has `written` them already.
    Rows { batch: &'a Batch, written: bool },
    /// Record these verdicts of a later plan.
    Verdicts(&'a [EncodedResults]),
    /// Deactivate these users.
    Deactivate(&'a [DeactivatedUser]),
    /// All of the above but `Resume`, and the end.
    AtOnce(&'a [EncodedResults]),
    /// Record the end.
    End(ImportState),
}

impl Applier {
    /// Ready to write.
    #[must_use]
    pub fn new(
        importer: Importer,
        tenure: Tenure,
        work: Work,
        progress: Arc<Progress>,
        committed: mpsc::UnboundedSender<Committed>,
    ) -> Self {
        Self {
            importer,
            tenure,
            revision: work.judged.revision,
            judged: work.judged,
            noted: work.noted,
            warnings: record::warnings(&work.record),
            record: work.record,
            missing: work.missing,
            resumed: work.resumed,
            actor: work.actor,
            progress,
            committed,
        }
    }

    /// Writes everything, records how it ended, and gives the lease back. Returns the record.
    ///
    /// # Errors
    /// Where it did not come to its end; see [`ImportError`].
    pub async fn run(mut self, all_or_nothing: bool) -> (ImportRecord, Result<(), ImportError>) {
        self.progress.enter(ImportPhase::Applying);
        let result = match all_or_nothing && !self.resumed {
            true => self.write_at_once().await,
            false => self.write_in_turn().await,
        };
        let result = self.conclude(result).await;
        self.tenure.end().await;
        (self.record, result)
    }

    /// Records the end, where there is one to record.
    async fn conclude(&mut self, result: Result<(), WriteError>) -> Result<(), ImportError> {
        match result {
            Ok(()) => Ok(()),
            Err(WriteError::Cancelled) => {
                self.transact(Step::End(ImportState::Cancelled)).await?;
                Err(ImportError::Cancelled)
            }
            Err(WriteError::Conflict) => Err(changed_concurrently().into()),
            Err(error @ (WriteError::Stale | WriteError::Bound)) => Err(error.into()),
            Err(error) => {
                let (lease, import) = (self.tenure.lease(), self.record.id);
                let (store, now) = (&self.importer.store, self.importer.clock.now());
                let interrupted = store.interrupt_import(lease, import, &self.actor, now);
                if let Err(error) = interrupted.await {
                    warn!(%error, "an interrupted import could not be marked; its lease tells");
                }
                self.record.state = ImportState::Interrupted.into();
                Err(error.into())
            }
        }
    }

    async fn write_in_turn(&mut self) -> Result<(), WriteError> {
        if self.resumed {
            self.transact(Step::Resume).await?;
            self.settle_replanned().await?;
        } else {
            let settled = self.encode_settled().await?;
            self.transact(Step::Open(&settled)).await?;
            self.announce_rows(self.judged.settled().collect());
        }
        self.write_rows().await?;
        self.deactivate().await?;
        self.transact(Step::End(ImportState::Completed)).await
    }

    async fn write_rows(&mut self) -> Result<(), WriteError> {
        let mut pipeline = self.pipeline();
        let result = self.write_batches(&mut pipeline).await;
        pipeline.recall().await;
        result
    }

    async fn write_batches(&mut self, pipeline: &mut Pipeline) -> Result<(), WriteError> {
        let mut pace = Pace::new(self.importer.settings.transaction_rows);
        let mut attempts = 0;
        while let Some(Ready { batch, begun, took }) = pipeline.next(pace.rows()).await? {
            self.expect_running()?;
            let began = Instant::now();
            let given_up = match self.write_batch(pipeline, &batch, begun).await {
                Ok(()) => {
                    pace.went_through(took + began.elapsed());
                    attempts = 0;
                    pipeline.committed(&batch.rows);
                    self.announce_rows(batch.rows);
                    continue;
                }
                Err(WriteError::Stale) => Vec::new(),
                Err(WriteError::Conflict) => {
                    attempts += u32::from(pace.rows() == 1);
                    pace.met_conflict();
                    match attempts >= ATTEMPTS {
                        true => batch.rows,
                        false => Vec::new(),
                    }
                }
                Err(error) => return Err(error),
            };
            pipeline.recall().await;
            self.replan(&pipeline.unwritten(), &given_up).await?;
            attempts %= ATTEMPTS;
            *pipeline = self.pipeline();
        }
        Ok(())
    }

    /// Writes a batch, and commits it. A transaction that has written it already is tried first.
    async fn write_batch(
        &mut self,
        pipeline: &mut Pipeline,
        batch: &Batch,
        begun: Option<DirectoryWrite>,
    ) -> Result<(), WriteError> {
        let mut patience = Patience::new(&self.importer);
        let step = |written| Step::Rows { batch, written };
        let unsure = begun.is_some();
        if unsure {
            match self.attempt(step(true), begun, false).await {
                Err(WriteError::Store(error)) if patience.bears(&error).await => {}
                result => return result,
            }
        }
        // Who begins anew must not stand behind a batch that waits for this one.
        pipeline.recall().await;
        self.transact_with(step(false), patience, unsure).await
    }

    fn pipeline(&self) -> Pipeline {
        let opening = Opening {
            store: self.importer.store.clone(),
            clock: self.importer.clock.clone(),
            lease: self.tenure.lease(),
            import: self.record.id,
            actor: self.actor.clone(),
        };
        Pipeline::new(opening, Arc::clone(&self.judged))
    }

    /// Begins to make the next batch of about `size` rows, on a thread of its own. `None` comes of
    /// it where there are no more.
    fn prepare(&self, schedule: &mut Schedule, size: usize) -> JoinHandle<Option<Batch>> {
        let judged = Arc::clone(&self.judged);
        let rows = schedule.take(&judged.plan.order, size);
        spawn_blocking(move || (!rows.is_empty()).then(|| Batch::new(&judged, rows)))
    }

    /// Encodes what is final before the first write.
    async fn encode_settled(&self) -> Result<Vec<EncodedResults>, WriteError> {
        let judged = Arc::clone(&self.judged);
        let encoding = spawn_blocking(move || journal::encode_rows(&judged, judged.settled()));
        encoding.await.map_err(WriteError::task)
    }

    /// One transaction for everything; planned again, and only if the plan stays what it was, where
    /// the directory has changed.
    async fn write_at_once(&mut self) -> Result<(), WriteError> {
        for _ in 0..ATTEMPTS {
            let settled = self.encode_settled().await?;
            match self.transact(Step::AtOnce(&settled)).await {
                Ok(()) => {
                    self.announce_rows((0u32..).take(self.judged.rows.len()).collect());
                    return Ok(());
                }
                Err(WriteError::Stale | WriteError::Conflict) => self.replan_all().await?,
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Conflict)
    }

    async fn deactivate(&mut self) -> Result<(), WriteError> {
        let _stage = crate::telemetry::metrics::Stage::begin("deactivate");
        self.progress.enter(ImportPhase::Deactivating);
        let missing = std::mem::take(&mut self.missing);
        for users in missing.chunks(self.importer.settings.transaction_rows.max(1)) {
            self.expect_running()?;
            self.transact(Step::Deactivate(users)).await?;
        }
        Ok(())
    }

    fn expect_running(&self) -> Result<(), WriteError> {
        match self.importer.stop.is_cancelled() {
            true => Err(WriteError::Stopped),
            false => Ok(()),
        }
    }

    /// One transaction, tried again for a while where the fault may pass.
    async fn transact(&mut self, step: Step<'_>) -> Result<(), WriteError> {
        let patience = Patience::new(&self.importer);
        self.transact_with(step, patience, false).await
    }

    async fn transact_with(
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
    async fn attempt(
        &mut self,
        step: Step<'_>,
        begun: Option<DirectoryWrite>,
        unsure: bool,
    ) -> Result<(), WriteError> {
        let now = self.importer.clock.now();
        let mut write = match begun {
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

    async fn begin(&self, now: OffsetDateTime) -> Result<DirectoryWrite, WriteError> {
        let (lease, import) = (self.tenure.lease(), self.record.id);
        let store = &self.importer.store;
        store.begin_write(lease, import, &self.actor, now).await
    }

    /// The record, where it has more than what is known to be stored.
    async fn stored(&self, write: &DirectoryWrite) -> Result<Option<ImportRecord>, WriteError> {
        let further = |stored: &ImportRecord| {
            stored.attempt == self.record.attempt && stored.results > self.record.results
        };
        Ok(write.recorded().await?.filter(further))
    }

    /// Takes over what a transaction has changed whose end nobody saw.
    async fn catch_up(&mut self, step: Step<'_>, stored: ImportRecord) -> Result<(), WriteError> {
        if let Step::Deactivate(_) | Step::AtOnce(_) = step {
            self.tell_recorded().await?;
        }
        self.record = stored;
        self.revision += 1;
        Ok(())
    }

    async fn perform(
        &self,
        step: Step<'_>,
        write: &DirectoryWrite,
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
                write.expect_wanted().await?;
                write.expect_revision(self.revision)?;
                if !written {
                    batch.write(write).await?;
                }
                journal.results(&batch.results).await
            }
            Step::Verdicts(results) => journal.results(results).await,
            Step::Deactivate(users) => {
                write.expect_wanted().await?;
                self.deactivate_users(write, journal, users, done).await
            }
            Step::AtOnce(settled) => {
                write.expect_revision(self.revision)?;
                self.open(write, journal, settled).await?;
                self.write_all(write, journal, done).await?;
                journal.close().await?;
                self.end(write, ImportState::Completed, &done.warnings)
                    .await
            }
            Step::End(state) => self.end(write, state, &[]).await,
        }
    }

    async fn open(
        &self,
        write: &DirectoryWrite,
        journal: &mut Journal<'_>,
        settled: &[EncodedResults],
    ) -> Result<(), WriteError> {
        write.bind(&self.record).await?;
        journal.results(settled).await?;
        let messages: Vec<Deactivations> =
            verdict::deactivations(self.missing.iter().cloned()).collect();
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
        write: &DirectoryWrite,
        journal: &mut Journal<'_>,
        done: &mut Done,
    ) -> Result<(), WriteError> {
        let size = self.importer.settings.transaction_rows.max(1);
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

    /// Each user is looked at again in the statement itself; who is protected or inactive by then, or
    /// has a privileged role that the caller may not touch, is left alone, and that is said.
    async fn deactivate_users(
        &self,
        write: &DirectoryWrite,
        journal: &mut Journal<'_>,
        users: &[DeactivatedUser],
        done: &mut Done,
    ) -> Result<(), WriteError> {
        let may_privileged = self.judged.terms().permitted.privileged;
        let written = write.deactivate(&ids(users), may_privileged).await?;
        let (deactivated, skipped) = split(users, &written);
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
        let room = MAX_WARNINGS.saturating_sub(self.warnings.len() + done.warnings.len());
        done.warnings.extend(skipped.into_iter().take(room));
        Ok(())
    }

    async fn end(
        &self,
        write: &DirectoryWrite,
        state: ImportState,
        further: &[crate::proto::Issue],
    ) -> Result<(), WriteError> {
        let warnings = [&self.warnings, further].concat();
        write.end(state, record::encode_notes(&[], &warnings)).await
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
        let mut tally = record::tally(&self.record);
        tally.add(&counts);
        record::set_tally(&mut self.record, &tally);
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
        self.warnings.extend(done.warnings);
        self.record.notes = record::encode_notes(&[], &self.warnings);
        if !done.deactivated.is_empty() {
            let _ = self
                .committed
                .send(Committed::Deactivated(done.deactivated));
        }
    }

    /// Tells the deactivations that the record has beyond what is known to be stored.
    async fn tell_recorded(&self) -> Result<(), WriteError> {
        let (organization, import) = (self.record.organization_id, self.record.id);
        let store = &self.importer.store;
        let recorded = store.recorded(organization, import, self.record.results, i32::MAX);
        for batch in recorded.await? {
            if batch.kind == BatchKind::Deactivated {
                let users = Deactivations::decode(batch.payload.as_slice());
                let users = users.map_err(WriteError::task)?.users;
                let _ = self.committed.send(Committed::Deactivated(users));
            }
        }
        Ok(())
    }

    async fn replan_all(&mut self) -> Result<(), WriteError> {
        let rows = Arc::clone(&self.judged.rows);
        let digest = self.judged.plan.digest;
        let judged = self.plan(rows, true).await?;
        if judged.plan.digest != digest {
            return Err(WriteError::Conflict);
        }
        self.adopt(judged);
        Ok(())
    }

    /// Plans the rows of the plan that are `unwritten` again, without those given up. Rows that are
    /// now rejected, and new users whom somebody else has made meanwhile, are final.
    async fn replan(&mut self, unwritten: &[u32], given_up: &[u32]) -> Result<(), WriteError> {
        let old = Arc::clone(&self.judged);
        let mut rejected: Vec<u32> = given_up.to_vec();
        loop {
            let rest = remaining(unwritten, &rejected);
            let judged = self.plan(Arc::new(cloned(&old, &rest)), false).await?;
            let judged = judged.after(&self.noted);
            let overtaken = overtaken(&old, &rest, &judged);
            if overtaken.is_empty() {
                self.adopt(judged);
                self.announce_verdicts(given_up_results(&old, &rejected))
                    .await?;
                return self.settle_replanned().await;
            }
            rejected.extend(overtaken);
        }
    }

    async fn plan(&self, rows: Arc<Vec<Row>>, missing: bool) -> Result<Judged, WriteError> {
        let (store, organization) = (&self.importer.store, self.record.organization_id);
        let snapshot = self.importer.patiently(|| store.snapshot(organization));
        let snapshot = snapshot.await?;
        let mut terms = self.judged.terms().clone();
        terms.scope = terms.scope.filter(|_| missing);
        let mut judged = session::judge(rows, snapshot, self.record.id, terms)
            .await
            .map_err(WriteError::task)?;
        judged.assign_ids();
        Ok(judged)
    }

    fn adopt(&mut self, judged: Judged) {
        self.revision = judged.revision;
        self.judged = Arc::new(judged);
    }

    /// Records which rows of a new plan need no writing: unchanged by now, or rejected.
    async fn settle_replanned(&mut self) -> Result<(), WriteError> {
        let judged = Arc::clone(&self.judged);
        let results = judged.settled().map(|row| {
            let result = judged.result(row as usize, false);
            match judged.plan.decisions[row as usize].outcome {
                Outcome::Rejected if !self.resumed => changed(result),
                _ => result,
            }
        });
        let results = results.collect();
        self.announce_verdicts(results).await
    }

    fn announce_rows(&self, rows: Vec<u32>) {
        self.progress.add_applied(rows.len());
        // Nobody listens any more where the client has gone.
        let _ = self
            .committed
            .send(Committed::Rows(Arc::clone(&self.judged), rows));
    }

    async fn announce_verdicts(&mut self, verdicts: Vec<RowResult>) -> Result<(), WriteError> {
        if verdicts.is_empty() {
            return Ok(());
        }
        let encoded = journal::encode(verdicts.iter().cloned());
        self.transact(Step::Verdicts(&encoded)).await?;
        self.progress.add_applied(verdicts.len());
        let _ = self.committed.send(Committed::Verdicts(verdicts));
        Ok(())
    }
}

/// What a transaction has brought about, to be told once it has committed.
#[derive(Debug, Default)]
struct Done {
    deactivated: Vec<DeactivatedUser>,
    warnings: Vec<crate::proto::Issue>,
}

fn changed_concurrently() -> Refusal {
    let message = "The directory changed while the import was being written, and all_or_nothing \
        applies all rows or none. Nothing was written; import again.";
    Refusal::precondition("CHANGED_CONCURRENTLY", "all_or_nothing", message)
}
