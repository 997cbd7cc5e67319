//! The ratios ours / loader as an SVG of bars, each with a mark at its target.

use std::fmt::{Error, Write};

use crate::{
    figures::Figures,
    measurement::Contender,
    targets::{self, Target},
};

const LABELS: f64 = 240.0;
/// Width of a ratio of 1.
const UNIT: f64 = 260.0;
/// Ratios beyond are cut off; their number says how long they are.
const LONGEST: f64 = 1.5;
const HEIGHT: f64 = 30.0;

/// Draws a bar for each workload that was measured with both contenders.
pub fn svg(figures: &Figures) -> Result<String, Error> {
    let (width, height) = (LABELS + UNIT * LONGEST + 60.0, HEIGHT * 7.0 + 20.0);
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\"><rect width=\"{width}\" height=\"{height}\" \
         fill=\"white\"/><text x=\"{LABELS}\" y=\"20\">time, ours / loader; | target</text>"
    )?;
    let mut y = HEIGHT;
    for (engine, workload) in targets::kinds() {
        let seconds = |contender| {
            let kind = (engine, contender, workload);
            figures.median(kind, |run| Some(run.seconds))
        };
        if let (Some(ours), Some(loader)) = (seconds(Contender::Ours), seconds(Contender::Loader)) {
            let label = format!("{}, {}", engine.name(), workload.name());
            let target = targets::of_ratio(engine, workload);
            bar(&mut out, y, &label, ours / loader, target)?;
            y += HEIGHT;
        }
    }
    writeln!(out, "</svg>")?;
    Ok(out)
}

fn bar(out: &mut String, y: f64, label: &str, ratio: f64, target: Target) -> Result<(), Error> {
    let colour = match target.verdict(ratio) {
        "missed" => "#c4622d",
        _ => "#31648c",
    };
    let (length, middle) = (UNIT * ratio.min(LONGEST), y + 16.0);
    writeln!(
        out,
        "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{label}</text>\
         <rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"22\" fill=\"{colour}\"/>\
         <text x=\"{:.1}\" y=\"{middle}\">{ratio:.2}</text>",
        LABELS - 8.0,
        LABELS + length + 6.0,
    )?;
    if let Target::AtMost(limit) = target {
        let x = LABELS + UNIT * limit;
        writeln!(
            out,
            "<path d=\"M{x:.1} {y}v22\" stroke=\"black\" stroke-width=\"2\"/>"
        )?;
    }
    Ok(())
}
