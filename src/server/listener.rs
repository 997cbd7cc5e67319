//! Accepts connections, and prepares them for HTTP, until the stream of connections is dropped: reads the client's
//! address from a trusted proxy's header, and makes the TLS handshake if TLS is configured.
//!
//! Accepting never waits for a client: each preparation has a task of its own, and a connection over the
//! limit is closed at once.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

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
    proxy_header::{self, InvalidProxyHeader},
    tls,
    tracked_connection::TrackedConnection,
};
use crate::{
    access::{ReloadedFiles, TrustedProxies},
    telemetry::metrics,
};

/// Connections that may wait to be taken.
const WAITING: usize = 16;

/// Pause after a failed accept: the missing resource takes a moment to come back.
const PAUSE: Duration = Duration::from_millis(100);

/// How connections are prepared for HTTP.
#[derive(Clone, Debug)]
pub(super) struct ConnectionSetup {
    /// The limits of open connections.
    pub limiter: ConnectionLimiter,
    /// The proxies that say who the client is.
    pub proxies: TrustedProxies,
    /// The server's certificate, and more; `None`: plain text.
    pub tls: Option<Arc<ReloadedFiles<ServerConfig>>>,
    /// How long a proxy's header may take, and a TLS handshake.
    pub timeout: Duration,
}

/// An accepted connection, with the address of its client.
struct AcceptedConnection {
    stream: TcpStream,
    client: SocketAddr,
    permit: ConnectionPermit,
}

/// Returns the connections of `listener` that are within the limits. The listener is closed when the stream is dropped.
pub(super) fn connections(
    listener: TcpListener,
    setup: ConnectionSetup,
) -> ReceiverStream<io::Result<TrackedConnection>> {
    let (ready, connections) = mpsc::channel(WAITING);
    tokio::spawn(accept(listener, ConnectionPreparation { setup, ready }));
    ReceiverStream::new(connections)
}

async fn accept(listener: TcpListener, preparation: ConnectionPreparation) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = preparation.ready.closed() => return,
        };
        match accepted {
            Ok((stream, client)) => match preparation.setup.limiter.admit(client.ip()) {
                Ok(permit) => {
                    let accepted = AcceptedConnection {
                        stream,
                        client,
                        permit,
                    };
                    preparation.begin(accepted).await;
                }
                Err(reason) => metrics::connection_refused(reason),
            },
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// The settings for preparing connections, and the channel that takes the prepared ones.
#[derive(Clone)]
struct ConnectionPreparation {
    setup: ConnectionSetup,
    ready: mpsc::Sender<io::Result<TrackedConnection>>,
}

impl ConnectionPreparation {
    /// Passes a connection on, in a task of its own if the client has to send something before.
    async fn begin(&self, accepted: AcceptedConnection) {
        without_delays(&accepted.stream);
        let is_by_proxy = self.setup.proxies.contains(accepted.client.ip());
        if !is_by_proxy && self.setup.tls.is_none() {
            return self.pass_on(accepted.plain()).await;
        }
        let preparation = self.clone();
        tokio::spawn(async move {
            let accepted = match is_by_proxy {
                true => preparation.take_proxy_header(accepted).await,
                false => Some(accepted),
            };
            let connection = match accepted {
                Some(accepted) => preparation.shake_hands(accepted).await,
                None => None,
            };
            if let Some(connection) = connection {
                preparation.pass_on(connection).await;
            }
        });
    }

    async fn pass_on(&self, connection: TrackedConnection) {
        // Fails only if the stream of connections was dropped.
        let _ = self.ready.send(Ok(connection)).await;
    }

    /// Puts the client that a trusted proxy names in the proxy's place, for the limits too.
    async fn take_proxy_header(
        &self,
        mut accepted: AcceptedConnection,
    ) -> Option<AcceptedConnection> {
        let reading = proxy_header::read(&mut accepted.stream);
        let client = match self.in_time(&accepted.permit, reading).await? {
            Ok(Ok(client)) => client,
            Ok(Err(InvalidProxyHeader::Ended(error))) => {
                debug!(%error, "a trusted proxy has closed its connection");
                return None;
            }
            Ok(Err(error)) => {
                metrics::connection_refused("proxy_header_invalid");
                let proxy = accepted.client;
                warn!(%proxy, "a PROXY header of a trusted proxy was refused: {error}");
                return None;
            }
            Err(HandshakeTimedOut) => {
                metrics::connection_refused("proxy_header_time");
                return None;
            }
        };
        let Some(client) = client else {
            return Some(accepted);
        };
        drop(accepted.permit);
        match self.setup.limiter.admit(client.ip()) {
            Ok(permit) => Some(AcceptedConnection {
                client,
                permit,
                ..accepted
            }),
            Err(reason) => {
                metrics::connection_refused(reason);
                None
            }
        }
    }

    /// Makes the TLS handshake, if TLS is configured.
    async fn shake_hands(&self, accepted: AcceptedConnection) -> Option<TrackedConnection> {
        let Some(config) = &self.setup.tls else {
            return Some(accepted.plain());
        };
        let AcceptedConnection {
            stream,
            client,
            permit,
        } = accepted;
        let shaken = self.in_time(&permit, tls::accept(config, stream)).await?;
        match shaken {
            Ok(Ok(stream)) => return Some(TrackedConnection::encrypted(stream, client, permit)),
            // Any client can cause these, so they are counted, and logged only for debugging.
            Ok(Err(error)) => {
                metrics::connection_refused("tls_handshake_failed");
                debug!(%error, "a TLS handshake failed");
            }
            Err(HandshakeTimedOut) => {
                metrics::connection_refused("tls_handshake_time");
                debug!("a TLS handshake took too long");
            }
        }
        None
    }

    /// Returns what the client did in time; or `None` if the connection must close meanwhile.
    async fn in_time<T>(
        &self,
        permit: &ConnectionPermit,
        doing: impl Future<Output = T>,
    ) -> Option<Result<T, HandshakeTimedOut>> {
        tokio::select! {
            done = timeout(self.setup.timeout, doing) => Some(done.map_err(|_| HandshakeTimedOut)),
            () = permit.closing().cancelled() => None,
            () = self.ready.closed() => None,
        }
    }
}

/// The client has taken too long.
struct HandshakeTimedOut;

impl AcceptedConnection {
    fn plain(self) -> TrackedConnection {
        TrackedConnection::plain(self.stream, self.client, self.permit)
    }
}

/// Without it each small response waits some 40 ms for the client's acknowledgement.
fn without_delays(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        // The client has gone already.
        debug!(%error, "a connection has delays");
    }
}
