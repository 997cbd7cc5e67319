//! How long, and how often, a failed database call is tried again.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::import::Importer;
use crate::store::StoreError;

/// The first pause. Each further pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The retries that are left for one call or one transaction.
#[derive(Debug)]
pub struct RetryPolicy {
    deadline: Instant,
    pause: Duration,
    stop: CancellationToken,
}

impl RetryPolicy {
    /// A policy with the time that the server's settings allow.
    #[must_use]
    pub fn new(importer: &Importer) -> Self {
        Self {
            deadline: Instant::now() + importer.settings.database_patience,
            pause: FIRST_PAUSE,
            stop: importer.stop.clone(),
        }
    }

    /// Waits, and returns `true` if the call may be tried again. Returns `false` if the fault is not
    /// transient, time is up, or the server shuts down.
    pub async fn allows_retry(&mut self, error: &StoreError) -> bool {
        if !error.is_transient() || Instant::now() >= self.deadline || self.stop.is_cancelled() {
            return false;
        }
        warn!(%error, "the database failed; trying again");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

impl Importer {
    /// Makes an idempotent call, and tries it again while its fault is transient.
    pub(crate) async fn retry<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut patience = RetryPolicy::new(self);
        loop {
            match call().await {
                Err(error) if patience.allows_retry(&error).await => {}
                result => return result,
            }
        }
    }
}
