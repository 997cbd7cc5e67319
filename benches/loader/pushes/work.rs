//! The three measurements of pushes.

use std::time::Duration;

use anyhow::Context;
use tokio::{runtime::Runtime, task::JoinSet, time::Instant};

use super::{
    JOBS, PushTarget,
    client::{PhoneChanges, PushClient, PushTime},
    figures::{PushContention, PushLatency, PushThroughput},
};
use crate::{
    measurement::{between, count},
    options::Options,
    service::BenchServer,
};

/// Number of pushes of each connection before its first one that counts. They open the server's connections, and fill its
/// caches.
const WARM_UP: usize = 20;

/// Number of pushes that count.
const PUSHES: usize = 200;

/// The state of a refused import in the database.
const REFUSED: i32 = 4;

/// The users of an organisation that pushes change.
#[derive(Clone, Debug)]
pub struct PushWork {
    /// The organisation's slug.
    pub organization: String,
    /// Rows that change its users.
    pub changes: PhoneChanges,
}

/// The measurements of one connection.
#[derive(Debug, Default)]
struct JobRun {
    pushes: u64,
    longest_wait: Duration,
    turned_away: u64,
}

impl JobRun {
    fn add(&mut self, pushed: PushTime) {
        self.pushes += 1;
        self.longest_wait = self.longest_wait.max(pushed.wait);
        self.turned_away += pushed.turned_away;
    }
}

/// Measures pushes that are sent one after another over one connection.
pub fn latency(target: &PushTarget, users: u64) -> anyhow::Result<PushLatency> {
    let work = target.work.first().context("there is no organisation")?;
    let (endpoint, token) = (target.service.endpoint(), target.service.local_token()?);
    let mut waits = Runtime::new()?.block_on(async {
        let mut pusher = PushClient::connect(endpoint, &token, &work.organization).await?;
        let mut changes = work.changes.clone();
        let mut waits = Vec::with_capacity(PUSHES);
        for number in 0..WARM_UP + PUSHES {
            let pushed = pusher.push(&mut changes).await?;
            if number >= WARM_UP {
                waits.push(pushed.wait.as_secs_f64() * 1e3);
            }
        }
        anyhow::Ok(waits)
    })?;
    waits.sort_by(f64::total_cmp);
    let at = |percent: usize| waits[(waits.len() * percent / 100).min(waits.len() - 1)];
    let latency = PushLatency {
        engine: target.database.engine(),
        users,
        median_ms: at(50),
        p95_ms: at(95),
    };
    eprintln!(
        "{:10} push into {users:>7} users {:8.2} ms",
        latency.engine.name(),
        latency.median_ms
    );
    Ok(latency)
}

/// Measures pushes into all organisations at once. Each organisation has a connection that pushes without a pause.
pub fn throughput(target: &PushTarget, options: &Options) -> anyhow::Result<PushThroughput> {
    let (server, database) = (target.service.cpu()?, target.database.cpu()?);
    let (runs, seconds) = run(&target.service, target.work.clone(), options.push_seconds)?;
    let throughput = PushThroughput {
        engine: target.database.engine(),
        organizations: u64::try_from(target.work.len())?,
        users: options.users.first().copied().unwrap_or_default(),
        seconds,
        pushes: runs.iter().map(|run| run.pushes).sum(),
        server_cpu_seconds: between(server, target.service.cpu()?),
        database_cpu_seconds: between(database, target.database.cpu()?),
    };
    eprintln!(
        "{:10} {} organisations {:8.0} pushes/s",
        throughput.engine.name(),
        throughput.organizations,
        throughput.per_second()
    );
    Ok(throughput)
}

/// Measures pushes of several connections into one organisation. Each connection pushes without a pause.
pub fn contention(target: &PushTarget, options: &Options) -> anyhow::Result<PushContention> {
    let work = target.work.first().context("there is no organisation")?;
    let jobs = (0..JOBS).map(|number| PushWork {
        organization: work.organization.clone(),
        changes: work.changes.share(number, JOBS),
    });
    let (runs, seconds) = run(&target.service, jobs.collect(), options.push_seconds)?;
    let pushes: u64 = runs.iter().map(|run| run.pushes).sum();
    let refused = format!("SELECT count(*) FROM imports WHERE state = {REFUSED}");
    let longest = runs.iter().map(|run| run.longest_wait).max();
    let contention = PushContention {
        engine: target.database.engine(),
        jobs: u64::try_from(JOBS)?,
        users: options.users.first().copied().unwrap_or_default(),
        seconds,
        pushes,
        jobs_that_got_on: u64::try_from(runs.iter().filter(|run| run.pushes > 0).count())?,
        fewest: runs.iter().map(|run| run.pushes).min().unwrap_or_default(),
        most: runs.iter().map(|run| run.pushes).max().unwrap_or_default(),
        longest_wait_ms: longest.unwrap_or_default().as_secs_f64() * 1e3,
        share_ms: seconds * 1e3 * count(u64::try_from(JOBS)?) / count(pushes.max(1)),
        turned_away: runs.iter().map(|run| run.turned_away).sum(),
        refused_records: target.database.query(&refused)?.trim().parse()?,
    };
    eprintln!(
        "{:10} {JOBS} jobs into one organisation {pushes} pushes, longest wait {:.0} ms",
        contention.engine.name(),
        contention.longest_wait_ms
    );
    Ok(contention)
}

/// Pushes for this number of seconds, with a connection for each element of `works`. Returns the measurements of each
/// connection, and the seconds until the last answer.
fn run(
    service: &BenchServer,
    works: Vec<PushWork>,
    seconds: u64,
) -> anyhow::Result<(Vec<JobRun>, f64)> {
    let (endpoint, token) = (service.endpoint().to_owned(), service.local_token()?);
    Runtime::new()?.block_on(async {
        let mut connecting = JoinSet::new();
        for PushWork {
            organization,
            mut changes,
        } in works
        {
            let mut pusher = PushClient::connect(&endpoint, &token, &organization).await?;
            connecting.spawn(async move {
                for _ in 0..WARM_UP {
                    pusher.push(&mut changes).await?;
                }
                anyhow::Ok((pusher, changes))
            });
        }
        let connected: anyhow::Result<Vec<_>> = connecting.join_all().await.into_iter().collect();
        let connected = connected?;
        let began = Instant::now();
        let until = began + Duration::from_secs(seconds);
        let mut jobs = JoinSet::new();
        for (mut pusher, mut changes) in connected {
            jobs.spawn(async move {
                let mut run = JobRun::default();
                while Instant::now() < until {
                    run.add(pusher.push(&mut changes).await?);
                }
                anyhow::Ok(run)
            });
        }
        let runs: anyhow::Result<Vec<JobRun>> = jobs.join_all().await.into_iter().collect();
        Ok((runs?, began.elapsed().as_secs_f64()))
    })
}
