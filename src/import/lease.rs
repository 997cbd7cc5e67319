//! Holding an organisation: taken once, renewed until given back.

use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::warn;

use crate::store::{Lease, Store};

/// A lease that is being renewed. Dropped, it is no longer renewed and runs out.
#[derive(Debug)]
pub struct Tenure {
    store: Store,
    lease: Lease,
    renewing: JoinHandle<()>,
}

impl Tenure {
    /// Renews `lease` three times in the time it lasts.
    #[must_use]
    pub fn new(store: Store, lease: Lease, ttl: Duration) -> Self {
        let renewing = tokio::spawn(renew(store.clone(), lease, ttl / 3));
        Self {
            store,
            lease,
            renewing,
        }
    }

    /// The lease.
    #[must_use]
    pub const fn lease(&self) -> Lease {
        self.lease
    }

    /// Gives the lease back. Where that fails it runs out.
    pub async fn end(self) {
        self.renewing.abort();
        if let Err(error) = self.store.release_lease(self.lease).await {
            warn!(%error, "a lease could not be given back; it runs out by itself");
        }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Renews until the lease is another's. A database that is away for a while is asked again.
async fn renew(store: Store, lease: Lease, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        match store.renew_lease(lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(%error, "a lease could not be renewed"),
        }
    }
}
