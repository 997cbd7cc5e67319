//! `serve`: runs the server until it gets a signal to stop.

use std::{
    io::{self, IsTerminal, Write},
    net::SocketAddr,
};

use anyhow::{Context, bail};
use clap::{Args, builder::BoolishValueParser};
use tokio::net::TcpSocket;

use super::{
    environment, migrate::DatabaseArgs, security::SecurityArgs, settings::SettingsArgs,
    stop_signal::stop_signal,
};
use crate::cli::{ExitStatus, console_address::ConsoleAddress, failure::UsageError, output::print};
use crate::{
    access::{LocalTokenFile, local_token},
    client::ServerAddress,
    config::{SecuritySettings, Settings},
    server::{self, CredentialState, ListenExposure, Listeners},
    store::Store,
    telemetry::metrics,
};

/// Connections that may wait until they are accepted.
const BACKLOG: u32 = 1_024;

/// Run the server until it gets SIGINT or SIGTERM
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: on this machine, with a file in the working directory:\n  \
    user-import serve\n\
    or for the network, with PostgreSQL and a token (user-import token create) for each caller:\n  \
    user-import serve --listen 0.0.0.0:50051 --database-url postgres://import@db/users \\\n    \
    --tls-cert server.pem --tls-key server.key"
)]
pub(crate) struct ServeArgs {
    /// Address to listen on. With port 0 the server takes a free port, and the first line that it prints names the
    /// port
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_LISTEN",
        default_value = "127.0.0.1:50051",
        value_parser = parse_address
    )]
    pub(super) listen: SocketAddr,
    /// Address to serve only health on, without TLS, for probes that cannot use it
    #[arg(long, value_name = "ADDR", env = "USER_IMPORT_HEALTH_LISTEN", value_parser = parse_address)]
    pub(super) health_listen: Option<SocketAddr>,
    /// Listen on an address that other machines reach, although TLS or credentials are missing. Others on the network
    /// can then read and change all that is sent, including tokens
    #[arg(long, env = "USER_IMPORT_INSECURE_LISTEN_BEYOND_LOOPBACK")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) insecure_listen_beyond_loopback: bool,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Leave the database's schema as it is
    #[arg(long, env = "USER_IMPORT_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    pub(super) no_migrate: bool,
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
    #[command(flatten)]
    pub(super) security: SecurityArgs,
    /// Address to serve metrics on, over HTTP, for Prometheus. Anybody who reaches it can read them
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_METRICS_LISTEN",
        value_parser = parse_address,
        help_heading = "Telemetry"
    )]
    pub(super) metrics_listen: Option<SocketAddr>,
    /// Collector to send traces to, by OTLP over gRPC, such as `http://127.0.0.1:4317`
    #[arg(
        long,
        value_name = "URL",
        env = "USER_IMPORT_OTLP_ENDPOINT",
        help_heading = "Telemetry"
    )]
    pub(crate) otlp_endpoint: Option<ServerAddress>,
}

impl ServeArgs {
    /// The settings of the server.
    pub(super) fn server_settings(&self) -> Settings {
        Settings {
            security: self.security.security(),
            ..self.settings.settings()
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Fails if the address is in use, or the database cannot be used.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<ExitStatus> {
    args.settings.expect_sound()?;
    args.security.expect_sound()?;
    for variable in environment::unknown() {
        tracing::warn!("{variable}");
    }
    let mut settings = args.server_settings();
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
    let exposure = expose(&args, &settings.security, &store).await?;
    let health = args.health_listen.map(bind).transpose()?;
    let calls = bind(args.listen)?;
    let stopped = stop_signal();
    // Before anybody is answered: a client that waits for its server takes the token once it can connect.
    let local = local_token(&exposure, calls.local_addr()?.port());
    settings.security.local_token = local.as_ref().map(|local| local.token().clone());
    let listeners = Listeners {
        health: health.map(|socket| socket.listen(BACKLOG)).transpose()?,
        calls: calls.listen(BACKLOG)?,
    };
    announce(&listeners)?;
    tell_console(listeners.calls.local_addr()?, &settings.security);
    server::serve(listeners, store, settings, stopped).await?;
    Ok(ExitStatus::Done)
}

/// Returns the address and the port to listen on.
fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    let address = text.trim().parse();
    address.map_err(|_| {
        "write an address of this machine and a port, such as 127.0.0.1:50051, [::1]:50051 or 0.0.0.0:50051; a name \
        does not say which of its addresses is meant"
    })
}

/// Binds the address. Calls are answered only later.
fn bind(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    try_bind(address).with_context(|| format!("cannot listen on {address}"))
}

/// The same, with the error of the network.
pub(super) fn try_bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Connections of the server before this one may linger, as for any listener.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Returns the local token if this server is to admit it.
fn local_token(exposure: &ListenExposure, port: u16) -> Option<LocalTokenFile> {
    if !exposure.is_loopback() {
        return None;
    }
    if exposure.credentials != CredentialState::Never {
        local_token::remove_stale(port);
        return None;
    }
    match LocalTokenFile::create(port) {
        Ok(local) => {
            let file = local.path().display();
            tracing::info!(
                %file,
                "no credential is configured: until a token is created (user-import token create), \
                 the local token in this file permits everything, and no other caller is admitted"
            );
            Some(local)
        }
        Err(error) => {
            tracing::warn!(
                "no credential is configured, and no file for a local token can be written, so no \
                 call is admitted until a token is created (user-import token create): {error:#}"
            );
            None
        }
    }
}

/// Refuses to listen if that is not safe, and prints what the operator must know.
async fn expose(
    args: &ServeArgs,
    security: &SecuritySettings,
    store: &Store,
) -> anyhow::Result<ListenExposure> {
    let has_options = security.identities.is_some() || security.jwt.is_some();
    let now = has_options || store.has_tokens().await?;
    let exposure = ListenExposure {
        address: args.listen,
        has_tls: security.tls.is_some(),
        credentials: CredentialState::of(now, store.has_had_credentials().await?),
        accepts_risk: args.insecure_listen_beyond_loopback,
    };
    let warnings = exposure.check();
    for warning in warnings.map_err(|exposed| UsageError::new(format!("{exposed}.")))? {
        tracing::warn!("{warning}");
    }
    Ok(exposure)
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

/// Prints where the console is. Only a terminal gets the address that signs in: a file would keep the token.
fn tell_console(address: SocketAddr, security: &SecuritySettings) {
    let own = ConsoleAddress::on_this_machine(address, security.tls.is_some());
    let own = own.map(|own| match &security.local_token {
        Some(token) if io::stdout().is_terminal() => own.with_token(token),
        Some(_) => format!(
            "{own} (user-import token local --console --endpoint {} prints the address that signs in)",
            own.endpoint()
        ),
        None => own.to_string(),
    });
    let mut addresses: Vec<String> = ConsoleAddress::public(security)
        .map(|address| address.to_string())
        .collect();
    if addresses.is_empty() || security.local_token.is_some() {
        addresses.extend(own);
    }
    if addresses.is_empty() {
        tracing::info!(
            "nobody can open the console: name in --public-url the address at which people open it"
        );
    }
    for address in addresses {
        // The server is useful even if nobody reads this line.
        let _ = print(&format!("console: {address}\n"));
    }
}
