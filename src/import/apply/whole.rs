//! An import of few rows as one transaction, which takes the lease, writes everything, records the import with its end,
//! and leaves the lease free.
//!
//! It is the shortest way for an import that nobody else disturbs: the import takes no lease before, and has no record
//! that the transaction would change. If the database has several writers, the transaction has begun before the plan is
//! made. If anything is in its way, nothing is written, and the import goes the way of all others.

use std::sync::Arc;

use super::{
    ImportWriter,
    batch::WriteBatch,
    transaction::{RowsToWrite, TransactionParts},
};
use crate::{
    domain::ImportState,
    import::{
        ImportError, messages,
        record::{FinalResults, ResultBatches, ResultLog},
    },
    store::{ImportRecord, ImportTransaction, WriteError},
    telemetry::metrics::ImportStageTimer,
};

impl ImportWriter {
    /// Writes the import in its one transaction.
    ///
    /// # Errors
    /// Fails with [`ImportError::PlanOutdated`], and writes nothing, if the lease is not free, somebody has written since
    /// the plan was made, the ID has a record, or the database refuses a row. Only if the answer to an earlier commit was
    /// lost may the import be written; its record says so then.
    pub(super) async fn write_with_lease(&mut self) -> Result<(), ImportError> {
        // Nobody waits for this import while it prepares what it writes.
        let final_results = self.encode_final_results().await;
        final_results.ready().await;
        let rows = self.planned.plan.order.rows().to_vec();
        let batch = WriteBatch::new(&self.planned, rows, !self.importer.store.has_one_writer());
        let whole = TransactionParts {
            open: Some(&final_results),
            rows: RowsToWrite::Batch {
                batch: &batch,
                written: false,
            },
            end: Some(ImportState::Completed),
            ..TransactionParts::default()
        };
        match self.transact(whole).await {
            Ok(()) => {
                self.announce_rows(batch.rows, Some(Arc::new(batch.results)));
                Ok(())
            }
            Err(
                WriteError::Stale
                | WriteError::Bound
                | WriteError::LeaseLost
                | WriteError::Conflict,
            ) => Err(ImportError::PlanOutdated),
            Err(error) => {
                self.record.state = ImportState::Interrupted.into();
                Err(error.into())
            }
        }
    }

    /// Begins the transaction.
    ///
    /// # Errors
    /// Fails with [`WriteError::LeaseLost`] if the lease is not free.
    pub(super) async fn begin_with_lease(&self) -> Result<ImportTransaction, WriteError> {
        let request = self.importer.lease_request(&self.record);
        let (store, now) = (&self.importer.store, self.importer.clock.now());
        let begun = store.begin_whole(request, &self.actor, now);
        begun.await?.ok_or(WriteError::LeaseLost)
    }

    /// Writes all rows within the transaction, and records the import before the results that refer to it.
    pub(super) async fn write_few(
        &self,
        write: &ImportTransaction,
        result_log: &mut ResultLog<'_>,
        final_results: &FinalResults,
        batch: &WriteBatch,
    ) -> Result<(), WriteError> {
        write.note_begun(&self.record, &self.asked_for);
        batch.write(write).await?;
        let kept = final_results.kept().await.into_iter();
        let not_written: Option<Vec<_>> = kept.map(|(_, part)| part).collect();
        let not_written =
            not_written.ok_or_else(|| WriteError::task("a result has no encoding"))?;
        let results = not_written.iter().flat_map(|part| part.iter());
        let results = results.chain(&batch.results);
        let batches = ResultBatches::new(results, &batch.changes);
        let mut record = ImportRecord {
            state: ImportState::Completed.into(),
            results: batches.number(),
            notes: self.encoded_notes(&self.skipped),
            ..self.record.clone()
        };
        messages::set_recorded_counts(&mut record, &batches.counts);
        write.insert_record(record).await?;
        result_log.write(&batches).await?;
        // Every import has this stage, and this one deactivates nobody.
        drop(ImportStageTimer::begin("deactivate"));
        Ok(())
    }
}
