//! The running server: listener, guard, services, health, reflection, shutdown.

mod connection;
mod connections;
mod exposure;
mod health;
mod intake;
mod listener;
mod security;
mod services;
mod tls;
mod web;
mod whole;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
};
use tonic_web::GrpcWebLayer;
use tracing::warn;

pub use exposure::{Exposed, Exposure};
pub use tls::expect_sound as expect_sound_tls;

use connections::Connections;
use intake::IntakeLayer;
use web::WebLayer;
use whole::WholeLayer;

use crate::{
    access::{Gate, Peer},
    clock::Clock,
    config::Settings,
    domain::PhoneNumber,
    import::Importer,
    limits::ServerLimits,
    rpc::{Denials, Guard},
    store::{Store, StoreError},
};

/// What a client may send before we have read it, in bytes. Wide, so that small messages do not
/// stall while the database is slow.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// Largest frame taken, in bytes. An upload in frames of the usual 16 KiB is read 8 KiB at a time.
const FRAME: u32 = 256 * 1024;

/// Largest headers taken, in bytes; a token is the largest of them.
const HEADER_BYTES: u32 = 16 * 1024;

/// Serves on `listener` until `shutdown` is ready and the calls under way have ended.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let store = store.keeping(settings.directory_cache);
    let stop = CancellationToken::new();
    let grace = settings.shutdown_grace;
    let patience = settings.database_patience;
    let limits = settings.server.clone();
    let looks = settings.security.reload_interval;
    let clock = Clock::system();
    let origins = WebLayer::new(&settings.security.web_origins);
    let named = security::start(&settings.security, &stop)?;
    let accepted = listener::connections(listener, named.tls, &settings.security);
    let gate = Gate::new(store.clone(), clock.clone(), named.sources, looks);
    let importer = Importer::new(
        store.clone(),
        Arc::new(settings),
        clock.clone(),
        gate.clone(),
        stop.clone(),
    );
    let (start, started) = watch::channel(false);
    let (watching, health) = begin_health(store.clone(), started.clone(), stop.clone()).await;
    let applying = importer.clone();
    let house = tokio::spawn(keep_house(importer.clone(), start));
    let services = services::all(importer, store.clone(), clock.clone(), &limits)?;
    let guard = Guard::new(gate, patience, Denials::new(store, clock), &limits);
    let serving = transport(&limits)
        .layer(origins)
        // What comes after it sees gRPC, however it came.
        .layer(GrpcWebLayer::new())
        .layer(IntakeLayer::<Peer>::new(
            started.clone(),
            limits.message_bytes,
        ))
        .layer(guard)
        .layer(WholeLayer::new(&limits))
        .add_routes(services)
        .add_service(health)
        .serve_with_incoming_shutdown(Connections::new(accepted, &limits), stop.cancelled());
    let (result, deadline) = run(serving, started, shutdown, &stop, grace).await;
    finish(&applying, house, deadline).await?;
    watching.await?;
    result
}

/// Serves until the end, or until the grace after `shutdown` is over. Returns the end of that grace too.
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

/// Health that says not serving until the server has `started`, and the task that keeps it true.
async fn begin_health(
    store: Store,
    started: watch::Receiver<bool>,
    stop: CancellationToken,
) -> (JoinHandle<()>, HealthServer<impl Health>) {
    let (reporter, health) = tonic_health::server::health_reporter();
    health::tell(&reporter, ServingStatus::NotServing).await;
    let watching = tokio::spawn(health::watch(reporter, store, started, stop));
    (watching, health)
}

/// The transport, with everything on it bounded.
fn transport(limits: &ServerLimits) -> Server {
    let (keepalive, answer) = limits.deadlines.keepalive;
    Server::builder()
        // For gRPC-Web; nothing else is answered over it.
        .accept_http1(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(limits.streams)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(keepalive))
        .http2_keepalive_timeout(Some(answer))
}

/// The heartbeat comes before the first call, so that nobody takes this server for dead; then the rest.
async fn keep_house(importer: Importer, start: watch::Sender<bool>) -> Result<(), StoreError> {
    // Not waited for: no call needs it soon.
    drop(tokio::task::spawn_blocking(PhoneNumber::prepare));
    importer.beat().await?;
    start.send_replace(true);
    importer.keep_house().await;
    Ok(())
}

/// Ready where the server will not start; why, its housekeeping says at its end.
async fn never_started(mut started: watch::Receiver<bool>) {
    if started.wait_for(|started| *started).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

/// Lets transactions under way end; the rest is left for whoever resumes it. Then takes the heartbeat
/// back.
async fn finish(
    applying: &Importer,
    house: JoinHandle<Result<(), StoreError>>,
    deadline: Instant,
) -> anyhow::Result<()> {
    let finishing = timeout_at(deadline, applying.finish_applying());
    if finishing.await.is_err() {
        warn!("an import did not stop in time; it counts as interrupted once its lease runs out");
    }
    let Ok(ended) = timeout_at(deadline, house).await else {
        warn!("the database is away; this server's heartbeat runs out by itself");
        return Ok(());
    };
    Ok(ended??)
}
