//! Holding an organisation: taken once, renewed until given back.

use std::time::Duration;

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::store::{Lease, LeaseGuard, Store};

/// A lease that is being renewed. Dropped, it is no longer renewed and runs out.
#[derive(Debug)]
pub struct Tenure {
    store: Store,
    lease: Lease,
    alive: LeaseGuard,
    renewing: JoinHandle<()>,
    over: DropGuard,
}

impl Tenure {
    /// Renews `lease` three times in the time it lasts.
    #[must_use]
    pub fn new(store: Store, lease: Lease, ttl: Duration) -> Self {
        let over = CancellationToken::new();
        let renewing = tokio::spawn(renew(store.clone(), lease, ttl / 3, over.clone()));
        Self {
            alive: store.guard_lease(lease),
            store,
            lease,
            renewing,
            over: over.drop_guard(),
        }
    }

    /// The lease.
    #[must_use]
    pub const fn lease(&self) -> Lease {
        self.lease
    }

    /// Gives the lease back. Where that fails it runs out.
    pub async fn end(self) {
        drop((self.over, self.alive));
        // A renewal under way must not come after the release.
        let _ = self.renewing.await;
        if let Err(error) = self.store.release_lease(self.lease).await {
            warn!(%error, "a lease could not be given back; it runs out by itself");
        }
    }
}

/// Renews until the lease is over or another's. A database that is away for a while is asked again.
/// A renewal under way is never dropped: its connection would go back inside a transaction.
async fn renew(store: Store, lease: Lease, pause: Duration, over: CancellationToken) {
    while timeout(pause, over.cancelled()).await.is_err() {
        match store.renew_lease(lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(%error, "a lease could not be renewed"),
        }
    }
}
