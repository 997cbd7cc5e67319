//! Says whether this server can be used: not while it starts or drains, nor without its database.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::{store::Store, telemetry::metrics};

/// What health knows: the server as a whole, and each service.
const NAMES: [&str; 4] = [
    "",
    "userimport.v1.ImportService",
    "userimport.v1.DirectoryService",
    "userimport.v1.AuditService",
];

/// Time between two looks at the database, and for one.
const PAUSE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// Says of the server and its services that they can be used, or not.
pub async fn tell(reporter: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        reporter.set_service_status(name, status).await;
    }
}

/// Watches the database from `started` on, until `stop`; then the server is draining.
pub async fn watch(
    reporter: HealthReporter,
    store: Store,
    mut started: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let watching = async {
        // Fails only where the server ends before it has started.
        if started.wait_for(|started| *started).await.is_ok() {
            look_again_and_again(&reporter, &store).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = stop.cancelled() => {}
    }
    tell(&reporter, ServingStatus::NotServing).await;
}

async fn look_again_and_again(reporter: &HealthReporter, store: &Store) {
    let mut was = None;
    loop {
        let is = is_there(store).await;
        if was != Some(is) {
            was = Some(is);
            told_of_change(is);
            let status = match is {
                true => ServingStatus::Serving,
                false => ServingStatus::NotServing,
            };
            tell(reporter, status).await;
        }
        sleep(PAUSE).await;
    }
}

/// A task of its own: a look that is given up must not leave its connection half-used.
async fn is_there(store: &Store) -> bool {
    let store = store.clone();
    let looking = tokio::spawn(async move { store.look().await.is_ok() });
    matches!(timeout(PATIENCE, looking).await, Ok(Ok(true)))
}

fn told_of_change(is: bool) {
    metrics::database_up(is);
    if is {
        info!("serving: the database is there");
    } else {
        warn!("not serving: the database is away");
    }
}
