//! Accepts connections, and shakes hands where TLS is spoken, until nobody takes them any more.

use std::{io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tracing::{debug, warn};

use super::{connection::Connection, tls};
use crate::{access::Reloaded, config::Security, telemetry::metrics};

/// Connections that may wait to be taken.
const WAITING: usize = 16;

/// Pause after an accept that failed: what there was too little of takes a moment to come back.
const PAUSE: Duration = Duration::from_millis(100);

type Ready = mpsc::Sender<io::Result<Connection>>;

/// How handshakes are made.
#[derive(Clone, Debug)]
struct Handshakes {
    config: Arc<Reloaded<ServerConfig>>,
    timeout: Duration,
    slots: Arc<Semaphore>,
}

/// The connections of `listener`, which is closed once the stream is dropped; over TLS where there is
/// a configuration for it.
pub fn connections(
    listener: TcpListener,
    config: Option<Arc<Reloaded<ServerConfig>>>,
    security: &Security,
) -> ReceiverStream<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(WAITING);
    let handshakes = config.map(|config| Handshakes {
        config,
        timeout: security.handshake_timeout,
        slots: Arc::new(Semaphore::new(security.handshakes.max(1))),
    });
    tokio::spawn(accept(listener, handshakes, ready));
    ReceiverStream::new(connections)
}

async fn accept(listener: TcpListener, handshakes: Option<Handshakes>, ready: Ready) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                prepare(&stream);
                pass_on(stream, handshakes.as_ref(), &ready).await;
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Hands a connection on, or to a handshake of its own: one that is slow keeps nobody waiting until
/// there are as many as may be.
async fn pass_on(stream: TcpStream, handshakes: Option<&Handshakes>, ready: &Ready) {
    let Some(handshakes) = handshakes else {
        // Fails only where nobody takes connections any more.
        let _ = ready.send(Ok(Connection::plain(stream))).await;
        return;
    };
    let slot = tokio::select! {
        slot = Arc::clone(&handshakes.slots).acquire_owned() => slot,
        () = ready.closed() => return,
    };
    if let Ok(slot) = slot {
        tokio::spawn(shake_hands(stream, handshakes.clone(), slot, ready.clone()));
    }
}

async fn shake_hands(
    stream: TcpStream,
    handshakes: Handshakes,
    slot: OwnedSemaphorePermit,
    ready: Ready,
) {
    let shaking = tls::accept(&handshakes.config, stream);
    let shaken = tokio::select! {
        shaken = timeout(handshakes.timeout, shaking) => shaken,
        () = ready.closed() => return,
    };
    drop(slot);
    match shaken {
        Ok(Ok(stream)) => {
            let _ = ready.send(Ok(Connection::encrypted(stream))).await;
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
        warn!(%error, "a connection has delays");
    }
}
