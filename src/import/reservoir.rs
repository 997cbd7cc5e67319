//! Takes what a client sends as it comes, whether or not anybody is ready for it.
//!
//! While the database is slow nobody reads; HTTP/2 takes a connection with many small unread messages
//! for an attack, and closes it. So they are read into memory, small ones put together, up to as much
//! as an upload may have. What the client takes too long for is told here too: it is the client's
//! time that counts, not the time that its messages wait.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use tokio_stream::Stream;

use super::{ImportError, Inbound, Refusal};
use crate::{
    limits::Deadlines,
    proto::{UserRow, UserRows, import_users_request::Message},
};

/// Pieces are put together up to this size, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Once so many bytes wait, a client that sends faster than its pieces are taken waits too, and the memory
/// of an import goes to its rows. That holds back large pieces alone; see above for small ones.
const BACKLOG_BYTES: usize = 1024 * 1024;

/// Somebody who takes nothing for so long is waiting for the database; then all is read.
const STALLED: Duration = Duration::from_millis(250);

type Item = Result<Option<Message>, ImportError>;

/// The taking end: what the client has sent, in order.
pub struct Reservoir(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is room again, or nobody takes anything any more.
    room: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    /// Nothing more comes.
    ended: bool,
    /// Nobody takes anything any more.
    abandoned: bool,
    /// Nothing is being taken at the moment.
    stalled: bool,
    waker: Option<Waker>,
}

impl Reservoir {
    /// Reads `inbound` in a task of its own, keeping at most some `capacity` bytes.
    #[must_use]
    pub fn fill(inbound: impl Inbound + 'static, capacity: u64, deadlines: Deadlines) -> Self {
        let shared = Arc::new(Shared::default());
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        tokio::spawn(fill(inbound, Arc::clone(&shared), capacity, deadlines));
        Self(shared)
    }
}

impl Stream for Reservoir {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.0.lock();
        let Some(item) = state.items.pop_front() else {
            state.waker = Some(cx.waker().clone());
            return match state.ended {
                true => Poll::Ready(None),
                false => Poll::Pending,
            };
        };
        state.bytes -= weight(&item);
        state.stalled = false;
        drop(state);
        self.0.room.notify_one();
        Poll::Ready(Some(item))
    }
}

impl Drop for Reservoir {
    fn drop(&mut self) {
        self.0.lock().abandoned = true;
        self.0.room.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, item: Item) {
        let mut state = self.lock();
        state.bytes += weight(&item);
        if let Some(item) = state.append(item) {
            state.items.push_back(item);
        }
        state.wake();
    }

    fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.wake();
    }

    /// Waits while much is left to take, as long as it is being taken.
    async fn keep_pace(&self) {
        loop {
            let taken = {
                let state = self.lock();
                if state.bytes < BACKLOG_BYTES || state.stalled || state.abandoned {
                    return;
                }
                state.bytes
            };
            let room = timeout(STALLED, self.room.notified()).await;
            let mut state = self.lock();
            state.stalled = room.is_err() && state.bytes == taken;
        }
    }

    /// Waits until there is room. False: nobody takes anything any more.
    async fn has_room(&self, capacity: usize) -> bool {
        loop {
            {
                let state = self.lock();
                if state.abandoned || state.bytes < capacity {
                    return !state.abandoned;
                }
            }
            self.room.notified().await;
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Puts a small piece to the last one; gives back what has to stand by itself.
    fn append(&mut self, item: Item) -> Option<Item> {
        let small = |bytes: usize| bytes < PIECE_BYTES / 2;
        match (self.items.back_mut(), item) {
            (Some(Ok(Some(Message::CsvChunk(last)))), Ok(Some(Message::CsvChunk(more))))
                if small(last.len()) && small(more.len()) =>
            {
                let mut joined = std::mem::take(last)
                    .try_into_mut()
                    .unwrap_or_else(|shared| shared[..].into());
                joined.extend_from_slice(&more);
                *last = joined.freeze();
                None
            }
            (Some(Ok(Some(Message::Rows(last)))), Ok(Some(Message::Rows(more))))
                if small(rows_weight(last) + rows_weight(&more)) =>
            {
                last.rows.extend(more.rows);
                None
            }
            (_, item) => Some(item),
        }
    }
}

/// Roughly what an item takes up, in bytes; the same whether pieces are put together or not.
fn weight(item: &Item) -> usize {
    match item {
        Ok(Some(Message::CsvChunk(chunk))) => chunk.len(),
        Ok(Some(Message::Rows(rows))) => rows_weight(rows),
        _ => 0,
    }
}

/// An upper bound that needs no look at the values: what most rows stay below.
fn rows_weight(rows: &UserRows) -> usize {
    rows.rows.len() * (size_of::<UserRow>() + 256)
}

async fn fill(
    mut inbound: impl Inbound,
    shared: Arc<Shared>,
    capacity: usize,
    deadlines: Deadlines,
) {
    let mut timing = Timing::new(deadlines);
    let mut large = false;
    loop {
        let paused = Instant::now();
        if large {
            shared.keep_pace().await;
        }
        if !shared.has_room(capacity).await {
            break;
        }
        timing.forgive(paused.elapsed());
        let (due, refusal) = timing.due();
        match timeout_at(due, inbound.next()).await {
            Ok(Some(item)) => {
                let broken = item.is_err();
                large = weight(&item) >= PIECE_BYTES / 2;
                timing.heard(&item);
                shared.add(item);
                if broken {
                    break;
                }
            }
            Ok(None) => break,
            Err(_) => {
                shared.add(Err(refusal.into()));
                break;
            }
        }
    }
    shared.end();
}

/// What the client has to do next, and until when.
struct Timing {
    deadlines: Deadlines,
    begun: Instant,
    heard: Instant,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Silent,
    Uploading,
    /// `finish` has come: how long the client stays is its own affair.
    Finished,
}

impl Timing {
    fn new(deadlines: Deadlines) -> Self {
        let now = Instant::now();
        Self {
            deadlines,
            begun: now,
            heard: now,
            stage: Stage::Silent,
        }
    }

    /// Time in which nobody read is not the client's.
    fn forgive(&mut self, pause: Duration) {
        self.begun += pause;
        self.heard += pause;
    }

    fn heard(&mut self, item: &Item) {
        self.heard = Instant::now();
        match (&self.stage, item) {
            (_, Ok(Some(Message::Finish(_)))) => self.stage = Stage::Finished,
            (Stage::Silent, _) => {
                self.stage = Stage::Uploading;
                self.begun = self.heard;
            }
            _ => {}
        }
    }

    /// When the client's time is over, and what it is told then.
    fn due(&self) -> (Instant, Refusal) {
        let limits = &self.deadlines;
        let (idle, upload) = (self.heard + limits.idle, self.begun + limits.upload);
        match self.stage {
            Stage::Silent => (self.begun + limits.first_message, never_began(limits)),
            Stage::Uploading if upload < idle => (upload, too_slow(limits)),
            Stage::Uploading => (idle, fell_silent(limits)),
            Stage::Finished => (self.heard + limits.upload, too_slow(limits)),
        }
    }
}

fn never_began(limits: &Deadlines) -> Refusal {
    let message = format!(
        "No message came within {} s; send start at once.",
        limits.first_message.as_secs()
    );
    Refusal::limit("NO_FIRST_MESSAGE", "first_message", message)
}

fn fell_silent(limits: &Deadlines) -> Refusal {
    let message = format!(
        "No message came for {} s. Nothing was written; send the roster again without pauses.",
        limits.idle.as_secs()
    );
    Refusal::limit("IDLE_TOO_LONG", "idle", message)
}

fn too_slow(limits: &Deadlines) -> Refusal {
    let message = format!(
        "The upload took longer than {} s. Nothing was written; send the roster faster, or in \
         parts.",
        limits.upload.as_secs()
    );
    Refusal::limit("UPLOAD_TOO_SLOW", "upload_time", message)
}

#[cfg(test)]
mod tests;
