//! The way back to the client. It never holds more than a few messages, of which one is large, and not for
//! ever.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};
use tokio_stream::Stream;

use crate::import::ImportError;
use crate::{limits::Reservation, proto::import_users_response::Message};

/// Messages that may wait for a client who does not read.
const WAITING: usize = 8;

/// Large messages that may wait: decoded, one takes several times its quarter of a MiB, and there may be
/// many clients who do not read.
const LARGE: usize = 1;

/// Of these, room that progress messages leave to `started`, the summary and the status.
const RESERVED: usize = 3;

type Reply = Result<Message, ImportError>;

/// A reply that waits; a large one has its room until it is taken.
type Waits = (Reply, Option<OwnedSemaphorePermit>);

/// The sending end. The client may go away at any time; then nothing is sent any more.
#[derive(Clone, Debug)]
pub struct Outlet {
    sender: mpsc::Sender<Waits>,
    waiting: Arc<Waiting>,
    patience: Duration,
    room: Arc<Semaphore>,
    accepted: watch::Sender<bool>,
}

/// What comes out of an [`Outlet`]. Whoever does not take it for too long loses what waits, and is
/// told so by [`ImportError::Stalled`].
#[derive(Debug)]
pub struct Replies {
    waiting: Arc<Waiting>,
    told: bool,
}

/// `None`: the client is given up.
#[derive(Debug)]
struct Waiting {
    receiver: Mutex<Option<mpsc::Receiver<Waits>>>,
    /// For what waits, until both ends are gone.
    memory: OnceLock<Reservation>,
}

impl Outlet {
    /// Bytes that what waits takes at most, roughly: one large message, decoded.
    pub const BYTES: usize = 1024 * 1024;

    /// An outlet, and what comes out of it. A client is given up that has not read for `patience`
    /// while something waits.
    #[must_use]
    pub fn new(patience: Duration) -> (Self, Replies) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let waiting = Arc::new(Waiting {
            receiver: Mutex::new(Some(receiver)),
            memory: OnceLock::new(),
        });
        let replies = Replies {
            waiting: Arc::clone(&waiting),
            told: false,
        };
        let outlet = Self {
            sender,
            waiting,
            patience,
            room: Arc::new(Semaphore::new(LARGE)),
            accepted: watch::Sender::new(false),
        };
        (outlet, replies)
    }

    /// Keeps the memory that was reserved for what waits: [`Outlet::BYTES`].
    #[must_use]
    pub fn holding(self, memory: Reservation) -> Self {
        // It is asked for once.
        let _ = self.waiting.memory.set(memory);
        self
    }

    /// Sends a message that the client may miss: dropped where it does not read.
    pub fn offer(&self, message: Message) {
        if self.sender.capacity() > RESERVED {
            let _ = self.sender.try_send((Ok(message), None));
        }
    }

    /// Sends a message that is never dropped, without waiting; for the one message that comes
    /// before all results.
    pub fn post(&self, message: Message) {
        // Fails only where the client has gone: room was left for it.
        let _ = self.sender.try_send((Ok(message), None));
    }

    /// Sends a message, waiting for the client to read. False: the client has gone.
    pub async fn send(&self, message: Message) -> bool {
        match is_large(&message) {
            true => self.send_made(|| Some(message)).await,
            false => self.pass(Ok(message), None).await,
        }
    }

    /// Makes a large message once there is room for it, and sends it; `None` sends nothing. False: the
    /// client has gone.
    pub async fn send_made(&self, make: impl FnOnce() -> Option<Message>) -> bool {
        let room = Arc::clone(&self.room).acquire_owned();
        let Ok(Ok(room)) = timeout(self.patience, room).await else {
            self.give_up();
            return false;
        };
        match make() {
            Some(message) => self.pass(Ok(message), Some(room)).await,
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

    /// The input was received whole, and is going to be planned.
    pub fn accept(&self) {
        self.accepted.send_replace(true);
    }

    /// Tells when the input was received whole.
    #[must_use]
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.accepted.subscribe()
    }

    /// True where the client has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Ready when the client has gone.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the stream with an error.
    pub async fn fail(&self, error: ImportError) {
        self.pass(Err(error), None).await;
    }

    async fn pass(&self, reply: Reply, room: Option<OwnedSemaphorePermit>) -> bool {
        let sending = self.sender.send((reply, room));
        if let Ok(sent) = timeout(self.patience, sending).await {
            return sent.is_ok();
        }
        self.give_up();
        false
    }

    /// With what waits goes the memory that it takes.
    fn give_up(&self) {
        *self.waiting.lock() = None;
    }
}

const fn is_large(message: &Message) -> bool {
    matches!(message, Message::Results(_) | Message::Deactivations(_))
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Option<mpsc::Receiver<Waits>>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Replies {
    type Item = Reply;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reply>> {
        if let Some(receiver) = self.waiting.lock().as_mut() {
            return receiver
                .poll_recv(cx)
                .map(|waited| waited.map(|(reply, _)| reply));
        }
        match std::mem::replace(&mut self.told, true) {
            true => Poll::Ready(None),
            false => Poll::Ready(Some(Err(ImportError::Stalled))),
        }
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        *self.waiting.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;
    use crate::proto::{ImportSummary, RowResults};

    fn summary() -> Message {
        Message::Summary(ImportSummary::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_does_not_read_is_given_up_and_told() {
        let (outlet, mut replies) = Outlet::new(Duration::from_secs(5));
        for _ in 0..WAITING {
            assert!(outlet.send(summary()).await);
        }
        assert!(!outlet.send(summary()).await);
        assert!(outlet.is_gone());
        let told = replies.next().await;
        assert!(matches!(told, Some(Err(ImportError::Stalled))), "{told:?}");
        assert!(replies.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_reads_in_time_misses_nothing() {
        let (outlet, mut replies) = Outlet::new(Duration::from_secs(5));
        let sending = async {
            for _ in 0..3 * WAITING {
                assert!(outlet.send(summary()).await);
            }
        };
        let reading = async {
            for _ in 0..3 * WAITING {
                tokio::time::sleep(Duration::from_secs(4)).await;
                assert!(replies.next().await.is_some());
            }
        };
        tokio::join!(sending, reading);
    }

    #[tokio::test(start_paused = true)]
    async fn one_large_message_waits_and_the_next_is_not_even_made() {
        let (outlet, mut replies) = Outlet::new(Duration::from_secs(5));
        let results = || Some(Message::Results(RowResults::default()));
        assert!(outlet.send_made(results).await);
        let (sent, _) = tokio::join!(outlet.send_made(results), replies.next());
        assert!(sent);
        // Small ones find room beside it.
        assert!(outlet.send(summary()).await);
        let made = outlet.send_made(|| panic!("nobody has made room for it"));
        assert!(!made.await);
    }

    #[tokio::test]
    async fn a_client_who_has_gone_is_noticed_at_once() {
        let (outlet, replies) = Outlet::new(Duration::from_hours(1));
        drop(replies);
        assert!(outlet.is_gone() && !outlet.send(summary()).await);
    }
}
