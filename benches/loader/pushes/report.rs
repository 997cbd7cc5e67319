//! The figures of pushes as tables in Markdown, and as a plot over the number of users.

use std::fmt::{Result, Write};

use super::figures::{PushContention, PushFigures, PushLatency, PushThroughput};
use crate::{
    database::DatabaseEngine,
    plots::{self, PanelLine},
    report,
    targets::TargetDirection,
};

const ENGINES: [DatabaseEngine; 2] = [DatabaseEngine::Postgres, DatabaseEngine::Sqlite];

/// Target for the median of a push into the largest organisation, divided by that of the smallest.
const GROWTH: TargetDirection = TargetDirection::AtMost(1.5);

/// Target for the number of pushes per second into several organisations.
const PER_SECOND: TargetDirection = TargetDirection::AtLeast(800.0);

/// Target for the longest time of a push, divided by the time that it would take if all jobs took turns.
const WAIT: TargetDirection = TargetDirection::AtMost(3.0);

/// Returns the whole report.
pub fn markdown(figures: &PushFigures) -> std::result::Result<String, std::fmt::Error> {
    let mut out = "# Pushes of one changed user\n\n".to_owned();
    report::environment(&figures.environment, &mut out)?;
    latencies(figures, &mut out)?;
    throughputs(&figures.throughputs, &mut out)?;
    contentions(&figures.contentions, &mut out)?;
    Ok(out)
}

fn latencies(figures: &PushFigures, out: &mut String) -> Result {
    writeln!(
        out,
        "| one push into | users | median | 95 of 100 | beside the fewest users | target | |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|---|")?;
    let sizes = figures.sizes();
    for engine in ENGINES {
        let median = |users| figures.latency(engine, users, |run| run.median_ms);
        let fewest = sizes.iter().copied().find_map(median);
        for &users in &sizes {
            let Some((found, fewest)) = median(users).zip(fewest) else {
                continue;
            };
            let p95 = figures.latency(engine, users, |run: &PushLatency| run.p95_ms);
            let ratio = found / fewest;
            writeln!(
                out,
                "| {} | {users} | {found:.2} ms | {:.2} ms | {ratio:.2} | {} | {} |",
                engine.name(),
                p95.unwrap_or_default(),
                report::shown(GROWTH),
                GROWTH.rating(ratio),
            )?;
        }
    }
    writeln!(out)
}

fn throughputs(throughputs: &[PushThroughput], out: &mut String) -> Result {
    writeln!(
        out,
        "| many organisations at once | organisations | users each | pushes/s | target | | server's CPU | \
         database's CPU |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|---|--:|--:|")?;
    for run in throughputs {
        let found = run.per_second();
        writeln!(
            out,
            "| {} | {} | {} | {found:.0} | {} | {} | {:.2} s | {:.2} s |",
            run.engine.name(),
            run.organizations,
            run.users,
            report::shown(PER_SECOND),
            PER_SECOND.rating(found),
            run.server_cpu_seconds,
            run.database_cpu_seconds,
        )?;
    }
    writeln!(out)
}

fn contentions(contentions: &[PushContention], out: &mut String) -> Result {
    writeln!(
        out,
        "| one organisation at once | jobs | that got on | pushes | of a job | longest wait | share | wait / share | \
         target | | turned away | refused records |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|--:|")?;
    for run in contentions {
        let ratio = run.longest_wait_ms / run.share_ms;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} to {} | {:.0} ms | {:.0} ms | {ratio:.1} | {} | {} | {} | {} |",
            run.engine.name(),
            run.jobs,
            run.jobs_that_got_on,
            run.pushes,
            run.fewest,
            run.most,
            run.longest_wait_ms,
            run.share_ms,
            report::shown(WAIT),
            WAIT.rating(ratio),
            run.turned_away,
            run.refused_records,
        )?;
    }
    writeln!(out)
}

/// Draws the time of a push over the number of users.
pub fn plot(figures: &PushFigures) -> anyhow::Result<String> {
    let sizes = figures.sizes();
    let line = |engine: DatabaseEngine| {
        let median = |users| figures.latency(engine, users, |run| run.median_ms);
        PanelLine::of(engine, &sizes, median)
    };
    let lines = ENGINES.map(line);
    plots::lines("One pushed user (ms)", "users of the organisation", &lines)
}
