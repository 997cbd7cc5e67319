//! Logs: to standard error, so that standard output holds nothing but what a command prints.
//!
//! Nothing here may log a value of a roster.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging what passes `filter`, such as `info` or `warn,user_import=debug`.
///
/// # Errors
/// Where `filter` is not a filter, or logging has been started before.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("this is not a log filter")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(has_colours()).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    started.map_err(anyhow::Error::from_boxed)
}

fn has_colours() -> bool {
    io::stderr().is_terminal() && !no_color()
}

/// True where the environment asks for no colours (<https://no-color.org>).
#[must_use]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
