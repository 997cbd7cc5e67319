//! Compares User Import with the loader that a database administrator would write by hand, on the same machine, the same
//! databases and the same rosters. `benches/run` starts this program; `benches/README.md` says what is measured and how.
//!
//! The programs are measured only from outside. They are started as their users start them, and the measurements come
//! from the clock, their output, and Linux's figures for their processes.

#![allow(
    clippy::disallowed_methods,
    reason = "the files of a benchmark are not secret"
)]

mod baseline;
mod bench;
mod database;
mod figures;
mod measurement;
mod options;
mod plots;
mod process;
mod pushes;
mod report;
mod service;
mod suite;
mod targets;

use std::fs;

use anyhow::{Context, ensure};
use clap::Parser;

use bench::BenchSetup;
use database::{DatabaseEngine, DatabasePlace};
use figures::Figures;
use options::Options;
use pushes::PushFigures;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    fs::create_dir_all(&options.results).context("the results' directory cannot be made")?;
    if options.plot {
        let pushes = PushFigures::read(&options.results)?;
        pushes.map_or(Ok(()), |figures| pushes::write(&figures, &options.results))?;
        return write(&Figures::read(&options.results)?, &options);
    }
    let directory = tempfile::tempdir().context("no directory for temporary files")?;
    let place = place(&options, &directory)?;
    let mut bench = BenchSetup::new(options.binary.clone(), place, options.seed)?;
    if options.wants_pushes() {
        let figures = pushes::measure(&mut bench, &options)?;
        pushes::write(&figures, &options.results)?;
    }
    if options.wants_imports() {
        write(&measure(&mut bench, &options)?, &options)?;
    }
    Ok(())
}

/// Writes the tables and plots for imports.
fn write(figures: &Figures, options: &Options) -> anyhow::Result<()> {
    let report = report::markdown(figures)?;
    print!("{report}");
    fs::write(options.results.join("comparison.md"), report)?;
    fs::write(
        options.results.join("comparison.svg"),
        plots::ratios(figures)?,
    )?;
    fs::write(options.results.join("growth.svg"), plots::growth(figures)?)?;
    Ok(())
}

fn measure(bench: &mut BenchSetup, options: &Options) -> anyhow::Result<Figures> {
    let mut figures = Figures::new(options);
    let found = &mut figures.measurements;
    for &engine in options.engines() {
        if options.wants_comparison() {
            let (rows, workloads) = (options.rows, options.workloads());
            suite::compare(bench, engine, rows, workloads, options.repeat, found)?;
        }
        if options.wants_growth() {
            suite::grow(bench, engine, options.workloads(), options.repeat, found)?;
        }
    }
    if options.wants_organizations() {
        suite::concur(bench, options.rows, options.repeat, found)?;
    }
    figures.write(&options.results)?;
    Ok(figures)
}

fn place(options: &Options, directory: &tempfile::TempDir) -> anyhow::Result<DatabasePlace> {
    ensure!(
        options.postgres_url.is_some() || !options.engines().contains(&DatabaseEngine::Postgres),
        "no PostgreSQL to measure: benches/run starts one, and --only sqlite does without"
    );
    Ok(DatabasePlace {
        postgres_url: options.postgres_url.clone(),
        postmaster: options.postmaster,
        directory: directory.path().canonicalize()?,
    })
}
