//! Writes a planned import in the plan's order, and records each result in the transaction that makes it
//! true.
//!
//! The writer runs in a task of its own and never waits for the client: it reports commits through an
//! unbounded channel. If the directory has changed since the plan was made, it plans the unwritten rows again on
//! a new snapshot. A row that no longer fits is rejected as changed concurrently.

mod batch;
mod batch_size;
mod changed_concurrently;
mod pipeline;
mod replanning;

mod transaction;
mod whole;
mod write_rows;

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::warn;

use super::{
    ImportError, Importer, Refusal,
    apply::{batch_size::QUICK, changed_concurrently::SkippedDeactivations},
    lease::HeldLease,
    record::{FinalResults, RecordedNotes, SharedResults, result_log},
    respond::ProgressCounters,
    review::{FirstPlanWarnings, PlannedImport, UserToDeactivate},
};
use crate::{
    domain::{AuditActor, ImportPhase, ImportState},
    plan::RowIndex,
    proto::RowResult,
    store::{ImportRecord, ImportTransaction, Lease, WriteError},
};
use transaction::{RowsToWrite, TransactionParts};

/// How often a batch of one group is tried on a new plan before its rows are given up; how often an
/// `all_or_nothing` import is planned again; and how often others may change the directory between a plan
/// and its transaction before the import locks them out.
pub(super) const ATTEMPTS: u32 = 3;

/// Results that are committed, for the client.
#[derive(Debug)]
pub(super) enum CommittedChange {
    /// Rows of a plan.
    Rows {
        /// The plan.
        planned: Arc<PlannedImport>,
        /// Their indices.
        rows: Vec<RowIndex>,
        /// Their results as recorded, in this order, or `None` if they are no longer in memory.
        recorded: Option<SharedResults>,
    },
    /// Rows that a later plan rejects.
    Results(Vec<RowResult>),
    /// Users deactivated because they are not listed.
    Deactivated(Vec<UserToDeactivate>),
}

/// What the writer needs: the planned import, its record, and who asked for it.
#[derive(Debug)]
pub(super) struct ApplyInput {
    /// The rows to write. New users have their IDs.
    pub planned: Arc<PlannedImport>,
    /// The record as stored, or as it will be stored once the ID is bound.
    pub record: ImportRecord,
    /// The warnings that the first plan has for the rows to write.
    pub first_plan_warnings: Arc<FirstPlanWarnings>,
    /// Users to deactivate after the rows.
    pub missing: Vec<UserToDeactivate>,
    /// The import was interrupted: its record is stored, and only its state changes.
    pub resumed: bool,
    /// Who has sent it.
    pub actor: AuditActor,
    /// The options in the audit trail's format.
    pub asked_for: String,
    /// The first transaction, if it began before planning to lock other writers out.
    pub exclusive: Option<ImportTransaction>,
}

/// Writes one import under a lease, and releases the lease.
#[derive(Debug)]
pub(super) struct ImportWriter {
    importer: Importer,
    /// `None` if the import is one transaction that takes the lease itself.
    held_lease: Option<HeldLease>,
    planned: Arc<PlannedImport>,
    first_plan_warnings: Arc<FirstPlanWarnings>,
    record: ImportRecord,
    missing: Arc<Vec<UserToDeactivate>>,
    resumed: bool,
    actor: AuditActor,
    asked_for: String,
    /// The plan's warnings about the whole import, and how many rows replace a person.
    notes: RecordedNotes,
    skipped: SkippedDeactivations,
    revision: i64,
    /// The lease was given back together with the end of the import.
    is_released: bool,
    /// The next transaction, if it has begun already to lock other writers out.
    exclusive: Option<ImportTransaction>,
    progress: Arc<ProgressCounters>,
    committed: mpsc::UnboundedSender<CommittedChange>,
}

