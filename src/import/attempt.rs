//! One attempt at an import whose input has been received whole: begun afresh, or joined, replayed
//! or resumed, as its record says (semantics §8).
//!
//! The database alone says what stands: the record under the import's ID, and the organisation's lease. So
//! it makes no difference which server an attempt comes to, nor what became of the one that took the attempt
//! before. An attempt looks, does what is to be done as things stand, and looks again where somebody else
//! was quicker.

use std::{collections::HashSet, sync::Arc};

use prost::Message;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    ImportError,
    apply::{ATTEMPTS, Applier, Committed, Work},
    lease::Tenure,
    receive::{Session, session},
    record::{Follower, LOOK, import_record},
    review::{Judged, Noted, guard, planned_import},
};
use crate::{
    domain::Row,
    proto::{
        DeactivatedUser, Deactivations, ImportPhase, ImportState, ResultFilter, RowResults,
        import_users_response::Message as Reply,
    },
    store::{BatchKind, ImportRecord, ImportTransaction},
    telemetry::metrics::{self, Stage},
};

/// What is to be done under an import ID.
enum Standing {
    /// Nothing has been written under it.
    Unbound,
    /// It has ended, in this state.
    Ended(ImportRecord, ImportState),
    /// Somebody is applying it.
    Running(ImportRecord),
    /// It stopped before its end.
    Interrupted(ImportRecord),
}

