//! The use of one connection: its calls under way, when the last one ended, and whether a caller has shown
//! a credential.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::unread_bytes::UnreadBytes;
use crate::{access::ConnectionTrust, limits::ClientDeadlines};

/// The use of one connection.
#[derive(Debug)]
pub(super) struct ConnectionUsage {
    first_call: Duration,
    idle: Duration,
    trust: ConnectionTrust,
    unread: UnreadBytes,
    calls: Mutex<CallCounts>,
}

#[derive(Debug)]
struct CallCounts {
    under_way: usize,
    began: bool,
    /// When the connection was opened, or the last call ended.
    since: Instant,
}

/// A call under way on a connection; it ends when dropped.
#[derive(Debug)]
pub(super) struct CallInProgress(Arc<ConnectionUsage>);

impl ConnectionUsage {
    /// A connection that was opened just now.
    #[must_use]
    pub(super) fn new(deadlines: &ClientDeadlines) -> Self {
        Self {
            first_call: deadlines.first_call,
            idle: deadlines.connection_idle,
            trust: ConnectionTrust::default(),
            unread: UnreadBytes::default(),
            calls: Mutex::new(CallCounts {
                under_way: 0,
                began: false,
                since: Instant::now(),
            }),
        }
    }

    /// A call begins.
    #[must_use]
    pub(super) fn begin(usage: Arc<Self>) -> CallInProgress {
        let mut calls = usage.calls.lock();
        calls.under_way += 1;
        calls.began = true;
        drop(calls);
        CallInProgress(usage)
    }

    /// When the connection ends if no call comes. While a call is under way, when to check again.
    #[must_use]
    pub(super) fn end(&self) -> Instant {
        let calls = self.calls.lock();
        match (calls.under_way, calls.began) {
            (0, false) => calls.since + self.first_call,
            (0, true) => calls.since + self.idle,
            _ => Instant::now() + self.idle,
        }
    }

    /// Returns the reason why a connection without a call ends, as a label of a metric.
    #[must_use]
    pub(super) fn idleness(&self) -> &'static str {
        match self.calls.lock().began {
            true => "connection_idle",
            false => "no_first_call",
        }
    }

    /// Returns `true` if no call is under way.
    #[must_use]
    pub(super) fn is_idle(&self) -> bool {
        self.calls.lock().under_way == 0
    }

    /// Returns the connection's trust: whether a caller on it has shown a credential.
    #[must_use]
    pub(super) const fn trust(&self) -> &ConnectionTrust {
        &self.trust
    }

    /// The bytes that it holds unread.
    #[must_use]
    pub(super) const fn unread(&self) -> &UnreadBytes {
        &self.unread
    }
}

impl Drop for CallInProgress {
    fn drop(&mut self) {
        let mut calls = self.0.calls.lock();
        calls.under_way -= 1;
        calls.since = Instant::now();
    }
}
