//! Writes a planned import, transaction by transaction, in the plan's order.
//!
//! Runs in a task of its own and does not need the client: what it has committed it tells through a
//! channel that never makes it wait. Where it finds that the directory has changed since the plan
//! was made, it plans the rows that are still to be written again, on a new snapshot; a row that no
//! longer fits is then rejected as changed concurrently.

use std::{collections::HashSet, sync::Arc};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    ImportError, Importer, Refusal, batch,
    progress::Progress,
    session,
    verdict::{Judged, Tally},
};
use crate::{
    domain::{Column, Issue, IssueCode, Row},
    plan::{Decision, Outcome},
    proto::{ImportPhase, RowOutcome, RowResult},
    store::{Snapshot, WriteError},
};

/// How often a transaction that has one group only is tried on a new plan before its rows are
/// given up.
const ATTEMPTS: u32 = 3;

/// What has become final.
#[derive(Debug)]
pub enum Committed {
    /// Rows of a plan, by index.
    Rows(Arc<Judged>, Vec<u32>),
    /// Rows that a later plan rejects.
    Verdicts(Vec<RowResult>),
    /// Users of a plan's snapshot, by index, deactivated because they are not listed.
    Deactivated(Arc<Judged>, Vec<u32>),
}

/// Applies one import.
#[derive(Debug)]
pub struct Applier {
    importer: Importer,
    organization: i64,
    import: Uuid,
    judged: Arc<Judged>,
    revision: i64,
    tally: Tally,
    progress: Arc<Progress>,
    committed: mpsc::UnboundedSender<Committed>,
}

impl Applier {
    /// Ready to write `judged`, whose new users have their IDs.
    #[must_use]
    pub fn new(
        importer: Importer,
        organization: i64,
        import: Uuid,
        judged: Arc<Judged>,
        progress: Arc<Progress>,
        committed: mpsc::UnboundedSender<Committed>,
    ) -> Self {
        let tally = Tally {
            protected_skipped: judged.plan.protected_skipped,
            ..Tally::default()
        };
        Self {
            importer,
            organization,
            import,
            revision: judged.snapshot.revision,
            judged,
            tally,
            progress,
            committed,
        }
    }

    /// What has been written so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Writes everything.
    ///
    /// # Errors
    /// With `all_or_nothing`, where the directory keeps changing; and where the database fails.
    pub async fn run(&mut self, all_or_nothing: bool) -> Result<(), ImportError> {
        self.progress.enter(ImportPhase::Applying);
        if all_or_nothing {
            return self.write_at_once().await;
        }
        let original = Arc::clone(&self.judged);
        let settled = original.settled().collect();
        self.announce(Arc::clone(&original), settled);
        self.write_in_turn().await?;
        self.deactivate(&original).await
    }

