//! What this process lives by: its heartbeat, and the leases that its imports hold.
//!
//! Who waits for the database is not dead. Other processes can only go by what the database says;
//! this one knows better of its own, and on SQLite, where everybody waits for one writer, each
//! transaction renews them all before it lets the next one in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::Lease;

/// The heartbeat and the leases of one process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Heartbeat(Arc<Mutex<Liveness>>);

#[derive(Debug, Default)]
struct Liveness {
    server: Option<Uuid>,
    /// Lease numbers, by organisation.
    leases: HashMap<i64, i64>,
}

/// A lease that counts as alive in this process until this is dropped, however long the database
/// keeps its renewal waiting.
#[derive(Debug)]
pub struct LeaseGuard {
    liveness: Heartbeat,
    lease: Lease,
}

impl Heartbeat {
    /// From now on `lease` is alive, and any earlier one of its organisation is not.
    pub(super) fn guard(&self, lease: Lease) -> LeaseGuard {
        self.signs().leases.insert(lease.organization, lease.number);
        LeaseGuard {
            liveness: self.clone(),
            lease,
        }
    }

    /// The number of the lease that is held here; 0, which no lease has, where none is.
    pub(super) fn held(&self, organization: i64) -> i64 {
        let signs = self.signs();
        signs.leases.get(&organization).copied().unwrap_or_default()
    }

    /// All leases that are held here.
    pub(super) fn leases(&self) -> Vec<Lease> {
        let signs = self.signs();
        let lease = |(&organization, &number)| Lease {
            organization,
            number,
        };
        signs.leases.iter().map(lease).collect()
    }

    /// The server whose heartbeat this process keeps, while it does.
    pub(super) fn server(&self) -> Option<Uuid> {
        self.signs().server
    }

    pub(super) fn set_server(&self, server: Option<Uuid>) {
        self.signs().server = server;
    }

    /// Nothing that is done under the lock can leave it half done.
    fn signs(&self) -> MutexGuard<'_, Liveness> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let mut signs = self.liveness.signs();
        let Lease {
            organization,
            number,
        } = self.lease;
        if signs.leases.get(&organization) == Some(&number) {
            signs.leases.remove(&organization);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_lease_ends_without_ending_the_later_one() {
        let liveness = Heartbeat::default();
        let lease = |number| Lease {
            organization: 7,
            number,
        };
        let earlier = liveness.guard(lease(1));
        let later = liveness.guard(lease(2));
        drop(earlier);
        assert_eq!(liveness.held(7), 2);
        assert_eq!(liveness.leases(), [lease(2)]);
        drop(later);
        assert_eq!(liveness.held(7), 0);
    }
}
