//! The demo's server, in this process.

use std::path::Path;

use anyhow::{Context, ensure};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    access::TokenText,
    client::{BearerToken, ServerAddress},
    config::{SecuritySettings, Settings},
    server,
    store::Store,
};

/// A server in this process.
pub(super) struct EmbeddedServer {
    address: ServerAddress,
    token: TokenText,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl EmbeddedServer {
    /// Starts it on a free port, with an empty database in `folder`.
    ///
    /// # Errors
    /// Fails if there is no port, or no database.
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let url = format!("sqlite://{}", folder.join("demo.db").display());
        let store = Store::connect(&url).await?;
        store.migrate().await?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no loopback port is free")?;
        let address = format!("http://{}", listener.local_addr()?);
        let address = address.parse().map_err(anyhow::Error::msg)?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            // A sender that is gone means stop, too.
            let _ = stopped.await;
        };
        let local = TokenText::generate().context("this system gives no random numbers")?;
        let serving = server::serve(listener, store, settings(local.clone()), stopped);
        Ok(Self {
            address,
            token: local,
            stop,
            running: tokio::spawn(serving),
        })
    }

    pub(super) const fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// The token that permits everything.
    pub(super) const fn token(&self) -> &TokenText {
        &self.token
    }

    /// The same, to be presented with calls.
    ///
    /// # Errors
    /// Never: each token can be sent.
    pub(super) fn bearer(&self) -> anyhow::Result<BearerToken> {
        self.token.reveal().parse().map_err(anyhow::Error::msg)
    }

    /// Stops it, and waits for its end.
    ///
    /// # Errors
    /// Fails if the server has failed.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        ensure!(
            self.stop.send(()).is_ok(),
            "the embedded server stopped by itself"
        );
        self.running.await?
    }
}

/// Default settings with this local token.
fn settings(local: TokenText) -> Settings {
    Settings {
        security: SecuritySettings {
            local_token: Some(local),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    }
}
