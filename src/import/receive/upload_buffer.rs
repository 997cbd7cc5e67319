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
use prost::Message as _;
use tokio::{
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use tokio_stream::Stream;

use crate::import::{ImportError, Inbound, Refusal};
use crate::{
    limits::{Account, Deadlines, MemoryExhausted, Reservation},
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

struct Shared {
    state: Mutex<State>,
    /// There is room again, or nobody takes anything any more.
    room: Notify,
}

struct State {
    /// Each with its weight.
    items: VecDeque<(Item, usize)>,
    /// As many bytes as all of them weigh.
    held: Reservation,
    /// Nothing more comes.
    ended: bool,
    /// Nobody takes anything any more.
    abandoned: bool,
    /// Nothing is being taken at the moment.
    stalled: bool,
    waker: Option<Waker>,
}

impl Reservoir {
    /// Reads `inbound` in a task of its own, keeping at most some `capacity` bytes, which are charged to
    /// `account`; it ends with [`ImportError::Busy`] if that has no more.
    ///
    /// # Errors
    /// Never: nothing is held yet.
    pub fn fill(
        inbound: impl Inbound + 'static,
        capacity: u64,
        deadlines: Deadlines,
        account: &Account,
    ) -> Result<Self, MemoryExhausted> {
        let shared = Arc::new(Shared::new(account.reserve(0)?));
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        tokio::spawn(fill(inbound, Arc::clone(&shared), capacity, deadlines));
        Ok(Self(shared))
    }
}

impl Stream for Reservoir {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.0.lock();
        let Some((item, weight)) = state.items.pop_front() else {
            state.waker = Some(cx.waker().clone());
            return match state.ended {
                true => Poll::Ready(None),
                false => Poll::Pending,
            };
        };
        state.held.shrink(weight);
        state.stalled = false;
        drop(state);
        self.0.room.notify_one();
        Poll::Ready(Some(item))
    }
}

impl Drop for Reservoir {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.abandoned = true;
        state.items.clear();
        let held = state.held.bytes();
        state.held.shrink(held);
        drop(state);
        self.0.room.notify_one();
    }
}

impl Shared {
    fn new(held: Reservation) -> Self {
        let state = State {
            items: VecDeque::new(),
            held,
            ended: false,
            abandoned: false,
            stalled: false,
            waker: None,
        };
        Self {
            state: Mutex::new(state),
            room: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item of this weight, unless there is no memory for it.
    fn add(&self, item: Item, weight: usize) -> Result<(), MemoryExhausted> {
        let mut state = self.lock();
        if state.abandoned {
            return Ok(());
        }
        state.held.grow(weight)?;
        if let Some(item) = state.append(item, weight) {
            state.items.push_back((item, weight));
        }
        state.wake();
        Ok(())
    }

    /// Adds why nothing more is taken.
    fn refuse(&self, error: ImportError) {
        let mut state = self.lock();
        state.items.push_back((Err(error), 0));
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
                if state.held.bytes() < BACKLOG_BYTES || state.stalled || state.abandoned {
                    return;
                }
                state.held.bytes()
            };
            let room = timeout(STALLED, self.room.notified()).await;
            let mut state = self.lock();
            state.stalled = room.is_err() && state.held.bytes() == taken;
        }
    }

    /// Waits until there is room. False: nobody takes anything any more.
    async fn has_room(&self, capacity: usize) -> bool {
        loop {
            {
                let state = self.lock();
                if state.abandoned || state.held.bytes() < capacity {
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
    fn append(&mut self, item: Item, more_weight: usize) -> Option<Item> {
        let small = |bytes: usize| bytes < PIECE_BYTES / 2;
        match (self.items.back_mut(), item) {
            (
                Some((Ok(Some(Message::CsvChunk(last))), weight)),
                Ok(Some(Message::CsvChunk(more))),
            ) if small(last.len()) && small(more.len()) => {
                *weight += more_weight;
                let mut joined = std::mem::take(last)
                    .try_into_mut()
                    .unwrap_or_else(|shared| shared[..].into());
                joined.extend_from_slice(&more);
                *last = joined.freeze();
                None
            }
            (Some((Ok(Some(Message::Rows(last))), weight)), Ok(Some(Message::Rows(more))))
                if small(*weight + more_weight) =>
            {
                *weight += more_weight;
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
        Ok(Some(message)) => message_weight(message),
        _ => 0,
    }
}

/// The same of a message.
pub(crate) fn message_weight(message: &Message) -> usize {
    match message {
        Message::CsvChunk(chunk) => chunk.len(),
        Message::Rows(rows) => rows_weight(rows),
        Message::Start(_) | Message::Finish(_) => 0,
    }
}

fn rows_weight(rows: &UserRows) -> usize {
    rows.rows.len() * size_of::<UserRow>() + rows.encoded_len()
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
                let weight = weight(&item);
                large = weight >= PIECE_BYTES / 2;
                timing.heard(&item);
                if let Err(exhausted) = shared.add(item, weight) {
                    shared.refuse(exhausted.into());
                    break;
                }
                if broken {
                    break;
                }
            }
            Ok(None) => break,
            Err(_) => {
                shared.refuse(refusal.into());
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
