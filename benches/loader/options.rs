//! The command line of the comparison. `benches/run` passes its own arguments on to it.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::{database::DatabaseEngine, measurement::Workload};

/// User Import beside the loader that a database administrator would write
#[derive(Debug, Parser)]
#[command(name = "benches/run")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub struct Options {
    /// Rows of the roster
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub rows: u64,
    /// Only this kind of database
    #[arg(long, value_name = "DATABASE")]
    pub only: Option<DatabaseChoice>,
    /// Only this workload; may be given several times
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Vec<Workload>,
    /// Number of repetitions; the report has their medians
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,
    /// Compare ten organisations at once with one that has as many rows, and measure nothing else unless asked to
    #[arg(long)]
    pub organizations: bool,
    /// Measure growth from 1,000 rows to 1,000,000 and from 1 organisation to 1,000, and nothing else unless asked to
    #[arg(long)]
    pub scale: bool,
    /// Measure pushes of one changed user into organisations of several sizes, and nothing else unless asked to
    #[arg(long)]
    pub pushes: bool,
    /// Numbers of users of the organisations that are pushed into, the smallest first
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [2_000, 100_000, 1_000_000])]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub users: Vec<u64>,
    /// Number of seconds for which several connections push at once
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub push_seconds: u64,
    /// Measure everything: the comparison, the organisations, the growth and the pushes
    #[arg(long)]
    pub full: bool,
    /// Draw the tables and plots again from the figures of the last run
    #[arg(long)]
    pub plot: bool,
    /// The seed that the people of the roster are made from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Folder for the tables, plots and figures
    #[arg(long, value_name = "DIRECTORY")]
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/results"))]
    pub results: PathBuf,
    /// The program under test
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/user-import"))]
    pub binary: PathBuf,
    /// The Cargo profile that the program was built with; the report names it
    #[arg(long, value_name = "NAME", default_value = "release")]
    pub profile: String,
    /// `postgres://` URL of a superuser
    #[arg(long, env = "USER_IMPORT_BENCH_POSTGRES_URL", hide_env_values = true)]
    pub postgres_url: Option<String>,
    /// ID of the first process of that server
    #[arg(long, env = "USER_IMPORT_BENCH_POSTMASTER")]
    pub postmaster: Option<u32>,
}

/// A choice of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DatabaseChoice {
    /// PostgreSQL
    Pg,
    /// SQLite
    Sqlite,
}

impl Options {
    /// The databases to measure.
    pub fn engines(&self) -> &'static [DatabaseEngine] {
        match self.only {
            None => &[DatabaseEngine::Postgres, DatabaseEngine::Sqlite],
            Some(DatabaseChoice::Pg) => &[DatabaseEngine::Postgres],
            Some(DatabaseChoice::Sqlite) => &[DatabaseEngine::Sqlite],
        }
    }

    /// The workloads to measure.
    pub fn workloads(&self) -> &[Workload] {
        match self.workload.is_empty() {
            true => &Workload::ALL,
            false => &self.workload,
        }
    }

    /// Returns `true` if the run compares with the loader at the wanted size.
    pub const fn wants_comparison(&self) -> bool {
        self.full || !(self.scale || self.organizations || self.pushes)
    }

    /// Returns `true` if the run imports many organisations at once, which takes PostgreSQL.
    pub fn wants_organizations(&self) -> bool {
        let by_default = self.wants_comparison() && self.workload.is_empty();
        (self.organizations || by_default) && self.only != Some(DatabaseChoice::Sqlite)
    }

    /// Returns `true` if the run measures pushes.
    pub const fn wants_pushes(&self) -> bool {
        self.pushes || self.full
    }

    /// Returns `true` if the run measures imports of whole rosters.
    pub fn wants_imports(&self) -> bool {
        self.wants_comparison() || self.wants_organizations() || self.wants_growth()
    }

    /// Returns `true` if the run measures growth.
    pub const fn wants_growth(&self) -> bool {
        self.scale || self.full
    }
}
