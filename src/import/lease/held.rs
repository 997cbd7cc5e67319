//! The lease that an import holds: renewed until it is released.

use std::time::Duration;

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::{
    import::receive::WriteTurn,
    store::{Lease, LiveLease, Store},
};

/// A lease that is being renewed. After a drop it is no longer renewed and expires.
#[derive(Debug)]
pub(crate) struct HeldLease {
    store: Store,
    lease: Lease,
    alive: LiveLease,
    renewing: JoinHandle<()>,
    over: DropGuard,
    // Dropped last: the next import of this process finds the lease free.
    turn: Option<WriteTurn>,
}

impl HeldLease {
    /// Renews `lease` three times within each `ttl`. The `turn` of the import ends with it.
    #[must_use]
    pub(crate) fn new(store: Store, lease: Lease, ttl: Duration, turn: Option<WriteTurn>) -> Self {
        let over = CancellationToken::new();
        let renewing = tokio::spawn(renew(store.clone(), lease, ttl / 3, over.clone()));
        Self {
            alive: store.keep_lease_alive(lease),
            store,
            lease,
            renewing,
            over: over.drop_guard(),
            turn,
        }
    }

    /// The lease.
    #[must_use]
    pub(crate) const fn lease(&self) -> Lease {
        self.lease
    }

    /// Releases the lease. If that fails, the lease expires.
    pub(crate) async fn end(self) {
        if let Err(error) = self.store.release_lease(self.lease).await {
            warn!(%error, "a lease could not be released; it expires");
        }
        self.forget().await;
    }

    /// Ends the renewals of a lease that has been released.
    pub(crate) async fn forget(self) {
        drop((self.over, self.alive));
        // A renewal in progress never renews a lease that was released.
        let _ = self.renewing.await;
        drop(self.turn);
    }
}

/// Renews until the lease ends or another import has it. Tries again if the database fails. A renewal in
/// progress is never dropped: its connection would return to the pool inside a transaction.
async fn renew(store: Store, lease: Lease, pause: Duration, over: CancellationToken) {
    while timeout(pause, over.cancelled()).await.is_err() {
        match store.renew_lease(lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(%error, "a lease could not be renewed"),
        }
    }
}
