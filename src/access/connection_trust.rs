//! Whether a connection is a stranger's: no caller has shown a credential on it yet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;

/// Whether a caller on a connection has shown a credential; until then the connection is a stranger's.
/// Clones share the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionTrust(Arc<TrustState>);

#[derive(Debug, Default)]
struct TrustState {
    is_trusted: AtomicBool,
    /// The connection's task, while it waits to read more of a stranger.
    waiting: AtomicWaker,
}

impl ConnectionTrust {
    /// A caller has shown a credential.
    pub(crate) fn mark_trusted(&self) {
        self.0.is_trusted.store(true, Relaxed);
        self.wake();
    }

    /// Returns `true` once a caller has shown a credential.
    #[must_use]
    pub(crate) fn is_trusted(&self) -> bool {
        self.0.is_trusted.load(Relaxed)
    }

    /// Lets the next [`wake`](Self::wake) or [`mark_trusted`](Self::mark_trusted) wake this task.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.waiting.register(waker);
    }

    /// Wakes the connection's task, if it waits.
    pub(crate) fn wake(&self) {
        self.0.waiting.wake();
    }
}