    async fn write_in_turn(&mut self) -> Result<(), ImportError> {
        let mut start = 0;
        let mut size = self.importer.settings.transaction_rows;
        let mut attempts = 0;
        while let Some(rows) = self
            .judged
            .plan
            .order
            .batch(start, size)
            .map(<[u32]>::to_vec)
        {
            match self.write_batch(&rows).await {
                Ok(()) => {
                    start += rows.len();
                    attempts = 0;
                    size = (size * 4).min(self.importer.settings.transaction_rows);
                    self.announce(Arc::clone(&self.judged), rows);
                }
                Err(WriteError::Stale) => {
                    self.replan(start, &[]).await?;
                    start = 0;
                }
                Err(WriteError::Conflict) => {
                    // Smaller transactions find who is in conflict; the others go through.
                    attempts += u32::from(size == 1);
                    size = (size / 32).max(1);
                    let given_up: &[u32] = if attempts >= ATTEMPTS { &rows } else { &[] };
                    self.replan(start, given_up).await?;
                    start = 0;
                    attempts %= ATTEMPTS;
                }
                Err(WriteError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn write_batch(&mut self, rows: &[u32]) -> Result<(), WriteError> {
        let now = self.importer.clock.now();
        let transaction = self
            .importer
            .store
            .begin_write(self.organization, self.revision, self.import, now)
            .await?;
        batch::write(&transaction, &self.judged, rows).await?;
        transaction.commit().await?;
        self.revision += 1;
        Ok(())
    }

    /// One transaction for everything; planned again, and only if the plan stays what it was, where
    /// the directory has changed.
    async fn write_at_once(&mut self) -> Result<(), ImportError> {
        for _ in 0..ATTEMPTS {
            match self.try_at_once().await {
                Ok(deactivated) => {
                    let all = (0u32..).take(self.judged.rows.len()).collect();
                    self.announce(Arc::clone(&self.judged), all);
                    self.announce_deactivated(Arc::clone(&self.judged), &deactivated);
                    return Ok(());
                }
                Err(WriteError::Store(error)) => return Err(error.into()),
                Err(WriteError::Stale | WriteError::Conflict) => self.replan_all().await?,
            }
        }
        Err(changed_concurrently().into())
    }

    async fn try_at_once(&mut self) -> Result<Vec<Uuid>, WriteError> {
        let now = self.importer.clock.now();
        let transaction = self
            .importer
            .store
            .begin_write(self.organization, self.revision, self.import, now)
            .await?;
        let size = self.importer.settings.transaction_rows;
        let mut start = 0;
        while let Some(rows) = self.judged.plan.order.batch(start, size) {
            batch::write(&transaction, &self.judged, rows).await?;
            start += rows.len();
        }
        let mut deactivated = Vec::new();
        for users in self.judged.plan.deactivations.chunks(size) {
            let ids = self.user_ids(&self.judged, users);
            deactivated.extend(transaction.deactivate(ids).await?);
        }
        transaction.commit().await?;
        Ok(deactivated)
    }

    async fn replan_all(&mut self) -> Result<(), ImportError> {
        let snapshot = self.importer.store.snapshot(self.organization).await?;
        let rows = self.judged.rows.clone();
        let digest = self.judged.plan.digest;
        let judged = self.plan(rows, snapshot, true).await?;
        if judged.plan.digest != digest {
            return Err(changed_concurrently().into());
        }
        self.adopt(judged);
        Ok(())
    }

    /// Plans the rows from `start` on again, without those given up. Rows that are now rejected,
    /// and new users whom somebody else has made meanwhile, are final.
    async fn replan(&mut self, start: usize, given_up: &[u32]) -> Result<(), ImportError> {
        let old = Arc::clone(&self.judged);
        let mut rejected: Vec<u32> = given_up.to_vec();
        loop {
            let out: HashSet<u32> = rejected.iter().copied().collect();
            let mut rest: Vec<u32> = old.plan.order.rows()[start..].to_vec();
            rest.retain(|row| !out.contains(row));
            rest.sort_unstable();
            let rows = rest
                .iter()
                .map(|&row| old.rows[row as usize].clone())
                .collect();
            let snapshot = self.importer.store.snapshot(self.organization).await?;
            let judged = self.plan(rows, snapshot, false).await?;
            let overtaken: Vec<u32> = rest
                .iter()
                .zip(&judged.plan.decisions)
                .filter(|(row, decision)| {
                    is_overtaken(&old.plan.decisions[**row as usize], decision)
                })
                .map(|(row, _)| *row)
                .collect();
            if overtaken.is_empty() {
                self.reject_given_up(&old, &rejected);
                self.adopt(judged);
                self.settle_replanned();
                return Ok(());
            }
            rejected.extend(overtaken);
        }
    }

    async fn plan(
        &self,
        rows: Vec<Row>,
        snapshot: Snapshot,
        missing: bool,
    ) -> Result<Judged, ImportError> {
        let import = self.import;
        let scope = self.judged.scope().filter(|_| missing).cloned();
        let mut judged = session::judge(rows, snapshot, import, scope).await?;
        judged.assign_ids();
        Ok(judged)
    }

    fn adopt(&mut self, judged: Judged) {
        self.revision = judged.snapshot.revision;
        self.judged = Arc::new(judged);
    }

    /// Tells which rows of the new plan need no writing: unchanged by now, or rejected.
    fn settle_replanned(&mut self) {
        let judged = Arc::clone(&self.judged);
        let is_rejected =
            |row: &u32| judged.plan.decisions[*row as usize].outcome == Outcome::Rejected;
        let (rejected, unchanged): (Vec<u32>, Vec<u32>) = judged.settled().partition(is_rejected);
        self.announce(Arc::clone(&judged), unchanged);
        let verdicts = rejected
            .iter()
            .map(|&row| changed(judged.result(row as usize, false)));
        self.announce_verdicts(verdicts.collect());
    }

    fn reject_given_up(&mut self, old: &Judged, rows: &[u32]) {
        let verdicts = rows.iter().map(|&row| {
            let mut result = old.result(row as usize, false);
            if old.plan.decisions[row as usize].outcome == Outcome::Created {
                result.issues.push((&taken(&result.external_id)).into());
                result.user_id.clear();
            }
            changed(result)
        });
        self.announce_verdicts(verdicts.collect());
    }

    async fn deactivate(&mut self, original: &Arc<Judged>) -> Result<(), ImportError> {
        self.progress.enter(ImportPhase::Deactivating);
        for users in original
            .plan
            .deactivations
            .chunks(self.importer.settings.transaction_rows)
        {
            let ids = self.user_ids(original, users);
            let deactivated = self.deactivate_batch(&ids).await?;
            self.announce_deactivated(Arc::clone(original), &deactivated);
        }
        Ok(())
    }

    /// Each user is looked at again in the statement itself, so a changed directory only means that
    /// the transaction has to begin again.
    async fn deactivate_batch(&mut self, users: &[Uuid]) -> Result<Vec<Uuid>, ImportError> {
        loop {
            match self.try_deactivate(users.to_vec()).await {
                Ok(deactivated) => return Ok(deactivated),
                Err(WriteError::Store(error)) => return Err(error.into()),
                Err(WriteError::Stale | WriteError::Conflict) => {
                    self.revision = self.importer.store.revision(self.organization).await?;
                }
            }
        }
    }

    async fn try_deactivate(&mut self, users: Vec<Uuid>) -> Result<Vec<Uuid>, WriteError> {
        let now = self.importer.clock.now();
        let transaction = self
            .importer
            .store
            .begin_write(self.organization, self.revision, self.import, now)
            .await?;
        let deactivated = transaction.deactivate(users).await?;
        transaction.commit().await?;
        self.revision += 1;
        Ok(deactivated)
    }

    fn user_ids(&self, judged: &Judged, users: &[u32]) -> Vec<Uuid> {
        let directory = judged.snapshot.directory.users();
        users
            .iter()
            .map(|&user| directory[user as usize].id)
            .collect()
    }

    fn announce(&mut self, judged: Arc<Judged>, rows: Vec<u32>) {
        for &row in &rows {
            self.tally
                .count(judged.plan.decisions[row as usize].outcome);
        }
        self.progress.add_applied(rows.len());
        // Nobody listens any more where the client has gone.
        let _ = self.committed.send(Committed::Rows(judged, rows));
    }

    fn announce_verdicts(&mut self, verdicts: Vec<RowResult>) {
        for _ in &verdicts {
            self.tally.count(Outcome::Rejected);
        }
        self.progress.add_applied(verdicts.len());
        let _ = self.committed.send(Committed::Verdicts(verdicts));
    }

    fn announce_deactivated(&mut self, judged: Arc<Judged>, ids: &[Uuid]) {
        let ids: HashSet<&Uuid> = ids.iter().collect();
        let directory = judged.snapshot.directory.users();
        let users: Vec<u32> = judged
            .plan
            .deactivations
            .iter()
            .copied()
            .filter(|&user| ids.contains(&directory[user as usize].id))
            .collect();
        self.tally.deactivated += u32::try_from(users.len()).unwrap_or(u32::MAX);
        let _ = self.committed.send(Committed::Deactivated(judged, users));
    }
}

/// True where a row was to create a user who is there by now.
fn is_overtaken(planned: &Decision, now: &Decision) -> bool {
    planned.outcome == Outcome::Created && now.user.is_some()
}

/// A verdict turned into a rejection because the directory changed.
fn changed(mut result: RowResult) -> RowResult {
    let message = "The directory changed while the import was being written, and this row no \
        longer fits; import it again.";
    let issue = Issue::row_error(IssueCode::ChangedConcurrently, message.to_owned());
    result.outcome = RowOutcome::Rejected.into();
    result.changes.clear();
    result.issues.push((&issue).into());
    result
}

fn taken(external_id: &str) -> Issue {
    let message = format!(
        "EXTERNAL_ID \"{external_id}\" was given to a user by somebody else while the import was \
         being written; import the row again to update that user."
    );
    Issue::error(
        IssueCode::ExternalIdTaken,
        Column::ExternalId,
        external_id,
        message,
    )
    .about_user(external_id)
}

fn changed_concurrently() -> Refusal {
    let message = "The directory changed while the import was being written, and all_or_nothing \
        applies all rows or none. Nothing was written; import again.";
    Refusal::precondition("CHANGED_CONCURRENTLY", "all_or_nothing", message)
}
