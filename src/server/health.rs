//! Health: whether this server can be used (`grpc.health.v1`). It cannot while it starts or drains, or
//! while its database is away.
//!
//! Health needs no credential, so an answer must cost nothing: it is the latest result of the task that
//! watches the database.

use std::{pin::Pin, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{
    sync::watch::{self, Receiver, Sender},
    time::{sleep, timeout},
};
use tokio_stream::{Stream, wrappers::WatchStream};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    codec::CompressionEncoding::{Gzip, Zstd},
};
use tracing::{info, warn};

use crate::{
    access::ConnectionPeer,
    limits::{ClientNetwork, ConcurrencyBounds, KeyedLimiter, KeyedPermit},
    proto::health::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus::{self, NotServing, ServiceUnknown, Serving},
        health_server::{Health, HealthServer},
    },
    rpc::{self, SMALL_REQUEST_BYTES},
    store::Store,
    telemetry::metrics,
};

/// Time between two checks of the database, and the time limit of one.
const PAUSE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// Most clients that watch at a time, on one port.
const WATCHES: ConcurrencyBounds = ConcurrencyBounds {
    server: 100,
    key: 10,
};

/// The service on one port. `status` holds for the server and for all its services alike.
pub(super) fn service(status: Receiver<ServingStatus>) -> HealthServer<impl Health> {
    let service = HealthService {
        status,
        watches: KeyedLimiter::new(WATCHES),
    };
    HealthServer::new(service)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .max_decoding_message_size(SMALL_REQUEST_BYTES)
}

/// The status before the server has started.
pub(super) fn starting() -> (Sender<ServingStatus>, Receiver<ServingStatus>) {
    watch::channel(NotServing)
}

/// Watches the database from `started` on, until `stop`; then the server is draining.
pub(super) async fn watch(
    status: Sender<ServingStatus>,
    store: Store,
    mut started: Receiver<bool>,
    stop: CancellationToken,
) {
    let watching = async {
        // Fails only if the server ends before it has started.
        if started.wait_for(|started| *started).await.is_ok() {
            watch_database(&status, &store).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = stop.cancelled() => {}
    }
    status.send_replace(NotServing);
}

async fn watch_database(status: &Sender<ServingStatus>, store: &Store) {
    let mut was = None;
    loop {
        let is = is_there(store).await;
        if was != Some(is) {
            was = Some(is);
            report_change(is);
            status.send_replace(match is {
                true => Serving,
                false => NotServing,
            });
        }
        sleep(PAUSE).await;
    }
}

/// A task of its own: a check that times out must not leave its connection half-used.
async fn is_there(store: &Store) -> bool {
    let store = store.clone();
    let looking = tokio::spawn(async move { store.check_tables().await.is_ok() });
    matches!(timeout(PATIENCE, looking).await, Ok(Ok(true)))
}

fn report_change(is: bool) {
    metrics::database_up(is);
    if is {
        info!("serving: the database can be reached");
    } else {
        warn!("not serving: the database cannot be reached");
    }
}

#[derive(Debug)]
struct HealthService {
    status: Receiver<ServingStatus>,
    watches: KeyedLimiter<ClientNetwork>,
}

impl HealthService {
    fn now(&self) -> HealthCheckResponse {
        answer(*self.status.borrow())
    }

    fn permit<T>(
        &self,
        request: &Request<T>,
    ) -> Result<Option<KeyedPermit<ClientNetwork>>, Status> {
        let peer = request.extensions().get::<ConnectionPeer>();
        let address = peer.and_then(|peer| peer.address);
        let permit = address.map(|address| self.watches.try_acquire(ClientNetwork::of(address.ip)));
        permit
            .transpose()
            .map_err(|reached| rpc::too_many_health_watches(&reached))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

/// Returns the names that health answers for: the server as a whole, under the empty name, and each service
/// of the contract.
fn known_names() -> impl Iterator<Item = &'static str> {
    std::iter::once("").chain(rpc::contract_services())
}

fn is_known(request: &HealthCheckRequest) -> bool {
    known_names().any(|name| name == request.service)
}

#[tonic::async_trait]
impl Health for HealthService {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match is_known(request.get_ref()) {
            true => Ok(Response::new(self.now())),
            false => Err(Status::not_found("There is no such service.")),
        }
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let now = |name: &str| (name.to_owned(), self.now());
        Ok(Response::new(HealthListResponse {
            statuses: known_names().map(now).collect(),
        }))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let permit = self.permit(&request)?;
        // The permit lives as long as the stream.
        let tell = move |status| {
            let _permit = &permit;
            Ok(answer(status))
        };
        // The protocol allows an unknown service to become known later, so the stream stays open.
        let statuses: Self::WatchStream = if is_known(request.get_ref()) {
            Box::pin(WatchStream::new(self.status.clone()).map(tell))
        } else {
            let unknown = stream::iter([ServiceUnknown]).chain(stream::pending());
            Box::pin(unknown.map(tell))
        };
        Ok(Response::new(statuses))
    }
}
