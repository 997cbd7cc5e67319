//! The stream of responses to the client. It holds a few messages at most, only one of them large, and gives up a
//! client that does not read in time.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};
use tokio_stream::Stream;

use crate::import::ImportError;
use crate::{
    limits::MemoryReservation,
    proto::{RowResults, import_users_response::Message},
};

/// Messages that may wait for the client.
const QUEUE_LENGTH: usize = 8;

/// Large messages that may wait. Decoded, one needs several times its quarter of a MiB, and many clients may not
/// read.
const LARGE_MESSAGES: usize = 1;

/// Places of [`QUEUE_LENGTH`] that progress messages leave for `started`, the summary and the status.
const RESERVED_PLACES: usize = 3;

type ImportResponse = Result<Message, ImportError>;

/// A response that waits. A large one holds its place until it is taken.
type QueuedResponse = (ImportResponse, Option<OwnedSemaphorePermit>);

/// The sending end. Once the client has gone, nothing is sent.
#[derive(Clone, Debug)]
pub struct ResponseSender {
    sender: mpsc::Sender<QueuedResponse>,
    waiting: Arc<ResponseQueue>,
    read_timeout: Duration,
    room: Arc<Semaphore>,
    accepted: watch::Sender<bool>,
    /// Whether the reader was pointed to the import's log; `None` if this reader does not read the log.
    pointed_to_log: Option<Arc<AtomicBool>>,
}

/// The receiving end of a [`ResponseSender`]. If it is not read for too long, it loses its messages and ends with
/// [`ImportError::ClientStalled`].
#[derive(Debug)]
pub struct ResponseStream {
    waiting: Arc<ResponseQueue>,
    ended: bool,
}

/// The messages that wait; the receiver is `None` once the client is given up.
#[derive(Debug)]
struct ResponseQueue {
    receiver: Mutex<Option<mpsc::Receiver<QueuedResponse>>>,
    /// Memory for waiting messages, until both ends are dropped.
    memory: OnceLock<MemoryReservation>,
}

impl ResponseSender {
    /// Roughly the bytes of all waiting messages at most: one large message, decoded.
    pub const BYTES: usize = 1024 * 1024;

    /// Makes both ends. The client is given up if it does not read for `read_timeout` while a message waits.
    #[must_use]
    pub fn new(read_timeout: Duration) -> (Self, ResponseStream) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let waiting = Arc::new(ResponseQueue {
            receiver: Mutex::new(Some(receiver)),
            memory: OnceLock::new(),
        });
        let replies = ResponseStream {
            waiting: Arc::clone(&waiting),
            ended: false,
        };
        let responses = Self {
            sender,
            waiting,
            read_timeout,
            room: Arc::new(Semaphore::new(LARGE_MESSAGES)),
            accepted: watch::Sender::new(false),
            pointed_to_log: None,
        };
        (responses, replies)
    }

    /// Keeps the memory reserved for waiting messages, [`ResponseSender::BYTES`].
    #[must_use]
    pub fn with_memory(self, memory: MemoryReservation) -> Self {
        // It is set once.
        let _ = self.waiting.memory.set(memory);
        self
    }

    /// Leaves recorded results and deactivations to the import's log, where the reader finds them. In their place it gets
    /// one empty [`RowResults`].
    #[must_use]
    pub(crate) fn leaving_log_to_reader(self) -> Self {
        Self {
            pointed_to_log: Some(Arc::default()),
            ..self
        }
    }

    /// Returns `true` if the reader takes what is recorded from the import's log, and points it there once. Must not be
    /// called before the log has results of this import.
    pub(crate) async fn points_to_log(&self) -> bool {
        let Some(pointed) = &self.pointed_to_log else {
            return false;
        };
        if !pointed.swap(true, Relaxed) {
            self.send(Message::Results(RowResults::default())).await;
        }
        true
    }

    /// Sends a message that the client may miss: it is dropped if the client does not read.
    pub fn offer(&self, message: Message) {
        if self.sender.capacity() > RESERVED_PLACES {
            let _ = self.sender.try_send((Ok(message), None));
        }
    }

    /// Sends a message without waiting and without dropping it; for `started`, which comes before all results.
    pub fn post(&self, message: Message) {
        // It fails only if the client has gone, since progress messages leave it a place.
        let _ = self.sender.try_send((Ok(message), None));
    }

    /// Sends a message, and waits for the client to read. Returns `false` if the client has gone.
    pub async fn send(&self, message: Message) -> bool {
        match is_large(&message) {
            true => self.send_made(|| Some(message)).await,
            false => self.enqueue(Ok(message), None).await,
        }
    }

    /// Makes a large message once there is room for it, and sends it. If `make` returns `None`, nothing is sent.
    /// Returns `false` if the client has gone.
    pub async fn send_made(&self, make: impl FnOnce() -> Option<Message>) -> bool {
        let room = Arc::clone(&self.room).acquire_owned();
        let Ok(Ok(room)) = timeout(self.read_timeout, room).await else {
            self.give_up();
            return false;
        };
        match make() {
            Some(message) => self.enqueue(Ok(message), Some(room)).await,
            None => !self.is_gone(),
        }
    }

    /// Sends messages in turn, until the client has gone.
    pub async fn send_all(&self, messages: impl Iterator<Item = Message>) -> bool {
        for message in messages {
            if !self.send(message).await {
                return false;
            }
        }
        true
    }

    /// Signals that the input is complete and will be planned.
    pub fn accept(&self) {
        self.accepted.send_replace(true);
    }

    /// Turns `true` when the input is complete.
    #[must_use]
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.accepted.subscribe()
    }

    /// Returns `true` if the client has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the client has gone.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the stream with an error.
    pub async fn fail(&self, error: ImportError) {
        self.enqueue(Err(error), None).await;
    }

    async fn enqueue(&self, reply: ImportResponse, room: Option<OwnedSemaphorePermit>) -> bool {
        let sending = self.sender.send((reply, room));
        if let Ok(sent) = timeout(self.read_timeout, sending).await {
            return sent.is_ok();
        }
        self.give_up();
        false
    }

    /// Drops the waiting messages, to free their memory.
    fn give_up(&self) {
        *self.waiting.receiver.lock() = None;
    }
}

