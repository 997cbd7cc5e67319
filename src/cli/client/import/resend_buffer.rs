//! Buffers input that can be read from its source only once, so that it can be sent again.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    sync::OwnedMutexGuard,
};

/// Bytes that are read while waiting for the first ones.
const FIRST: usize = 4096;

/// A source, and the bytes that have been read from it.
pub(super) struct ResendBuffer {
    source: Box<dyn AsyncRead + Send + Unpin>,
    /// `true` once the source has ended. It is not read again: a terminal would wait for more input.
    ended: bool,
    /// `None`: there was more than `limit`.
    buffered: Option<Vec<u8>>,
    limit: usize,
}

impl ResendBuffer {
    /// Nothing read yet. At most `limit` bytes are kept.
    pub(super) fn new(source: impl AsyncRead + Send + Unpin + 'static, limit: usize) -> Self {
        Self {
            source: Box::new(source),
            ended: false,
            buffered: Some(Vec::new()),
            limit,
        }
    }

    /// Returns the bytes read so far, or `None` if there were more than the limit.
    #[must_use]
    pub(super) fn buffered(&self) -> Option<&[u8]> {
        self.buffered.as_deref()
    }

    /// Waits until there is something to read, or the end.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        if self.ended
            || self
                .buffered
                .as_ref()
                .is_none_or(|buffered| !buffered.is_empty())
        {
            return Ok(());
        }
        let mut first = vec![0; self.limit.min(FIRST)];
        let read = self.source.read(&mut first).await?;
        self.ended = read == 0;
        self.keep(&first[..read]);
        Ok(())
    }

    /// Reads until at least `most` bytes are buffered, or the source ends.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) async fn fill(&mut self, most: usize) -> io::Result<()> {
        let mut more = vec![0; most];
        while !self.ended
            && self
                .buffered()
                .is_some_and(|buffered| buffered.len() < most)
        {
            let read = self.source.read(&mut more).await?;
            self.ended = read == 0;
            self.keep(&more[..read]);
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.buffered = self.buffered.take().and_then(|mut buffered| {
            buffered.extend_from_slice(bytes);
            (buffered.len() <= self.limit).then_some(buffered)
        });
    }
}

/// Reads the buffer from its beginning, then the rest of the source. Locks the buffer: the source has
/// one reader at a time.
pub(super) struct ResendReader {
    buffer: OwnedMutexGuard<ResendBuffer>,
    position: usize,
}

impl ResendReader {
    /// At the beginning.
    #[must_use]
    pub(super) const fn new(buffer: OwnedMutexGuard<ResendBuffer>) -> Self {
        Self {
            buffer,
            position: 0,
        }
    }
}

impl AsyncRead for ResendReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { buffer, position } = self.get_mut();
        let buffered = buffer.buffered().and_then(|bytes| bytes.get(*position..));
        if let Some(rest @ [_, ..]) = buffered {
            let length = rest.len().min(out.remaining());
            out.put_slice(&rest[..length]);
            *position += length;
            return Poll::Ready(Ok(()));
        }
        if buffer.ended {
            return Poll::Ready(Ok(()));
        }
        let before = out.filled().len();
        ready!(Pin::new(&mut buffer.source).poll_read(context, out))?;
        let fresh = &out.filled()[before..];
        buffer.ended = fresh.is_empty();
        buffer.keep(fresh);
        *position += fresh.len();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Mutex;

    use super::*;

    /// Gives one part for each read. Like a terminal, it gives more after an end of input.
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

    async fn reader(buffer: &Arc<Mutex<ResendBuffer>>) -> ResendReader {
        ResendReader::new(Arc::clone(buffer).lock_owned().await)
    }

    #[tokio::test]
    async fn a_second_reader_gets_what_the_first_has_read_and_then_the_rest() {
        let source = Terminal(vec![b"one,", b"two,", b"three", b"", b"new input"]);
        let buffer = Arc::new(Mutex::new(ResendBuffer::new(source, 100)));
        let mut half = [0; 8];
        reader(&buffer).await.read_exact(&mut half).await.unwrap();
        assert_eq!(&half, b"one,two,");
        for _ in 0..2 {
            let mut whole = String::new();
            let mut reader = reader(&buffer).await;
            reader.read_to_string(&mut whole).await.unwrap();
            assert_eq!(whole, "one,two,three");
        }
        assert_eq!(buffer.lock().await.buffered().unwrap(), b"one,two,three");
    }

    #[tokio::test]
    async fn what_was_waited_for_is_read_like_the_rest() {
        let buffer = Arc::new(Mutex::new(ResendBuffer::new(&b"one,two"[..], 100)));
        for _ in 0..2 {
            buffer.lock().await.wait().await.unwrap();
        }
        let mut whole = String::new();
        let mut reader = reader(&buffer).await;
        reader.read_to_string(&mut whole).await.unwrap();
        assert_eq!(whole, "one,two");
    }

    #[tokio::test]
    async fn what_is_too_much_to_keep_is_still_read_to_its_end() {
        let buffer = Arc::new(Mutex::new(ResendBuffer::new(&b"one,two"[..], 6)));
        let mut whole = String::new();
        let mut reader = reader(&buffer).await;
        reader.read_to_string(&mut whole).await.unwrap();
        drop(reader);
        assert_eq!(whole, "one,two");
        assert!(buffer.lock().await.buffered().is_none());
    }
}
