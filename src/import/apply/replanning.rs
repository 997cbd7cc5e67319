//! Planning again what is still to be written, on a directory that somebody else has changed.

use std::sync::Arc;

use super::Applier;
use super::changed_concurrently::{changed, cloned, given_up_results, overtaken, remaining};
use crate::{
    domain::Row,
    import::{receive::session, review::Judged},
    plan::Outcome,
    store::WriteError,
};

/// Verdicts that are recorded together: put into words, each may take some KiB.
const TOLD_TOGETHER: usize = 2_000;

impl Applier {
    pub(crate) async fn replan_all(&mut self) -> Result<(), WriteError> {
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
    pub(crate) async fn replan(
        &mut self,
        unwritten: &[u32],
        given_up: &[u32],
    ) -> Result<(), WriteError> {
        let old = Arc::clone(&self.judged);
        let mut rejected: Vec<u32> = given_up.to_vec();
        loop {
            let rest = remaining(unwritten, &rejected);
            let judged = self.plan(Arc::new(cloned(&old, &rest)), false).await?;
            let judged = judged.after(&self.noted);
            let overtaken = overtaken(&old, &rest, &judged);
            if overtaken.is_empty() {
                self.adopt(judged);
                for rows in rejected.chunks(TOLD_TOGETHER) {
                    self.announce_verdicts(given_up_results(&old, rows)).await?;
                }
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
        let wanted = session::Wanted::to_the_end();
        let judged = session::judge(rows, snapshot, self.record.id, terms, wanted);
        let mut judged = judged.await.map_err(WriteError::task)?;
        judged.assign_ids();
        Ok(judged)
    }

    fn adopt(&mut self, judged: Judged) {
        self.revision = judged.revision;
        self.judged = Arc::new(judged);
    }

    /// Records which rows of a new plan need no writing: unchanged by now, or rejected.
    pub(crate) async fn settle_replanned(&mut self) -> Result<(), WriteError> {
        let judged = Arc::clone(&self.judged);
        let settled: Vec<u32> = judged.settled().collect();
        for rows in settled.chunks(TOLD_TOGETHER) {
            let results = rows.iter().map(|&row| {
                let result = judged.result(row as usize, false);
                match judged.plan.decisions[row as usize].outcome {
                    Outcome::Rejected if !self.resumed => changed(result),
                    _ => result,
                }
            });
            self.announce_verdicts(results.collect()).await?;
        }
        Ok(())
    }
}
