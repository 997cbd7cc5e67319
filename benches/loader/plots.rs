//! The figures as plots in SVG: bars for the ratios of User Import to the loader, and lines for growth.

use std::ops::Range;

use plotters::{coord::Shift, prelude::*};

use crate::{
    database::DatabaseEngine,
    figures::Figures,
    measurement::{Contender, Measurement, Workload, count},
    suite::{ORGANIZATIONS, ROWS_EACH},
    targets::{self, TargetDirection},
};

/// The largest ratio that a bar shows. Longer bars are cut off, and the number beside them has the ratio.
const LONGEST: f64 = 1.5;

const BLUE: RGBColor = RGBColor(0x31, 0x64, 0x8c);
const ORANGE: RGBColor = RGBColor(0xc4, 0x62, 0x2d);

const LARGE: (&str, u32) = ("sans-serif", 18);
const SMALL: (&str, u32) = ("sans-serif", 14);

type PlotArea<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a bar for each workload that was measured with both contenders, with a mark at its target.
pub fn ratios(figures: &Figures) -> anyhow::Result<String> {
    let mut bars: Vec<_> = targets::kinds()
        .filter_map(|kind| Some((kind, ratio(figures, kind)?)))
        .collect();
    bars.reverse();
    draw((690, 260), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("time, ours / loader; | target", LARGE)
            .margin(10)
            .x_label_area_size(20)
            .y_label_area_size(210)
            .build_cartesian_2d(0.0..LONGEST, (0..bars.len().max(1) - 1).into_segmented())?;
        let label = |row: &SegmentValue<usize>| match row {
            SegmentValue::CenterOf(row) => bars.get(*row).map(|(kind, _)| name(*kind)),
            _ => None,
        };
        let label = |row: &SegmentValue<usize>| label(row).unwrap_or_default();
        let mut mesh = chart.configure_mesh();
        mesh.disable_mesh().y_label_formatter(&label);
        mesh.label_style(SMALL).draw()?;
        for (row, &((engine, workload), ratio)) in bars.iter().enumerate() {
            let (low, high) = (SegmentValue::Exact(row), SegmentValue::Exact(row + 1));
            let target = targets::of_ratio(engine, workload);
            let colour = match target.rating(ratio) {
                "missed" => ORANGE,
                _ => BLUE,
            };
            let end = ratio.min(LONGEST);
            let mut bar =
                Rectangle::new([(0.0, low.clone()), (end, high.clone())], colour.filled());
            bar.set_margin(4, 4, 0, 0);
            chart.draw_series([bar])?;
            let number = (format!(" {ratio:.2}"), (end, SegmentValue::CenterOf(row)));
            chart.draw_series([Text::new(number.0, number.1, SMALL)])?;
            if let TargetDirection::AtMost(limit) = target {
                let mark = vec![(limit, low), (limit, high)];
                chart.draw_series([PathElement::new(mark, BLACK.stroke_width(2))])?;
            }
        }
        Ok(())
    })
}

fn ratio(figures: &Figures, (engine, workload): (DatabaseEngine, Workload)) -> Option<f64> {
    let seconds = |contender| {
        let kind = (engine, contender, workload);
        figures.median(kind, |run| Some(run.seconds))
    };
    Some(seconds(Contender::Ours)? / seconds(Contender::Loader)?)
}

fn name((engine, workload): (DatabaseEngine, Workload)) -> String {
    format!("{}, {}", engine.name(), workload.name())
}

/// Draws time per row and peak memory, by rows and by organisations. Both axes are logarithmic. A panel without
/// measurements is blank.
pub fn growth(figures: &Figures) -> anyhow::Result<String> {
    let (both, ours) = (&Contender::ALL[..], &[Contender::Ours][..]);
    let panels = [
        (
            "Time per row, all new (µs)",
            "rows",
            by_rows(figures, both, Measurement::micros_per_row),
        ),
        (
            "Server's peak memory, all new (MiB)",
            "rows",
            by_rows(figures, ours, mebibytes),
        ),
        (
            "Time per row, 1,000 rows each (µs)",
            "organisations, ten at a time",
            by_organizations(figures, Measurement::micros_per_row),
        ),
        (
            "Server's peak memory, 1,000 rows each (MiB)",
            "organisations, ten at a time",
            by_organizations(figures, mebibytes),
        ),
    ];
    draw((920, 640), |area| {
        for (part, (title, across, lines)) in area.split_evenly((2, 2)).iter().zip(&panels) {
            draw_lines(part, title, across, lines)?;
        }
        Ok(())
    })
}

