//! The figures as tables in Markdown.

use std::fmt::{Result, Write};

use crate::{
    database::DatabaseEngine,
    figures::{Environment, Figures},
    measurement::{Contender, Measurement, Workload, count},
    targets::{self, TargetDirection},
};

/// Writes the whole report.
pub fn markdown(figures: &Figures) -> std::result::Result<String, std::fmt::Error> {
    let mut out = String::new();
    let rows = figures.rows;
    writeln!(out, "# User Import beside the loader, {rows} rows\n")?;
    if rows != targets::ROWS {
        writeln!(out, "The targets are for {} rows.\n", targets::ROWS)?;
    }
    environment(&figures.environment, &mut out)?;
    ratios(figures, &mut out)?;
    others(figures, &mut out)?;
    costs(figures, &mut out)?;
    Ok(out)
}

/// Writes the machine and the programs.
pub fn environment(environment: &Environment, out: &mut String) -> Result {
    let Environment {
        profile,
        commit,
        cores,
        processor,
        postgres,
        sqlite,
    } = environment;
    writeln!(
        out,
        "Profile `{profile}`, commit `{commit}`; {cores} cores of {processor}; PostgreSQL {postgres} \
         with default settings, SQLite {sqlite}. Medians; `benches/README.md` says what is measured.\n"
    )
}

fn ratios(figures: &Figures, out: &mut String) -> Result {
    writeln!(
        out,
        "| workload | ours | rows/s | loader | rows/s | ours / loader | target | |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|---|")?;
    for (engine, workload) in targets::kinds() {
        let seconds = |contender| seconds(figures, (engine, contender, workload));
        let (Some(ours), Some(loader)) = (seconds(Contender::Ours), seconds(Contender::Loader))
        else {
            continue;
        };
        let target = targets::of_ratio(engine, workload);
        let (rows, ratio) = (count(figures.rows), ours / loader);
        writeln!(
            out,
            "| {}, {} | {ours:.3} s | {:.0} | {loader:.3} s | {:.0} | {ratio:.2} | {} | {} |",
            engine.name(),
            workload.name(),
            rows / ours,
            rows / loader,
            shown(target),
            target.rating(ratio),
        )?;
    }
    writeln!(out)
}

fn others(figures: &Figures, out: &mut String) -> Result {
    writeln!(out, "| | measured | target | |")?;
    writeln!(out, "|---|--:|--:|---|")?;
    for line in targets::others(figures) {
        let (value, unit, target) = (line.value, line.unit, line.target);
        let (shown, rating) = (shown(target), target.rating(value));
        writeln!(
            out,
            "| {} | {value:.2} {unit} | {shown} | {rating} |",
            line.what
        )?;
    }
    writeln!(out)
}

/// Returns the target as people write it.
pub fn shown(target: TargetDirection) -> String {
    match target {
        TargetDirection::AtMost(limit) => format!("≤ {limit}"),
        TargetDirection::AtLeast(limit) => format!("≥ {limit}"),
        TargetDirection::None => String::new(),
    }
}

/// Writes the CPU seconds, which a busy machine does not change much, and the memory.
fn costs(figures: &Figures, out: &mut String) -> Result {
    writeln!(
        out,
        "| CPU seconds | command | server | database | all | server's peak |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|")?;
    for (engine, workload) in targets::kinds() {
        for contender in Contender::ALL {
            cost(figures, (engine, contender, workload), out)?;
        }
    }
    Ok(())
}

fn cost(
    figures: &Figures,
    kind: (DatabaseEngine, Contender, Workload),
    out: &mut String,
) -> Result {
    let median = |of: fn(&Measurement) -> f64| {
        figures
            .median(kind, |run| Some(of(run)))
            .unwrap_or_default()
    };
    if seconds(figures, kind).is_none() {
        return Ok(());
    }
    let (engine, contender, workload) = kind;
    let [command, server, database] = [
        median(|run| run.client_cpu_seconds),
        median(|run| run.server_cpu_seconds),
        median(|run| run.database_cpu_seconds),
    ];
    writeln!(
        out,
        "| {}, {}, {} | {command:.2} | {server:.2} | {database:.2} | {:.2} | {:.0} MiB |",
        engine.name(),
        workload.name(),
        contender.name(),
        command + server + database,
        median(|run| count(run.peak_bytes)) / f64::from(1 << 20),
    )
}

fn seconds(figures: &Figures, kind: (DatabaseEngine, Contender, Workload)) -> Option<f64> {
    figures.median(kind, |run| Some(run.seconds))
}
