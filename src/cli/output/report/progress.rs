//! Shows the progress of an import on standard error if that is a terminal: a bar, or, if
//! escape codes are not wanted (`NO_COLOR`, `TERM=dumb`), a line now and then.

use std::{
    cell::RefCell,
    env,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::progress_rate::{PhaseProgress, ProgressRate};
use crate::cli::output::verbosity::print_error;
use crate::{proto::ImportProgress, telemetry::no_color};

/// Time between two lines, if there is no bar.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows the progress of an import.
pub(crate) enum ProgressDisplay {
    /// A bar that is drawn again and again.
    Bar(ProgressBar, RefCell<ProgressRate>),
    /// A line now and then; when the next is due.
    Lines(RefCell<(ProgressRate, Instant)>),
    /// Standard error is not a terminal.
    Hidden,
}

impl ProgressDisplay {
    /// Returns the display that standard error supports; hidden if that is not a terminal.
    #[must_use]
    pub(crate) fn on_stderr() -> Self {
        let rate = ProgressRate::default();
        if !io::stderr().is_terminal() {
            return Self::Hidden;
        }
        if no_color() || env::var_os("TERM").is_some_and(|term| term == "dumb") {
            let due = Instant::now() + BETWEEN_LINES;
            return Self::Lines(RefCell::new((rate, due)));
        }
        let bar = ProgressBar::no_length().with_style(spinner());
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Bar(bar, RefCell::new(rate))
    }

    /// Shows nothing.
    #[must_use]
    pub(crate) const fn hidden() -> Self {
        Self::Hidden
    }

    /// Shows a new state.
    pub(crate) fn show(&self, progress: &ImportProgress) {
        let (step, now) = (PhaseProgress::of(progress), Instant::now());
        match self {
            Self::Hidden => {}
            Self::Bar(bar, rate) => {
                let text = rate.borrow_mut().text(step, now);
                draw(bar, step, text);
            }
            Self::Lines(lines) => {
                let (rate, due) = &mut *lines.borrow_mut();
                let text = rate.text(step, now);
                if now >= *due {
                    *due = now + BETWEEN_LINES;
                    print_error(&format!("{}: {text}", step.phase));
                }
            }
        }
    }

    /// Hides the bar while something else is printed.
    pub(crate) fn interrupt(&self, print: impl FnOnce()) {
        match self {
            Self::Bar(bar, _) => bar.suspend(print),
            Self::Lines(_) | Self::Hidden => print(),
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Self::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, step: PhaseProgress, text: String) {
    bar.set_prefix(step.phase);
    bar.set_message(text);
    if step.of > 0 {
        if bar.length().is_none() {
            bar.set_style(counter());
        }
        bar.set_length(step.of.into());
    }
    bar.set_position(step.done.into());
}

fn spinner() -> ProgressStyle {
    style("{spinner} {prefix} {msg}")
}

fn counter() -> ProgressStyle {
    style("{prefix:12} [{bar:30.cyan}] {msg}")
}

/// A template that does not parse gives a plain bar, and never fails the import.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_parse() {
        for template in [
            "{spinner} {prefix} {msg}",
            "{prefix:12} [{bar:30.cyan}] {msg}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
