//! A connection that ends by itself once it is of no use: no call has come on it in time, none for a long
//! while, or another connection has its place.
//!
//! Knows nothing of what is said on it but whether a call is under way, which [`super::call_accounting`] says.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use super::{
    client_connection::ClientConnection, connection_limiter::ConnectionPermit,
    connection_usage::ConnectionUsage,
};
use crate::{access::ConnectionPeer, telemetry::metrics};

/// A connection in its place.
#[derive(Debug)]
pub struct TrackedConnection {
    connection: ClientConnection,
    timer: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    permit: ConnectionPermit,
}

impl TrackedConnection {
    /// A connection that is ready for HTTP.
    #[must_use]
    pub fn new(connection: ClientConnection, permit: ConnectionPermit) -> Self {
        Self {
            connection,
            timer: Box::pin(sleep_until(permit.usage().end())),
            closing: Box::pin(permit.closing().clone().cancelled_owned()),
            permit,
        }
    }

    /// Returns `true` once the connection is of no use; wakes the task of `cx` then.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if self.closing.as_mut().poll(cx).is_ready() {
            return true;
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let usage = self.permit.usage();
            let end = usage.end();
            if end <= Instant::now() {
                metrics::connection_refused(usage.idleness());
                return true;
            }
            self.timer.as_mut().reset(end);
        }
        false
    }

    /// Reads no more than a stranger may hold.
    fn poll_stranger(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let usage = Arc::clone(self.permit.usage());
        usage.trust().register(cx.waker());
        let room = usage.unread().room();
        if room == 0 {
            if !usage.unread().is_held() {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        let most = room.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.connection).poll_read(cx, &mut part))?;
        let bytes = part.filled().len();
        buf.advance(bytes);
        usage.unread().add(bytes);
        Poll::Ready(Ok(()))
    }

    /// What was polled; an error if it has to wait and the connection is over.
    fn unless_over<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Pending if self.is_over(cx) => {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            polled => polled,
        }
    }
}

/// What is known of a call's connection.
#[derive(Clone, Debug)]
pub struct CallConnection {
    /// Its other end.
    pub peer: ConnectionPeer,
    /// What happens on it.
    pub usage: Arc<ConnectionUsage>,
}

impl Connected for TrackedConnection {
    type ConnectInfo = CallConnection;

    fn connect_info(&self) -> CallConnection {
        CallConnection {
            peer: self.connection.connect_info(),
            usage: Arc::clone(self.permit.usage()),
        }
    }
}

impl AsyncRead for TrackedConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = match self.permit.usage().trust().is_trusted() {
            true => Pin::new(&mut self.connection).poll_read(cx, buf),
            false => self.poll_stranger(cx, buf),
        };
        match polled {
            // As if the client had closed it.
            Poll::Pending if self.is_over(cx) => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

impl AsyncWrite for TrackedConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.connection).poll_write(cx, buf);
        self.unless_over(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.connection).poll_flush(cx);
        self.unless_over(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.connection).poll_shutdown(cx);
        self.unless_over(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.connection).poll_write_vectored(cx, bufs);
        self.unless_over(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}
