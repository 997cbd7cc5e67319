//! Reads one snapshot of the directory, and plans the rows on it.

use std::sync::Arc;

use tokio::{task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;

use super::ImportSession;
use crate::{
    domain::{ImportPhase, IssueCode, Row},
    import::{
        ImportError, Refusal, messages,
        receive::{options::DeactivationScope, read_ahead::DirectoryReadAhead},
        respond::Response,
        review::{DeactivationGuard, PlannedImport, PlanningInput, guard, plan_rows, select_users},
    },
    limits::KeyedPermit,
    plan::{ByRow, MissingUsersScope, PlanningTerms},
    store::{ImportTransaction, SelectUsers, Snapshot},
    telemetry::metrics::{self, DatabaseTimer, ImportStageTimer},
};

impl ImportSession<'_> {
    /// Begins to read the directory while the rest of the upload comes in. Does so once, when so many `rows` have come
    /// that the plan reads all users, and if the limit allows it. The revision of the directory is checked once the
    /// lease is held.
    pub(crate) fn begin_read_ahead(&mut self, rows: u32) {
        let few = self.importer.settings.partial_snapshots.rows;
        let needs_everybody = rows > few || self.options.deactivate_missing.is_some();
        if self.has_read_ahead || !needs_everybody {
            return;
        }
        let limiter = &self.importer.limiter;
        if let Some(permit) = limiter.try_read_ahead(&self.options.organization) {
            self.has_read_ahead = true;
            // If it fails, the snapshot is read again with retries.
            let store = self.importer.store.without_retries();
            self.read_ahead = Some(DirectoryReadAhead::begin(store, self.organization, permit));
        }
    }

    /// Returns the present directory, as far as `rows` can concern it. Uses the directory that was read ahead if its
    /// revision is still current.
    async fn snapshot(
        &self,
        rows: &Arc<ByRow<Row>>,
        read_ahead: Option<DirectoryReadAhead>,
    ) -> Result<Snapshot, ImportError> {
        let (store, organization) = (&self.importer.store, self.organization);
        if let Some(read_ahead) = read_ahead
            && let Some((snapshot, _permit)) = read_ahead.snapshot().await?
        {
            let revision = store.revision(organization);
            if revision.await? == snapshot.revision {
                return Ok(snapshot);
            }
        }
        let selection = self.selection(rows);
        Ok(store.snapshot_for(organization, selection).await?)
    }

    /// The users that `rows` can concern, or `None` if all users are read.
    fn selection(&self, rows: &Arc<ByRow<Row>>) -> Option<Arc<dyn SelectUsers>> {
        if self.options.deactivate_missing.is_some() {
            return None;
        }
        let settings = &self.importer.settings;
        let guard = DeactivationGuard {
            limits: settings.mass_deactivation,
            approved: self.options.max_deactivations,
        };
        let partial = settings.partial_snapshots;
        select_users(rows, &self.matching, partial, Some(guard))
    }

    /// Reads the directory and plans `rows` on it. Adds the planned counts to the summary.
    #[tracing::instrument(skip_all)]
    pub(crate) async fn plan(
        &mut self,
        rows: Arc<ByRow<Row>>,
    ) -> Result<PlannedImport, ImportError> {
        let _stage = ImportStageTimer::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let reading = DatabaseTimer::begin("snapshot");
        let read_ahead = self.read_ahead.take();
        let snapshot = self.snapshot(&rows, read_ahead);
        let snapshot = self.with_progress(snapshot).await?;
        drop(reading);
        let (snapshot, scope) =
            resolve_scope(self.options.deactivate_missing.clone(), snapshot).await?;
        let turn = self.planning_turn().await;
        self.plan_on(rows, snapshot, scope, turn).await
    }

    /// Begins the only transaction of an import of few rows, and plans the rows on the directory that it has locked.
    /// Returns `None`, and nothing is locked, if that cannot be done now.
    #[tracing::instrument(skip_all)]
    pub(crate) async fn plan_in_transaction(
        &mut self,
        rows: Arc<ByRow<Row>>,
    ) -> Result<Option<(PlannedImport, ImportTransaction)>, ImportError> {
        let _stage = ImportStageTimer::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let Some(selection) = self.selection(&rows) else {
            return Ok(None);
        };
        // Nobody may have to wait for a transaction that waits for something else.
        let turn = self.planning_turn().await;
        let reading = self.begin_and_read(&selection);
        let Some((write, snapshot)) = self.with_progress(reading).await else {
            return Ok(None);
        };
        let planned = self.plan_on(rows, snapshot, None, turn).await?;
        Ok(Some((planned, write)))
    }

    /// Begins the transaction, and reads the directory in it. If the database fails, the import takes its lease as all
    /// others do, and so gets on or says why not.
    async fn begin_and_read(
        &self,
        selection: &Arc<dyn SelectUsers>,
    ) -> Option<(ImportTransaction, Snapshot)> {
        let _reading = DatabaseTimer::begin("snapshot");
        let (store, now) = (&self.importer.store, self.importer.clock.now());
        let request = self.importer.lease_request(&self.record);
        let begun = store.begin_whole(request, &self.actor, now).await;
        let mut write = begun.ok()??;
        let snapshot = write.claim_and_read(selection).await.ok()?;
        Some((write, snapshot))
    }

    async fn planning_turn(&self) -> Option<KeyedPermit<String>> {
        let asked = Instant::now();
        let limiter = &self.importer.limiter;
        let turn = limiter.planning_turn(&self.options.organization);
        let turn = self.with_progress(turn).await;
        metrics::waited("planning", asked.elapsed());
        turn
    }

    /// Plans `rows` in the organisation's `turn` to plan. Adds the planned counts to the summary.
    async fn plan_on(
        &mut self,
        rows: Arc<ByRow<Row>>,
        snapshot: Snapshot,
        scope: Option<MissingUsersScope>,
        turn: Option<KeyedPermit<String>>,
    ) -> Result<PlannedImport, ImportError> {
        let input = PlanningInput {
            rows,
            snapshot,
            import: self.record.id,
            terms: self.terms(scope),
        };
        let planning = self.plan_while_wanted(input);
        let planned = self.with_progress(planning).await?;
        drop(turn);
        self.summary.rows = u32::try_from(planned.plan.decisions.len()).unwrap_or(u32::MAX);
        self.progress.set_planned(self.summary.rows);
        self.summary.plan_digest = planned.plan.digest.to_vec();
        messages::set_counts(&mut self.summary, &planned.counts());
        self.summary.identity_changes = planned.plan.identity_changes;
        self.summary.going_inactive = planned.plan.going_inactive;
        self.summary.consequences = messages::consequences(&planned.plan.consequences);
        self.warn_of_skipped(&planned);
        Ok(planned)
    }

    /// Plans `input`. A dry run is cancelled when its client has gone.
    pub(crate) async fn plan_while_wanted(
        &self,
        input: PlanningInput,
    ) -> Result<PlannedImport, ImportError> {
        let cancelled = CancellationToken::new();
        let planning = plan_rows(input, cancelled.clone());
        // Dropping this future cancels the blocking thread.
        let _cancel = cancelled.drop_guard();
        tokio::select! {
            planned = planning => planned,
            () = self.responses.closed(), if self.options.validate_only => Err(ImportError::ClientGone),
        }
    }

    /// Asks the guards about a plan. Returns why they refuse the import.
    pub(crate) fn refusals(&self, planned: &PlannedImport) -> Vec<Refusal> {
        let _stage = ImportStageTimer::begin("guard");
        guard::check(&self.options, &self.importer.settings, planned)
    }

    /// The terms of this caller's plans.
    pub(crate) fn terms(&self, scope: Option<MissingUsersScope>) -> PlanningTerms {
        PlanningTerms {
            scope,
            matching: self.matching.clone(),
            permitted: self.principal.permissions.into(),
            file_columns: Arc::clone(&self.file_columns),
            digest_key: self.digest_key.clone(),
        }
    }

    /// Replaces the warnings about skipped users that an earlier plan of this attempt gave.
    fn warn_of_skipped(&mut self, planned: &PlannedImport) {
        let warnings = &mut self.summary.warnings;
        warnings.retain(|known| known.code != IssueCode::RoleNotGrantable as i32);
        warnings.extend(planned.skipped().iter().map(Into::into));
    }

    /// Sends the planned results without writing.
    pub(crate) async fn preview(&self, planned: &PlannedImport) {
        let rows = planned.plan.decisions.indices();
        let results = planned.results(rows, self.options.filter, self.options.include_values);
        let _ = self
            .responses
            .send_all(results.map(Response::Results))
            .await
            && self
                .responses
                .send_all(messages::deactivations(planned.missing()).map(Response::Deactivations))
                .await;
    }
}

/// Finds the roles and groups of `missing` in the catalog of `snapshot`. That takes long if there are many, or if
/// unknown names are compared with a large catalog.
async fn resolve_scope(
    missing: Option<DeactivationScope>,
    snapshot: Snapshot,
) -> Result<(Snapshot, Option<MissingUsersScope>), ImportError> {
    let Some(missing) = missing else {
        return Ok((snapshot, None));
    };
    let resolving = spawn_blocking(move || {
        let scope = missing.resolve(&snapshot.catalog);
        (snapshot, scope)
    });
    let (snapshot, scope) = resolving.await?;
    Ok((snapshot, Some(scope?)))
}
