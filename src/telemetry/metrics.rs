//! Metrics, by the conventions of Prometheus: the name, unit and labels of each.
//!
//! Labels have few values, all known beforehand. None is a person, an organisation or an import.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

use crate::domain::{ImportState, OutcomeCounts};

const CALLS: &str = "user_import_calls_total";
const CALL_SECONDS: &str = "user_import_call_duration_seconds";
const CONNECTIONS: &str = "user_import_connections";
const CONNECTIONS_REFUSED: &str = "user_import_connections_refused_total";
const REFUSED: &str = "user_import_refused_requests_total";
const DENIED: &str = "user_import_denied_calls_total";
const IMPORTS: &str = "user_import_imports_total";
const RUNNING: &str = "user_import_imports_running";
const HELD: &str = "user_import_imports_held";
const ROWS: &str = "user_import_rows_total";
const DIRECTORY_USERS: &str = "user_import_directory_users_total";
const STAGE_SECONDS: &str = "user_import_stage_duration_seconds";
const DATABASE_SECONDS: &str = "user_import_database_duration_seconds";
const DATABASE_STATEMENTS: &str = "user_import_database_statements_total";
const DATABASE_COMMITS: &str = "user_import_database_commits_total";
const WAIT_SECONDS: &str = "user_import_wait_duration_seconds";
const DATABASE_UP: &str = "user_import_database_up";
const AUDIT_EVENTS: &str = "user_import_audit_events";
const AUDIT_HEADS: &str = "user_import_audit_heads";
const AUDIT_SETBACKS: &str = "user_import_audit_setbacks_total";

/// Upper bounds of the histograms, in seconds: from a look-up to the largest import.
const SECONDS: [f64; 14] = [
    0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_200.0, 3_600.0,
];

/// Serves the metrics on `address`, over HTTP, at any path.
///
/// # Errors
/// Fails if the address is in use, or metrics are served already.
pub(crate) fn serve(address: SocketAddr) -> anyhow::Result<()> {
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install()
        .with_context(|| format!("metrics cannot be served on {address}"))?;
    describe();
    Ok(())
}

fn describe() {
    describe_database();
    describe_imports();
    describe_counter!(CALLS, "Calls that have ended, by method and status code.");
    describe_histogram!(
        CALL_SECONDS,
        Unit::Seconds,
        "How long calls took, their streams included."
    );
    describe_gauge!(CONNECTIONS, "Connections open now.");
    describe_counter!(
        CONNECTIONS_REFUSED,
        "Connections closed by a limit, by reason."
    );
    describe_counter!(
        REFUSED,
        "Requests refused, by reason: the code that the caller gets."
    );
    describe_counter!(
        DENIED,
        "Calls denied because a credential or a permission was missing, by method and reason."
    );
    describe_histogram!(
        DATABASE_SECONDS,
        Unit::Seconds,
        "How long operations of the database took, by operation."
    );
    describe_histogram!(
        WAIT_SECONDS,
        Unit::Seconds,
        "How long imports waited, by what they waited for."
    );
    describe_gauge!(
        DATABASE_UP,
        "1 while the database answers, 0 while it does not."
    );
    describe_gauge!(
        AUDIT_EVENTS,
        "Events of all audit trails together; never fewer than before."
    );
    describe_gauge!(
        AUDIT_HEADS,
        "The first 48 bits of the hash that each audit trail ends with, all combined by XOR."
    );
    describe_counter!(
        AUDIT_SETBACKS,
        "Audit trails that were found to end earlier than before, or with another event."
    );
    counter!(AUDIT_SETBACKS).absolute(0);
    begin_import_counters();
}

/// Exposes the counters of imports at zero: Prometheus does not see the first increase of a counter that begins
/// with it, and the first import after a start may be the only one of a day.
fn begin_import_counters() {
    let ends = [
        ImportState::Completed,
        ImportState::Refused,
        ImportState::Interrupted,
        ImportState::Cancelled,
        ImportState::Held,
    ];
    for state in ends {
        for validate_only in [false, true] {
            count_imports(0, state, validate_only, &OutcomeCounts::default());
        }
    }
}

fn describe_imports() {
    describe_counter!(IMPORTS, "Imports that have ended, by state and kind.");
    describe_gauge!(RUNNING, "Imports under way now, by stage.");
    describe_gauge!(
        HELD,
        "Imports of all organisations that are held for review now."
    );
    describe_counter!(ROWS, "Rows of imports that have ended, by outcome.");
    describe_counter!(
        DIRECTORY_USERS,
        "Users that were read for plans and exports."
    );
    describe_histogram!(
        STAGE_SECONDS,
        Unit::Seconds,
        "How long each stage of an import took."
    );
}

