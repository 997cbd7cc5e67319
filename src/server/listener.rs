//! Accepts connections, and shakes hands where TLS is spoken, until nobody takes them any more.
//!
//! Accepting never waits for a client: a handshake has a task of its own, and a connection without a place
//! is closed at once.

use std::{io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tracing::{debug, warn};

use super::{
    client_connection::ClientConnection,
    connection_limiter::{ConnectionLimiter, ConnectionPermit},
    tls,
    tracked_connection::TrackedConnection,
};
use crate::{access::ReloadedFiles, telemetry::metrics};

/// Connections that may wait to be taken.
const WAITING: usize = 16;

/// Pause after an accept that failed: what there was too little of takes a moment to come back.
const PAUSE: Duration = Duration::from_millis(100);

type ReadyConnections = mpsc::Sender<io::Result<TrackedConnection>>;

/// How handshakes are made.
#[derive(Clone, Debug)]
pub struct TlsHandshakes {
    /// The server's certificate, and more.
    pub config: Arc<ReloadedFiles<ServerConfig>>,
    /// How long one may take.
    pub timeout: Duration,
}

/// The connections of `listener` that have a place, over TLS if there are `handshakes`. The listener is
/// closed once the stream is dropped.
pub fn connections(
    listener: TcpListener,
    handshakes: Option<TlsHandshakes>,
    limiter: ConnectionLimiter,
) -> ReceiverStream<io::Result<TrackedConnection>> {
    let (ready, connections) = mpsc::channel(WAITING);
    tokio::spawn(accept(listener, handshakes, limiter, ready));
    ReceiverStream::new(connections)
}

async fn accept(
    listener: TcpListener,
    handshakes: Option<TlsHandshakes>,
    limiter: ConnectionLimiter,
    ready: ReadyConnections,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        match accepted {
            Ok((stream, address)) => match limiter.admit(address.ip()) {
                Ok(permit) => pass_on(stream, permit, handshakes.as_ref(), &ready).await,
                Err(reason) => metrics::connection_refused(reason),
            },
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Hands a connection on, or to a handshake of its own.
async fn pass_on(
    stream: TcpStream,
    permit: ConnectionPermit,
    handshakes: Option<&TlsHandshakes>,
    ready: &ReadyConnections,
) {
    prepare(&stream);
    if let Some(handshakes) = handshakes {
        let shaking = shake_hands(stream, permit, handshakes.clone(), ready.clone());
        tokio::spawn(shaking);
        return;
    }
    let tracked = TrackedConnection::new(ClientConnection::plain(stream), permit);
    // Fails only where nobody takes connections any more.
    let _ = ready.send(Ok(tracked)).await;
}

async fn shake_hands(
    stream: TcpStream,
    permit: ConnectionPermit,
    handshakes: TlsHandshakes,
    ready: ReadyConnections,
) {
    let shaking = tls::accept(&handshakes.config, stream);
    let shaken = tokio::select! {
        shaken = timeout(handshakes.timeout, shaking) => shaken,
        () = permit.closing().cancelled() => return,
        () = ready.closed() => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let tracked = TrackedConnection::new(ClientConnection::encrypted(stream), permit);
            let _ = ready.send(Ok(tracked)).await;
        }
        // Anybody can make these happen, so they are counted, and no news.
        Ok(Err(error)) => {
            metrics::connection_refused("tls_handshake_failed");
            debug!(%error, "a TLS handshake failed");
        }
        Err(_) => {
            metrics::connection_refused("tls_handshake_time");
            debug!("a TLS handshake took too long");
        }
    }
}

/// Without this each small answer waits some 40 ms for the client's acknowledgement.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        // It has gone already.
        debug!(%error, "a connection has delays");
    }
}
