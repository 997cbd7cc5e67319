//! Logs, metrics and traces. Logs go to standard error, so that standard output holds nothing but what
//! a command prints.
//!
//! Nothing here may log a value of a roster.

pub mod metrics;
pub mod request;
pub mod traces;

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use traces::Traces;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging what passes `filter`, such as `info` or `warn,user_import=debug`, and sending traces
/// to the OTLP collector at `traces`, where one is given. Needs a runtime for that.
///
/// # Errors
/// Where `filter` is not a filter, `traces` is no URL, or logging has been started before.
pub fn start(
    filter: &str,
    format: LogFormat,
    traces: Option<&str>,
) -> anyhow::Result<Option<Traces>> {
    let filter = EnvFilter::try_new(filter).context("this is not a log filter")?;
    let traces = traces.map(Traces::to).transpose()?;
    let spans = traces.as_ref().map(Traces::tracer);
    let spans = spans.map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer));
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(has_colours()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .with(filter)
        .with(filter_fn(|about| !quotes_values(about.target())))
        .try_init()?;
    Ok(traces)
}

/// True for what logs the values that it works on, whatever is asked for: those of a roster never get
/// into a log (semantics §6).
fn quotes_values(target: &str) -> bool {
    target.starts_with("rlibphonenumber")
}

fn has_colours() -> bool {
    io::stderr().is_terminal() && !no_color()
}

/// True where the environment asks for no colours (<https://no-color.org>).
#[must_use]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
