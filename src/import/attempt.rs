//! One attempt at an import whose input has been received completely (semantics §8).
//!
//! The import's record and the organisation's lease decide whether the attempt begins, joins, replays or
//! resumes the import. Both are in the database, so any server can take any attempt. An attempt reads them,
//! does the next step, and reads them again if another attempt was faster.

use std::sync::Arc;

use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    ImportError, Refusal, ResultFilter,
    apply::{ATTEMPTS, ApplyInput, CommittedChange, ImportWriter},
    lease::HeldLease,
    messages,
    receive::{AttemptRecording, ImportSession},
    record::{POLL_INTERVAL, RecordedProgress, ResultReplay, import_record},
    respond::Response,
    review::{
        FirstPlanWarnings, PlannedImport, PlanningInput, UserToDeactivate, not_held,
        plan_rows_to_write, select_users,
    },
};
use crate::{
    domain::{ImportPhase, ImportState, Row},
    plan::ByRow,
    store::{FEW_ROWS, ImportRecord, ImportTransaction},
    telemetry::metrics::{self, ImportStageTimer},
};

/// The state of the record under an import ID.
enum RecordStatus {
    /// There was no record when `started` was sent.
    Absent,
    /// No import has begun applying under the ID.
    Unbound,
    /// The import has ended, in this state.
    Ended(ImportRecord, ImportState),
    /// It is held for review.
    Held(ImportRecord),
    /// Another attempt is applying the import.
    Running(ImportRecord),
    /// The import stopped before its end.
    Interrupted(ImportRecord),
}

