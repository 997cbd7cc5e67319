//! The figures of one run of the benchmark, stored as JSON, and their medians.

use std::{fs, path::Path, process::Command, thread};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    database::DatabaseEngine,
    measurement::{Contender, Measurement, RunSeries, Workload},
    options::Options,
    process,
};

const FILE: &str = "figures.json";

/// All measurements, and the machine and programs that they were made with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Rows of the comparison's roster.
    pub rows: u64,
    /// The machine and the programs.
    pub environment: Environment,
    /// The measurements, in the order in which they were made.
    pub measurements: Vec<Measurement>,
}

/// The facts about the machine and the programs that times depend on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Environment {
    /// Cargo profile of the program under test.
    pub profile: String,
    /// Commit that the working directory was at.
    pub commit: String,
    /// Number of processors.
    pub cores: usize,
    /// Name of the processor.
    pub processor: String,
    /// Version of PostgreSQL; blank if it was not measured.
    pub postgres: String,
    /// Version of the SQLite command line.
    pub sqlite: String,
}

impl Figures {
    /// Returns figures without any measurement.
    pub fn new(options: &Options) -> Self {
        Self {
            rows: options.rows,
            environment: Environment::look(options),
            measurements: Vec::new(),
        }
    }

    /// Reads the figures of the last run.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        let file = directory.join(FILE);
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Stores the figures as those of the last run.
    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs::write(directory.join(FILE), text + "\n")?)
    }

    /// Returns the median of `of` over the runs of one kind in the comparison, or `None` if there were none.
    pub fn median(
        &self,
        kind: (DatabaseEngine, Contender, Workload),
        of: impl Fn(&Measurement) -> Option<f64>,
    ) -> Option<f64> {
        self.median_where(of, |run| {
            run.series == RunSeries::Comparison && run.rows == self.rows && run.kind() == kind
        })
    }

    /// Returns the median of `of` over the runs of one kind with this number of rows in the series of growth.
    pub fn median_of_growth(
        &self,
        kind: (DatabaseEngine, Contender, Workload),
        rows: u64,
        of: impl Fn(&Measurement) -> Option<f64>,
    ) -> Option<f64> {
        self.median_where(of, |run| {
            run.series == RunSeries::Growth && run.rows == rows && run.kind() == kind
        })
    }

    /// Returns the median of `of` over the runs that import into `organizations` organisations at once.
    pub fn median_of_organizations(
        &self,
        engine: DatabaseEngine,
        organizations: u64,
        rows: u64,
        of: impl Fn(&Measurement) -> Option<f64>,
    ) -> Option<f64> {
        self.median_where(of, |measured| {
            measured.series == RunSeries::Organizations
                && measured.engine == engine
                && (measured.organizations, measured.rows) == (organizations, rows)
        })
    }

    fn median_where(
        &self,
        of: impl Fn(&Measurement) -> Option<f64>,
        wanted: impl Fn(&Measurement) -> bool,
    ) -> Option<f64> {
        let runs = self.measurements.iter().filter(|run| wanted(run));
        median(runs.filter_map(of).collect())
    }
}

/// Returns the median, or `None` if there is no value.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => None,
        0 => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

impl Environment {
    /// Reads the facts about this machine and its programs.
    pub fn look(options: &Options) -> Self {
        let version = options.postgres_url.as_ref().map(|url| {
            let sql = "SHOW server_version";
            said(Command::new("psql").args(["-X", "-A", "-t", "-c", sql, url]))
        });
        let commit = ["describe", "--always", "--dirty"];
        let root = env!("CARGO_MANIFEST_DIR");
        Self {
            profile: options.profile.clone(),
            commit: said(Command::new("git").args(commit).current_dir(root)),
            cores: thread::available_parallelism().map_or(1, usize::from),
            processor: processor(),
            postgres: version.unwrap_or_default(),
            sqlite: said(Command::new("sqlite3").arg("--version"))
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// Returns the output of a command, or a blank text if the command cannot be run.
fn said(command: &mut Command) -> String {
    process::run(command).unwrap_or_default()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": "));
    name.map_or_else(String::new, |(_, name)| name.to_owned())
}
