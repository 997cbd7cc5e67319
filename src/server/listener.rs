//! Accepts connections, and makes TLS handshakes if TLS is configured, until the stream of connections is
//! dropped.
//!
//! Accepting never waits for a client: each handshake has a task of its own, and a connection over the
//! limit is closed at once.

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
    connection_limiter::{ConnectionLimiter, ConnectionPermit},
    tls,
    tracked_connection::TrackedConnection,
};
use crate::{access::ReloadedFiles, telemetry::metrics};

/// Connections that may wait to be taken.
const WAITING: usize = 16;

/// Pause after a failed accept: the missing resource takes a moment to come back.
const PAUSE: Duration = Duration::from_millis(100);

type ReadyConnections = mpsc::Sender<io::Result<TrackedConnection>>;

/// How handshakes are made.
#[derive(Clone, Debug)]
pub(super) struct TlsHandshakes {
    /// The server's certificate, and more.
    pub config: Arc<ReloadedFiles<ServerConfig>>,
    /// How long one may take.
    pub timeout: Duration,
}

/// Returns the connections of `listener` that are within the limits, over TLS if there are `handshakes`.
/// The listener is closed when the stream is dropped.
pub(super) fn connections(
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

/// Passes a connection on, or starts its handshake.
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
    let tracked = TrackedConnection::plain(stream, permit);
    // Fails only if the stream of connections was dropped.
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
            let tracked = TrackedConnection::encrypted(stream, permit);
            let _ = ready.send(Ok(tracked)).await;
        }
        // Any client can cause these, so they are counted, and logged only for debugging.
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

/// Without it each small response waits some 40 ms for the client's acknowledgement.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        // The client has gone already.
        debug!(%error, "a connection has delays");
    }
}
