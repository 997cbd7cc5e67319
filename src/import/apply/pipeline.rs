//! Prepares the next batch of a plan while the one before commits. On a database with several writers it also
//! writes it.
//!
//! Batches commit one by one in the order in which they were taken, so the stored rows are always a
//! prefix of that order. A batch is written early only if it depends on no row of the batch before.

use std::{
    collections::VecDeque,
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};
use tracing::Instrument;
use uuid::Uuid;

use super::{batch::WriteBatch, batch_size::QUICK};
use crate::import::{Clock, review::PlannedImport};
use crate::{
    domain::AuditActor,
    plan::{RowIndex, WriteSchedule},
    store::{ImportTransaction, Lease, OverlapPermit, Store, WriteError, WriteVolume},
};

/// Batches in flight: one that commits, and the next.
const DEPTH: usize = 2;

/// What a batch's transaction needs to begin.
#[derive(Clone, Debug)]
pub(crate) struct BatchContext {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) lease: Lease,
    pub(crate) import: Uuid,
    pub(crate) actor: AuditActor,
    /// A transaction may write before its turn to commit, if the store has room for it.
    pub(crate) may_overlap: bool,
}

/// The batches of one plan.
#[derive(Debug)]
pub(crate) struct BatchPipeline {
    context: BatchContext,
    /// The permission for overlapping transactions. It holds for all transactions of the pipeline.
    overlap: Option<OverlapPermit>,
    /// Resolves when the last batch has begun its transaction, or will not begin one.
    last_begun: Option<oneshot::Receiver<()>>,
    planned: Arc<PlannedImport>,
    schedule: WriteSchedule,
    under_way: VecDeque<BatchInFlight>,
}

/// A batch that is next to commit.
#[derive(Debug)]
pub(crate) struct ReadyBatch {
    pub(crate) batch: Box<WriteBatch>,
    /// The transaction that has written the batch early, if any.
    pub(crate) begun: Option<ImportTransaction>,
    /// How long writing early took.
    pub(crate) took: Duration,
}

/// A batch that is being prepared or written.
#[derive(Debug)]
struct BatchInFlight {
    work: JoinHandle<Result<ReadyBatch, WriteError>>,
    /// Lets the batch begin, if it must wait until the batch before it has committed.
    gate: Option<oneshot::Sender<()>>,
}

impl BatchPipeline {
    pub(crate) fn new(context: BatchContext, planned: Arc<PlannedImport>) -> Self {
        Self {
            context,
            overlap: None,
            last_begun: None,
            schedule: WriteSchedule::new(Arc::clone(&planned.plan.order)),
            planned,
            under_way: VecDeque::new(),
        }
    }

    /// Returns the next batch of about `size` rows once it is ready, or `None` if there are no more rows.
    ///
    /// # Errors
    /// Fails if a task of this process panics.
    pub(crate) async fn next(&mut self, size: usize) -> Result<Option<ReadyBatch>, WriteError> {
        // Large batches are made one at a time: each takes as much memory as its rows.
        let depth = if size > QUICK { 1 } else { DEPTH };
        let has_several = self.planned.plan.order.rows().len() > size;
        if self.overlap.is_none() && self.context.may_overlap && has_several {
            self.overlap = self.context.store.overlap_permit();
        }
        while self.under_way.len() < depth && self.take(size) {}
        match self.under_way.pop_front() {
            Some(in_flight) => in_flight.work.await.map_err(WriteError::task)?.map(Some),
            None => Ok(None),
        }
    }

    /// Notes that the last batch from `next` has committed.
    pub(crate) fn committed(&mut self, rows: &[RowIndex]) {
        self.schedule.written(rows);
        if let Some(gate) = self.under_way.front_mut().and_then(|next| next.gate.take()) {
            let _ = gate.send(());
        }
    }

    /// Rolls back all early writes. When this returns, nothing is being written. The batches are written again
    /// when the batch before them has committed.
    pub(crate) async fn recall(&mut self) {
        if self.context.store.has_one_writer() {
            return;
        }
        for BatchInFlight { work, gate } in std::mem::take(&mut self.under_way) {
            drop(gate);
            // Tasks are never aborted: cutting off a BEGIN leaves the connection in a bad state.
            if let Ok(Ok(ReadyBatch { batch, .. })) = work.await {
                let again = self.depart(ready(Ok(batch)), true);
                self.under_way.push_back(again);
            }
        }
    }

    /// The rows that are not committed.
    pub(crate) fn unwritten(&self) -> Vec<RowIndex> {
        self.schedule.unwritten()
    }

    /// Starts the next batch. Returns `false` if there are no more rows.
    fn take(&mut self, size: usize) -> bool {
        let mut rows = match self.context.store.has_one_writer() {
            true => Vec::new(),
            false => self.schedule.take_beside(size),
        };
        let waits = rows.is_empty() && !self.under_way.is_empty();
        if rows.is_empty() {
            rows = self.schedule.take(size);
        }
        if rows.is_empty() {
            return false;
        }
        // SQLite reads users by ID, so users are better stored in that order while the indexes are small.
        let by_email = !self.context.store.has_one_writer() || rows.len() > QUICK;
        let planned = Arc::clone(&self.planned);
        let batch = spawn_blocking(move || Box::new(WriteBatch::new(&planned, rows, by_email)));
        let in_flight = self.depart(async { batch.await.map_err(WriteError::task) }, waits);
        self.under_way.push_back(in_flight);
        true
    }

    fn depart(
        &mut self,
        batch: impl Future<Output = Result<Box<WriteBatch>, WriteError>> + Send + 'static,
        waits: bool,
    ) -> BatchInFlight {
        let (gate, opened) = waits.then(oneshot::channel).unzip();
        let (context, overlap) = (self.context.clone(), self.overlap.clone());
        let (begins, begun) = oneshot::channel();
        let before = self.last_begun.replace(begun);
        let work = async move {
            let batch = batch.await?;
            let may_begin = match opened {
                Some(opened) => opened.await.is_ok(),
                None => true,
            };
            // An exclusive transaction must not come between two that depend on each other.
            if let Some(before) = before {
                let _ = before.await;
            }
            let began = Instant::now();
            let begun = match may_begin && overlap.is_some() {
                true => context.write(&batch, begins).await,
                false => None,
            };
            Ok(ReadyBatch {
                batch,
                begun,
                took: began.elapsed(),
            })
        };
        BatchInFlight {
            work: tokio::spawn(work.in_current_span()),
            gate,
        }
    }
}

impl BatchContext {
    /// Writes a batch without committing, and signals `begins` once the transaction has begun. Returns `None` if
    /// it failed; the batch is then tried again when its turn has come.
    async fn write(
        &self,
        batch: &WriteBatch,
        begins: oneshot::Sender<()>,
    ) -> Option<ImportTransaction> {
        let now = self.clock.now();
        let begun = self.store.begin_write(
            (self.lease, self.import),
            WriteVolume::Any,
            &self.actor,
            now,
        );
        let write = begun.await.ok()?;
        let _ = begins.send(());
        batch.write(&write).await.ok().map(|()| write)
    }
}
