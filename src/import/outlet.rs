//! The way back to the client. It never holds more than a few messages.

use tokio::sync::mpsc;

use super::ImportError;
use crate::proto::import_users_response::Message;

/// Messages that may wait for a client who does not read.
const WAITING: usize = 8;

/// Of these, room that progress messages leave to `started`, the summary and the status.
const RESERVED: usize = 3;

/// The sending end. The client may go away at any time; then nothing is sent any more.
#[derive(Clone, Debug)]
pub struct Outlet(mpsc::Sender<Result<Message, ImportError>>);

impl Outlet {
    /// An outlet, and what comes out of it.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Result<Message, ImportError>>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Sends a message that the client may miss: dropped where it does not read.
    pub fn offer(&self, message: Message) {
        if self.0.capacity() > RESERVED {
            let _ = self.0.try_send(Ok(message));
        }
    }

    /// Sends a message that is never dropped, without waiting; for the one message that comes
    /// before all results.
    pub fn post(&self, message: Message) {
        // Fails only where the client has gone: room was left for it.
        let _ = self.0.try_send(Ok(message));
    }

    /// Sends a message, waiting for the client to read. False: the client has gone.
    pub async fn send(&self, message: Message) -> bool {
        self.0.send(Ok(message)).await.is_ok()
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

    /// True where the client has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends the stream with an error.
    pub async fn fail(&self, error: ImportError) {
        let _ = self.0.send(Err(error)).await;
    }
}
