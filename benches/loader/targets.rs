//! The targets of the benchmark, and whether the figures reach them.

use crate::{
    database::DatabaseEngine,
    figures::Figures,
    measurement::{Contender, Measurement, Workload, count},
};

/// Rows of the roster that the targets are for.
pub const ROWS: u64 = 100_000;

/// Rows of the largest roster in the series of growth.
const LARGE: u64 = 1_000_000;

/// Organisations that import at once.
pub const ORGANIZATIONS: u64 = 10;

/// A target, and which side of it is good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetDirection {
    /// The figure must not be larger.
    AtMost(f64),
    /// The figure must not be smaller.
    AtLeast(f64),
    /// There is no target: the figure is measured for comparison.
    None,
}

/// One target, and the figure that was measured for it.
#[derive(Clone, Debug)]
pub struct TargetLine {
    /// What is measured.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// The unit of the figure.
    pub unit: &'static str,
    /// The target value.
    pub target: TargetDirection,
}

impl TargetDirection {
    /// Returns whether `value` meets this target, in a word.
    pub fn rating(self, value: f64) -> &'static str {
        match self {
            Self::None => "–",
            Self::AtMost(limit) if value <= limit => "met",
            Self::AtLeast(limit) if value >= limit => "met",
            _ => "missed",
        }
    }
}

/// Returns the target for the wall time of User Import divided by that of the loader.
pub const fn of_ratio(engine: DatabaseEngine, workload: Workload) -> TargetDirection {
    match (engine, workload) {
        (DatabaseEngine::Postgres, Workload::New) => TargetDirection::AtMost(0.8),
        (DatabaseEngine::Postgres, Workload::Same) => TargetDirection::AtMost(0.1),
        (DatabaseEngine::Postgres, Workload::Changed) => TargetDirection::AtMost(0.6),
        (DatabaseEngine::Sqlite, Workload::New) => TargetDirection::AtMost(1.0),
        (DatabaseEngine::Sqlite, Workload::Same) => TargetDirection::AtMost(0.2),
        (DatabaseEngine::Sqlite, Workload::Changed) => TargetDirection::None,
    }
}

/// Returns every kind of database with every workload.
pub fn kinds() -> impl Iterator<Item = (DatabaseEngine, Workload)> {
    let engines = [DatabaseEngine::Postgres, DatabaseEngine::Sqlite].into_iter();
    engines.flat_map(|engine| Workload::ALL.map(|workload| (engine, workload)))
}

/// Returns all targets except the ratios, if their figures were measured.
pub fn others(figures: &Figures) -> Vec<TargetLine> {
    let mut lines: Vec<TargetLine> = kinds()
        .filter_map(|kind| first_result(figures, kind))
        .collect();
    lines.extend(organizations(figures));
    lines.extend(kinds().filter_map(|kind| growth(figures, kind)));
    lines.extend(
        [DatabaseEngine::Postgres, DatabaseEngine::Sqlite]
            .into_iter()
            .filter_map(|e| peak(figures, e)),
    );
    lines
}

fn first_result(
    figures: &Figures,
    (engine, workload): (DatabaseEngine, Workload),
) -> Option<TargetLine> {
    let share = |run: &Measurement| Some(run.first_result_seconds? / run.seconds);
    Some(TargetLine {
        what: format!(
            "{}, {}: first result after `finish`",
            engine.name(),
            workload.name()
        ),
        value: figures.median((engine, Contender::Ours, workload), share)?,
        unit: "of the total",
        target: TargetDirection::AtMost(0.25),
    })
}

fn organizations(figures: &Figures) -> Option<TargetLine> {
    let speed = |organizations, rows| {
        let speed = |run: &Measurement| Some(run.rows_per_second());
        figures.median_of_organizations(DatabaseEngine::Postgres, organizations, rows, speed)
    };
    let each = figures.rows / ORGANIZATIONS;
    Some(TargetLine {
        what: format!(
            "PostgreSQL: {ORGANIZATIONS} organisations of {each} rows at once, against one of {}",
            figures.rows
        ),
        value: speed(ORGANIZATIONS, each)? / speed(1, figures.rows)?,
        unit: "× its rows/s",
        target: TargetDirection::AtLeast(1.0),
    })
}

fn growth(figures: &Figures, (engine, workload): (DatabaseEngine, Workload)) -> Option<TargetLine> {
    let kind = (engine, Contender::Ours, workload);
    let time = |rows| figures.median_of_growth(kind, rows, |run| Some(run.micros_per_row()));
    Some(TargetLine {
        what: format!(
            "{}, {}: time per row at {LARGE} rows",
            engine.name(),
            workload.name()
        ),
        value: time(LARGE)? / time(ROWS)?,
        unit: "× that at 100,000",
        target: TargetDirection::AtMost(1.2),
    })
}

fn peak(figures: &Figures, engine: DatabaseEngine) -> Option<TargetLine> {
    let mib = |run: &Measurement| Some(count(run.peak_bytes) / f64::from(1 << 20));
    let peaks = Workload::ALL.into_iter().filter_map(|workload| {
        figures.median_of_growth((engine, Contender::Ours, workload), LARGE, mib)
    });
    Some(TargetLine {
        what: format!("{}: server's peak memory at {LARGE} rows", engine.name()),
        value: peaks.max_by(f64::total_cmp)?,
        unit: "MiB",
        target: TargetDirection::AtMost(512.0),
    })
}
