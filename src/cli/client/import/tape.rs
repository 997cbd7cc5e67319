//! Input that can be read from its source only once, kept so that it can be sent again.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    sync::OwnedMutexGuard,
};

/// Bytes that are read to see whether there are any.
const FIRST: usize = 4096;

/// A source, and what has been read of it.
pub struct Tape {
    source: Box<dyn AsyncRead + Send + Unpin>,
    /// True once the source has ended: a terminal would begin to ask again.
    ended: bool,
    /// `None`: there was more than `limit`.
    kept: Option<Vec<u8>>,
    limit: usize,
}

impl Tape {
    /// Nothing read yet. At most `limit` bytes are kept.
    pub fn new(source: impl AsyncRead + Send + Unpin + 'static, limit: usize) -> Self {
        Self {
            source: Box::new(source),
            ended: false,
            kept: Some(Vec::new()),
            limit,
        }
    }

    /// What has been read so far; `None` where it was too much to keep.
    #[must_use]
    pub fn kept(&self) -> Option<&[u8]> {
        self.kept.as_deref()
    }

    /// Waits until there is something to read, or the end.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn wait(&mut self) -> io::Result<()> {
        if self.ended || self.kept.as_ref().is_none_or(|kept| !kept.is_empty()) {
            return Ok(());
        }
        let mut first = vec![0; self.limit.min(FIRST)];
        let read = self.source.read(&mut first).await?;
        self.ended = read == 0;
        self.keep(&first[..read]);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.kept = self.kept.take().and_then(|mut kept| {
            kept.extend_from_slice(bytes);
            (kept.len() <= self.limit).then_some(kept)
        });
    }
}

/// Reads a tape from its beginning, then on from where the source is. Holds the tape: the source has
/// one reader at a time.
pub struct TapeReader {
    tape: OwnedMutexGuard<Tape>,
    position: usize,
}

impl TapeReader {
    /// At the beginning.
    #[must_use]
    pub const fn new(tape: OwnedMutexGuard<Tape>) -> Self {
        Self { tape, position: 0 }
    }
}

impl AsyncRead for TapeReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { tape, position } = self.get_mut();
        let kept = tape.kept().and_then(|kept| kept.get(*position..));
        if let Some(rest @ [_, ..]) = kept {
            let length = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..length]);
            *position += length;
            return Poll::Ready(Ok(()));
        }
        if tape.ended {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut tape.source).poll_read(context, buffer))?;
        let fresh = &buffer.filled()[before..];
        tape.ended = fresh.is_empty();
        tape.keep(fresh);
        *position += fresh.len();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Mutex;

    use super::*;

    /// Gives what it has, ends, and begins anew, as a terminal does.
    struct Terminal(Vec<&'static [u8]>);

    impl AsyncRead for Terminal {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            buffer.put_slice(self.0.remove(0));
            Poll::Ready(Ok(()))
        }
    }

    async fn reader(tape: &Arc<Mutex<Tape>>) -> TapeReader {
        TapeReader::new(Arc::clone(tape).lock_owned().await)
    }

    #[tokio::test]
    async fn a_second_reader_gets_what_the_first_has_read_and_then_the_rest() {
        let source = Terminal(vec![b"one,", b"two,", b"three", b"", b"new input"]);
        let tape = Arc::new(Mutex::new(Tape::new(source, 100)));
        let mut half = [0; 8];
        reader(&tape).await.read_exact(&mut half).await.unwrap();
        assert_eq!(&half, b"one,two,");
        for _ in 0..2 {
            let mut whole = String::new();
            let mut reader = reader(&tape).await;
            reader.read_to_string(&mut whole).await.unwrap();
            assert_eq!(whole, "one,two,three");
        }
        assert_eq!(tape.lock().await.kept().unwrap(), b"one,two,three");
    }

    #[tokio::test]
    async fn what_was_waited_for_is_read_like_the_rest() {
        let tape = Arc::new(Mutex::new(Tape::new(&b"one,two"[..], 100)));
        for _ in 0..2 {
            tape.lock().await.wait().await.unwrap();
        }
        let mut whole = String::new();
        let mut reader = reader(&tape).await;
        reader.read_to_string(&mut whole).await.unwrap();
        assert_eq!(whole, "one,two");
    }

    #[tokio::test]
    async fn what_is_too_much_to_keep_is_still_read_to_its_end() {
        let tape = Arc::new(Mutex::new(Tape::new(&b"one,two"[..], 6)));
        let mut whole = String::new();
        let mut reader = reader(&tape).await;
        reader.read_to_string(&mut whole).await.unwrap();
        drop(reader);
        assert_eq!(whole, "one,two");
        assert!(tape.lock().await.kept().is_none());
    }
}