impl Session<'_> {
    /// Brings the import to its end, whatever has become of it before.
    pub(super) async fn carry_out(&mut self, rows: Arc<Vec<Row>>) -> Result<(), ImportError> {
        let importer = self.importer.clone();
        let filter = self.options.filter;
        let mut follower = Follower::new(importer, self.organization, self.record.id, filter, 0);
        let mut again = 0;
        loop {
            if self.importer.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            match self.standing().await? {
                Standing::Unbound => match self.take_lease().await? {
                    Some(tenure) => {
                        let held = self.hold(&tenure, again).await;
                        match self.begin(Arc::clone(&rows), tenure, held).await {
                            Err(ImportError::Again) => again += 1,
                            result => return result,
                        }
                    }
                    None => self.with_progress(sleep(LOOK)).await,
                },
                Standing::Ended(record, state) => {
                    follower.catch_up(self.outlet).await?;
                    self.summary = import_record::summary(&record, state);
                    return match state {
                        ImportState::Cancelled => Err(ImportError::Cancelled),
                        _ => Ok(()),
                    };
                }
                Standing::Running(record) => {
                    // Whatever keeps it from being followed, this much is written.
                    self.summary = import_record::summary(&record, ImportState::Interrupted);
                    if !follower.catch_up(self.outlet).await? || self.outlet.is_gone() {
                        return Err(ImportError::Broken);
                    }
                    self.with_progress(sleep(LOOK)).await;
                }
                Standing::Interrupted(record) => {
                    // Whatever keeps it from going on, this much is written.
                    self.summary = import_record::summary(&record, ImportState::Interrupted);
                    if let Some(tenure) = self.take_lease().await? {
                        match self.resume(&rows, record.id, tenure, &mut follower).await {
                            Err(ImportError::Again) => continue,
                            result => return result,
                        }
                    }
                    self.with_progress(sleep(LOOK)).await;
                }
            }
        }
    }

    /// True where applying has begun under this ID already, whoever did; as far as can be told.
    pub(super) async fn is_bound(&self) -> bool {
        let found = self
            .importer
            .store
            .import(self.organization, self.record.id);
        matches!(found.await, Ok(Some(record)) if record.options_digest.is_some())
    }

    /// Refuses an ID that is bound to something else.
    pub(super) async fn expect_own_id(&self) -> Result<(), ImportError> {
        self.standing().await.map(|_| ())
    }

    /// What the record says now. `IdBound` where the ID was bound to other input or other options.
    async fn standing(&self) -> Result<Standing, ImportError> {
        let store = &self.importer.store;
        let found = || store.import(self.organization, self.record.id);
        let found = self.importer.patiently(found).await?;
        let Some(record) = found.filter(|record| record.options_digest.is_some()) else {
            return Ok(Standing::Unbound);
        };
        let same_options = record.options_digest.as_deref() == Some(&self.options_digest);
        if !same_options || record.input_sha256 != self.summary.input_sha256 {
            return Err(ImportError::IdBound(record.id));
        }
        let state = || self.importer.state_now(&record);
        Ok(match self.importer.patiently(state).await? {
            state @ (ImportState::Completed | ImportState::Cancelled) => {
                Standing::Ended(record, state)
            }
            ImportState::Interrupted => Standing::Interrupted(record),
            _ => Standing::Running(record),
        })
    }

    /// Takes the organisation's lease. `None`: another attempt at this same import has it.
    async fn take_lease(&self) -> Result<Option<Tenure>, ImportError> {
        let ttl = self.importer.settings.lease;
        let store = &self.importer.store;
        let asked = Instant::now();
        // Where the answer of one that was taken is lost, it runs out before another is taken.
        let take = || store.take_lease(self.organization, self.record.id, ttl);
        let taken = self.with_progress(self.importer.patiently(take)).await?;
        match taken {
            Ok(lease) => {
                metrics::waited("lease", asked.elapsed());
                Ok(Some(Tenure::new(store.clone(), lease, ttl)))
            }
            Err(holder) if holder.import == self.record.id => Ok(None),
            Err(holder) => Err(ImportError::Held(holder)),
        }
    }

    /// Keeps others from writing while the plan is made, where they have changed the directory before it could
    /// be applied this often already.
    async fn hold(&self, tenure: &Tenure, again: u32) -> Option<ImportTransaction> {
        if again < ATTEMPTS {
            return None;
        }
        let now = self.importer.clock.now();
        let (lease, import) = (tenure.lease(), self.record.id);
        let store = &self.importer.store;
        store.begin_exclusive(lease, import, &self.actor, now).await
    }

    /// Plans and guards an import that nothing has been written of, and applies it.
    async fn begin(
        &mut self,
        rows: Arc<Vec<Row>>,
        tenure: Tenure,
        mut held: Option<ImportTransaction>,
    ) -> Result<(), ImportError> {
        let judged = match self.guarded(rows, &mut held).await {
            Ok(judged) => judged,
            Err(error) => {
                drop(held);
                tenure.end().await;
                return Err(error);
            }
        };
        let work = Work {
            noted: Arc::new(judged.noted()),
            missing: judged.missing().collect(),
            record: self.record_to_bind(&judged),
            judged: Arc::new(judged),
            resumed: false,
            actor: self.actor.clone(),
            asked_for: self.asked_for.clone(),
            held,
        };
        self.apply(work, tenure, self.options.all_or_nothing).await
    }

    /// The plan, where no guard refuses it and its caller is still admitted. Where one does, the client is told
    /// all the same what the plan was, row by row.
    async fn guarded(
        &mut self,
        rows: Arc<Vec<Row>>,
        held: &mut Option<ImportTransaction>,
    ) -> Result<Judged, ImportError> {
        let mut judged = self.plan(rows).await?;
        let stage = Stage::begin("guard");
        let refusals = guard::check(&self.options, &self.importer.settings, &judged);
        drop(stage);
        if !refusals.is_empty() {
            // Nobody is to wait for what the client takes to read.
            *held = None;
            self.preview(&judged).await;
            return Err(refusals.into());
        }
        self.expect_still_admitted().await?;
        judged.assign_ids();
        Ok(judged)
    }

    /// The attempt's record with what its ID is bound to: from here on whoever comes with this ID must come
    /// with the same input and options.
    fn record_to_bind(&self, judged: &Judged) -> ImportRecord {
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        ImportRecord {
            state: ImportState::Applying.into(),
            options_digest: Some(self.options_digest.to_vec()),
            input_sha256: self.summary.input_sha256.clone(),
            plan_digest: judged.plan.digest.to_vec(),
            rows: number(self.summary.rows),
            protected_skipped: number(judged.plan.protected_skipped),
            notes: import_record::encode_notes(
                &[],
                &self.summary.warnings,
                judged.plan.identity_changes,
            ),
            ..self.record.clone()
        }
    }

    /// Plans the rows that were still to be written when the import stopped, and goes on.
    async fn resume(
        &mut self,
        rows: &Arc<Vec<Row>>,
        import: Uuid,
        tenure: Tenure,
        follower: &mut Follower,
    ) -> Result<(), ImportError> {
        match self.remaining(rows, import, follower).await {
            Ok(Some(work)) => self.apply(work, tenure, false).await,
            Ok(None) => {
                tenure.end().await;
                Err(ImportError::Broken)
            }
            Err(error) => {
                tenure.end().await;
                Err(error)
            }
        }
    }

    /// What is left of an interrupted import. `None`: the client has gone. `Again`: it has ended.
    async fn remaining(
        &mut self,
        rows: &Arc<Vec<Row>>,
        import: Uuid,
        follower: &mut Follower,
    ) -> Result<Option<Work>, ImportError> {
        let importer = self.importer;
        let store = &importer.store;
        let record = importer.patiently(|| store.import(self.organization, import));
        let record = record.await?;
        let record = record.ok_or_else(|| ImportError::UnknownImport(import.to_string()))?;
        // Somebody else may have brought it to its end before the lease could be had.
        if has_ended(&record) {
            return Err(ImportError::Again);
        }
        if !follower.catch_up(self.outlet).await? {
            return Ok(None);
        }
        self.expect_latest(import).await?;
        self.progress.enter(ImportPhase::Planning);
        let done = self.with_progress(Recorded::read(self, import)).await?;
        let (rest, done) = rest_of(Arc::clone(rows), done).await?;
        let snapshot = importer.patiently(|| store.snapshot(self.organization));
        let snapshot = self.with_progress(snapshot).await?;
        let turn = importer.limiter.planning_turn(&self.options.organization);
        let _turn = self.with_progress(turn).await;
        // Whoever goes on with an import does so with his or her own permissions.
        let terms = self.terms(None);
        let judging =
            self.while_told(|wanted| session::judge(rest, snapshot, import, terms, wanted));
        let judged = self.with_progress(judging).await?;
        self.progress.set_planned(self.summary.rows);
        let noted = Arc::new(done.noted);
        let mut judged = judged.after(&noted);
        judged.assign_ids();
        self.expect_still_admitted().await?;
        self.summary = import_record::summary(&record, ImportState::Applying);
        self.progress.add_applied(done.rows.len());
        Ok(Some(Work {
            judged: Arc::new(judged),
            noted,
            record,
            missing: done.missing,
            resumed: true,
            actor: self.actor.clone(),
            asked_for: self.asked_for.clone(),
            held: None,
        }))
    }

    /// Refuses to go on where another import has begun applying since.
    async fn expect_latest(&self, import: Uuid) -> Result<(), ImportError> {
        let (importer, slug) = (self.importer, &self.options.organization);
        let organization = importer.patiently(|| importer.store.organization(slug));
        match organization.await?.last_import_id {
            Some(last) if last != import => Err(ImportError::OvertakenBy(last)),
            _ => Ok(()),
        }
    }

    /// Writes. The writing has a task of its own: it waits neither for the client nor for this one.
    async fn apply(
        &mut self,
        work: Work,
        tenure: Tenure,
        all_or_nothing: bool,
    ) -> Result<(), ImportError> {
        let _stage = Stage::begin("apply");
        let (committed, mut events) = mpsc::unbounded_channel();
        let applier = Applier::new(
            self.importer.clone(),
            tenure,
            work,
            Arc::clone(&self.progress),
            committed,
        );
        let writing = applier.run(all_or_nothing).in_current_span();
        let writing: JoinHandle<_> = self.importer.applying.spawn(writing);
        let mut reading = true;
        while let Some(event) = self.with_progress(events.recv()).await {
            reading = reading && self.tell(event).await?;
        }
        let (record, result) = writing.await?;
        // Rolled back: the summary keeps the counts that were planned.
        if !matches!(&result, Err(ImportError::Refused(_) | ImportError::Again)) {
            let state = ImportState::try_from(record.state).unwrap_or_default();
            self.summary = import_record::summary(&record, state);
        }
        result
    }

    /// Sends what has become final. False: the client has gone.
    async fn tell(&self, event: Committed) -> Result<bool, ImportError> {
        let (filter, values) = (self.options.filter, self.options.include_values);
        let as_recorded = filter == ResultFilter::All && !values;
        let outlet = self.outlet;
        Ok(match event {
            Committed::Rows {
                recorded: Some(recorded),
                ..
            } if as_recorded => {
                for results in recorded.iter() {
                    if !outlet.send(Reply::Results(results.message()?)).await {
                        return Ok(false);
                    }
                }
                true
            }
            Committed::Rows { judged, rows, .. } => {
                let results = judged.results(rows, filter, values);
                outlet.send_all(results.map(Reply::Results)).await
            }
            Committed::Verdicts(mut results) => {
                results.retain(|result| planned_import::passes_recorded(filter, result.outcome()));
                let messages = planned_import::verdicts(results.into_iter());
                outlet.send_all(messages.map(Reply::Results)).await
            }
            Committed::Deactivated(users) => {
                let messages = planned_import::deactivations(users.into_iter());
                outlet.send_all(messages.map(Reply::Deactivations)).await
            }
        })
    }
}