impl ImportSession<'_> {
    /// Brings the import to its end: begins, joins, replays or resumes it.
    pub(super) async fn carry_out(&mut self, rows: Arc<ByRow<Row>>) -> Result<(), ImportError> {
        let importer = self.importer.clone();
        let filter = self.options.filter;
        let mut replay = ResultReplay::new(importer, self.organization, self.record.id, filter, 0);
        let mut again = 0;
        loop {
            if self.importer.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            match self.next_status().await? {
                RecordStatus::Held(record) if self.held.is_none() => {
                    return Err(self.still_held(&record));
                }
                // The held import was discarded, or has expired.
                RecordStatus::Unbound if self.held.is_some() => {
                    return Err(not_held(self.record.id, ImportState::Cancelled).into());
                }
                status @ (RecordStatus::Absent | RecordStatus::Unbound | RecordStatus::Held(_)) => {
                    let is_whole = self.may_be_whole(&status, &rows);
                    match Box::pin(self.begin_in_turn(&rows, is_whole, again)).await {
                        Ok(None) => {}
                        Err(ImportError::PlanOutdated) => again += 1,
                        result => return result.map(drop),
                    }
                }
                RecordStatus::Ended(record, state) => {
                    self.responses.accept();
                    replay.catch_up(self.responses).await?;
                    self.summary = import_record::summary(&record, state);
                    return match state {
                        ImportState::Cancelled => Err(ImportError::Cancelled),
                        _ => Ok(()),
                    };
                }
                RecordStatus::Running(record) => {
                    self.responses.accept();
                    // If this attempt fails, the summary states what is written.
                    self.summary = import_record::summary(&record, ImportState::Interrupted);
                    if !replay.catch_up(self.responses).await? || self.responses.is_gone() {
                        return Err(ImportError::ClientGone);
                    }
                    self.with_progress(sleep(POLL_INTERVAL)).await;
                }
                RecordStatus::Interrupted(record) => {
                    // If this attempt fails, the summary states what is written.
                    self.summary = import_record::summary(&record, ImportState::Interrupted);
                    if let Some(turn) = self.await_turn(false).await?
                        && let Some(held_lease) = self.take_lease(turn, false).await?
                    {
                        self.responses.accept();
                        match self.resume(&rows, record.id, held_lease, &mut replay).await {
                            Err(ImportError::PlanOutdated) => continue,
                            result => return result,
                        }
                    }
                    self.with_progress(sleep(POLL_INTERVAL)).await;
                }
            }
        }
    }

    /// Waits for the import's turn, and then begins it. The import has written nothing so far, or is held. Returns
    /// `None` if another attempt was faster, or if this one has to wait for another attempt.
    async fn begin_in_turn(
        &mut self,
        rows: &Arc<ByRow<Row>>,
        may_be_whole: bool,
        again: u32,
    ) -> Result<Option<()>, ImportError> {
        let is_held = self.held.is_some();
        let Some(mut turn) = self.await_turn(!is_held).await? else {
            self.with_progress(sleep(POLL_INTERVAL)).await;
            return Ok(None);
        };
        // The wait may have been so long that the attempt is recorded.
        if may_be_whole && !self.is_recorded() {
            let (waited, began) = (turn.waited(), Instant::now());
            match Box::pin(self.begin_whole(Arc::clone(rows))).await {
                Err(ImportError::PlanOutdated) => turn.leave_out(began.elapsed()),
                result => {
                    metrics::waited("lease", waited);
                    return result.map(Some);
                }
            }
        }
        let Some(held_lease) = self.take_lease(turn, !is_held).await? else {
            self.with_progress(sleep(POLL_INTERVAL)).await;
            return Ok(None);
        };
        // Another approval may have applied it before this one got the lease.
        if is_held && !matches!(self.record_status().await, Ok(RecordStatus::Held(_))) {
            held_lease.end().await;
            return Ok(None);
        }
        self.responses.accept();
        let exclusive = self.begin_exclusive(&held_lease, again).await;
        let begun = self.begin(Arc::clone(rows), held_lease, exclusive);
        begun.await.map(Some)
    }

    /// Returns `true` if the import may be one transaction that takes the lease itself: it is small, and needs the lease
    /// for nothing else.
    fn may_be_whole(&self, status: &RecordStatus, rows: &ByRow<Row>) -> bool {
        let is_absent = matches!(status, RecordStatus::Absent);
        let most = self.importer.settings.transaction_rows.min(FEW_ROWS);
        let is_held = self.held.is_some() || self.kept_input.is_some();
        let concerns_others = self.options.deactivate_missing.is_some() || self.undone.is_some();
        is_absent && rows.len() <= most && !is_held && !concerns_others
    }

    /// Plans, guards and applies a small import without the lease: the transaction that writes it takes the lease. If
    /// the database has one writer, others must not wait for the plan, so the transaction begins after it.
    ///
    /// # Errors
    /// Fails with `PlanOutdated`, and has written nothing, if the import needs the lease first: somebody else is
    /// writing, or a guard refuses the import. A guard decides on a directory that nobody else is changing.
    async fn begin_whole(&mut self, rows: Arc<ByRow<Row>>) -> Result<(), ImportError> {
        self.expect_still_admitted().await?;
        let (planned, begun) = if self.importer.store.has_one_writer() {
            (self.plan(rows).await?, None)
        } else {
            let planned = self.plan_in_transaction(rows).await?;
            let (planned, begun) = planned.ok_or(ImportError::PlanOutdated)?;
            (planned, Some(begun))
        };
        if !self.refusals(&planned).is_empty() {
            if let Some(begun) = begun {
                begun.roll_back().await;
            }
            return Err(ImportError::PlanOutdated);
        }
        let prepared = self.with_progress(prepared(planned)).await?;
        let input = self.apply_input(prepared, begun);
        let all_or_nothing = self.options.all_or_nothing;
        self.apply(input, None, all_or_nothing).await
    }

    /// Returns the state of the record. The first time, it assumes that the ID of a new attempt is still unbound, and
    /// does not read the record. If another attempt was faster, the next read finds what that attempt has done.
    async fn next_status(&mut self) -> Result<RecordStatus, ImportError> {
        let status = match self.recording {
            _ if self.held.is_some() => return self.record_status().await,
            AttemptRecording::New => RecordStatus::Absent,
            AttemptRecording::Replacing => RecordStatus::Unbound,
            AttemptRecording::Unknown | AttemptRecording::Recorded => {
                return self.record_status().await;
            }
        };
        self.recording = AttemptRecording::Unknown;
        Ok(status)
    }

    /// Fails if the ID is bound to other input or other options.
    pub(super) async fn expect_own_id(&self) -> Result<(), ImportError> {
        self.record_status().await.map(|_| ())
    }

    /// Reads the record. Fails with `ImportIdBound` if the ID is bound to other input or other options.
    async fn record_status(&self) -> Result<RecordStatus, ImportError> {
        let store = &self.importer.store;
        let found = store.import(self.organization, self.record.id);
        let found = found.await?;
        let Some(record) = found.filter(|record| record.options_digest.is_some()) else {
            return Ok(RecordStatus::Unbound);
        };
        let same_options = record.options_digest.as_deref() == Some(&self.options_digest);
        if !same_options || record.input_sha256 != self.summary.input_sha256 {
            return Err(ImportError::ImportIdBound(record.id));
        }
        let state = self.importer.state_now(&record);
        Ok(match state.await? {
            state @ (ImportState::Completed | ImportState::Cancelled) => {
                RecordStatus::Ended(record, state)
            }
            ImportState::Interrupted => RecordStatus::Interrupted(record),
            ImportState::Held => RecordStatus::Held(record),
            _ => RecordStatus::Running(record),
        })
    }

    /// Begins the first transaction before planning, so that nobody else can write, once the directory
    /// has changed [`ATTEMPTS`] times between planning and applying.
    async fn begin_exclusive(
        &self,
        held_lease: &HeldLease,
        again: u32,
    ) -> Option<ImportTransaction> {
        if again < ATTEMPTS {
            return None;
        }
        let now = self.importer.clock.now();
        let (lease, import) = (held_lease.lease(), self.record.id);
        let store = &self.importer.store;
        store.begin_exclusive(lease, import, &self.actor, now).await
    }

    /// Plans, guards and applies an import that has written nothing so far.
    async fn begin(
        &mut self,
        rows: Arc<ByRow<Row>>,
        held_lease: HeldLease,
        mut exclusive: Option<ImportTransaction>,
    ) -> Result<(), ImportError> {
        let prepared = match self.guarded(rows, &mut exclusive).await {
            Ok(prepared) => prepared,
            Err(error) => {
                drop(exclusive);
                // The import becomes a held one before another attempt can get the lease.
                let error = match error {
                    ImportError::Refused(refusals) => Box::pin(self.hold(refusals)).await,
                    error => error,
                };
                held_lease.end().await;
                return Err(error);
            }
        };
        // No guard asks for it any more.
        if let Some(kept) = self.kept_input.take() {
            self.memory.shrink(kept.bytes());
        }
        let input = self.apply_input(prepared, exclusive);
        self.apply(input, Some(held_lease), self.options.all_or_nothing)
            .await
    }

    /// Makes the input of the writer, for an import that has written nothing so far.
    fn apply_input(
        &self,
        (planned, first_plan_warnings, missing): PreparedImport,
        exclusive: Option<ImportTransaction>,
    ) -> ApplyInput {
        ApplyInput {
            first_plan_warnings: Arc::new(first_plan_warnings),
            missing,
            record: self.record_to_bind(&planned),
            planned: Arc::new(planned),
            resumed: false,
            actor: self.actor.clone(),
            asked_for: self.asked_for.clone(),
            exclusive,
        }
    }

    /// Plans the rows and runs the guards. If a guard refuses the import, the client still gets the result
    /// of each row. Fails if the caller's credential is no longer valid.
    async fn guarded(
        &mut self,
        rows: Arc<ByRow<Row>>,
        exclusive: &mut Option<ImportTransaction>,
    ) -> Result<PreparedImport, ImportError> {
        self.expect_undone_as_read().await?;
        let planned = self.plan(rows).await?;
        let refusals = match &self.held {
            Some(held) => held.check(&planned),
            None => self.refusals(&planned),
        };
        if !refusals.is_empty() {
            // Other writers must not wait until the client has read the preview.
            *exclusive = None;
            self.preview(&planned).await;
            return Err(refusals.into());
        }
        let prepared = self.with_progress(prepared(planned)).await?;
        self.expect_still_admitted().await?;
        Ok(prepared)
    }

    /// For an undo, fails if the undone import has written more rows since its record was read: it had been interrupted
    /// at that time, and has continued. While this import holds the lease, the undone import cannot continue.
    async fn expect_undone_as_read(&self) -> Result<(), ImportError> {
        let Some((undone, results)) = self.undone else {
            return Ok(());
        };
        let store = &self.importer.store;
        let record = store.import(self.organization, undone).await?;
        if record.is_some_and(|record| record.results == results) {
            return Ok(());
        }
        let message = format!("Import {undone} went on while its undo began. Undo it again.");
        let code = "CHANGED_CONCURRENTLY";
        Err(Refusal::precondition(code, "import_id", message).into())
    }

    /// The attempt's record with the input and options that its ID is bound to. From here on, an attempt with
    /// this ID must have the same input and options.
    fn record_to_bind(&self, planned: &PlannedImport) -> ImportRecord {
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        ImportRecord {
            state: ImportState::Applying.into(),
            options_digest: Some(self.options_digest.to_vec()),
            input_sha256: self.summary.input_sha256.clone(),
            plan_digest: planned.plan.digest.to_vec(),
            rows: number(self.summary.rows),
            protected_skipped: number(planned.plan.protected_skipped),
            notes: import_record::encode_notes(&self.summary),
            ..self.record.clone()
        }
    }

    /// Plans and applies the rows that were not yet written when the import stopped.
    async fn resume(
        &mut self,
        rows: &Arc<ByRow<Row>>,
        import: Uuid,
        held_lease: HeldLease,
        replay: &mut ResultReplay,
    ) -> Result<(), ImportError> {
        match self.remaining(rows, import, replay).await {
            Ok(Some(input)) => self.apply(input, Some(held_lease), false).await,
            Ok(None) => {
                held_lease.end().await;
                Err(ImportError::ClientGone)
            }
            Err(error) => {
                held_lease.end().await;
                Err(error)
            }
        }
    }

    /// Plans the rest of an interrupted import. Returns `None` if the client has gone. Fails with
    /// `PlanOutdated` if the import has ended.
    async fn remaining(
        &mut self,
        rows: &Arc<ByRow<Row>>,
        import: Uuid,
        replay: &mut ResultReplay,
    ) -> Result<Option<ApplyInput>, ImportError> {
        let importer = self.importer;
        let store = &importer.store;
        let record = store.import(self.organization, import);
        let record = record.await?;
        let record = record.ok_or_else(|| ImportError::UnknownImport(import.to_string()))?;
        // Another attempt may have ended it before this one got the lease.
        if has_ended(&record) {
            return Err(ImportError::PlanOutdated);
        }
        if !replay.catch_up(self.responses).await? {
            return Ok(None);
        }
        self.expect_latest(import).await?;
        self.progress.enter(ImportPhase::Planning);
        let done = self
            .with_progress(RecordedProgress::read(store, self.organization, import))
            .await?;
        let (rest, done) = rest_of(Arc::clone(rows), done).await?;
        // The guards are not asked again.
        let settings = importer.settings.partial_snapshots;
        let terms = self.terms(None);
        let selection = select_users(&rest, &terms.matching, settings, None);
        let snapshot = store.snapshot_for(self.organization, selection);
        let snapshot = self.with_progress(snapshot).await?;
        let turn = importer.limiter.planning_turn(&self.options.organization);
        let _turn = self.with_progress(turn).await;
        // The rest is planned with the permissions of the caller who resumes it.
        let input = PlanningInput {
            rows: rest,
            snapshot,
            import,
            terms,
        };
        let planned = self.with_progress(plan_rows_to_write(input)).await?;
        self.progress.set_planned(self.summary.rows);
        let first_plan_warnings = Arc::new(done.first_plan_warnings);
        let planned = planned.after(&first_plan_warnings);
        self.expect_still_admitted().await?;
        self.summary = import_record::summary(&record, ImportState::Applying);
        self.progress.add_applied(done.rows.len());
        Ok(Some(ApplyInput {
            planned: Arc::new(planned),
            first_plan_warnings,
            record,
            missing: done.missing,
            resumed: true,
            actor: self.actor.clone(),
            asked_for: self.asked_for.clone(),
            exclusive: None,
        }))
    }

    /// Fails if another import has begun applying since.
    async fn expect_latest(&self, import: Uuid) -> Result<(), ImportError> {
        let (importer, slug) = (self.importer, &self.options.organization);
        let organization = importer.store.organization(slug);
        match organization.await?.last_import_id {
            Some(last) if last != import => Err(ImportError::OvertakenBy(last)),
            _ => Ok(()),
        }
    }

    /// Writes the planned import in a task of its own, which waits neither for the client nor for this task.
    #[tracing::instrument(skip_all)]
    async fn apply(
        &mut self,
        input: ApplyInput,
        held_lease: Option<HeldLease>,
        all_or_nothing: bool,
    ) -> Result<(), ImportError> {
        let _stage = ImportStageTimer::begin("apply");
        let (committed, mut events) = mpsc::unbounded_channel();
        let applier = ImportWriter::new(
            self.importer.clone(),
            held_lease,
            input,
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
        // After a rollback the summary keeps the planned counts.
        if !matches!(
            &result,
            Err(ImportError::Refused(_) | ImportError::PlanOutdated)
        ) {
            let state = record.state();
            self.summary = import_record::summary(&record, state);
        }
        result
    }

    /// Sends results that are committed. Returns `false` if the client has gone.
    async fn tell(&self, event: CommittedChange) -> Result<bool, ImportError> {
        let (filter, values) = (self.options.filter, self.options.include_values);
        let as_recorded = filter == ResultFilter::All && !values;
        let responses = self.responses;
        if responses.points_to_log().await {
            return Ok(!responses.is_gone());
        }
        Ok(match event {
            CommittedChange::Rows {
                recorded: Some(recorded),
                ..
            } if as_recorded => {
                for results in recorded.iter() {
                    if !responses.send(Response::Results(results.message()?)).await {
                        return Ok(false);
                    }
                }
                true
            }
            CommittedChange::Rows { planned, rows, .. } => {
                let results = planned.results(rows, filter, values);
                responses.send_all(results.map(Response::Results)).await
            }
            CommittedChange::Results(mut results) => {
                results.retain(|result| filter.passes(messages::outcome(result)));
                let messages = messages::results(results.into_iter());
                responses.send_all(messages.map(Response::Results)).await
            }
            CommittedChange::Deactivated(users) => {
                let messages = messages::deactivations(users);
                responses
                    .send_all(messages.map(Response::Deactivations))
                    .await
            }
        })
    }
}

