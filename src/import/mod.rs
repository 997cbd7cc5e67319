//! One import's life: receive → plan → guard → apply → deactivate → summary (semantics §3).
//!
//! Knows neither tonic nor SQL: messages of the contract come in as a stream and go out through an
//! [`Outlet`], so that a list of messages can drive it in a test.

mod apply;
mod batch;
mod guard;
mod options;
mod outlet;
mod progress;
mod receive;
mod refusal;
mod session;
mod verdict;

use std::{fmt, sync::Arc};

use time::OffsetDateTime;

pub use options::{CONFIRMATION, Options};
pub use outlet::Outlet;
pub use receive::{Received, Receiver};
pub use refusal::{ImportError, Refusal, RefusalKind};
pub use verdict::{Judged, Tally};

pub use session::Inbound;

use crate::{config::Settings, store::Store};

/// Tells the time; a parameter, so that tests can choose it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

/// Runs imports.
#[derive(Clone, Debug)]
pub struct Importer {
    store: Store,
    settings: Arc<Settings>,
    clock: Clock,
}

impl Importer {
    /// An importer into this database.
    #[must_use]
    pub const fn new(store: Store, settings: Arc<Settings>, clock: Clock) -> Self {
        Self {
            store,
            settings,
            clock,
        }
    }

    /// Runs one import to its end: messages in, messages out. Must have a task of its own, which is
    /// not dropped with the client's call.
    pub async fn run(self, inbound: impl Inbound, outlet: Outlet) {
        if let Err(error) = session::run(&self, inbound, &outlet).await {
            outlet.fail(error).await;
        }
    }
}

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

    /// The time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
