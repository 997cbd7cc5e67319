//! Buffers a client's messages in memory while the import is not ready for them.
//!
//! While the database is slow the import reads nothing, and HTTP/2 closes a connection that carries many small
//! unread messages. So this reads them at once and joins small ones, up to the limit of an upload. It also
//! enforces the client's deadlines: only the client's own time counts, not the time its messages wait.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::StreamExt;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::{
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use tokio_stream::Stream;

use crate::import::{ImportError, Refusal, RequestStream};
use crate::{
    limits::{ClientDeadlines, MemoryAccount, MemoryExhausted, MemoryReservation},
    proto::{UserRow, UserRows, import_users_request::Message},
};

/// Small messages are joined up to this size, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Once this many bytes are buffered, a client that sends large messages must wait, so that the import's memory is left
/// for its rows. Small messages are always read; see the module head.
const BACKLOG_BYTES: usize = 1024 * 1024;

/// If the import takes nothing for so long, it waits for the database, and all messages are read.
const STALLED: Duration = Duration::from_millis(250);

type QueuedItem = Result<Option<Message>, ImportError>;

/// The client's messages, in order, for the import to take.
pub struct UploadBuffer(Arc<SharedBuffer>);

struct SharedBuffer {
    state: Mutex<BufferState>,
    /// Signals that there is room again, or that the import has dropped the buffer.
    room: Notify,
}

struct BufferState {
    /// Each with its weight.
    items: VecDeque<(QueuedItem, usize)>,
    /// Memory for all items.
    held: MemoryReservation,
    /// No more messages come.
    ended: bool,
    /// The import has dropped the buffer.
    abandoned: bool,
    /// The import is not taking messages at the moment.
    stalled: bool,
    waker: Option<Waker>,
}

impl UploadBuffer {
    /// Reads `requests` in a task of its own. Keeps about `capacity` bytes at most and charges them to `account`. The
    /// stream ends with [`ImportError::Busy`] if the account is exhausted.
    ///
    /// # Errors
    /// Never fails: nothing is held yet.
    pub fn spawn(
        requests: impl RequestStream + 'static,
        capacity: u64,
        deadlines: ClientDeadlines,
        account: &MemoryAccount,
    ) -> Result<Self, MemoryExhausted> {
        let shared = Arc::new(SharedBuffer::new(account.reserve(0)?));
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        tokio::spawn(fill(requests, Arc::clone(&shared), capacity, deadlines));
        Ok(Self(shared))
    }
}

