//! `health`: whether a server can be used, for probes and scripts.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser, value_parser};
use tokio::time::timeout;

use super::connection::ServerArgs;
use crate::cli::{
    Exit,
    output::{Voice, complain},
};
use crate::client::Health;

/// Ask a server for its health: exits with 0 where it is serving, with 5 where it is not
///
/// Needs no credential. A server is not serving while it starts, while it drains, and while its
/// database is away.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: as a container's health check, and as a liveness probe:\n  \
    user-import health\n  \
    user-import health --alive --endpoint https://127.0.0.1:50051 --ca-cert ca.crt \\\n    \
    --server-name users.example"
)]
pub struct HealthArgs {
    /// Service to ask for, such as userimport.v1.ImportService [default: the server as a whole]
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_HEALTH_SERVICE")]
    service: Option<String>,
    /// Be content with any answer: whoever restarts servers that do not answer should leave one alone
    /// whose database is away
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
/// Where the server cannot be reached, or does not say.
pub async fn run(args: HealthArgs, voice: Voice) -> anyhow::Result<Exit> {
    let service = args.service.as_deref().unwrap_or_default();
    let asking = async {
        let mut client = args.server.connect(voice).await?;
        anyhow::Ok(client.health(service).await?)
    };
    let time = Duration::from_secs(args.timeout_seconds);
    let Ok(health) = timeout(time, asking).await else {
        complain(&format!(
            "error: the server did not answer within {} s.",
            time.as_secs()
        ));
        return Ok(Exit::Interrupted);
    };
    let (word, exit) = match health? {
        Health::Serving => ("SERVING", Exit::Done),
        Health::NotServing if args.alive => ("NOT_SERVING", Exit::Done),
        Health::NotServing => ("NOT_SERVING", Exit::Interrupted),
        Health::Unknown => {
            complain(&format!(
                "error: the server has no service \"{service}\"; see --service."
            ));
            return Ok(Exit::Interrupted);
        }
    };
    voice
        .confirm(&format!("{word}\n"))
        .context("the answer cannot be printed")?;
    Ok(exit)
}
