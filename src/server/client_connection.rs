//! One connection of a client.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::tls;
use crate::access::ConnectionPeer;

/// A connection, ready for HTTP.
#[derive(Debug)]
pub(super) struct ClientConnection {
    stream: ConnectionStream,
    peer: ConnectionPeer,
}

#[derive(Debug)]
enum ConnectionStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl ClientConnection {
    /// A connection as it was accepted.
    #[must_use]
    pub(super) fn plain(stream: TcpStream) -> Self {
        let peer = peer(&stream);
        Self {
            stream: ConnectionStream::Plain(stream),
            peer,
        }
    }

    /// A connection after its TLS handshake.
    #[must_use]
    pub(super) fn encrypted(stream: TlsStream<TcpStream>) -> Self {
        let certificate = tls::client_certificate(&stream).map(Arc::new);
        let peer = ConnectionPeer {
            certificate,
            ..peer(stream.get_ref().0)
        };
        Self {
            stream: ConnectionStream::Tls(Box::new(stream)),
            peer,
        }
    }

    /// The stream that is read and written.
    fn stream(self: Pin<&mut Self>) -> Pin<&mut (dyn Duplex + '_)> {
        match &mut self.get_mut().stream {
            ConnectionStream::Plain(stream) => Pin::new(stream),
            ConnectionStream::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

/// Both ways.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

fn peer(stream: &TcpStream) -> ConnectionPeer {
    ConnectionPeer {
        address: stream.peer_addr().ok(),
        certificate: None,
    }
}

impl Connected for ClientConnection {
    type ConnectInfo = ConnectionPeer;

    fn connect_info(&self) -> ConnectionPeer {
        self.peer.clone()
    }
}

impl AsyncRead for ClientConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for ClientConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            ConnectionStream::Plain(stream) => stream.is_write_vectored(),
            ConnectionStream::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
