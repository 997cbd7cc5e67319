//! The progress bar, on standard error, and only where somebody looks at it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::proto::{ImportPhase, ImportProgress};

/// Shows how far an import is.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar on standard error; nothing at all where that is not a terminal.
    #[must_use]
    pub fn on_stderr() -> Self {
        let bar = ProgressBar::no_length().with_style(spinner());
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// No bar.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// Shows a new state.
    pub fn show(&self, progress: &ImportProgress) {
        let step = Step::of(progress);
        self.bar.set_message(step.doing);
        self.bar.set_position(step.done.into());
        if step.of > 0 && self.bar.length().is_none() {
            self.bar.set_style(counter());
        }
        if step.of > 0 {
            self.bar.set_length(step.of.into());
        }
    }

    /// Takes the bar away while something else is printed.
    pub fn interrupt(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// What the bar says.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    doing: &'static str,
    done: u32,
    /// 0: not known yet.
    of: u32,
}

impl Step {
    fn of(progress: &ImportProgress) -> Self {
        let (doing, done) = match progress.phase() {
            ImportPhase::Unspecified | ImportPhase::Receiving => {
                ("reading", progress.rows_received)
            }
            ImportPhase::Planning => ("checking", progress.rows_planned),
            ImportPhase::Applying => ("writing", progress.rows_applied),
            ImportPhase::Deactivating => ("deactivating", progress.rows_applied),
        };
        Self {
            doing,
            done,
            of: progress.rows_total,
        }
    }
}

fn spinner() -> ProgressStyle {
    style("{spinner} {msg} {human_pos} rows  {elapsed}")
}

fn counter() -> ProgressStyle {
    style("{msg:12} [{wide_bar}] {human_pos}/{human_len} rows  {elapsed}")
}

/// A template that does not parse costs the bar its looks, not the import its end.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_counts_its_own_rows() {
        let mut progress = ImportProgress {
            phase: ImportPhase::Receiving.into(),
            rows_received: 90,
            rows_planned: 50,
            rows_applied: 20,
            rows_total: 0,
        };
        let step = |doing, done, of| Step { doing, done, of };
        assert_eq!(Step::of(&progress), step("reading", 90, 0));
        progress.rows_total = 100;
        progress.set_phase(ImportPhase::Planning);
        assert_eq!(Step::of(&progress), step("checking", 50, 100));
        progress.set_phase(ImportPhase::Applying);
        assert_eq!(Step::of(&progress), step("writing", 20, 100));
    }

    #[test]
    fn the_templates_parse() {
        for template in [
            "{spinner} {msg} {human_pos} rows  {elapsed}",
            "[{wide_bar}]",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
