//! Deciding what the input comes to: one snapshot of the directory, and one plan made on it.

use std::sync::Arc;

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};
use uuid::Uuid;

use super::{Reply, Session};
use crate::{
    domain::Row,
    import::{
        ImportError,
        verdict::{self, Judged, Terms},
    },
    plan::Scope,
    proto::{self, ImportPhase},
    store::{Snapshot, StoreError},
    telemetry::metrics::{self, Stage, Work},
};

/// A directory that is being read.
pub(super) type Ahead = JoinHandle<Result<Snapshot, StoreError>>;

impl Session<'_> {
    /// Begins to read the directory while the rest of the upload comes in. Whether it is still as it
    /// was then is asked once the lease is held.
    pub(super) fn look_ahead(&mut self) {
        let (store, organization) = (self.importer.store.clone(), self.organization);
        self.ahead = Some(tokio::spawn(
            async move { store.snapshot(organization).await },
        ));
    }

    /// The directory as it is now.
    async fn snapshot(&self, ahead: &mut Option<Ahead>) -> Result<Snapshot, ImportError> {
        let (store, organization) = (&self.importer.store, self.organization);
        if let Some(ahead) = ahead.take()
            && let Ok(snapshot) = ahead.await?
        {
            let revision = self.importer.patiently(|| store.revision(organization));
            if revision.await? == snapshot.revision {
                return Ok(snapshot);
            }
        }
        let snapshot = self.importer.patiently(|| store.snapshot(organization));
        Ok(snapshot.await?)
    }

    pub(in crate::import) async fn plan(
        &mut self,
        rows: Arc<Vec<Row>>,
    ) -> Result<Judged, ImportError> {
        let _stage = Stage::begin("plan");
        self.progress.enter(ImportPhase::Planning);
        let import = self.record.id;
        let reading = Work::begin("snapshot");
        let mut ahead = self.ahead.take();
        let snapshot = self.snapshot(&mut ahead);
        let snapshot = self.with_progress(snapshot).await?;
        drop(reading);
        let scope = match &self.options.deactivate_missing {
            Some(missing) => Some(missing.resolve(&snapshot.catalog)?),
            None => None,
        };
        let asked = Instant::now();
        let turn = self.with_progress(self.place.planning_turn()).await;
        metrics::waited("planning", asked.elapsed());
        let terms = self.terms(scope);
        let planning = judge(rows, snapshot, import, terms);
        let judged = self.with_progress(planning).await?;
        drop(turn);
        self.summary.rows = u32::try_from(judged.rows.len()).unwrap_or(u32::MAX);
        self.progress.set_planned(self.summary.rows);
        self.summary.plan_digest = judged.plan.digest.to_vec();
        verdict::fill(&mut self.summary, &judged.tally());
        self.warn_of_skipped(&judged);
        Ok(judged)
    }

    /// What this caller's plans are made under.
    pub(in crate::import) fn terms(&self, scope: Option<Scope>) -> Terms {
        let permitted = self.principal.permissions.into();
        Terms { scope, permitted }
    }

    /// In place of what an earlier plan of this attempt said.
    fn warn_of_skipped(&mut self, judged: &Judged) {
        let warnings = &mut self.summary.warnings;
        warnings.retain(|known| known.code() != proto::IssueCode::RoleNotGrantable);
        warnings.extend(judged.skipped().iter().map(Into::into));
    }

    /// Tells what would happen, without writing.
    pub(in crate::import) async fn preview(&self, judged: &Judged) {
        let rows = (0u32..).take(judged.rows.len());
        let results = judged.results(rows, self.options.filter, self.options.include_values);
        let _ = self.outlet.send_all(results.map(Reply::Results)).await
            && self
                .outlet
                .send_all(verdict::deactivations(judged.missing()).map(Reply::Deactivations))
                .await;
    }
}

/// Plans on a thread for blocking work.
pub(in crate::import) async fn judge(
    rows: Arc<Vec<Row>>,
    snapshot: Snapshot,
    import: Uuid,
    terms: Terms,
) -> Result<Judged, ImportError> {
    let planning = spawn_blocking(move || Judged::new(rows, snapshot, import, terms));
    Ok(planning.await?)
}
