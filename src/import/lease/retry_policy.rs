//! How long a database that is away for a while is asked again.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::import::Importer;
use crate::store::StoreError;

/// The first pause; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is left of it, for one call or one transaction.
#[derive(Debug)]
pub struct Patience {
    deadline: Instant,
    pause: Duration,
    stop: CancellationToken,
}

impl Patience {
    /// As much as the server's settings give.
    #[must_use]
    pub fn new(importer: &Importer) -> Self {
        Self {
            deadline: Instant::now() + importer.settings.database_patience,
            pause: FIRST_PAUSE,
            stop: importer.stop.clone(),
        }
    }

    /// Waits before another try. False: the fault does not pass, it has taken too long, or the
    /// server shuts down.
    pub async fn bears(&mut self, error: &StoreError) -> bool {
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
    /// Makes a call that may be made twice, again for a while where its fault may pass.
    pub(crate) async fn patiently<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut patience = Patience::new(self);
        loop {
            match call().await {
                Err(error) if patience.bears(&error).await => {}
                result => return result,
            }
        }
    }
}
