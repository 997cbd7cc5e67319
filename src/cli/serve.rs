//! `serve`: the server, until it is told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use anyhow::{Context, bail};
use clap::{Args, builder::BoolishValueParser};
use tokio::{net::TcpListener, signal};

use super::{
    Exit, failure::UsageError, migrate::DatabaseArgs, security::SecurityArgs,
    settings::SettingsArgs,
};
use crate::{
    client::Address,
    config::{Security, Settings},
    server::{self, Exposure, Listeners},
    store::Store,
    telemetry::metrics,
};

/// Run the server until it gets SIGINT or SIGTERM
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: on this machine, with a file in the working directory:\n  \
    user-import serve\n\
    or for the network, with PostgreSQL and a token (user-import token create) for each caller:\n  \
    user-import serve --listen 0.0.0.0:50051 --database-url postgres://import@db/users \\\n    \
    --tls-cert server.pem --tls-key server.key"
)]
pub struct ServeArgs {
    /// Address to listen on; port 0 takes a free one, and the first line printed says which
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_LISTEN",
        default_value = "127.0.0.1:50051"
    )]
    listen: SocketAddr,
    /// Address to serve health on, and nothing else, in plain text: for probes that know no TLS
    #[arg(long, value_name = "ADDR", env = "USER_IMPORT_HEALTH_LISTEN")]
    health_listen: Option<SocketAddr>,
    /// Listen on an address that other machines reach although TLS or credentials are missing: whoever is
    /// on the way can read and change what is sent, tokens included
    #[arg(long, env = "USER_IMPORT_INSECURE_LISTEN_BEYOND_LOOPBACK")]
    #[arg(value_parser = BoolishValueParser::new())]
    insecure_listen_beyond_loopback: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Leave the database's schema as it is
    #[arg(long, env = "USER_IMPORT_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    no_migrate: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    security: SecurityArgs,
    /// Address to serve metrics on, over HTTP, for Prometheus; keep it away from the network at large
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_METRICS_LISTEN",
        help_heading = "Telemetry"
    )]
    metrics_listen: Option<SocketAddr>,
    /// Collector to send traces to, by OTLP over gRPC, such as `http://127.0.0.1:4317`
    #[arg(
        long,
        value_name = "URL",
        env = "USER_IMPORT_OTLP_ENDPOINT",
        help_heading = "Telemetry"
    )]
    pub(super) otlp_endpoint: Option<Address>,
}

/// Runs the command.
///
/// # Errors
/// Where the address is in use, or the database cannot be used.
pub async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    args.settings.expect_sound()?;
    let settings = Settings {
        security: args.security.security(),
        ..args.settings.settings()
    };
    if let Some(address) = args.metrics_listen {
        metrics::serve(address)?;
    }
    let store = args.database.connect_for(&settings).await?;
    match args.no_migrate {
        true => expect_schema(&store).await?,
        false => store
            .migrate()
            .await
            .context("the database cannot be migrated")?,
    }
    expose(&args, &settings.security, &store).await?;
    let listeners = Listeners {
        health: match args.health_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        },
        calls: listen(args.listen).await?,
    };
    announce(&listeners)?;
    server::serve(listeners, store, settings, stopped()).await?;
    Ok(Exit::Done)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listening = TcpListener::bind(address).await;
    listening.with_context(|| format!("cannot listen on {address}"))
}

/// Refuses to listen where that is not safe, and says what has to be known.
async fn expose(args: &ServeArgs, security: &Security, store: &Store) -> anyhow::Result<()> {
    let exposure = Exposure {
        address: args.listen,
        has_tls: security.tls.is_some(),
        has_credentials: security.identities.is_some()
            || security.jwt.is_some()
            || store.has_tokens().await?,
        accepts_risk: args.insecure_listen_beyond_loopback,
    };
    let judged = exposure.judge();
    for warning in judged.map_err(|exposed| UsageError::new(format!("{exposed}.")))? {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// A server on a schema that lacks something would fail at the first call.
async fn expect_schema(store: &Store) -> anyhow::Result<()> {
    let missing = store.schema().await?.missing;
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "the database's schema is too old: it lacks {}. Run user-import migrate, or start without \
         --no-migrate",
        missing.join(", ")
    )
}

/// Tells people through the log, and scripts through a line on standard output.
fn announce(listeners: &Listeners) -> io::Result<()> {
    if let Some(health) = &listeners.health {
        tracing::info!(address = %health.local_addr()?, "listening for health");
    }
    let address = listeners.calls.local_addr()?;
    tracing::info!(%address, "listening");
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {address}")?;
    out.flush()
}

/// Ends when this process is asked to stop.
async fn stopped() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = signal::ctrl_c() => {}
        }
        return;
    }
    // Where signals cannot be had at all, the server runs until it is killed.
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
