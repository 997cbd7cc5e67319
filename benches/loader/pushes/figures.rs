//! The figures of pushes, kept as JSON.

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

/// All that was measured about pushes, and on what.
#[derive(Debug, Serialize, Deserialize)]
pub struct PushFigures {
    /// The machine and the programs.
    pub environment: Environment,
    /// One push after another, by the number of users.
    pub latencies: Vec<PushLatency>,
    /// Pushes into many organisations at once.
    pub throughputs: Vec<PushThroughput>,
    /// Jobs that push into one organisation at once.
    pub contentions: Vec<PushContention>,
}

/// Pushes of one changed row, one after another.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushLatency {
    /// On which database.
    pub engine: DatabaseEngine,
    /// Users of the organisation.
    pub users: u64,
    /// Milliseconds, from the call to its answer.
    pub median_ms: f64,
    /// Milliseconds that 95 of 100 pushes do not exceed.
    pub p95_ms: f64,
}

/// A connection for each organisation, all at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushThroughput {
    /// On which database.
    pub engine: DatabaseEngine,
    /// Organisations, each with a connection.
    pub organizations: u64,
    /// Users of each organisation.
    pub users: u64,
    /// From the first push to the last answer.
    pub seconds: f64,
    /// Pushes of one changed row.
    pub pushes: u64,
    /// CPU time of `user-import serve`.
    pub server_cpu_seconds: f64,
    /// CPU time of all PostgreSQL processes.
    pub database_cpu_seconds: f64,
}

/// Jobs that push into one organisation, all at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PushContention {
    /// On which database.
    pub engine: DatabaseEngine,
    /// Jobs, each with a connection.
    pub jobs: u64,
    /// Users of the organisation.
    pub users: u64,
    /// From the first push to the last answer.
    pub seconds: f64,
    /// Pushes of all jobs together.
    pub pushes: u64,
    /// Jobs with at least one push.
    pub jobs_that_got_on: u64,
    /// Pushes of the job that had the fewest.
    pub fewest: u64,
    /// Pushes of the job that had the most.
    pub most: u64,
    /// The longest wait of a push for its answer, attempts that were turned away included.
    pub longest_wait_ms: f64,
    /// The wait of each push if all jobs get on in turn.
    pub share_ms: f64,
    /// Attempts that were turned away because another import was running.
    pub turned_away: u64,
    /// Imports that are recorded as refused.
    pub refused_records: u64,
}

impl PushFigures {
    /// No figures yet.
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

    /// Keeps the figures for later.
    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs::write(directory.join(FILE), text + "\n")?)
    }

    /// The numbers of users that were measured, fewest first.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.latencies.iter().map(|run| run.users).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The median of something about pushes into an organisation of this many users.
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
    /// Pushes a second.
    pub fn per_second(&self) -> f64 {
        count(self.pushes) / self.seconds
    }
}
