//! `serve`: the server, until it is told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser};
use tokio::{net::TcpListener, signal};

use super::{Exit, migrate::DatabaseArgs};
use crate::{config::Settings, server};

/// Run the server until it gets SIGINT or SIGTERM
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: on this machine, with a file in the working directory:\n  \
    user-import serve\n\
    or for the network, with PostgreSQL:\n  \
    user-import serve --listen 0.0.0.0:50051 --database-url postgres://import@db/users"
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
    #[command(flatten)]
    database: DatabaseArgs,
    /// Leave the database's schema as it is
    #[arg(long, env = "USER_IMPORT_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    no_migrate: bool,
    /// Rows that one transaction writes
    #[arg(long, value_name = "N", env = "USER_IMPORT_TRANSACTION_ROWS")]
    #[arg(default_value_t = Settings::default().transaction_rows)]
    transaction_rows: usize,
    /// Seconds after which another import may take over from a process that has stopped
    #[arg(long, value_name = "SECONDS", env = "USER_IMPORT_LEASE_SECONDS")]
    #[arg(default_value_t = Settings::default().lease.as_secs())]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    lease_seconds: u64,
    /// Seconds for which a transaction of an import is tried again while the database is away
    #[arg(
        long,
        value_name = "SECONDS",
        env = "USER_IMPORT_DATABASE_PATIENCE_SECONDS"
    )]
    #[arg(default_value_t = Settings::default().database_patience.as_secs())]
    database_patience_seconds: u64,
}

impl ServeArgs {
    fn settings(&self) -> Settings {
        Settings {
            transaction_rows: self.transaction_rows,
            lease: Duration::from_secs(self.lease_seconds),
            database_patience: Duration::from_secs(self.database_patience_seconds),
            ..Settings::default()
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where the address is in use, or the database cannot be used.
pub async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let settings = args.settings();
    let store = args.database.connect_with(settings.lease).await?;
    if !args.no_migrate {
        store
            .migrate()
            .await
            .context("the database cannot be migrated")?;
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    announce(listener.local_addr()?)?;
    server::serve(listener, store, settings, stopped()).await?;
    Ok(Exit::Done)
}

/// Tells people through the log, and scripts through a line on standard output.
fn announce(address: SocketAddr) -> io::Result<()> {
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
