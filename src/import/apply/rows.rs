//! The rows of a plan, batch by batch, until all are written or given up.
//!
//! A batch is a transaction. While one commits, the next is made, and on `PostgreSQL` it is written already
//! where no row of it depends on the one before and not too many imports do so; they commit in the order of the plan, so that what is
//! stored is always a beginning of it. Two things can come between: somebody else has changed the directory
//! (`Stale`), or the database refuses a row that the plan thought sound (`Conflict`). Either way what is
//! left is planned anew, on a new snapshot; of a conflict, batches become smaller until the row that cannot
//! be written stands alone and is given up.

use std::sync::Arc;

use tokio::time::Instant;

use super::{ATTEMPTS, Applier, transaction::Step};
use super::{
    batch::Batch,
    pace::Pace,
    pipeline::{Opening, Pipeline, Ready},
};
use crate::{
    import::lease::Patience,
    store::{ImportTransaction, WriteError},
};

impl Applier {
    /// Writes what the plan has to write. Transactions that were begun ahead are ended in any case.
    pub(super) async fn write_rows(&mut self) -> Result<(), WriteError> {
        let mut pipeline = self.pipeline();
        let result = self.write_batches(&mut pipeline).await;
        pipeline.recall().await;
        result
    }

    async fn write_batches(&mut self, pipeline: &mut Pipeline) -> Result<(), WriteError> {
        let mut pace = self.pace();
        let (mut attempts, mut stale) = (0, 0);
        while let Some(Ready { batch, begun, took }) = pipeline.next(pace.rows()).await? {
            self.expect_running()?;
            let began = Instant::now();
            let given_up = match self.write_batch(pipeline, &batch, begun).await {
                Ok(()) => {
                    pace.went_through(took + began.elapsed());
                    attempts = 0;
                    // Where others write all the time, they do so again soon.
                    stale = stale.min(ATTEMPTS - 1);
                    pipeline.committed(&batch.rows);
                    // What was recorded is not kept beside the next batch, which is large.
                    self.announce_rows(batch.rows, None);
                    continue;
                }
                Err(WriteError::Stale) => {
                    stale += 1;
                    Vec::new()
                }
                Err(WriteError::Conflict) => {
                    attempts += u32::from(pace.rows() == 1);
                    pace.met_conflict();
                    match attempts >= ATTEMPTS {
                        true => batch.rows,
                        false => Vec::new(),
                    }
                }
                Err(error) => return Err(error),
            };
            pipeline.recall().await;
            if stale >= ATTEMPTS {
                self.hold().await;
            }
            self.replan(&pipeline.unwritten(), &given_up).await?;
            attempts %= ATTEMPTS;
            *pipeline = self.pipeline();
        }
        Ok(())
    }

    /// Writes a batch, and commits it. A transaction that has written it already is tried first.
    async fn write_batch(
        &mut self,
        pipeline: &mut Pipeline,
        batch: &Batch,
        begun: Option<ImportTransaction>,
    ) -> Result<(), WriteError> {
        let mut patience = Patience::new(&self.importer);
        let step = |written| Step::Rows { batch, written };
        let unsure = begun.is_some();
        if unsure {
            match self.attempt(step(true), begun, false).await {
                Err(WriteError::Store(error)) if patience.bears(&error).await => {}
                result => return result,
            }
        }
        // Who begins anew must not stand behind a batch that waits for this one.
        pipeline.recall().await;
        self.transact_with(step(false), patience, unsure).await
    }

    /// How many rows a transaction has. With one writer for all a large file has larger ones: each costs about the
    /// same, however few its rows.
    fn pace(&self) -> Pace {
        let file = match self.importer.store.has_one_writer() {
            true => self
                .judged
                .directory
                .users()
                .len()
                .max(self.judged.rows.len()),
            false => 0,
        };
        Pace::new(self.importer.settings.transaction_rows, file)
    }

    /// The batches of what is still to be written, as the plan stands.
    fn pipeline(&self) -> Pipeline {
        let opening = Opening {
            store: self.importer.store.clone(),
            clock: self.importer.clock.clone(),
            lease: self.tenure.lease(),
            import: self.record.id,
            actor: self.actor.clone(),
            // A second one would wait for those who wait for the first.
            may_overlap: self.held.is_none(),
        };
        Pipeline::new(opening, Arc::clone(&self.judged))
    }
}