/// A plan whose new users have their IDs, its warnings about other users, and the users to deactivate.
type PreparedImport = (PlannedImport, FirstPlanWarnings, Vec<UserToDeactivate>);

/// Prepares a plan for the writer. Runs on a blocking thread because there may be a million rows.
async fn prepared(mut planned: PlannedImport) -> Result<PreparedImport, ImportError> {
    let preparing = spawn_blocking(move || {
        planned.assign_ids();
        let (warnings, missing) = (planned.first_plan_warnings(), planned.missing().collect());
        (planned, warnings, missing)
    });
    Ok(preparing.await?)
}

/// The rows that have no result yet. Runs on a blocking thread because there may be a million rows.
async fn rest_of(
    rows: Arc<ByRow<Row>>,
    done: RecordedProgress,
) -> Result<(Arc<ByRow<Row>>, RecordedProgress), ImportError> {
    let looking = spawn_blocking(move || {
        let rest = rows.iter().filter(|row| !done.rows.contains(&row.number));
        (Arc::new(rest.cloned().collect()), done)
    });
    Ok(looking.await?)
}

/// Returns `true` if the import has ended and cannot be resumed.
fn has_ended(record: &ImportRecord) -> bool {
    let state = record.state();
    matches!(state, ImportState::Completed | ImportState::Cancelled)
}
