//! Plans the unwritten rows again after somebody else has changed the directory.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::ImportWriter;
use super::changed_concurrently::{
    cloned_rows, given_up_results, rejected_as_changed, remaining, rows_of_changed_users,
};
use crate::{
    domain::Row,
    import::review::{PlannedImport, PlanningInput, plan_rows_to_write, select_users},
    plan::{ByRow, Outcome, RowIndex},
    store::WriteError,
};

/// Results that are recorded together: each may take some KiB.
const RECORDED_TOGETHER: usize = 2_000;

impl ImportWriter {
    /// Plans all rows again. Fails with `Conflict` if the plan differs from the first.
    pub(crate) async fn replan_all(&mut self) -> Result<(), WriteError> {
        let rows = Arc::clone(&self.planned.plan.request.rows);
        let digest = self.planned.plan.digest;
        let planned = self.plan(rows, true).await?;
        if planned.plan.digest != digest {
            return Err(WriteError::Conflict);
        }
        self.adopt(planned);
        Ok(())
    }

    /// Plans the `unwritten` rows again, without those given up. Rows that are now rejected are final. So are rows for
    /// new users that another writer has created since.
    pub(crate) async fn replan(
        &mut self,
        unwritten: Vec<RowIndex>,
        given_up: &[RowIndex],
    ) -> Result<(), WriteError> {
        let old = Arc::clone(&self.planned);
        let unwritten = Arc::new(unwritten);
        let mut rejected: Vec<RowIndex> = given_up.to_vec();
        loop {
            let (rest, rows) = rows_to_plan(&old, &unwritten, rejected.clone()).await?;
            let planned = self.plan(rows, false).await?;
            let planned = planned.after(&self.first_plan_warnings);
            let changed = rows_of_changed_users(&old, &rest, &planned);
            if changed.is_empty() {
                self.adopt(planned);
                for rows in rejected.chunks(RECORDED_TOGETHER) {
                    self.record_results(given_up_results(&old, rows)).await?;
                }
                return self.record_rows_not_written().await;
            }
            rejected.extend(changed);
        }
    }

    #[tracing::instrument(skip_all)]
    async fn plan(
        &self,
        rows: Arc<ByRow<Row>>,
        missing: bool,
    ) -> Result<PlannedImport, WriteError> {
        let (store, organization) = (&self.importer.store, self.record.organization_id);
        let mut terms = self.planned.plan.request.terms.clone();
        terms.scope = terms.scope.filter(|_| missing);
        // The guards are not asked again.
        let settings = self.importer.settings.partial_snapshots;
        let selection = match &terms.scope {
            Some(_) => None,
            None => select_users(&rows, &terms.matching, settings, None),
        };
        let snapshot = store.snapshot_for(organization, selection).await?;
        let input = PlanningInput {
            rows,
            snapshot,
            import: self.record.id,
            terms,
        };
        plan_rows_to_write(input).await.map_err(WriteError::task)
    }

    fn adopt(&mut self, planned: PlannedImport) {
        self.revision = planned.revision;
        self.planned = Arc::new(planned);
    }

    /// Records the results of a new plan's rows that are not written: unchanged or rejected.
    pub(crate) async fn record_rows_not_written(&mut self) -> Result<(), WriteError> {
        let planned = Arc::clone(&self.planned);
        let settled: Vec<RowIndex> = planned.rows_not_written().collect();
        for rows in settled.chunks(RECORDED_TOGETHER) {
            let results = rows.iter().map(|&row| {
                let result = planned.result(row, false);
                match planned.plan.decisions[row].outcome {
                    Outcome::Rejected if !self.resumed => rejected_as_changed(result),
                    _ => result,
                }
            });
            self.record_results(results.collect()).await?;
        }
        Ok(())
    }
}

/// The unwritten rows without the rejected ones: their indices in the old plan, and the rows. Copied on a blocking
/// thread because there may be a million.
async fn rows_to_plan(
    old: &Arc<PlannedImport>,
    unwritten: &Arc<Vec<RowIndex>>,
    rejected: Vec<RowIndex>,
) -> Result<(Vec<RowIndex>, Arc<ByRow<Row>>), WriteError> {
    let (old, unwritten) = (Arc::clone(old), Arc::clone(unwritten));
    let copying = spawn_blocking(move || {
        let rest = remaining(&unwritten, &rejected);
        let rows = cloned_rows(&old, &rest);
        (rest, rows.into())
    });
    copying.await.map_err(WriteError::task)
}
