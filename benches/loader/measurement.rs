//! The measurements of one run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::database::DatabaseEngine;

/// Who brings the directory in step with the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contender {
    /// User Import: a server, and the command line's `import`.
    Ours,
    /// The script that a database administrator would write.
    Loader,
}

/// How the roster differs from the directory.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// The directory is empty.
    New,
    /// The directory has exactly the values of the roster.
    Same,
    /// One attribute that is not unique differs in nine rows of ten.
    Changed,
}

/// The series that a run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunSeries {
    /// The other contender; all of our imports meet one server.
    Comparison,
    /// Rosters of other sizes; each of our imports meets a server of its own.
    Growth,
    /// Other numbers of organisations.
    Organizations,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// On which database.
    pub engine: DatabaseEngine,
    /// The roster.
    pub workload: Workload,
    /// The program that ran it.
    pub contender: Contender,
    /// Rows of one roster.
    pub rows: u64,
    /// Rosters of as many organisations, imported at the same time.
    pub organizations: u64,
    /// What it was run for.
    pub series: RunSeries,
    /// From the start of the command to its end.
    pub seconds: f64,
    /// From the moment the client had read the roster to its end, when it sends `finish`, to the
    /// first result; ours only, and only of a single roster.
    pub first_result_seconds: Option<f64>,
    /// CPU time of the command.
    pub client_cpu_seconds: f64,
    /// CPU time of `user-import serve`.
    pub server_cpu_seconds: f64,
    /// CPU time of all PostgreSQL processes.
    pub database_cpu_seconds: f64,
    /// The most memory that `user-import serve` had, in bytes.
    pub peak_bytes: u64,
}

impl Contender {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ours, Self::Loader];

    /// The name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Loader => "loader",
        }
    }
}

impl Workload {
    /// In the order in which they run on one database.
    pub const ALL: [Self; 3] = [Self::New, Self::Same, Self::Changed];

    /// The name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "all new",
            Self::Same => "same file again",
            Self::Changed => "one attribute changed",
        }
    }
}

impl Measurement {
    /// A run before it was measured: only its parameters are known.
    pub const fn of(
        engine: DatabaseEngine,
        contender: Contender,
        workload: Workload,
        rows: u64,
    ) -> Self {
        Self {
            engine,
            workload,
            contender,
            rows,
            organizations: 1,
            series: RunSeries::Comparison,
            seconds: 0.0,
            first_result_seconds: None,
            client_cpu_seconds: 0.0,
            server_cpu_seconds: 0.0,
            database_cpu_seconds: 0.0,
            peak_bytes: 0,
        }
    }

    /// The database, the program and the roster.
    pub fn kind(&self) -> (DatabaseEngine, Contender, Workload) {
        (self.engine, self.contender, self.workload)
    }

    /// Microseconds of a row.
    pub fn micros_per_row(&self) -> f64 {
        self.seconds * 1e6 / self.all_rows()
    }

    /// Rows of a second.
    pub fn rows_per_second(&self) -> f64 {
        self.all_rows() / self.seconds
    }

    fn all_rows(&self) -> f64 {
        count(self.rows * self.organizations)
    }
}

/// A number of rows or bytes, to calculate with.
#[allow(clippy::cast_precision_loss)] // far below 2^53
pub const fn count(number: u64) -> f64 {
    number as f64
}

/// Seconds between two readings of a CPU clock that only grows.
pub fn between(before: Duration, after: Duration) -> f64 {
    after.saturating_sub(before).as_secs_f64()
}