impl ImportWriter {
    /// Makes a writer for `input`. It reports through `committed`.
    #[must_use]
    pub(super) fn new(
        importer: Importer,
        held_lease: Option<HeldLease>,
        input: ApplyInput,
        progress: Arc<ProgressCounters>,
        committed: mpsc::UnboundedSender<CommittedChange>,
    ) -> Self {
        Self {
            importer,
            held_lease,
            is_released: false,
            revision: input.planned.revision,
            planned: input.planned,
            first_plan_warnings: input.first_plan_warnings,
            notes: RecordedNotes::of(&input.record),
            skipped: SkippedDeactivations::default(),
            record: input.record,
            exclusive: input.exclusive,
            missing: Arc::new(input.missing),
            resumed: input.resumed,
            actor: input.actor,
            asked_for: input.asked_for,
            progress,
            committed,
        }
    }

    /// Writes everything, records the end, and releases the lease. Returns the record.
    ///
    /// # Errors
    /// Fails if the import did not complete; see [`ImportError`]. An import that is one transaction with its lease fails
    /// with [`ImportError::PlanOutdated`] if it has to take the lease first.
    #[tracing::instrument(name = "write", skip_all)]
    pub(super) async fn run(
        mut self,
        all_or_nothing: bool,
    ) -> (ImportRecord, Result<(), ImportError>) {
        self.progress.enter(ImportPhase::Applying);
        if self.held_lease.is_none() {
            let result = self.write_with_lease().await;
            return (self.record, result);
        }
        let result = match all_or_nothing && !self.resumed {
            true => self.write_at_once().await,
            false => self.write_in_turn().await,
        };
        let result = match result {
            // The import was one transaction, so nothing is written.
            Err(WriteError::Conflict) if all_or_nothing && !self.resumed => {
                self.exclusive = None;
                Err(changed_concurrently().into())
            }
            result => self.conclude(result).await,
        };
        match self.held_lease {
            Some(held_lease) if self.is_released => held_lease.forget().await,
            Some(held_lease) => held_lease.end().await,
            None => {}
        }
        (self.record, result)
    }

    /// The lease that is held.
    ///
    /// # Errors
    /// Fails with [`WriteError::LeaseLost`] if the import is one transaction that takes the lease itself.
    fn lease(&self) -> Result<Lease, WriteError> {
        let held_lease = self.held_lease.as_ref();
        held_lease
            .map(HeldLease::lease)
            .ok_or(WriteError::LeaseLost)
    }

    /// Records the end of an import that was cancelled or interrupted.
    async fn conclude(&mut self, result: Result<(), WriteError>) -> Result<(), ImportError> {
        self.exclusive = None;
        match result {
            Ok(()) => Ok(()),
            Err(WriteError::Cancelled) => {
                self.end(ImportState::Cancelled).await?;
                Err(ImportError::Cancelled)
            }
            Err(error @ (WriteError::Stale | WriteError::Bound)) => Err(error.into()),
            Err(error) => {
                let (lease, import) = (self.lease()?, self.record.id);
                let (store, now) = (&self.importer.store, self.importer.clock.now());
                let interrupted = store.interrupt_import(lease, import, &self.actor, now);
                if let Err(error) = interrupted.await {
                    warn!(%error, "an import could not be marked as interrupted; it counts as \
                        interrupted when its lease expires");
                }
                self.record.state = ImportState::Interrupted.into();
                Err(error.into())
            }
        }
    }

    async fn write_in_turn(&mut self) -> Result<(), WriteError> {
        if self.resumed {
            let resume = TransactionParts {
                resume: true,
                ..TransactionParts::default()
            };
            self.transact(resume).await?;
            self.record_rows_not_written().await?;
        } else {
            let final_results = self.encode_final_results().await;
            if self.fits_one_transaction() {
                match self.write_whole(&final_results).await {
                    // The database refuses a row, so nothing is written. In batches, the other rows would be written.
                    Err(WriteError::Conflict) => {}
                    result => return result,
                }
            }
            let open = TransactionParts {
                open: Some(&final_results),
                ..TransactionParts::default()
            };
            self.transact(open).await?;
        }
        self.write_rows().await?;
        self.deactivate().await?;
        self.end(ImportState::Completed).await
    }

    /// Returns `true` if all rows and deactivations are no more than the first transaction may have.
    fn fits_one_transaction(&self) -> bool {
        let rows = self.planned.plan.order.rows().len();
        rows <= self.batch_size().rows() && self.missing.len() <= self.size()
    }

