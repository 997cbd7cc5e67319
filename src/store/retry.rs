//! How a call is made again after a transient failure of the database, and for how long.
//!
//! Calls that have the same effect when they are made twice retry by themselves ([`Store::retry`]). An
//! import's transaction asks its [`BackOff`] itself: before a second attempt it must look whether the first
//! one was stored after all.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Store, StoreError, postgres_hosts::PostgresHosts};

/// The first pause; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// For how long calls are retried. The default is not at all.
#[derive(Clone, Debug, Default)]
pub struct RetryPolicy {
    limit: Duration,
    stop: CancellationToken,
    /// The hosts of the database, searched again before another attempt: another host may be the primary by then.
    hosts: Option<Arc<PostgresHosts>>,
}

impl RetryPolicy {
    /// Retries for up to `limit`, and no longer once `stop` is cancelled.
    #[must_use]
    pub const fn new(limit: Duration, stop: CancellationToken) -> Self {
        Self {
            limit,
            stop,
            hosts: None,
        }
    }

    /// Begins the time of one call.
    #[must_use]
    pub fn begin(&self) -> BackOff {
        BackOff {
            deadline: Instant::now() + self.limit,
            pause: FIRST_PAUSE,
            stop: self.stop.clone(),
            hosts: self.hosts.clone(),
        }
    }

    /// Makes a call until it succeeds, fails for good, or its time is over.
    pub(super) async fn retry<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut back_off = self.begin();
        loop {
            match call().await {
                Err(error) if back_off.wait_after(&error).await => {}
                result => return result,
            }
        }
    }
}

/// The time that is left for one call or one transaction.
#[derive(Debug)]
pub struct BackOff {
    deadline: Instant,
    pause: Duration,
    stop: CancellationToken,
    hosts: Option<Arc<PostgresHosts>>,
}

impl BackOff {
    /// Waits before another attempt. Returns `false` at once if there must be none: the failure is not
    /// transient, the time is over, or the server shuts down.
    pub async fn wait_after(&mut self, error: &StoreError) -> bool {
        if !error.is_transient() || Instant::now() >= self.deadline || self.stop.is_cancelled() {
            return false;
        }
        warn!(%error, "the database failed; trying again");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        if let Some(hosts) = &self.hosts {
            // Rarely, and its future is large.
            Box::pin(hosts.find_again()).await;
        }
        true
    }
}

impl Store {
    /// The same database, with calls that may be made twice retried by this policy.
    #[must_use]
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        let hosts = self.hosts.clone();
        Self {
            retries: RetryPolicy { hosts, ..retries },
            ..self
        }
    }

    /// The same database, with each call made once.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        self.clone().with_retries(RetryPolicy::default())
    }

    /// Begins the time in which one transaction may be made again.
    #[must_use]
    pub fn back_off(&self) -> BackOff {
        self.retries.begin()
    }

    /// Makes a call that has the same effect when it is made twice, again after transient failures.
    ///
    /// # Errors
    /// As the last attempt.
    pub async fn retry<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.retries.retry(call).await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy::new(Duration::from_secs(20), CancellationToken::new())
    }

    fn transient() -> StoreError {
        sea_orm::DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout).into()
    }

    /// Calls made, each failing with what `failure` makes, and the time they took.
    async fn calls(policy: &RetryPolicy, failure: fn() -> StoreError) -> (u32, Duration) {
        let (calls, began) = (Cell::new(0), Instant::now());
        let failed = policy.retry(|| async {
            calls.set(calls.get() + 1);
            Err::<(), _>(failure())
        });
        assert!(failed.await.is_err());
        (calls.get(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_transient_failure_is_retried_until_the_limit() {
        let (made, took) = calls(&policy(), transient).await;
        // 0.1 + 0.2 + 0.4 + 0.8 + 1.6 seconds, and then 2 seconds each.
        assert_eq!(made, 15);
        assert!((Duration::from_secs(20)..Duration::from_secs(22)).contains(&took));
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_failure_is_final() {
        let (made, _) = calls(&policy(), || StoreError::UnknownOrganization).await;
        assert_eq!(made, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_retried_by_default_or_once_the_server_stops() {
        let stopping = policy();
        stopping.stop.cancel();
        for policy in [RetryPolicy::default(), stopping] {
            assert_eq!(calls(&policy, transient).await.0, 1);
        }
    }
}