impl Stream for UploadBuffer {
    type Item = QueuedItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<QueuedItem>> {
        let mut state = self.0.state.lock();
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

impl Drop for UploadBuffer {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.abandoned = true;
        state.items.clear();
        let held = state.held.bytes();
        state.held.shrink(held);
        drop(state);
        self.0.room.notify_one();
    }
}

impl SharedBuffer {
    fn new(held: MemoryReservation) -> Self {
        let state = BufferState {
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

    /// Adds an item of this weight. Fails if there is no memory for it.
    fn add(&self, item: QueuedItem, weight: usize) -> Result<(), MemoryExhausted> {
        let mut state = self.state.lock();
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

    /// Adds the error that ends the stream.
    fn refuse(&self, error: ImportError) {
        let mut state = self.state.lock();
        state.items.push_back((Err(error), 0));
        state.wake();
    }

    fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        state.wake();
    }

    /// Waits while the backlog is large and the import is taking messages.
    async fn keep_pace(&self) {
        loop {
            let taken = {
                let state = self.state.lock();
                if state.held.bytes() < BACKLOG_BYTES || state.stalled || state.abandoned {
                    return;
                }
                state.held.bytes()
            };
            let room = timeout(STALLED, self.room.notified()).await;
            let mut state = self.state.lock();
            state.stalled = room.is_err() && state.held.bytes() == taken;
        }
    }

    /// Waits until there is room. Returns `false` if the import has dropped the buffer.
    async fn has_room(&self, capacity: usize) -> bool {
        loop {
            {
                let state = self.state.lock();
                if state.abandoned || state.held.bytes() < capacity {
                    return !state.abandoned;
                }
            }
            self.room.notified().await;
        }
    }
}

impl BufferState {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Joins a small message to the last one, or returns it if that is not possible.
    fn append(&mut self, item: QueuedItem, more_weight: usize) -> Option<QueuedItem> {
        let small = |bytes: usize| bytes < PIECE_BYTES / 2;
        match (self.items.back_mut(), item) {
            (
                Some((Ok(Some(Message::CsvChunk(last))), weight)),
                Ok(Some(Message::CsvChunk(more))),
            )
            | (
                Some((Ok(Some(Message::WorkbookChunk(last))), weight)),
                Ok(Some(Message::WorkbookChunk(more))),
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

/// Roughly the bytes of an item. Joining does not change the sum.
fn weight(item: &QueuedItem) -> usize {
    match item {
        Ok(Some(message)) => message_weight(message),
        _ => 0,
    }
}

/// Roughly the bytes of a message.
pub(crate) fn message_weight(message: &Message) -> usize {
    match message {
        Message::CsvChunk(chunk) | Message::WorkbookChunk(chunk) => chunk.len(),
        Message::Rows(rows) => rows_weight(rows),
        Message::Start(_) | Message::Finish(_) => 0,
    }
}

fn rows_weight(rows: &UserRows) -> usize {
    rows.rows.len() * size_of::<UserRow>() + rows.encoded_len()
}

async fn fill(
    mut requests: impl RequestStream,
    shared: Arc<SharedBuffer>,
    capacity: usize,
    deadlines: ClientDeadlines,
) {
    let mut timing = ClientTiming::new(deadlines);
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
        match timeout_at(due, requests.next()).await {
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

/// The client's deadlines.
struct ClientTiming {
    deadlines: ClientDeadlines,
    begun: Instant,
    heard: Instant,
    phase: ClientPhase,
}

#[derive(PartialEq, Eq)]
enum ClientPhase {
    Silent,
    Uploading,
    /// `finish` has come; the client may keep the stream open for as long as an upload may take.
    Finished,
}

impl ClientTiming {
    fn new(deadlines: ClientDeadlines) -> Self {
        let now = Instant::now();
        Self {
            deadlines,
            begun: now,
            heard: now,
            phase: ClientPhase::Silent,
        }
    }

    /// Extends the deadlines by a pause in which this server did not read.
    fn forgive(&mut self, pause: Duration) {
        self.begun += pause;
        self.heard += pause;
    }

    fn heard(&mut self, item: &QueuedItem) {
        self.heard = Instant::now();
        match (&self.phase, item) {
            (_, Ok(Some(Message::Finish(_)))) => self.phase = ClientPhase::Finished,
            (ClientPhase::Silent, _) => {
                self.phase = ClientPhase::Uploading;
                self.begun = self.heard;
            }
            _ => {}
        }
    }

    /// The next deadline, and the refusal if the client misses it.
    fn due(&self) -> (Instant, Refusal) {
        let limits = &self.deadlines;
        let (idle, upload) = (self.heard + limits.idle, self.begun + limits.upload);
        match self.phase {
            ClientPhase::Silent => (self.begun + limits.first_message, never_began(limits)),
            ClientPhase::Uploading if upload < idle => (upload, too_slow(limits)),
            ClientPhase::Uploading => (idle, fell_silent(limits)),
            ClientPhase::Finished => (self.heard + limits.upload, too_slow(limits)),
        }
    }
}

fn never_began(limits: &ClientDeadlines) -> Refusal {
    let message = format!(
        "No message came within {} s; send start at once.",
        limits.first_message.as_secs()
    );
    Refusal::limit("NO_FIRST_MESSAGE", "first_message", message)
}

fn fell_silent(limits: &ClientDeadlines) -> Refusal {
    let message = format!(
        "No message came for {} s. Nothing was written; send the roster again without pauses.",
        limits.idle.as_secs()
    );
    Refusal::limit("IDLE_TOO_LONG", "idle", message)
}

fn too_slow(limits: &ClientDeadlines) -> Refusal {
    let message = format!(
        "The upload took longer than {} s. Nothing was written; send the roster faster, or in \
         parts.",
        limits.upload.as_secs()
    );
    Refusal::limit("UPLOAD_TOO_SLOW", "upload_time", message)
}

#[cfg(test)]
mod tests;
