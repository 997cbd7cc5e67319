//! A connection of a client. It closes when it is not used: no first call in time, no call for a long time, or its
//! permit was given to another connection.
//!
//! Knows only whether a call is under way, which [`super::call_accounting`] reports; not what is sent.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;
use tokio_util::{either::Either, sync::WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::{connection_limiter::ConnectionPermit, connection_usage::ConnectionUsage, tls};
use crate::{access::ConnectionPeer, telemetry::metrics};

/// A connection that is ready for HTTP, with its permit.
#[derive(Debug)]
pub(super) struct TrackedConnection {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    peer: ConnectionPeer,
    timer: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    permit: ConnectionPermit,
}

impl TrackedConnection {
    /// An accepted connection of `client`.
    #[must_use]
    pub(super) fn plain(stream: TcpStream, client: SocketAddr, permit: ConnectionPermit) -> Self {
        let peer = ConnectionPeer {
            address: Some(client.into()),
            certificate: None,
        };
        Self::new(Either::Left(stream), peer, permit)
    }

    /// A connection of `client` after its TLS handshake.
    #[must_use]
    pub(super) fn encrypted(
        stream: TlsStream<TcpStream>,
        client: SocketAddr,
        permit: ConnectionPermit,
    ) -> Self {
        let peer = ConnectionPeer {
            address: Some(client.into()),
            certificate: tls::client_certificate(&stream).map(Arc::new),
        };
        Self::new(Either::Right(Box::new(stream)), peer, permit)
    }

    fn new(
        stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
        peer: ConnectionPeer,
        permit: ConnectionPermit,
    ) -> Self {
        Self {
            stream,
            peer,
            timer: Box::pin(sleep_until(permit.usage().end())),
            closing: Box::pin(permit.closing().clone().cancelled_owned()),
            permit,
        }
    }

    /// Returns `true` if the connection must close. Otherwise wakes the task of `cx` when it must.
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

    /// Reads no more than a stranger's connection may hold unread.
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
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let bytes = part.filled().len();
        buf.advance(bytes);
        usage.unread().add(bytes);
        Poll::Ready(Ok(()))
    }

    /// Returns what was polled, or an error if it is pending and the connection must close.
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

/// The connection of a call, as an extension of its request.
#[derive(Clone, Debug)]
pub(super) struct CallConnection {
    /// Its other end.
    pub peer: ConnectionPeer,
    /// Its use.
    pub usage: Arc<ConnectionUsage>,
}

impl Connected for TrackedConnection {
    type ConnectInfo = CallConnection;

    fn connect_info(&self) -> CallConnection {
        CallConnection {
            peer: self.peer.clone(),
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
            true => Pin::new(&mut self.stream).poll_read(cx, buf),
            false => self.poll_stranger(cx, buf),
        };
        match polled {
            // As if the client had closed the connection.
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
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.unless_over(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.unless_over(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.unless_over(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.unless_over(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
