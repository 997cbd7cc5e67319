//! The speed of an import, and the time it has left; pure.

use std::time::Instant;

use super::text::{count, grouped};
use crate::proto::{ImportPhase, ImportProgress};

/// The phase of an import, and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhaseProgress {
    /// What it is doing, in a word.
    pub phase: &'static str,
    /// Rows for which that is done.
    pub done: u32,
    /// Rows in all; 0: not known yet.
    pub of: u32,
    /// Bytes received, if rows are not known before all of the file has come; else 0.
    pub bytes: u64,
}

impl PhaseProgress {
    /// Reads the server's message.
    #[must_use]
    pub(crate) fn of(progress: &ImportProgress) -> Self {
        let (phase, done) = match progress.phase() {
            ImportPhase::Unspecified | ImportPhase::Receiving => {
                ("reading", progress.rows_received)
            }
            ImportPhase::Planning => ("checking", progress.rows_planned),
            ImportPhase::Applying => ("writing", progress.rows_applied),
            ImportPhase::Deactivating => ("deactivating", progress.rows_applied),
        };
        Self {
            phase,
            done,
            of: progress.rows_total,
            bytes: match progress.rows_received {
                0 => progress.bytes_received,
                _ => 0,
            },
        }
    }
}

/// The rows per second of one phase, from its first message on. Each phase has its own rate.
#[derive(Debug, Default)]
pub(crate) struct ProgressRate {
    first: Option<(PhaseProgress, Instant)>,
}

impl ProgressRate {
    /// Returns the text for the progress at `now`: rows, rows a second, and the time left.
    pub(crate) fn text(&mut self, step: PhaseProgress, now: Instant) -> String {
        if step.bytes > 0 {
            return size(step.bytes);
        }
        let (first, began) = match self.first {
            Some((first, began)) if first.phase == step.phase => (first, began),
            _ => {
                self.first = Some((step, now));
                (step, now)
            }
        };
        let rows = match step.of {
            0 => count(step.done, "row"),
            of => format!("{} of {}", grouped(step.done), count(of, "row")),
        };
        let done = u128::from(step.done.saturating_sub(first.done));
        let millis = now.saturating_duration_since(began).as_millis();
        // Too short a time says nothing about the rate.
        if millis < 500 || done == 0 {
            return rows;
        }
        let rate = u64::try_from(done * 1000 / millis).unwrap_or(u64::MAX);
        let left = u128::from(step.of.saturating_sub(step.done)) * millis / done / 1000;
        match step.of {
            0 => format!("{rows}, {} rows/s", grouped(rate)),
            _ => format!("{rows}, {} rows/s, {} left", grouped(rate), clock(left)),
        }
    }
}

/// `12.3 MiB`; less than one in KiB.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes {
        ..MIB => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{}.{} MiB", grouped(bytes / MIB), bytes % MIB * 10 / MIB),
    }
}

/// `48 s`, `3 min 20 s`, `2 h 5 min`.
fn clock(seconds: u128) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_phase_counts_its_own_rows() {
        let mut progress = ImportProgress {
            phase: ImportPhase::Receiving.into(),
            rows_received: 90,
            rows_planned: 50,
            rows_applied: 20,
            rows_total: 0,
            bytes_received: 0,
        };
        let step = |phase, done, of| PhaseProgress {
            phase,
            done,
            of,
            bytes: 0,
        };
        assert_eq!(PhaseProgress::of(&progress), step("reading", 90, 0));
        progress.rows_total = 100;
        progress.set_phase(ImportPhase::Planning);
        assert_eq!(PhaseProgress::of(&progress), step("checking", 50, 100));
        progress.set_phase(ImportPhase::Applying);
        assert_eq!(PhaseProgress::of(&progress), step("writing", 20, 100));
    }

    #[test]
    fn the_pace_is_that_of_the_phase_and_gives_the_time_left() {
        let began = Instant::now();
        let mut rate = ProgressRate::default();
        let mut text = |phase, done, of, seconds| {
            rate.text(
                PhaseProgress {
                    phase,
                    done,
                    of,
                    bytes: 0,
                },
                began + Duration::from_secs(seconds),
            )
        };
        assert_eq!(text("reading", 1_000, 0, 0), "1,000 rows");
        assert_eq!(text("reading", 3_000, 0, 2), "3,000 rows, 1,000 rows/s");
        assert_eq!(text("writing", 500, 10_000, 3), "500 of 10,000 rows");
        assert_eq!(
            text("writing", 1_500, 10_000, 13),
            "1,500 of 10,000 rows, 100 rows/s, 1 min 25 s left"
        );
        assert_eq!(
            text("writing", 10_000, 10_000, 98),
            "10,000 of 10,000 rows, 100 rows/s, 0 s left"
        );
    }

    #[test]
    fn a_file_in_parts_has_bytes_before_it_has_rows() {
        let mut rate = ProgressRate::default();
        for (bytes, text) in [
            (1, "1 KiB"),
            (3 << 20, "3.0 MiB"),
            (1_300_000_000, "1,239.7 MiB"),
        ] {
            let progress = ImportProgress {
                bytes_received: bytes,
                ..ImportProgress::default()
            };
            assert_eq!(
                rate.text(PhaseProgress::of(&progress), Instant::now()),
                text
            );
        }
    }

    #[test]
    fn a_duration_is_shown_in_two_units_at_most() {
        for (seconds, text) in [(48, "48 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")] {
            assert_eq!(clock(seconds), text);
        }
    }
}
