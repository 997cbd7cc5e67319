//! Pushes of one changed user: how long one takes in small and large organisations, how many a server takes from
//! many organisations, and whether several jobs that push into one organisation all make progress.
//!
//! The command line would take longer to start than a push takes, so these are calls over gRPC, as a service makes them.

mod client;
mod figures;
mod report;
mod work;

use std::path::Path;

use anyhow::Context;

use crate::{
    bench::BenchSetup,
    database::{Database, DatabaseEngine},
    measurement::Workload,
    options::Options,
    service::BenchServer,
};
use client::PhoneChanges;
use work::PushWork;

pub use figures::PushFigures;
pub use report::{markdown, plot};

/// Number of organisations that are pushed into at once. Each has a connection.
const ORGANIZATIONS: u64 = 8;

/// Number of jobs that push into one organisation at once.
const JOBS: usize = 8;

/// Makes all measurements of pushes, and stores the figures in the folder for results.
pub fn measure(bench: &mut BenchSetup, options: &Options) -> anyhow::Result<PushFigures> {
    let mut figures = PushFigures::new(options);
    for &engine in options.engines() {
        for &users in &options.users {
            for _ in 0..options.repeat {
                let target = PushTarget::prepare(bench, engine, (1, users))?;
                let latency = work::latency(&target, users)?;
                figures.latencies.push(latency);
            }
        }
        let users = options.users.first().copied().unwrap_or_default();
        let several = PushTarget::prepare(bench, engine, (ORGANIZATIONS, users))?;
        figures
            .throughputs
            .push(work::throughput(&several, options)?);
        // The next database gets the same name.
        drop(several);
        let one = PushTarget::prepare(bench, engine, (1, users))?;
        figures.contentions.push(work::contention(&one, options)?);
    }
    figures.write(&options.results)?;
    Ok(figures)
}

/// Writes the tables and the plot.
pub fn write(figures: &PushFigures, directory: &Path) -> anyhow::Result<()> {
    let report = markdown(figures)?;
    print!("{report}");
    std::fs::write(directory.join("pushes.md"), report)?;
    std::fs::write(directory.join("pushes.svg"), plot(figures)?)?;
    Ok(())
}

/// A server with organisations, and the rows to push into each.
struct PushTarget {
    // Dropped before its database.
    service: BenchServer,
    database: Database,
    work: Vec<PushWork>,
}

impl PushTarget {
    /// Imports `users` users into each of `organizations` organisations of a new database.
    fn prepare(
        bench: &mut BenchSetup,
        engine: DatabaseEngine,
        (organizations, users): (u64, u64),
    ) -> anyhow::Result<Self> {
        let database = Database::create(engine, &bench.place, "bench_pushes")?;
        let service = bench.serve(&database)?;
        let mut work = Vec::new();
        for number in 0..organizations {
            let organization = format!("department-{number}");
            bench.create_organization(&service, &organization)?;
            let roster = bench.roster(number, users, Workload::New)?;
            let answers = bench.place.directory.join("answers.jsonl");
            let import = service.import(&organization, &roster, answers)?;
            import.watch().context("the users cannot be imported")?;
            let changes = PhoneChanges::read(&roster)?;
            work.push(PushWork {
                organization,
                changes,
            });
        }
        database.settle()?;
        Ok(Self {
            service,
            database,
            work,
        })
    }
}
