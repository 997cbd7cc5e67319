//! Batches of a plan on their way into the database: made ready, and where it takes several writers
//! written too, while the ones before them commit.
//!
//! They commit one by one, in the order in which they were taken: what is stored is always a
//! beginning of that order. A batch that is written while another is under way depends on no row of
//! it; one that cannot be found is written later.

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

use super::{batch::Batch, pace::QUICK};
use crate::import::{Clock, review::Judged};
use crate::{
    domain::Actor,
    plan::Schedule,
    store::{ImportTransaction, Lease, OverlapPermit, Store, WriteError},
};

/// How many are on their way: one that commits, and one behind it.
const DEPTH: usize = 2;

/// What a transaction of the import begins with.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) lease: Lease,
    pub(crate) import: Uuid,
    pub(crate) actor: Actor,
    /// Whether a transaction may write before its turn to commit has come, if there is room for that.
    pub(crate) may_overlap: bool,
}

/// The batches of one plan.
#[derive(Debug)]
pub(crate) struct Pipeline {
    opening: Opening,
    /// Lets its transactions overlap. All or none: one that has begun and cannot be overtaken is taken back.
    overlap: Option<OverlapPermit>,
    /// Tells when the batch taken last has begun its transaction, or is not going to.
    last_begun: Option<oneshot::Receiver<()>>,
    judged: Arc<Judged>,
    schedule: Schedule,
    under_way: VecDeque<Flight>,
}

/// A batch whose turn it is to commit.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) batch: Box<Batch>,
    /// The transaction that has written it, where one has.
    pub(crate) begun: Option<ImportTransaction>,
    /// How long that took.
    pub(crate) took: Duration,
}

/// A batch on its way.
#[derive(Debug)]
struct Flight {
    work: JoinHandle<Result<Ready, WriteError>>,
    /// Lets it begin, where it has to wait for the batch before it.
    gate: Option<oneshot::Sender<()>>,
}

impl Pipeline {
    pub(crate) fn new(opening: Opening, judged: Arc<Judged>) -> Self {
        Self {
            opening,
            overlap: None,
            last_begun: None,
            schedule: Schedule::new(&judged.plan.order),
            judged,
            under_way: VecDeque::new(),
        }
    }

    /// The next batch, of about `size` rows, once it is ready. `None`: there are no more.
    ///
    /// # Errors
    /// Where a task of this process does not end well.
    pub(crate) async fn next(&mut self, size: usize) -> Result<Option<Ready>, WriteError> {
        // Large ones are made one after the other: each takes as much memory as its rows.
        let depth = if size > QUICK { 1 } else { DEPTH };
        let has_several = self.judged.plan.order.rows().len() > size;
        if self.overlap.is_none() && self.opening.may_overlap && has_several {
            self.overlap = self.opening.store.overlap_permit();
        }
        while self.under_way.len() < depth && self.take(size) {}
        match self.under_way.pop_front() {
            Some(flight) => flight.work.await.map_err(WriteError::task)?.map(Some),
            None => Ok(None),
        }
    }

    /// The rows of the batch that `next` gave last have been committed.
    pub(crate) fn committed(&mut self, rows: &[u32]) {
        self.schedule.written(rows);
        if let Some(gate) = self.under_way.front_mut().and_then(|next| next.gate.take()) {
            let _ = gate.send(());
        }
    }

    /// Takes back what is being written: nothing is when this returns, and it is written anew when
    /// the batch before it has been committed.
    pub(crate) async fn recall(&mut self) {
        if self.opening.store.has_one_writer() {
            return;
        }
        for Flight { work, gate } in std::mem::take(&mut self.under_way) {
            drop(gate);
            // Never aborted: a transaction whose beginning is cut off spoils its connection.
            if let Ok(Ok(Ready { batch, .. })) = work.await {
                let again = self.depart(ready(Ok(batch)), true);
                self.under_way.push_back(again);
            }
        }
    }

    /// The rows that have not been committed.
    pub(crate) fn unwritten(&self) -> Vec<u32> {
        self.schedule.unwritten(&self.judged.plan.order)
    }

    /// Sends the next batch on its way. False: there are no more rows.
    fn take(&mut self, size: usize) -> bool {
        let order = &self.judged.plan.order;
        let mut rows = match self.opening.store.has_one_writer() {
            true => Vec::new(),
            false => self.schedule.take_beside(order, size),
        };
        let waits = rows.is_empty() && !self.under_way.is_empty();
        if rows.is_empty() {
            rows = self.schedule.take(order, size);
        }
        if rows.is_empty() {
            return false;
        }
        // SQLite reads users by ID: there they had better lie so, as long as the indexes are small.
        let by_email = !self.opening.store.has_one_writer() || rows.len() > QUICK;
        let judged = Arc::clone(&self.judged);
        let batch = spawn_blocking(move || Box::new(Batch::new(&judged, rows, by_email)));
        let flight = self.depart(async { batch.await.map_err(WriteError::task) }, waits);
        self.under_way.push_back(flight);
        true
    }

    fn depart(
        &mut self,
        batch: impl Future<Output = Result<Box<Batch>, WriteError>> + Send + 'static,
        waits: bool,
    ) -> Flight {
        let (gate, opened) = waits.then(oneshot::channel).unzip();
        let (opening, overlap) = (self.opening.clone(), self.overlap.clone());
        let (begins, begun) = oneshot::channel();
        let before = self.last_begun.replace(begun);
        let work = async move {
            let batch = batch.await?;
            let may_begin = match opened {
                Some(opened) => opened.await.is_ok(),
                None => true,
            };
            // Whoever wants the organisation alone must not come between two that depend on each other.
            if let Some(before) = before {
                let _ = before.await;
            }
            let began = Instant::now();
            let begun = match may_begin && overlap.is_some() {
                true => opening.write(&batch, begins).await,
                false => None,
            };
            Ok(Ready {
                batch,
                begun,
                took: began.elapsed(),
            })
        };
        Flight {
            work: tokio::spawn(work.in_current_span()),
            gate,
        }
    }
}

impl Opening {
    /// Writes a batch, as far as its turn to commit, and says when it has begun to. `None`: it failed; whether it
    /// does so again is seen when its turn has come.
    async fn write(&self, batch: &Batch, begins: oneshot::Sender<()>) -> Option<ImportTransaction> {
        let now = self.clock.now();
        let begun = self
            .store
            .begin_write(self.lease, self.import, &self.actor, now);
        let write = begun.await.ok()?;
        let _ = begins.send(());
        batch.write(&write).await.ok().map(|()| write)
    }
}
