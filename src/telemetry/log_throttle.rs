//! Bounds the log lines that one place in the code writes, so that no client can fill a disk with them.
//!
//! One mechanism for all lines, ours and the libraries', so that nobody has to know beforehand which lines
//! a peer can cause. Lines that are left out are counted, and their number is logged.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, interval};
use tracing::{Event, Metadata, Subscriber, callsite::Identifier, subscriber::Interest, warn};
use tracing_subscriber::layer::{Context, Filter};

/// Lines that one place writes in one [`PERIOD`].
const LINES: u32 = 100;
const PERIOD: Duration = Duration::from_secs(10);

/// Lets through this many lines of each place in the code. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct LogThrottle(Arc<Mutex<HashMap<Identifier, LogSite>>>);

/// What one place in the code has written in its period.
#[derive(Debug)]
struct LogSite {
    name: &'static str,
    since: Instant,
    written: u32,
    left_out: u64,
}

impl LogThrottle {
    /// Logs how many lines were left out, from time to time; never ends.
    pub(super) async fn report(self) {
        let mut ticks = interval(PERIOD);
        loop {
            ticks.tick().await;
            for (place, lines) in self.left_out(Instant::now()) {
                warn!(
                    lines,
                    place, "log lines were left out: too many of the same kind"
                );
            }
        }
    }

    fn admits(&self, metadata: &Metadata<'static>, now: Instant) -> bool {
        let mut places = self.0.lock();
        let place = places.entry(metadata.callsite()).or_insert(LogSite {
            name: metadata.target(),
            since: now,
            written: 0,
            left_out: 0,
        });
        place.admits(now)
    }

    /// Returns how many lines were left out by the places whose period is over, and resets their counts.
    fn left_out(&self, now: Instant) -> Vec<(&'static str, u64)> {
        let mut places = self.0.lock();
        let over = places
            .values_mut()
            .filter(|place| place.left_out > 0 && now.duration_since(place.since) >= PERIOD);
        over.map(|place| (place.name, std::mem::take(&mut place.left_out)))
            .collect()
    }
}

impl LogSite {
    fn admits(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= PERIOD {
            self.since = now;
            self.written = 0;
        }
        let admits = self.written < LINES;
        match admits {
            true => self.written += 1,
            false => self.left_out += 1,
        }
        admits
    }
}

impl<S: Subscriber> Filter<S> for LogThrottle {
    fn enabled(&self, _metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        true
    }

    /// Not `always`: without a look at each line beforehand, leaving one out panics in a debug build.
    fn callsite_enabled(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn event_enabled(&self, event: &Event<'_>, _context: &Context<'_, S>) -> bool {
        self.admits(event.metadata(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing_subscriber::{Layer, layer::SubscriberExt};

    use super::*;

    /// Counts the lines that reach it.
    struct LineCounter(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for LineCounter {
        fn on_event(&self, _event: &Event<'_>, _context: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_line_that_is_left_out_disturbs_neither_its_writer_nor_other_lines() {
        let written = Arc::new(AtomicUsize::new(0));
        let layer = LineCounter(Arc::clone(&written)).with_filter(LogThrottle::default());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..250 {
                warn!("alike");
            }
            warn!("another");
        });
        assert_eq!(written.load(Ordering::Relaxed), 101);
    }

    #[test]
    fn a_flood_of_lines_is_written_in_part_and_counted_whole() {
        let begun = Instant::now();
        let mut place = LogSite {
            name: "here",
            since: begun,
            written: 0,
            left_out: 0,
        };
        let written = (0..250).filter(|_| place.admits(begun)).count();
        assert_eq!((written, place.left_out), (100, 150));
        assert!(!place.admits(begun + PERIOD / 2));
        assert!(place.admits(begun + PERIOD));
    }
}
