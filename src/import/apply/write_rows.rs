//! Writes the rows of a plan, batch by batch, until all are written or given up.
//!
//! A batch is one transaction. While one commits, the next is prepared, and on `PostgreSQL` it may be written
//! already (see `pipeline`). Two things can fail: somebody else has changed the directory (`Stale`), or the
//! database refuses a row that the plan accepted (`Conflict`). In both cases the unwritten rows are planned
//! again on a new snapshot. After a conflict, batches shrink until the row that cannot be written is alone, and
//! that row is given up.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    ATTEMPTS, ImportWriter,
    transaction::{RowsToWrite, TransactionParts},
};
use super::{
    batch::WriteBatch,
    batch_size::BatchSize,
    pipeline::{BatchContext, BatchPipeline, ReadyBatch},
};
use crate::store::{ImportTransaction, WriteError};

impl ImportWriter {
    /// Writes all rows of the plan. Ends early transactions in any case.
    #[tracing::instrument(skip_all)]
    pub(super) async fn write_rows(&mut self) -> Result<(), WriteError> {
        let mut pipeline = self.pipeline(self.may_overlap())?;
        let result = self.write_batches(&mut pipeline).await;
        pipeline.recall().await;
        result
    }

    async fn write_batches(&mut self, pipeline: &mut BatchPipeline) -> Result<(), WriteError> {
        let mut batch_size = self.batch_size();
        let (mut attempts, mut stale) = (0, 0);
        while let Some(ReadyBatch { batch, begun, took }) = pipeline.next(batch_size.rows()).await?
        {
            self.expect_running()?;
            let began = Instant::now();
            let given_up = match self.write_batch(pipeline, &batch, begun).await {
                Ok(()) => {
                    batch_size.record_success(took + began.elapsed());
                    attempts = 0;
                    // If others write all the time, they will soon do so again.
                    stale = stale.min(ATTEMPTS - 1);
                    pipeline.committed(&batch.rows);
                    // The recorded results are not kept in memory beside the next batch, which is large.
                    self.announce_rows(batch.rows, None);
                    continue;
                }
                Err(WriteError::Stale) => {
                    stale += 1;
                    Vec::new()
                }
                Err(WriteError::Conflict) => {
                    attempts += u32::from(batch_size.rows() == 1);
                    batch_size.record_conflict();
                    match attempts >= ATTEMPTS {
                        true => batch.rows,
                        false => Vec::new(),
                    }
                }
                Err(error) => return Err(error),
            };
            pipeline.recall().await;
            if stale >= ATTEMPTS {
                self.begin_exclusive().await;
            }
            self.replan(pipeline.unwritten(), &given_up).await?;
            attempts %= ATTEMPTS;
            *pipeline = self.pipeline(self.may_overlap())?;
        }
        Ok(())
    }

    /// Writes and commits a batch. If a transaction has written the batch early, that transaction is tried first.
    async fn write_batch(
        &mut self,
        pipeline: &mut BatchPipeline,
        batch: &WriteBatch,
        begun: Option<ImportTransaction>,
    ) -> Result<(), WriteError> {
        let mut back_off = self.importer.store.back_off();
        let parts = |written| TransactionParts {
            rows: RowsToWrite::Batch { batch, written },
            ..TransactionParts::default()
        };
        let unsure = begun.is_some();
        if unsure {
            match self.attempt(parts(true), begun, false).await {
                Err(WriteError::Store(error)) if back_off.wait_after(&error).await => {}
                result => return result,
            }
        }
        // A new transaction must not wait for a batch that waits for this one.
        pipeline.recall().await;
        self.transact_with(parts(false), back_off, unsure).await
    }

    /// The batch size to begin with. SQLite gets larger batches for a large file, since each costs about the same
    /// however few its rows.
    pub(super) fn batch_size(&self) -> BatchSize {
        let file = match self.importer.store.has_one_writer() {
            true => {
                let plan = &self.planned.plan;
                plan.request
                    .snapshot
                    .users()
                    .len()
                    .max(plan.decisions.len())
            }
            false => 0,
        };
        BatchSize::new(self.importer.settings.transaction_rows, file)
    }

    /// Returns `true` if transactions may overlap. If an exclusive transaction is open, a second one would wait for it
    /// without end.
    const fn may_overlap(&self) -> bool {
        self.exclusive.is_none()
    }

    /// A pipeline for the rows of the current plan.
    ///
    /// # Errors
    /// As [`ImportWriter::lease`].
    pub(super) fn pipeline(&self, may_overlap: bool) -> Result<BatchPipeline, WriteError> {
        let context = BatchContext {
            store: self.importer.store.clone(),
            clock: self.importer.clock.clone(),
            lease: self.lease()?,
            import: self.record.id,
            actor: self.actor.clone(),
            may_overlap,
        };
        Ok(BatchPipeline::new(context, Arc::clone(&self.planned)))
    }
}
