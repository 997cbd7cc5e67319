//! The real server, in this process, on a port of its own.

use std::net::SocketAddr;

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use user_import::{config::Settings, server, store::Store};

/// A running server. Dropped, it begins an orderly shutdown that nobody waits for.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Brings the schema up to date and serves from then on.
    pub async fn start(database_url: &str, settings: Settings) -> Self {
        let store = Store::connect_within(database_url, settings.lease, settings.database)
            .await
            .expect("the test database can be reached");
        store.migrate().await.expect("the migrations run");
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            // Both the signal and a dropped sender mean: stop.
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
