//! Reads one snapshot of the directory, and plans the rows on it.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{ImportSession, Reply};
use crate::{
    domain::Row,
    import::{
        ImportError,
        review::{PlannedImport, PlanningTerms, planned_import},
    },
    limits::KeyedPermit,
    plan::Scope,
    proto::{self, ImportPhase},
    store::{Snapshot, StoreError},
    telemetry::metrics::{self, DatabaseTimer, ImportStageTimer},
};

/// How long a directory that was read ahead is kept while the upload is silent.
const SILENCE: Duration = Duration::from_secs(2);

/// How long it is kept at most: a longer upload gains little from it.
const LONGEST: Duration = Duration::from_secs(30);

/// A directory that is read while the upload comes in.
pub(crate) struct DirectoryReadAhead {
    reading: JoinHandle<(Result<Snapshot, StoreError>, KeyedPermit<String>)>,
    begun: Instant,
    heard: Instant,
}

impl DirectoryReadAhead {
    /// Notes that the client has sent something.
    pub(crate) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// When it is dropped.
    pub(crate) fn until(&self) -> Instant {
        (self.heard + SILENCE).min(self.begun + LONGEST)
    }
}

impl ImportSession<'_> {
    /// Begins to read the directory while the rest of the upload comes in, once, if the limit allows. Its revision is
    /// checked once the lease is held.
    pub(crate) fn begin_read_ahead(&mut self) {
        if self.has_read_ahead {
            return;
        }
        let limiter = &self.importer.limiter;
        let Some(permit) = limiter.try_read_ahead(&self.options.organization) else {
            return;
        };
        self.has_read_ahead = true;
        // If it fails, the snapshot is read again with retries.
        let (store, organization) = (self.importer.store.without_retries(), self.organization);
        let now = Instant::now();
        // The task is never aborted: its connection would return to the pool inside a transaction.
        let reading = tokio::spawn(async move { (store.snapshot(organization).await, permit) });
        self.read_ahead = Some(DirectoryReadAhead {
            reading,
            begun: now,
            heard: now,
        });
    }

    /// The directory as it is now: the one read ahead, if its revision is still current.
    async fn snapshot(
        &self,
        read_ahead: Option<DirectoryReadAhead>,
    ) -> Result<Snapshot, ImportError> {
        let (store, organization) = (&self.importer.store, self.organization);
        if let Some(read_ahead) = read_ahead
            && let (Ok(snapshot), _permit) = read_ahead.reading.await?
        {
            let revision = store.revision(organization);
            if revision.await? == snapshot.revision {
                return Ok(snapshot);
            }
        }
        let snapshot = store.snapshot(organization);
        Ok(snapshot.await?)
    }

    pub(crate) async fn plan(&mut self, rows: Arc<Vec<Row>>) -> Result<PlannedImport, ImportError> {
        let _stage = ImportStageTimer::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let import = self.record.id;
        let reading = DatabaseTimer::begin("snapshot");
        let read_ahead = self.read_ahead.take();
        let snapshot = self.snapshot(read_ahead);
        let snapshot = self.with_progress(snapshot).await?;
        drop(reading);
        let scope = match &self.options.deactivate_missing {
            Some(missing) => Some(missing.resolve(&snapshot.catalog)?),
            None => None,
        };
        let asked = Instant::now();
        let limiter = &self.importer.limiter;
        let turn = limiter.planning_turn(&self.options.organization);
        let turn = self.with_progress(turn).await;
        metrics::waited("planning", asked.elapsed());
        let terms = self.terms(scope);
        let planning = self.while_told(|wanted| judge(rows, snapshot, import, terms, wanted));
        let planned = self.with_progress(planning).await?;
        drop(turn);
        self.summary.rows = u32::try_from(planned.rows.len()).unwrap_or(u32::MAX);
        self.progress.set_planned(self.summary.rows);
        self.summary.plan_digest = planned.plan.digest.to_vec();
        planned_import::fill(&mut self.summary, &planned.tally());
        self.summary.identity_changes = planned.plan.identity_changes;
        self.warn_of_skipped(&planned);
        Ok(planned)
    }

    /// Runs `plan`. A dry run is cancelled when its client has gone.
    pub(crate) async fn while_told<F>(
        &self,
        plan: impl FnOnce(PlanCancellation) -> F,
    ) -> Result<PlannedImport, ImportError>
    where
        F: Future<Output = Result<PlannedImport, ImportError>>,
    {
        // Dropped together with this future.
        let here = CancellationToken::new();
        let planning = plan(PlanCancellation(here.clone()));
        let _here = here.drop_guard();
        tokio::select! {
            planned = planning => planned,
            () = self.responses.closed(), if self.options.validate_only => Err(ImportError::ClientGone),
        }
    }

    /// The terms of this caller's plans.
    pub(crate) fn terms(&self, scope: Option<Scope>) -> PlanningTerms {
        PlanningTerms {
            scope,
            match_by: self.options.match_by,
            permitted: self.principal.permissions.into(),
            digest_key: self.digest_key.clone(),
        }
    }

    /// Replaces the warnings about skipped users that an earlier plan of this attempt gave.
    fn warn_of_skipped(&mut self, planned: &PlannedImport) {
        let warnings = &mut self.summary.warnings;
        warnings.retain(|known| known.code() != proto::IssueCode::RoleNotGrantable);
        warnings.extend(planned.skipped().iter().map(Into::into));
    }

    /// Sends the planned results without writing.
    pub(crate) async fn preview(&self, planned: &PlannedImport) {
        let rows = (0u32..).take(planned.rows.len());
        let results = planned.results(rows, self.options.filter, self.options.include_values);
        let _ = self.responses.send_all(results.map(Reply::Results)).await
            && self
                .responses
                .send_all(
                    planned_import::deactivations(planned.missing()).map(Reply::Deactivations),
                )
                .await;
    }
}

/// Cancels planning.
#[derive(Clone, Debug)]
pub(crate) struct PlanCancellation(CancellationToken);

impl PlanCancellation {
    /// Planning that is never cancelled.
    pub(crate) fn to_the_end() -> Self {
        Self(CancellationToken::new())
    }
}

/// Plans on a blocking thread.
pub(crate) async fn judge(
    rows: Arc<Vec<Row>>,
    snapshot: Snapshot,
    import: Uuid,
    terms: PlanningTerms,
    PlanCancellation(over): PlanCancellation,
) -> Result<PlannedImport, ImportError> {
    let planning = spawn_blocking(move || {
        let wanted = || !over.is_cancelled();
        PlannedImport::new(rows, snapshot, import, terms, &wanted)
    });
    planning.await?.ok_or(ImportError::ClientGone)
}
