//! The runs and their order. Contenders and workloads take turns, so that all of them are slowed down equally if the
//! machine is busy for a while.

use std::{collections::VecDeque, time::Instant};

use anyhow::ensure;

use crate::{
    bench::{BenchDatabase, BenchSetup, expect_outcome},
    database::{Database, DatabaseEngine},
    measurement::{Contender, Measurement, RunSeries, Workload, between},
    process,
    service::{BenchServer, RunningImport},
    targets,
};

/// How many clients import at the same time if there are many organisations.
const CLIENTS: usize = 10;

/// Numbers of rows in the series of growth.
const GROWTH: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Numbers of organisations in the series of growth.
pub const ORGANIZATIONS: [u64; 4] = [1, 10, 100, 1_000];

/// Rows of each organisation if the number of organisations grows.
pub const ROWS_EACH: u64 = 1_000;

/// Runs both contenders with all `workloads` on the same two databases, `repeat` times. One server takes all imports by
/// User Import, as it does every night.
pub fn compare(
    bench: &mut BenchSetup,
    engine: DatabaseEngine,
    rows: u64,
    workloads: &[Workload],
    repeat: u32,
    found: &mut Vec<Measurement>,
) -> anyhow::Result<()> {
    for repetition in 0..repeat {
        let mut databases = Contender::ALL.map(|contender| bench.prepare(engine, contender, true));
        if repetition % 2 == 1 {
            databases.reverse();
        }
        let [first, second] = databases;
        take_turns(bench, &[first?, second?], rows, workloads, found)?;
    }
    Ok(())
}

fn take_turns(
    bench: &mut BenchSetup,
    databases: &[BenchDatabase; 2],
    rows: u64,
    workloads: &[Workload],
    found: &mut Vec<Measurement>,
) -> anyhow::Result<()> {
    for workload in Workload::ALL {
        let wanted = workloads.contains(&workload);
        if !wanted && workload != Workload::New {
            continue;
        }
        for prepared in databases {
            let measured = bench.run(prepared, workload, rows)?;
            say(&measured);
            found.extend(wanted.then_some(measured));
        }
        expect_alike(databases)?;
    }
    Ok(())
}

/// Runs both contenders with larger and larger rosters, and User Import with more and more organisations. Each import
/// has a server of its own, so that the server's peak of memory is that of the import. Rosters that take minutes are
/// run once, and the others `repeat` times.
pub fn grow(
    bench: &mut BenchSetup,
    engine: DatabaseEngine,
    workloads: &[Workload],
    repeat: u32,
    found: &mut Vec<Measurement>,
) -> anyhow::Result<()> {
    let from = found.len();
    for rows in GROWTH {
        let repeat = if rows > targets::ROWS { 1 } else { repeat };
        for _ in 0..repeat {
            let databases = Contender::ALL.map(|contender| bench.prepare(engine, contender, false));
            let [first, second] = databases;
            take_turns(bench, &[first?, second?], rows, workloads, found)?;
        }
    }
    for measured in &mut found[from..] {
        measured.series = RunSeries::Growth;
    }
    for number in ORGANIZATIONS {
        found.push(organizations(bench, engine, number, ROWS_EACH)?);
    }
    Ok(())
}

/// Imports into several organisations of PostgreSQL at once, and into one with as many rows as they have together.
pub fn concur(
    bench: &mut BenchSetup,
    rows: u64,
    repeat: u32,
    found: &mut Vec<Measurement>,
) -> anyhow::Result<()> {
    for _ in 0..repeat {
        let several = targets::ORGANIZATIONS;
        for (number, rows) in [(1, rows), (several, rows / several)] {
            found.push(organizations(
                bench,
                DatabaseEngine::Postgres,
                number,
                rows,
            )?);
        }
    }
    Ok(())
}

/// Imports a roster of `rows` rows into each of `organizations` organisations at the same time, on a server of its own.
fn organizations(
    bench: &mut BenchSetup,
    engine: DatabaseEngine,
    organizations: u64,
    rows: u64,
) -> anyhow::Result<Measurement> {
    let database = Database::create(engine, &bench.place, "bench_organizations")?;
    let service = bench.serve(&database)?;
    for number in 0..organizations {
        bench.create_organization(&service, &slug(number))?;
        bench.roster(number, rows, Workload::New)?;
    }
    database.settle()?;
    let mut measured = Measurement::of(engine, Contender::Ours, Workload::New, rows);
    measured.organizations = organizations;
    measured.series = RunSeries::Organizations;
    let client = process::cpu_of_ended_children()?;
    let (server, backends) = (service.cpu()?, database.cpu()?);
    let began = Instant::now();
    import_all(bench, &service, organizations, rows)?;
    measured.seconds = began.elapsed().as_secs_f64();
    measured.client_cpu_seconds = between(client, process::cpu_of_ended_children()?);
    measured.server_cpu_seconds = between(server, service.cpu()?);
    measured.database_cpu_seconds = between(backends, database.cpu()?);
    measured.peak_bytes = service.peak_memory()?;
    say(&measured);
    Ok(measured)
}

fn import_all(
    bench: &mut BenchSetup,
    service: &BenchServer,
    organizations: u64,
    rows: u64,
) -> anyhow::Result<()> {
    let mut running = VecDeque::new();
    for number in 0..organizations {
        if running.len() == CLIENTS {
            end_first(&mut running, rows)?;
        }
        let roster = bench.roster(number, rows, Workload::New)?;
        let answers = bench
            .place
            .directory
            .join(format!("answers-{number}.jsonl"));
        running.push_back(service.import(&slug(number), &roster, answers)?);
    }
    while !running.is_empty() {
        end_first(&mut running, rows)?;
    }
    Ok(())
}

fn end_first(running: &mut VecDeque<RunningImport>, rows: u64) -> anyhow::Result<()> {
    if let Some(import) = running.pop_front() {
        let (_, summary) = import.watch()?;
        expect_outcome(Workload::New, rows, &summary)?;
    }
    Ok(())
}

fn slug(number: u64) -> String {
    format!("department-{number}")
}

fn expect_alike([one, other]: &[BenchDatabase; 2]) -> anyhow::Result<()> {
    let (one, other) = (one.fingerprint()?, other.fingerprint()?);
    ensure!(one == other, "the directories differ: {one} and {other}");
    Ok(())
}

fn say(measured: &Measurement) {
    eprintln!(
        "{:10} {:7} {:21} {:>4} x {:>7} rows {:9.3} s {:>9.0} rows/s",
        measured.engine.name(),
        measured.contender.name(),
        measured.workload.name(),
        measured.organizations,
        measured.rows,
        measured.seconds,
        measured.rows_per_second(),
    );
}
