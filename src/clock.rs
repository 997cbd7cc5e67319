//! The time, as a parameter.

use std::{fmt, sync::Arc, time::Duration};

use time::OffsetDateTime;

/// Tells the time; a parameter, so that tests can choose it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The system's clock.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // the one place where the time comes from
    pub fn system() -> Self {
        Self::new(OffsetDateTime::now_utc)
    }

    /// The time, in microseconds: as exactly as every database keeps it.
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
