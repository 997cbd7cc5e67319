//! Logs, metrics and traces. Logs go to standard error, so that standard output holds only the output of a
//! command.
//!
//! Nothing here may log a value of a roster.

mod log_throttle;
pub(crate) mod metrics;
pub(crate) mod request_id;
pub(crate) mod traces;

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use log_throttle::LogThrottle;
use traces::TraceExporter;

/// Libraries whose warnings any peer can cause, or that repeat themselves for every statement: only their
/// errors are logged, unless a filter names them.
const QUIET: &str = "h2=error,hyper=error,rustls=error,tokio_rustls=error,tonic=error,tower=error,\
     sea_orm::driver::sqlx_sqlite=error";

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging the lines that pass `filter`, such as `info` or `warn,user_import=debug`, and sending
/// traces to the OTLP collector at `traces`, if it is given. Needs a runtime.
///
/// # Errors
/// Fails if `filter` is no filter, `traces` is no URL, or logging was started before.
pub(crate) fn start(
    filter: &str,
    format: LogFormat,
    traces: Option<&str>,
) -> anyhow::Result<Option<TraceExporter>> {
    let filter = parse_filter(filter)?;
    let throttle = LogThrottle::default();
    tokio::spawn(throttle.clone().report());
    let traces = traces.map(TraceExporter::to).transpose()?;
    let spans = traces.as_ref().map(TraceExporter::tracer);
    let spans = spans.map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer));
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(has_colours()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(throttle))
        .with(spans)
        .with(filter)
        .with(filter_fn(|about| !quotes_values(about.target())))
        .try_init()?;
    Ok(traces)
}

/// The operator's filter comes last, so that it overrides [`QUIET`] for the same target.
fn parse_filter(filter: &str) -> anyhow::Result<EnvFilter> {
    let is_off = filter.trim().eq_ignore_ascii_case("off");
    let directives = match is_off {
        true => filter.to_owned(),
        false => format!("{QUIET},{filter}"),
    };
    EnvFilter::try_new(directives).context("this is not a log filter")
}

/// Returns `true` if the target logs the values that it works on. Values of a roster never get into a log
/// (semantics §6), whatever the filter says.
fn quotes_values(target: &str) -> bool {
    target.starts_with("rlibphonenumber")
}

fn has_colours() -> bool {
    io::stderr().is_terminal() && !no_color()
}

/// Returns `true` if the environment asks for no colours (<https://no-color.org>).
#[must_use]
pub(crate) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a filter in the form in which the filter itself is written.
    fn directives(filter: &str) -> String {
        parse_filter(filter).unwrap().to_string()
    }

    #[test]
    fn what_a_peer_can_provoke_is_no_news_unless_it_is_asked_for() {
        for filter in ["info", "debug", "warn,user_import=debug", ""] {
            for quiet in ["h2=error", "rustls=error", "hyper=error", "tonic=error"] {
                assert!(directives(filter).contains(quiet), "{filter:?}: {quiet}");
            }
        }
        let asked = directives("info,h2=trace");
        assert!(
            asked.contains("h2=trace") && !asked.contains("h2=error"),
            "{asked}"
        );
        assert_eq!(directives("off"), "off");
        assert!(parse_filter("x=y=z").is_err());
    }
}
