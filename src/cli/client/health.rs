//! `health`: whether a server can be used, for probes and scripts.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser, value_parser};
use tokio::time::timeout;

use super::connection::ServerArgs;
use crate::cli::{
    ExitStatus,
    output::{Verbosity, print_error},
};
use crate::client::ServerHealth;

/// Ask a server for its health. Exits with 0 if it is serving, with 5 if it is not
///
/// Needs no credential. A server is not serving while it starts, while it stops, and while it cannot reach its
/// database.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: as a container's health check, and as a liveness probe:\n  \
    user-import health\n  \
    user-import health --alive --endpoint https://127.0.0.1:50051 --ca-cert ca.crt \\\n    \
    --server-name users.example"
)]
pub(crate) struct HealthArgs {
    /// Service to ask for, such as userimport.v1.ImportService [default: the server as a whole]
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_HEALTH_SERVICE")]
    service: Option<String>,
    /// Exit with 0 if the server answers at all. For liveness probes: a restart does not help a server that cannot
    /// reach its database
    #[arg(long, env = "USER_IMPORT_HEALTH_ALIVE", value_parser = BoolishValueParser::new())]
    alive: bool,
    /// Seconds that connecting and answering may take together
    #[arg(long, value_name = "S", env = "USER_IMPORT_HEALTH_SECONDS")]
    #[arg(default_value_t = 5, value_parser = value_parser!(u64).range(1..=3_600))]
    timeout_seconds: u64,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server cannot be reached, or does not answer.
pub(crate) async fn run(args: HealthArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let service = args.service.as_deref().unwrap_or_default();
    let asking = async {
        let mut client = args.server.connect(verbosity).await?;
        anyhow::Ok(client.health(service).await?)
    };
    let time = Duration::from_secs(args.timeout_seconds);
    let Ok(health) = timeout(time, asking).await else {
        print_error(&format!(
            "error: the server did not answer within {} s.",
            time.as_secs()
        ));
        return Ok(ExitStatus::Interrupted);
    };
    let (word, exit) = match health? {
        ServerHealth::Serving => ("SERVING", ExitStatus::Done),
        ServerHealth::NotServing if args.alive => ("NOT_SERVING", ExitStatus::Done),
        ServerHealth::NotServing => ("NOT_SERVING", ExitStatus::Interrupted),
        ServerHealth::Unknown => {
            print_error(&format!(
                "error: the server has no service \"{service}\"; see --service."
            ));
            return Ok(ExitStatus::Interrupted);
        }
    };
    verbosity
        .confirm(&format!("{word}\n"))
        .context("the answer cannot be printed")?;
    Ok(exit)
}
