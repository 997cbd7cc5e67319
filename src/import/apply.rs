//! Writes a planned import, transaction by transaction, in the plan's order, and records every
//! result in the transaction that makes it true.
//!
//! Runs in a task of its own and does not need the client: what it has committed it tells through a
//! channel that never makes it wait. Where it finds that the directory has changed since the plan
//! was made, it plans the rows that are still to be written again, on a new snapshot; a row that no
//! longer fits is then rejected as changed concurrently.

mod batch;
mod changed_concurrently;
mod pace;
mod pipeline;
mod replanning;

mod rows;
mod transaction;

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::warn;

use super::{
    ImportError, Importer, Refusal,
    apply::{changed_concurrently::LeftAlone, pace::QUICK},
    lease::Tenure,
    record::{Part, Settled, import_record, result_log},
    respond::Progress,
    review::{Judged, Noted},
};
use crate::{
    domain::Actor,
    proto::{DeactivatedUser, ImportPhase, ImportState, RowResult},
    store::{ImportRecord, ImportTransaction, WriteError},
};
use transaction::Step;

/// How often a transaction that has one group only is tried on a new plan before its rows are
/// given up, how often the plan is made again for all rows or none, and how often others may change the
/// directory between a plan and its transaction before they are kept from it.
pub(super) const ATTEMPTS: u32 = 3;

/// What has become final.
#[derive(Debug)]
pub enum Committed {
    /// Rows of a plan.
    Rows {
        /// The plan.
        judged: Arc<Judged>,
        /// Their indices.
        rows: Vec<u32>,
        /// Their results as they were recorded, in this order, where they are still at hand.
        recorded: Option<Part>,
    },
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
    /// The options, as the audit trail has them.
    pub asked_for: String,
    /// The first transaction, where it has begun before the plan was made.
    pub held: Option<ImportTransaction>,
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
    asked_for: String,
    /// What the plan says of the whole.
    warnings: Vec<crate::proto::Issue>,
    /// How many rows replace a person, as planned.
    identity_changes: u32,
    left_alone: LeftAlone,
    revision: i64,
    /// The next transaction, where it has begun already to keep others from writing meanwhile.
    held: Option<ImportTransaction>,
    progress: Arc<Progress>,
    committed: mpsc::UnboundedSender<Committed>,
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
            warnings: import_record::warnings(&work.record),
            identity_changes: import_record::identity_changes(&work.record),
            left_alone: LeftAlone::default(),
            record: work.record,
            held: work.held,
            missing: work.missing,
            resumed: work.resumed,
            actor: work.actor,
            asked_for: work.asked_for,
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
        let result = match result {
            // In one transaction nothing has been written.
            Err(WriteError::Conflict) if all_or_nothing && !self.resumed => {
                self.held = None;
                Err(changed_concurrently().into())
            }
            result => self.conclude(result).await,
        };
        self.note_written();
        self.tenure.end().await;
        (self.record, result)
    }

    fn note_written(&self) {
        let tally = import_record::tally(&self.record);
        if tally.created + tally.updated + tally.deactivated > 0 {
            let users = self.judged.directory.users().len() + tally.created as usize;
            self.importer
                .note_written(self.record.organization_id, users);
        }
    }

    /// Records the end, where there is one to record.
    async fn conclude(&mut self, result: Result<(), WriteError>) -> Result<(), ImportError> {
        self.held = None;
        match result {
            Ok(()) => Ok(()),
            Err(WriteError::Cancelled) => {
                self.transact(Step::End(ImportState::Cancelled)).await?;
                Err(ImportError::Cancelled)
            }
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
            let settled = self.settled().await;
            // Where nothing is to be written nobody waits for a second transaction.
            let is_all = self.judged.plan.order.rows().is_empty() && self.missing.is_empty();
            let step = match is_all {
                true => Step::AtOnce(&settled),
                false => Step::Open(&settled),
            };
            self.transact(step).await?;
            for (rows, part) in settled.kept().await {
                self.announce_rows(rows, part);
            }
            if is_all {
                return Ok(());
            }
        }
        self.write_rows().await?;
        self.deactivate().await?;
        self.transact(Step::End(ImportState::Completed)).await
    }

    /// Begins to encode what is final before the first write.
    async fn settled(&self) -> Settled {
        let rows: Vec<u32> = self.judged.settled().collect();
        let settled = Settled::begin(Arc::clone(&self.judged), &rows);
        // Nobody is to wait for the only writer while it waits for this.
        if self.importer.store.has_one_writer() {
            settled.ready().await;
        }
        settled
    }

    /// One transaction for everything; planned again, and only if the plan stays what it was, where
    /// the directory has changed.
    async fn write_at_once(&mut self) -> Result<(), WriteError> {
        for attempt in 1..=ATTEMPTS {
            let settled = self.settled().await;
            match self.transact(Step::AtOnce(&settled)).await {
                Ok(()) => {
                    let rows = (0u32..).take(self.judged.rows.len());
                    self.announce_rows(rows.collect(), None);
                    return Ok(());
                }
                Err(WriteError::Stale | WriteError::Conflict) => {
                    if attempt > 1 {
                        self.hold().await;
                    }
                    self.replan_all().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Conflict)
    }

    async fn deactivate(&mut self) -> Result<(), WriteError> {
        let _stage = crate::telemetry::metrics::Stage::begin("deactivate");
        self.progress.enter(ImportPhase::Deactivating);
        let missing = std::mem::take(&mut self.missing);
        let mut waiting: Vec<&[DeactivatedUser]> = missing.rchunks(self.size()).collect();
        while let Some(users) = waiting.pop() {
            self.expect_running()?;
            match self.transact(Step::Deactivate(users)).await {
                // Whom the database does not take as he or she is keeps nobody else from being deactivated.
                Err(WriteError::Conflict) => match users {
                    [_] => self.left_alone.add(users),
                    _ => waiting.extend(users.rchunks(users.len().div_ceil(2))),
                },
                result => result?,
            }
        }
        Ok(())
    }

    /// Rows or users of one statement where their number is not a matter of pace.
    fn size(&self) -> usize {
        self.importer.settings.transaction_rows.clamp(1, QUICK)
    }

    fn expect_running(&self) -> Result<(), WriteError> {
        match self.importer.stop.is_cancelled() {
            true => Err(WriteError::Stopped),
            false => Ok(()),
        }
    }

    fn announce_rows(&self, rows: Vec<u32>, recorded: Option<Part>) {
        self.progress.add_applied(rows.len());
        let judged = Arc::clone(&self.judged);
        // Nobody listens any more where the client has gone.
        let _ = self.committed.send(Committed::Rows {
            judged,
            rows,
            recorded,
        });
    }

    async fn announce_verdicts(&mut self, verdicts: Vec<RowResult>) -> Result<(), WriteError> {
        if verdicts.is_empty() {
            return Ok(());
        }
        let encoded = result_log::encode(verdicts.iter().cloned());
        self.transact(Step::Verdicts(&encoded)).await?;
        self.progress.add_applied(verdicts.len());
        let _ = self.committed.send(Committed::Verdicts(verdicts));
        Ok(())
    }
}

fn changed_concurrently() -> Refusal {
    let message = "The directory changed while the import was being written, and all_or_nothing \
        applies all rows or none. Nothing was written; import again.";
    Refusal::precondition("CHANGED_CONCURRENTLY", "all_or_nothing", message)
}
