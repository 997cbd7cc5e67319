//! The figures of pushes, stored as JSON.

use std::{fs, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    database::DatabaseEngine,
    figures::{Environment, median},
    measurement::count,
    options::Options,
};

const FILE: &str = "pushes.json";

/// All measurements of pushes, and the machine and programs that they were made with.
#[derive(Debug, Serialize, Deserialize)]
pub struct PushFigures {
    /// The machine and the programs.
    pub environment: Environment,
    /// Series of pushes over one connection, by the number of users.
    pub latencies: Vec<PushLatency>,
    /// Pushes into many organisations at once.
    pub throughputs: Vec<PushThroughput>,
    /// Pushes of several jobs into one organisation at once.
    pub contentions: Vec<PushContention>,
}

/// Pushes of one changed row, one after another.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushLatency {
    /// The kind of the database.
    pub engine: DatabaseEngine,
    /// Users of the organisation.
    pub users: u64,
    /// Median time from the call to its answer.
    pub median_ms: f64,
    /// 95th percentile of that time.
    pub p95_ms: f64,
}

/// Pushes into many organisations at once, over one connection for each.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushThroughput {
    /// The kind of the database.
    pub engine: DatabaseEngine,
    /// Number of organisations.
    pub organizations: u64,
    /// Users of each organisation.
    pub users: u64,
    /// Time from the first push to the last answer.
    pub seconds: f64,
    /// Number of pushes. Each has one changed row.
    pub pushes: u64,
    /// CPU time of `user-import serve`.
    pub server_cpu_seconds: f64,
    /// CPU time of all PostgreSQL processes.
    pub database_cpu_seconds: f64,
}

/// Pushes of several jobs into one organisation at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushContention {
    /// The kind of the database.
    pub engine: DatabaseEngine,
    /// Number of jobs. Each has a connection of its own.
    pub jobs: u64,
    /// Users of the organisation.
    pub users: u64,
    /// Time from the first push to the last answer.
    pub seconds: f64,
    /// Number of pushes of all jobs together.
    pub pushes: u64,
    /// Number of jobs with at least one push.
    pub jobs_that_got_on: u64,
    /// Number of pushes of the job that had the fewest.
    pub fewest: u64,
    /// Number of pushes of the job that had the most.
    pub most: u64,
    /// The longest time from the first attempt of a push to its answer.
    pub longest_wait_ms: f64,
    /// The time that each push would take if all jobs took turns.
    pub share_ms: f64,
    /// Number of attempts that were turned away because another import was running.
    pub turned_away: u64,
    /// Number of imports that are recorded as refused.
    pub refused_records: u64,
}

impl PushFigures {
    /// Returns figures without any measurement.
    pub fn new(options: &Options) -> Self {
        Self {
            environment: Environment::look(options),
            latencies: Vec::new(),
            throughputs: Vec::new(),
            contentions: Vec::new(),
        }
    }

    /// Reads the figures of the last run, or returns `None` if there was none.
    pub fn read(directory: &Path) -> anyhow::Result<Option<Self>> {
        let file = directory.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Stores the figures as those of the last run.
    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs::write(directory.join(FILE), text + "\n")?)
    }

    /// Returns the sizes of organisations that were measured, the smallest first.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.latencies.iter().map(|run| run.users).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Returns the median of `of` over the runs with an organisation of this many users, or `None` if there were none.
    pub fn latency(
        &self,
        engine: DatabaseEngine,
        users: u64,
        of: fn(&PushLatency) -> f64,
    ) -> Option<f64> {
        let runs = self.latencies.iter();
        let runs = runs.filter(|run| (run.engine, run.users) == (engine, users));
        median(runs.map(of).collect())
    }
}

impl PushThroughput {
    /// Returns the number of pushes per second.
    pub fn per_second(&self) -> f64 {
        count(self.pushes) / self.seconds
    }
}