fn describe_database() {
    describe_counter!(
        DATABASE_STATEMENTS,
        "Statements sent to the database, those that begin and end write transactions included."
    );
    describe_counter!(
        DATABASE_COMMITS,
        "Transactions committed that may have written something."
    );
}

/// Sets the metrics that say where the audit trails end.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a float; 48 bits fit"
)]
pub(crate) fn audit_heads(events: i64, hashes: u64) {
    gauge!(AUDIT_EVENTS).set(events as f64);
    gauge!(AUDIT_HEADS).set(hashes as f64);
}

/// Counts an audit trail that ends earlier, or otherwise, than before.
pub(crate) fn audit_setback() {
    counter!(AUDIT_SETBACKS).increment(1);
}

/// Sets the number of imports that are held for review.
pub(crate) fn imports_held(count: i64) {
    gauge!(HELD).set(u32::try_from(count).unwrap_or(u32::MAX));
}

/// A call has ended, with the name of this status code.
pub(crate) fn call_ended(method: &'static str, code: &'static str, took: Duration) {
    counter!(CALLS, "method" => method, "code" => code).increment(1);
    histogram!(CALL_SECONDS, "method" => method).record(took);
}

/// A connection was opened (1) or closed (-1).
pub(crate) fn connections_changed(by: f64) {
    gauge!(CONNECTIONS).increment(by);
}

/// A connection was closed by a limit.
pub(crate) fn connection_refused(reason: &'static str) {
    counter!(CONNECTIONS_REFUSED, "reason" => reason).increment(1);
}

/// A request was refused; `reason` is one of the codes that never change.
pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// A call was denied; `reason` is that of a [`AccessDenial`](crate::access::AccessDenial).
pub(crate) fn denied(method: &'static str, reason: &'static str) {
    counter!(DENIED, "method" => method, "reason" => reason).increment(1);
}

/// An import has ended, with these counts.
pub(crate) fn import_ended(state: ImportState, validate_only: bool, counts: &OutcomeCounts) {
    count_imports(1, state, validate_only, counts);
}

fn count_imports(imports: u64, state: ImportState, validate_only: bool, counts: &OutcomeCounts) {
    let state = state.name();
    let kind = match validate_only {
        true => "dry_run",
        false => "apply",
    };
    counter!(IMPORTS, "state" => state, "kind" => kind).increment(imports);
    for (outcome, rows) in [
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("rejected", counts.rejected),
        ("deactivated", counts.deactivated),
    ] {
        counter!(ROWS, "outcome" => outcome, "kind" => kind, "state" => state)
            .increment(rows.into());
    }
}

/// A snapshot has read this many users.
pub(crate) fn directory_read(users: usize) {
    counter!(DIRECTORY_USERS).increment(users as u64);
}

/// A statement was sent to the database.
pub(crate) fn database_statement() {
    counter!(DATABASE_STATEMENTS).increment(1);
}

/// A transaction was committed that may have written something.
pub(crate) fn database_commit() {
    counter!(DATABASE_COMMITS).increment(1);
}

/// An import waited for `what`.
pub(crate) fn waited(what: &'static str, took: Duration) {
    histogram!(WAIT_SECONDS, "for" => what).record(took);
}

/// Sets whether the database answers.
pub(crate) fn database_up(is: bool) {
    gauge!(DATABASE_UP).set(if is { 1.0 } else { 0.0 });
}

/// Records the time of a stage of an import that has no beginning and end of its own.
pub(crate) fn stage_took(name: &'static str, took: Duration) {
    histogram!(STAGE_SECONDS, "stage" => name).record(took);
}

/// An operation of the database; timed until it is dropped.
#[derive(Debug)]
pub(crate) struct DatabaseTimer {
    operation: &'static str,
    begun: tokio::time::Instant,
}

impl DatabaseTimer {
    /// The database begins.
    #[must_use]
    pub(crate) fn begin(operation: &'static str) -> Self {
        Self {
            operation,
            begun: tokio::time::Instant::now(),
        }
    }
}

impl Drop for DatabaseTimer {
    fn drop(&mut self) {
        histogram!(DATABASE_SECONDS, "operation" => self.operation).record(self.begun.elapsed());
    }
}

/// A stage of an import that is under way; timed until it is dropped.
#[derive(Debug)]
pub(crate) struct ImportStageTimer {
    name: &'static str,
    begun: tokio::time::Instant,
}

impl ImportStageTimer {
    /// The stage begins.
    #[must_use]
    pub(crate) fn begin(name: &'static str) -> Self {
        gauge!(RUNNING, "stage" => name).increment(1.0);
        Self {
            name,
            begun: tokio::time::Instant::now(),
        }
    }
}

impl Drop for ImportStageTimer {
    fn drop(&mut self) {
        gauge!(RUNNING, "stage" => self.name).decrement(1.0);
        histogram!(STAGE_SECONDS, "stage" => self.name).record(self.begun.elapsed());
    }
}
