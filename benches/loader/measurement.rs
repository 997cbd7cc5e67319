//! The measurements of one run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::database::DatabaseEngine;

/// The program that makes the directory equal to the roster.
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
    /// Runs of both contenders with one roster. One server takes all imports by User Import.
    Comparison,
    /// Runs with rosters of several sizes. Each import by User Import has a server of its own.
    Growth,
    /// Runs with several numbers of organisations.
    Organizations,
}

/// One run: its parameters, and what was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The kind of the database.
    pub engine: DatabaseEngine,
    /// How the roster differs from the directory.
    pub workload: Workload,
    /// The program that made the import.
    pub contender: Contender,
    /// Rows of one roster.
    pub rows: u64,
    /// Number of organisations. Each has a roster, and all rosters are imported at the same time.
    pub organizations: u64,
    /// The series that the run belongs to.
    pub series: RunSeries,
    /// From the start of the command to its end.
    pub seconds: f64,
    /// From the moment at which the client had read the whole roster and sends `finish`, to the first result. Only User
    /// Import has it, and only if it imports a single roster.
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
    /// Both contenders.
    pub const ALL: [Self; 2] = [Self::Ours, Self::Loader];

    /// Returns the name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Loader => "loader",
        }
    }
}

impl Workload {
    /// All workloads, in the order in which they run on one database.
    pub const ALL: [Self; 3] = [Self::New, Self::Same, Self::Changed];

    /// Returns the name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "all new",
            Self::Same => "same file again",
            Self::Changed => "one attribute changed",
        }
    }
}

impl Measurement {
    /// Makes a run that has parameters and no measurements yet.
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

    /// Returns the parameters that runs are grouped by.
    pub fn kind(&self) -> (DatabaseEngine, Contender, Workload) {
        (self.engine, self.contender, self.workload)
    }

    /// Returns the microseconds that a row took.
    pub fn micros_per_row(&self) -> f64 {
        self.seconds * 1e6 / self.all_rows()
    }

    /// Returns the number of rows per second.
    pub fn rows_per_second(&self) -> f64 {
        self.all_rows() / self.seconds
    }

    fn all_rows(&self) -> f64 {
        count(self.rows * self.organizations)
    }
}

/// Converts a number of rows or bytes for calculations.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub const fn count(number: u64) -> f64 {
    number as f64
}

/// Returns the seconds between two readings of a CPU clock, which only goes forward.
pub fn between(before: Duration, after: Duration) -> f64 {
    after.saturating_sub(before).as_secs_f64()
}
