//! The growth figures as an SVG of four panels: time per row and peak memory, by rows and by
//! organisations; both axes logarithmic.

use std::fmt::{Result, Write};

use crate::{
    database::Engine,
    figures::Figures,
    measurement::{Contender, Measurement, Workload, count},
    suite::{ORGANIZATIONS, ROWS_EACH},
};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 70.0;

/// A chart of lines.
struct Panel {
    title: &'static str,
    across: &'static str,
    lines: Vec<Line>,
}

/// One line of a chart.
struct Line {
    label: String,
    colour: &'static str,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

/// Powers of ten that an axis begins and ends with.
#[derive(Clone, Copy)]
struct Axis {
    from: i32,
    to: i32,
}

/// Draws all panels; a panel without measurements is blank.
pub fn svg(figures: &Figures) -> std::result::Result<String, std::fmt::Error> {
    let panels = [
        by_rows(figures, "Time per row, all new (µs)", true, micros),
        by_rows(
            figures,
            "Server's peak memory, all new (MiB)",
            false,
            mebibytes,
        ),
        by_organizations(figures, "Time per row, 1,000 rows each (µs)", micros),
        by_organizations(
            figures,
            "Server's peak memory, 1,000 rows each (MiB)",
            mebibytes,
        ),
    ];
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>",
        2.0 * WIDTH,
        2.0 * HEIGHT
    )?;
    for (panel, place) in panels
        .iter()
        .zip([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    {
        let (x, y) = (place.0 * WIDTH, place.1 * HEIGHT);
        writeln!(out, "<g transform=\"translate({x},{y})\">")?;
        panel.draw(&mut out)?;
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")?;
    Ok(out)
}

fn micros(run: &Measurement) -> f64 {
    run.micros_per_row()
}

fn mebibytes(run: &Measurement) -> f64 {
    count(run.peak_bytes) / f64::from(1 << 20)
}

fn by_rows(
    figures: &Figures,
    title: &'static str,
    with_loader: bool,
    of: fn(&Measurement) -> f64,
) -> Panel {
    let contenders = if with_loader {
        &Contender::ALL[..]
    } else {
        &Contender::ALL[..1]
    };
    let mut sizes: Vec<u64> = figures.measurements.iter().map(|run| run.rows).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let line = |engine: Engine, contender: Contender| {
        let kind = (engine, contender, Workload::New);
        let value = |&rows: &u64| {
            let value = figures.median_of_growth(kind, rows, |run| Some(of(run)))?;
            Some((count(rows), value))
        };
        Line {
            label: format!("{}, {}", engine.name(), contender.name()),
            colour: colour(engine),
            dashed: contender == Contender::Loader,
            points: sizes.iter().filter_map(value).collect(),
        }
    };
    let engines = [Engine::Postgres, Engine::Sqlite].into_iter();
    let lines = engines.flat_map(|engine| contenders.iter().map(move |&c| (engine, c)));
    Panel {
        title,
        across: "rows",
        lines: lines
            .map(|(engine, contender)| line(engine, contender))
            .collect(),
    }
}

fn by_organizations(figures: &Figures, title: &'static str, of: fn(&Measurement) -> f64) -> Panel {
    let line = |engine: Engine| {
        let value = |&number: &u64| {
            let of = |run: &Measurement| Some(of(run));
            let value = figures.median_of_organizations(engine, number, ROWS_EACH, of)?;
            Some((count(number), value))
        };
        Line {
            label: engine.name().to_owned(),
            colour: colour(engine),
            dashed: false,
            points: ORGANIZATIONS.iter().filter_map(value).collect(),
        }
    };
    Panel {
        title,
        across: "organisations, ten at a time",
        lines: vec![line(Engine::Postgres), line(Engine::Sqlite)],
    }
}

const fn colour(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "#31648c",
        Engine::Sqlite => "#c4622d",
    }
}

impl Panel {
    fn draw(&self, out: &mut String) -> Result {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Axis::around(points().map(|point| point.0));
        let y = Axis::around(points().map(|point| point.1));
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        writeln!(
            out,
            "<text x=\"{middle}\" y=\"20\" text-anchor=\"middle\" font-size=\"14\">{}</text>",
            self.title
        )?;
        let foot = HEIGHT - BOTTOM + 34.0;
        writeln!(
            out,
            "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>",
            self.across
        )?;
        grid(x, y, out)?;
        for (index, line) in (0u32..).zip(&self.lines) {
            line.draw(x, y, out)?;
            line.draw_label(LEFT + 100.0 * f64::from(index), out)?;
        }
        Ok(())
    }
}

fn grid(x: Axis, y: Axis, out: &mut String) -> Result {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for power in x.from..=x.to {
        let at = x.across(10f64.powi(power));
        writeln!(out, "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>")?;
        let label = 10f64.powi(power);
        writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 16.0
        )?;
    }
    for power in y.from..=y.to {
        let at = y.up(10f64.powi(power));
        writeln!(out, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>")?;
        let label = 10f64.powi(power);
        writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            at + 4.0
        )?;
    }
    Ok(())
}

impl Line {
    fn draw(&self, x: Axis, y: Axis, out: &mut String) -> Result {
        let places = self.points.iter().map(|&(a, b)| (x.across(a), y.up(b)));
        let path: Vec<String> = places
            .clone()
            .map(|(a, b)| format!("{a:.1},{b:.1}"))
            .collect();
        writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>",
            path.join(" "),
            self.colour,
            self.dashes()
        )?;
        for (a, b) in places {
            writeln!(
                out,
                "<circle cx=\"{a:.1}\" cy=\"{b:.1}\" r=\"3\" fill=\"{}\"/>",
                self.colour
            )?;
        }
        Ok(())
    }

    fn draw_label(&self, left: f64, out: &mut String) -> Result {
        let y = HEIGHT - 14.0;
        let (colour, dashes) = (self.colour, self.dashes());
        writeln!(
            out,
            "<path d=\"M{left} {y}h14\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
        )?;
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" font-size=\"10\">{}</text>",
            left + 18.0,
            y + 4.0,
            self.label
        )
    }

    const fn dashes(&self) -> &'static str {
        if self.dashed {
            " stroke-dasharray=\"5 3\""
        } else {
            ""
        }
    }
}

impl Axis {
    /// The smallest axis of whole powers of ten that has room for these values.
    #[allow(clippy::cast_possible_truncation)] // logarithms are small
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let powers: Vec<f64> = values
            .filter(|value| *value > 0.0)
            .map(f64::log10)
            .collect();
        let from = powers.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let to = powers
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
            .ceil();
        match from.is_finite() {
            true => Self {
                from: from as i32,
                to: (to as i32).max(from as i32 + 1),
            },
            false => Self { from: 0, to: 1 },
        }
    }

    fn share(self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }

    fn across(self, value: f64) -> f64 {
        LEFT + self.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn up(self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.share(value) * (HEIGHT - TOP - BOTTOM)
    }
}