    /// Opens the import, writes everything and records the end, in one transaction.
    async fn write_whole(&mut self, final_results: &FinalResults) -> Result<(), WriteError> {
        let missing = Arc::clone(&self.missing);
        let everything = TransactionParts {
            open: Some(final_results),
            rows: RowsToWrite::All,
            deactivate: &missing,
            end: Some(ImportState::Completed),
            ..TransactionParts::default()
        };
        self.transact(everything).await
    }

    /// Records the end of the import.
    async fn end(&mut self, state: ImportState) -> Result<(), WriteError> {
        let end = TransactionParts {
            end: Some(state),
            ..TransactionParts::default()
        };
        self.transact(end).await
    }

    /// Begins to encode the results that are final before the first write.
    async fn encode_final_results(&self) -> FinalResults {
        let rows: Vec<RowIndex> = self.planned.rows_not_written().collect();
        let final_results = FinalResults::begin(Arc::clone(&self.planned), &rows);
        // If the database has one writer, others must not wait while this transaction waits for the encoding.
        if self.importer.store.has_one_writer() {
            final_results.ready().await;
        }
        final_results
    }

    /// Writes everything in one transaction. If the directory has changed, plans again, and goes on only if the
    /// plan's digest is the same.
    async fn write_at_once(&mut self) -> Result<(), WriteError> {
        for attempt in 1..=ATTEMPTS {
            let final_results = self.encode_final_results().await;
            match self.write_whole(&final_results).await {
                Err(WriteError::Stale | WriteError::Conflict) => {
                    if attempt > 1 {
                        self.begin_exclusive().await;
                    }
                    self.replan_all().await?;
                }
                result => return result,
            }
        }
        Err(WriteError::Conflict)
    }

    #[tracing::instrument(skip_all)]
    async fn deactivate(&mut self) -> Result<(), WriteError> {
        let _stage = crate::telemetry::metrics::ImportStageTimer::begin("deactivate");
        self.progress.enter(ImportPhase::Deactivating);
        let missing = Arc::clone(&self.missing);
        let mut waiting: Vec<&[UserToDeactivate]> = missing.rchunks(self.size()).collect();
        while let Some(users) = waiting.pop() {
            self.expect_running()?;
            let deactivate = TransactionParts {
                deactivate: users,
                ..TransactionParts::default()
            };
            match self.transact(deactivate).await {
                // A user that the database refuses must not prevent the deactivation of others.
                Err(WriteError::Conflict) => match users {
                    [_] => self.skipped.add(users),
                    _ => waiting.extend(users.rchunks(users.len().div_ceil(2))),
                },
                result => result?,
            }
        }
        Ok(())
    }

    /// Returns the number of rows or users of one statement if [`batch_size`] does not apply.
    fn size(&self) -> usize {
        self.importer.settings.transaction_rows.clamp(1, QUICK)
    }

    fn expect_running(&self) -> Result<(), WriteError> {
        match self.importer.stop.is_cancelled() {
            true => Err(WriteError::Stopped),
            false => Ok(()),
        }
    }

    fn announce_rows(&self, rows: Vec<RowIndex>, recorded: Option<SharedResults>) {
        self.progress.add_applied(rows.len());
        let planned = Arc::clone(&self.planned);
        // The send fails only if the client has gone.
        let _ = self.committed.send(CommittedChange::Rows {
            planned,
            rows,
            recorded,
        });
    }

    async fn record_results(&mut self, results: Vec<RowResult>) -> Result<(), WriteError> {
        if results.is_empty() {
            return Ok(());
        }
        let encoded = result_log::encode(results.iter().cloned());
        let record = TransactionParts {
            results: &encoded,
            ..TransactionParts::default()
        };
        self.transact(record).await?;
        self.progress.add_applied(results.len());
        let _ = self.committed.send(CommittedChange::Results(results));
        Ok(())
    }
}

fn changed_concurrently() -> Refusal {
    let message = "The directory changed while the import was being written, and all_or_nothing \
        applies all rows or none. Nothing was written; import again.";
    Refusal::precondition("CHANGED_CONCURRENTLY", "all_or_nothing", message)
}