/// The rows that have no result yet; a million are not looked through on a thread of the runtime.
async fn rest_of(
    rows: Arc<Vec<Row>>,
    done: Recorded,
) -> Result<(Arc<Vec<Row>>, Recorded), ImportError> {
    let looking = spawn_blocking(move || {
        let rest = rows.iter().filter(|row| !done.rows.contains(&row.number));
        (Arc::new(rest.cloned().collect()), done)
    });
    Ok(looking.await?)
}

/// True where there is nothing to go on with.
fn has_ended(record: &ImportRecord) -> bool {
    let state = ImportState::try_from(record.state).unwrap_or_default();
    matches!(state, ImportState::Completed | ImportState::Cancelled)
}

/// What an interrupted import has recorded.
#[derive(Default)]
struct Recorded {
    /// Numbers of the rows that have a result.
    rows: HashSet<u32>,
    /// Users who were to be deactivated and have not been.
    missing: Vec<DeactivatedUser>,
    /// The warnings of the rows that were to be written.
    noted: Noted,
}

impl Recorded {
    /// Reads all batches of an import, in the order they were recorded.
    async fn read(session: &Session<'_>, import: Uuid) -> Result<Self, ImportError> {
        let store = &session.importer.store;
        let mut recorded = Self::default();
        let mut deactivated = HashSet::new();
        let mut next = 0;
        loop {
            let batches = || store.recorded_batches(session.organization, import, next, 16);
            let batches = session.importer.patiently(batches).await?;
            let Some(last) = batches.last() else { break };
            next = last.sequence + 1;
            for batch in batches {
                recorded.add(batch.kind, &batch.payload, &mut deactivated)?;
            }
        }
        recorded
            .missing
            .retain(|user| !deactivated.contains(&user.user_id));
        Ok(recorded)
    }

    fn add(
        &mut self,
        kind: BatchKind,
        payload: &[u8],
        deactivated: &mut HashSet<String>,
    ) -> Result<(), ImportError> {
        let broken = |error: prost::DecodeError| ImportError::Internal(error.to_string());
        match kind {
            BatchKind::Results => {
                let results = RowResults::decode(payload).map_err(broken)?.results;
                self.rows.extend(results.iter().map(|result| result.row));
            }
            BatchKind::ToWrite => {
                let results = RowResults::decode(payload).map_err(broken)?.results;
                self.noted.add(results);
            }
            BatchKind::ToDeactivate => {
                self.missing
                    .extend(Deactivations::decode(payload).map_err(broken)?.users);
            }
            BatchKind::Deactivated => {
                let users = Deactivations::decode(payload).map_err(broken)?.users;
                deactivated.extend(users.into_iter().map(|user| user.user_id));
            }
        }
        Ok(())
    }
}
