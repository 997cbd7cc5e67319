//! The running server: listener, authentication, services, health, reflection, shutdown.

mod call_accounting;
mod call_time;
mod connection_limiter;
mod connection_usage;
mod console;
mod cross_origin;
mod forwarded;
mod free_memory;
mod health;
mod http_rules;
mod listen_exposure;
mod listener;
mod loaded_security;
mod proxy_header;
mod reflection;
mod request_host;
mod services;
mod tls;
mod tracked_connection;
mod unary_body;
mod unread_bytes;
mod web_text;

use std::{future::Future, io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;
use tower::util::MapRequestLayer;
use tracing::warn;

pub use listen_exposure::{CredentialState, ListenExposure, UnsafeExposure};
pub use tls::expect_sound as expect_sound_tls;

use connection_limiter::ConnectionLimiter;
use console::Console;
use listener::ConnectionSetup;
use tracked_connection::TrackedConnection;

use crate::{
    access::{Authenticator, ReloadedFiles, TrustedProxies},
    clock::Clock,
    config::Settings,
    domain::PhoneNumber,
    import::Importer,
    limits::ServerLimits,
    proto::health::health_check_response::ServingStatus,
    rpc::{AuthLayer, DenialRecorder},
    store::{Store, StoreError},
};

/// Most bytes that a client may send before the server has read them. The windows are wide, so that small
/// messages do not stall while the database is slow.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// Largest frame accepted, in bytes. With the usual 16 KiB an upload would be read 8 KiB at a time.
const FRAME: u32 = 256 * 1024;

/// Largest headers accepted, in bytes. The largest of them is a token.
const HEADER_BYTES: u32 = 16 * 1024;

/// Connections at a time on the port for health. Half of them can be used, because no client shows a
/// credential there.
const HEALTH_CONNECTIONS: usize = 200;

/// The sockets that a server listens on.
#[derive(Debug)]
pub struct Listeners {
    /// For all calls.
    pub calls: TcpListener,
    /// For health alone, in plain text.
    pub health: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(calls: TcpListener) -> Self {
        Self {
            calls,
            health: None,
        }
    }
}

/// Serves on `listeners` until `shutdown` is ready and the calls under way have ended.
///
/// # Errors
/// Fails if a listener fails.
pub async fn serve(
    listeners: impl Into<Listeners>,
    store: Store,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let listeners = listeners.into();
    let stop = CancellationToken::new();
    let grace = settings.shutdown_grace;
    let patience = settings.database_patience;
    let limits = settings.server.clone();
    let looks = settings.security.reload_interval;
    let clock = Clock::system();
    let origins = cross_origin::layer(&settings.security);
    let console = Arc::new(Console::new(&settings.security)?);
    let named = loaded_security::start(&settings.security, &stop)?;
    let proxies = settings.security.trusted_proxies.clone();
    let [for_calls, for_health] = connection_setups(&settings, named.tls);
    let accepted = listener::connections(listeners.calls, for_calls);
    let authenticator =
        Authenticator::open(store.clone(), clock.clone(), named.sources, looks).await?;
    let settings = Arc::new(settings);
    let importer = Importer::new(
        &store,
        settings.clone(),
        clock.clone(),
        authenticator.clone(),
        stop.clone(),
    );
    let (start, started) = watch::channel(false);
    let (telling, status) = health::starting();
    let probed = (status.clone(), limits.clone(), proxies.clone());
    let _health = start_health(listeners.health, for_health, probed);
    let watching = health::watch(telling, store.clone(), started.clone(), stop.clone());
    let watching = tokio::spawn(watching);
    let maintenance = tokio::spawn(run_maintenance(importer.clone(), start));
    let services = services::all(importer.clone(), store.clone(), clock.clone(), &settings)?;
    let denials = DenialRecorder::new(store.clone(), clock);
    let auth_layer = AuthLayer::new(authenticator, patience, denials, &limits);
    free_memory::keep_releasing(auth_layer.memory().clone(), store, stop.clone());
    let serving = transport(&limits)
        .layer(origins)
        .layer(http_rules::layer(Some(console)))
        // The layers below see gRPC, also for gRPC-Web.
        .layer(GrpcWebLayer::new())
        .layer(MapRequestLayer::new(web_text::decode))
        .layer(call_accounting::layer(limits.message_bytes))
        .layer(forwarded::layer(proxies))
        .layer(call_time::layer(started.clone()))
        .layer(auth_layer.layer())
        .layer(unary_body::layer(&limits))
        .layer(MapRequestLayer::new(reflection::as_v1))
        .add_routes(services)
        .add_service(health::service(status))
        .serve_with_incoming_shutdown(accepted, stop.cancelled());
    let (result, deadline) = run(serving, started, shutdown, &stop, grace).await;
    finish(&importer, maintenance, deadline).await?;
    watching.await?;
    result
}

/// How connections are prepared: for calls, and for health alone.
fn connection_setups(
    settings: &Settings,
    tls: Option<Arc<ReloadedFiles<ServerConfig>>>,
) -> [ConnectionSetup; 2] {
    let for_calls = ConnectionSetup {
        limiter: ConnectionLimiter::new(&settings.server),
        proxies: settings.security.trusted_proxies.clone(),
        tls,
        timeout: settings.security.handshake_timeout,
    };
    let limits = ServerLimits {
        connections: HEALTH_CONNECTIONS,
        ..settings.server.clone()
    };
    let for_health = ConnectionSetup {
        limiter: ConnectionLimiter::new(&limits),
        tls: None,
        ..for_calls.clone()
    };
    [for_calls, for_health]
}

/// Serves health on a port of its own until the returned guard is dropped. Without a listener for that port it does nothing.
fn start_health(
    listener: Option<TcpListener>,
    setup: ConnectionSetup,
    (status, limits, proxies): (watch::Receiver<ServingStatus>, ServerLimits, TrustedProxies),
) -> DropGuard {
    let serving_ends = CancellationToken::new();
    if let Some(listener) = listener {
        let accepted = listener::connections(listener, setup);
        let serving = serve_health(accepted, status, limits, proxies);
        tokio::spawn(serving_ends.clone().run_until_cancelled_owned(serving));
    }
    serving_ends.drop_guard()
}

/// Serves only health, also while the server drains.
async fn serve_health(
    accepted: ReceiverStream<io::Result<TrackedConnection>>,
    status: watch::Receiver<ServingStatus>,
    limits: ServerLimits,
    proxies: TrustedProxies,
) {
    let serving = transport(&limits)
        .layer(http_rules::layer(None))
        .layer(call_accounting::layer(limits.message_bytes))
        .layer(forwarded::layer(proxies))
        .layer(unary_body::layer(&limits))
        .add_service(health::service(status))
        .serve_with_incoming(accepted);
    if let Err(error) = serving.await {
        warn!(%error, "health is not served any more");
    }
}

/// Serves until the end, or until the grace after `shutdown` is over. Returns also when that grace ends.
async fn run(
    serving: impl Future<Output = Result<(), tonic::transport::Error>> + Send,
    started: watch::Receiver<bool>,
    shutdown: impl Future<Output = ()> + Send,
    stop: &CancellationToken,
    grace: Duration,
) -> (anyhow::Result<()>, Instant) {
    let mut deadline = None;
    let stopping = async {
        shutdown.await;
        stop.cancel();
        sleep_until(*deadline.insert(Instant::now() + grace)).await;
    };
    // Streams whose clients are silent would keep the server for ever: they have until the grace
    // is over.
    let result = tokio::select! {
        result = serving => result.map_err(Into::into),
        () = stopping => Ok(()),
        () = never_started(started) => Ok(()),
    };
    stop.cancel();
    (result, deadline.unwrap_or_else(|| Instant::now() + grace))
}

/// The transport, with everything on it bounded.
fn transport(limits: &ServerLimits) -> Server {
    let (keepalive, answer) = limits.deadlines.keepalive;
    Server::builder()
        // For gRPC-Web and the console. Nothing else is served over HTTP/1.
        .accept_http1(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(limits.streams)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(keepalive))
        .http2_keepalive_timeout(Some(answer))
}

/// Sends the first heartbeat before the first call, so that no other server takes this one for dead. Then
/// starts the rest.
async fn run_maintenance(importer: Importer, start: watch::Sender<bool>) -> Result<(), StoreError> {
    // Not waited for: no call needs it soon.
    drop(tokio::task::spawn_blocking(PhoneNumber::prepare));
    importer.heartbeat().await?;
    start.send_replace(true);
    importer.run_maintenance().await;
    Ok(())
}

/// Ready if the server fails to start. The task of its maintenance returns the reason.
async fn never_started(mut started: watch::Receiver<bool>) {
    if started.wait_for(|started| *started).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

/// Lets transactions under way end; the server that resumes an import does the rest. Then removes the
/// heartbeat.
async fn finish(
    applying: &Importer,
    maintenance: JoinHandle<Result<(), StoreError>>,
    deadline: Instant,
) -> anyhow::Result<()> {
    let finishing = timeout_at(deadline, applying.finish_applying());
    if finishing.await.is_err() {
        warn!("an import did not stop in time; it counts as interrupted when its lease expires");
    }
    let Ok(ended) = timeout_at(deadline, maintenance).await else {
        warn!("the database cannot be reached; this server's heartbeat expires by itself");
        return Ok(());
    };
    Ok(ended??)
}
