//! The real server, in this process, on a port of its own.

use std::net::SocketAddr;

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};
use user_import::{
    config::{PartialSnapshots, SecuritySettings, Settings},
    server,
    store::Store,
};

use super::{PATIENCE, bearer::local_token};

/// A running server. Dropping it begins an orderly shutdown, without waiting for its end.
#[derive(Debug)]
pub struct TestServer {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl TestServer {
    /// Brings the schema up to date and serves, with the tests' local token.
    pub async fn start(database_url: &str, settings: Settings) -> Self {
        let security = SecuritySettings {
            local_token: Some(local_token()),
            ..settings.security
        };
        let settings = Settings {
            security,
            partial_snapshots: partial_snapshots(database_url),
            ..settings
        };
        let store = migrated(database_url, &settings).await;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            // A signal and a dropped sender both stop the server.
            let shutdown = async { drop(stopped.await) };
            server::serve(listener, store, settings, shutdown)
                .await
                .expect("the server ends in order");
        });
        Self {
            address,
            stop,
            serving,
        }
    }

    /// Shuts down in order and waits for the end.
    pub async fn stop(self) {
        drop(self.stop);
        self.serving.await.expect("the server does not panic");
    }
}

/// Returns when an import of few rows is planned on a partial snapshot. On PostgreSQL it always is, even in a small
/// organisation. On SQLite an import of more than one row into such a small organisation is planned on all users. So every
/// rule is tested in both ways.
fn partial_snapshots(database_url: &str) -> PartialSnapshots {
    let limits = PartialSnapshots::default();
    match database_url.starts_with("sqlite") {
        true => limits,
        false => PartialSnapshots {
            users_per_row: 0,
            ..limits
        },
    }
}

/// Connects to a database and brings its schema up to date.
pub async fn migrated(database_url: &str, settings: &Settings) -> Store {
    let store = connected(database_url, settings).await;
    store.migrate().await.expect("the migrations run");
    store
}

/// Connects to a database.
pub async fn connected(database_url: &str, settings: &Settings) -> Store {
    let url = database_url.parse().expect("this is the URL of a database");
    // If the machine pauses, a connection may take longer than its time limit.
    let connecting = async {
        loop {
            let (lease, limits) = (settings.lease, settings.database);
            match Store::connect_within(&url, lease, limits).await {
                Err(error) if error.is_transient() => {}
                store => return store,
            }
        }
    };
    let store = timeout(PATIENCE, connecting)
        .await
        .expect("connecting ends");
    store.expect("the test database can be reached")
}
