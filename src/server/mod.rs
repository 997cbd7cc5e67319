//! The running server: listener, guard, services, health, reflection, shutdown.

mod connection;
mod exposure;
mod listener;
mod security;
mod tls;

use std::{future::Future, sync::Arc};

use tokio::{
    net::TcpListener,
    task::{JoinError, JoinHandle},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
};
use tracing::warn;

pub use exposure::{Exposed, Exposure};

use crate::{
    access::Gate,
    config::Settings,
    import::{Clock, Importer},
    proto::{
        DESCRIPTOR_SET, audit_service_server::AuditServiceServer,
        directory_service_server::DirectoryServiceServer,
        import_service_server::ImportServiceServer,
    },
    rpc::{Audit, Directory, Guard, Imports},
    store::Store,
};

/// Largest message taken, in bytes: 4 MiB of content and its envelope.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024 + 1024;

/// What a client may send before we have read it, in bytes. Wide, so that small messages do not
/// stall while the database is slow.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

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
    let stop = CancellationToken::new();
    let grace = settings.shutdown_grace;
    let patience = settings.database_patience;
    let clock = Clock::system();
    let named = security::start(&settings.security, &stop)?;
    let connections = listener::connections(listener, named.tls, &settings.security);
    let gate = Gate::new(store.clone(), clock.clone(), named.sources);
    let importer = Importer::new(
        store.clone(),
        Arc::new(settings),
        clock.clone(),
        gate.clone(),
        stop.clone(),
    );
    // The heartbeat before the first import, so that nobody takes it for dead.
    importer.beat().await?;
    let house = tokio::spawn(importer.clone().keep_house());
    let applying = importer.clone();
    let imports = ImportServiceServer::new(Imports::new(importer, store.clone()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let audit = AuditServiceServer::new(Audit::new(store.clone()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let directory = DirectoryServiceServer::new(Directory::new(store, clock))
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let serving = Server::builder()
        .layer(Guard::new(gate, patience))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_service(healthy().await)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(imports)
        .add_service(directory)
        .add_service(audit)
        .serve_with_incoming_shutdown(connections, stop.cancelled());
    let mut deadline = None;
    let stopping = async {
        shutdown.await;
        stop.cancel();
        sleep_until(*deadline.insert(Instant::now() + grace)).await;
    };
    // Streams whose clients are silent would keep the server for ever: they have until the grace
    // is over.
    let result = tokio::select! {
        result = serving => result,
        () = stopping => Ok(()),
    };
    stop.cancel();
    let deadline = deadline.unwrap_or_else(|| Instant::now() + grace);
    finish(&applying, house, deadline).await?;
    Ok(result?)
}

/// Lets transactions under way end; the rest is left for whoever resumes it. Then takes the heartbeat
/// back.
async fn finish(
    applying: &Importer,
    house: JoinHandle<()>,
    deadline: Instant,
) -> Result<(), JoinError> {
    let finishing = timeout_at(deadline, applying.finish_applying());
    if finishing.await.is_err() {
        warn!("an import did not stop in time; it counts as interrupted once its lease runs out");
    }
    let Ok(ended) = timeout_at(deadline, house).await else {
        warn!("the database is away; this server's heartbeat runs out by itself");
        return Ok(());
    };
    ended
}

/// Says that the server is well, as a whole and service by service.
async fn healthy() -> HealthServer<impl Health> {
    let (health, service) = tonic_health::server::health_reporter();
    for name in [
        "",
        "userimport.v1.ImportService",
        "userimport.v1.DirectoryService",
        "userimport.v1.AuditService",
    ] {
        health
            .set_service_status(name, ServingStatus::Serving)
            .await;
    }
    service
}