const fn is_large(message: &Message) -> bool {
    matches!(message, Message::Results(_) | Message::Deactivations(_))
}

impl Stream for ResponseStream {
    type Item = ImportResponse;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ImportResponse>> {
        if let Some(receiver) = self.waiting.receiver.lock().as_mut() {
            return receiver
                .poll_recv(cx)
                .map(|waited| waited.map(|(reply, _)| reply));
        }
        match std::mem::replace(&mut self.ended, true) {
            true => Poll::Ready(None),
            false => Poll::Ready(Some(Err(ImportError::ClientStalled))),
        }
    }
}

impl Drop for ResponseStream {
    fn drop(&mut self) {
        *self.waiting.receiver.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;
    use crate::proto::ImportSummary;

    fn summary() -> Message {
        Message::Summary(ImportSummary::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up_with_an_error() {
        let (responses, mut replies) = ResponseSender::new(Duration::from_secs(5));
        for _ in 0..QUEUE_LENGTH {
            assert!(responses.send(summary()).await);
        }
        assert!(!responses.send(summary()).await);
        assert!(responses.is_gone());
        let told = replies.next().await;
        assert!(
            matches!(told, Some(Err(ImportError::ClientStalled))),
            "{told:?}"
        );
        assert!(replies.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_reads_in_time_misses_nothing() {
        let (responses, mut replies) = ResponseSender::new(Duration::from_secs(5));
        let sending = async {
            for _ in 0..3 * QUEUE_LENGTH {
                assert!(responses.send(summary()).await);
            }
        };
        let reading = async {
            for _ in 0..3 * QUEUE_LENGTH {
                tokio::time::sleep(Duration::from_secs(4)).await;
                assert!(replies.next().await.is_some());
            }
        };
        tokio::join!(sending, reading);
    }

    #[tokio::test(start_paused = true)]
    async fn one_large_message_waits_and_the_next_is_not_even_made() {
        let (responses, mut replies) = ResponseSender::new(Duration::from_secs(5));
        let results = || Some(Message::Results(RowResults::default()));
        assert!(responses.send_made(results).await);
        let (sent, _) = tokio::join!(responses.send_made(results), replies.next());
        assert!(sent);
        // Small ones find room beside it.
        assert!(responses.send(summary()).await);
        let made = responses.send_made(|| panic!("nobody has made room for it"));
        assert!(!made.await);
    }

    #[tokio::test]
    async fn a_client_who_has_gone_is_noticed_at_once() {
        let (responses, replies) = ResponseSender::new(Duration::from_hours(1));
        drop(replies);
        assert!(responses.is_gone() && !responses.send(summary()).await);
    }
}
