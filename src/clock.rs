//! The clock, a parameter of everything that needs the time.

use std::{fmt, sync::Arc, time::Duration};

use time::OffsetDateTime;

/// Returns the time. Tests pass one with a time of their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// Makes a clock that calls `now`.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Makes a clock that returns the system's time.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the time"
    )]
    pub fn system() -> Self {
        Self::new(OffsetDateTime::now_utc)
    }

    /// Returns the time in whole microseconds, which every database stores exactly.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let now = (self.0)();
        now - Duration::from_nanos(u64::from(now.nanosecond() % 1_000))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