/// Draws one panel of lines. Both axes are logarithmic.
pub fn lines(title: &str, across: &str, lines: &[PanelLine]) -> anyhow::Result<String> {
    draw((560, 340), |area| draw_lines(area, title, across, lines))
}

/// One line of a panel.
pub struct PanelLine {
    label: String,
    colour: RGBColor,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

impl PanelLine {
    /// Makes the line of a database, with a point for each size that has a value.
    pub fn of(engine: DatabaseEngine, sizes: &[u64], value: impl Fn(u64) -> Option<f64>) -> Self {
        Self {
            label: engine.name().to_owned(),
            colour: colour(engine),
            dashed: false,
            points: points(sizes, value),
        }
    }
}

fn mebibytes(run: &Measurement) -> f64 {
    count(run.peak_bytes) / f64::from(1 << 20)
}

fn by_rows(
    figures: &Figures,
    contenders: &[Contender],
    of: fn(&Measurement) -> f64,
) -> Vec<PanelLine> {
    let mut sizes: Vec<u64> = figures.measurements.iter().map(|run| run.rows).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let line = |engine: DatabaseEngine, contender: Contender| {
        let kind = (engine, contender, Workload::New);
        let value = |rows| figures.median_of_growth(kind, rows, |run| Some(of(run)));
        PanelLine {
            label: format!("{}, {}", engine.name(), contender.name()),
            colour: colour(engine),
            dashed: contender == Contender::Loader,
            points: points(&sizes, value),
        }
    };
    let engines = [DatabaseEngine::Postgres, DatabaseEngine::Sqlite].into_iter();
    let kinds = engines.flat_map(|engine| contenders.iter().map(move |&c| (engine, c)));
    kinds
        .map(|(engine, contender)| line(engine, contender))
        .collect()
}

fn by_organizations(figures: &Figures, of: fn(&Measurement) -> f64) -> Vec<PanelLine> {
    let line = |engine: DatabaseEngine| {
        let value = |number| {
            let of = |run: &Measurement| Some(of(run));
            figures.median_of_organizations(engine, number, ROWS_EACH, of)
        };
        PanelLine::of(engine, &ORGANIZATIONS, value)
    };
    vec![line(DatabaseEngine::Postgres), line(DatabaseEngine::Sqlite)]
}

fn points(sizes: &[u64], value: impl Fn(u64) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |&size: &u64| Some((count(size), value(size)?));
    sizes.iter().filter_map(point).collect()
}

const fn colour(engine: DatabaseEngine) -> RGBColor {
    match engine {
        DatabaseEngine::Postgres => BLUE,
        DatabaseEngine::Sqlite => ORANGE,
    }
}

fn draw_lines(
    area: &PlotArea<'_>,
    title: &str,
    across: &str,
    lines: &[PanelLine],
) -> anyhow::Result<()> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let x = powers_of_ten(points().map(|point| point.0));
    let y = powers_of_ten(points().map(|point| point.1));
    let mut chart = ChartBuilder::on(area)
        .caption(title, LARGE)
        .margin(12)
        .margin_right(30)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    let mut mesh = chart.configure_mesh();
    let number = |value: &f64| value.to_string();
    mesh.x_label_formatter(&number).y_label_formatter(&number);
    mesh.max_light_lines(1).x_desc(across);
    mesh.label_style(SMALL).draw()?;
    for line in lines {
        let style = line.colour.stroke_width(2);
        let points = line.points.iter().copied();
        let drawn = match line.dashed {
            true => chart.draw_series(DashedLineSeries::new(points, 5, 3, style))?,
            false => chart.draw_series(LineSeries::new(points, style.filled()).point_size(3))?,
        };
        let length = if line.dashed { 7 } else { 14 };
        let legend = move |(x, y)| PathElement::new([(x, y), (x + length, y)], style);
        drawn.label(&line.label).legend(legend);
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperMiddle);
    labels.background_style(WHITE).border_style(BLACK);
    labels.label_font(SMALL).draw()?;
    Ok(())
}

/// Returns the smallest range from one power of ten to another that has room for these values.
fn powers_of_ten(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let from = low.log10().floor();
    match from.is_finite() {
        true => 10f64.powf(from)..10f64.powf(high.log10().ceil().max(from + 1.0)),
        false => 1.0..10.0,
    }
}

fn draw(
    size: (u32, u32),
    with: impl FnOnce(&PlotArea<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut out = String::new();
    let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
    area.fill(&WHITE)?;
    with(&area)?;
    area.present()?;
    drop(area);
    Ok(out)
}
