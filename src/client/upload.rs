//! Turns a roster's bytes into the request stream of an import.

use std::{io, time::Duration};

use prost::bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::proto::{ImportFinish, ImportStart, ImportUsersRequest, import_users_request::Message};

/// Bytes of a full chunk. Well under the message limit, and large enough that HTTP/2 frames are not tiny.
const CHUNK: usize = 512 * 1024;
/// How long bytes that have been read wait for more. By default a server waits two minutes for a message.
const LINGER: Duration = Duration::from_secs(5);
/// Messages read ahead of the network.
const AHEAD: usize = 2;

/// What the bytes of a roster are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RosterFormat {
    /// A CSV file.
    #[default]
    Csv,
    /// A workbook.
    Workbook,
}

impl RosterFormat {
    const fn message(self, chunk: Bytes) -> Message {
        match self {
            Self::Csv => Message::CsvChunk(chunk),
            Self::Workbook => Message::WorkbookChunk(chunk),
        }
    }
}

/// A roster that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRoster {
    /// Number of bytes.
    pub byte_count: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// An upload of a roster: a task reads and sends it, so that answers can be read meanwhile.
/// Dropping it stops the reading.
pub(super) struct RosterUpload {
    sent: oneshot::Receiver<io::Result<SentRoster>>,
    _task: JoinSet<()>,
}

impl RosterUpload {
    /// Starts to read `input`. The stream yields `start`, chunks, and `finish` with the totals.
    /// If reading fails it ends without `finish`, so that the server refuses the import.
    pub(super) fn begin<R>(
        start: ImportStart,
        (input, format): (R, RosterFormat),
    ) -> (Self, ReceiverStream<ImportUsersRequest>)
    where
        R: AsyncRead + Send + Unpin + 'static,
    {
        let (requests, stream) = mpsc::channel(AHEAD);
        let (done, sent) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let read = MessageSender::new(&requests)
                .send_roster(start, input, format)
                .await;
            let finish = read.as_ref().ok().and_then(Option::as_ref).map(finish);
            // Sent before the last message, so that it is there once the answer to that has come.
            if let Some(sent) = read.transpose() {
                let _ = done.send(sent);
            }
            if let Some(finish) = finish {
                let _ = requests.send(finish).await;
            }
        });
        let upload = Self { sent, _task: task };
        (upload, ReceiverStream::new(stream))
    }

    /// Returns what was read of the roster, or `None` if the server stopped reading before its end.
    pub(super) fn sent(mut self) -> Option<io::Result<SentRoster>> {
        self.sent.try_recv().ok()
    }
}

/// Sends a roster and keeps the totals of its bytes.
struct MessageSender<'a> {
    requests: &'a mpsc::Sender<ImportUsersRequest>,
    byte_count: u64,
    digest: Sha256,
}

impl<'a> MessageSender<'a> {
    fn new(requests: &'a mpsc::Sender<ImportUsersRequest>) -> Self {
        Self {
            requests,
            byte_count: 0,
            digest: Sha256::new(),
        }
    }

    /// Sends all messages except the last. Returns `None` if the server stopped reading.
    async fn send_roster<R>(
        mut self,
        start: ImportStart,
        mut input: R,
        format: RosterFormat,
    ) -> io::Result<Option<SentRoster>>
    where
        R: AsyncRead + Unpin,
    {
        let mut next = Message::Start(start);
        while self.requests.send(request(next)).await.is_ok() {
            let chunk = read_chunk(&mut input).await?;
            if chunk.is_empty() {
                return Ok(Some(self.total()));
            }
            self.count(&chunk);
            next = format.message(chunk);
        }
        Ok(None)
    }

    fn count(&mut self, chunk: &Bytes) {
        self.byte_count += chunk.len() as u64;
        self.digest.update(chunk);
    }

    fn total(self) -> SentRoster {
        SentRoster {
            byte_count: self.byte_count,
            sha256: self.digest.finalize().into(),
        }
    }
}

fn request(message: Message) -> ImportUsersRequest {
    ImportUsersRequest {
        message: Some(message),
    }
}

/// The last message, which states what was sent.
fn finish(sent: &SentRoster) -> ImportUsersRequest {
    request(Message::Finish(ImportFinish {
        row_count: None,
        byte_count: Some(sent.byte_count),
        sha256: Some(sent.sha256.to_vec()),
    }))
}

/// Reads until a chunk is full or the input ends, since a pipe gives little at a time. Bytes of a slow pipe
/// are not held back for long. Returns nothing if the input has ended.
async fn read_chunk(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK);
    if input.read_buf(&mut chunk).await? == 0 {
        return Ok(Bytes::new());
    }
    let due = Instant::now() + LINGER;
    while chunk.len() < CHUNK
        && let Ok(read) = timeout_at(due, input.read_buf(&mut chunk)).await
        && read? > 0
    {}
    Ok(chunk.into())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_slow_pipe_has_given_is_not_kept_back() {
        let (mut pipe, mut input) = duplex(64);
        pipe.write_all(b"EMAIL").await.unwrap();
        assert_eq!(read_chunk(&mut input).await.unwrap(), "EMAIL");
        let giving = async {
            for byte in b",ROLE" {
                pipe.write_all(&[*byte]).await.unwrap();
                tokio::time::sleep(LINGER / 10).await;
            }
            drop(pipe);
        };
        let (chunk, ()) = tokio::join!(read_chunk(&mut input), giving);
        assert_eq!(chunk.unwrap(), ",ROLE");
        assert_eq!(read_chunk(&mut input).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_chunk_is_full_before_the_next_begins() {
        let roster = vec![b'x'; CHUNK + 1];
        let mut input = roster.as_slice();
        for length in [CHUNK, 1, 0] {
            assert_eq!(read_chunk(&mut input).await.unwrap().len(), length);
        }
    }
}
