//! The heartbeat of this process, and the leases that its imports hold.
//!
//! A process that waits for the database is not dead. Other processes only see what the database says, but this process
//! knows its own leases. On SQLite, all transactions wait for one writer, so each transaction renews the leases before
//! the next one begins.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use uuid::Uuid;

use super::Lease;

/// What this process keeps alive. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Heartbeat(Arc<Mutex<Liveness>>);

#[derive(Debug, Default)]
struct Liveness {
    server: Option<Uuid>,
    /// Lease numbers by organisation.
    leases: HashMap<i64, i64>,
}

/// A lease that counts as alive in this process until this is dropped, however long its renewal waits for the
/// database.
#[derive(Debug)]
pub struct LeaseGuard {
    heartbeat: Heartbeat,
    lease: Lease,
}

impl Heartbeat {
    /// Counts `lease` as alive from now on, and any earlier lease of its organisation no longer.
    pub(super) fn guard(&self, lease: Lease) -> LeaseGuard {
        let mut liveness = self.0.lock();
        liveness.leases.insert(lease.organization, lease.number);
        LeaseGuard {
            heartbeat: self.clone(),
            lease,
        }
    }

    /// Returns the number of the lease that this process holds, or 0, which no lease has.
    pub(super) fn held(&self, organization: i64) -> i64 {
        let liveness = self.0.lock();
        liveness
            .leases
            .get(&organization)
            .copied()
            .unwrap_or_default()
    }

    /// All leases that this process holds.
    pub(super) fn leases(&self) -> Vec<Lease> {
        let lease = |(&organization, &number)| Lease {
            organization,
            number,
        };
        self.0.lock().leases.iter().map(lease).collect()
    }

    /// The server whose heartbeat this process keeps, if it keeps one.
    pub(super) fn server(&self) -> Option<Uuid> {
        self.0.lock().server
    }

    pub(super) fn set_server(&self, server: Option<Uuid>) {
        self.0.lock().server = server;
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let mut liveness = self.heartbeat.0.lock();
        let Lease {
            organization,
            number,
        } = self.lease;
        if liveness.leases.get(&organization) == Some(&number) {
            liveness.leases.remove(&organization);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_lease_ends_without_ending_the_later_one() {
        let heartbeat = Heartbeat::default();
        let lease = |number| Lease {
            organization: 7,
            number,
        };
        let earlier = heartbeat.guard(lease(1));
        let later = heartbeat.guard(lease(2));
        drop(earlier);
        assert_eq!(heartbeat.held(7), 2);
        assert_eq!(heartbeat.leases(), [lease(2)]);
        drop(later);
        assert_eq!(heartbeat.held(7), 0);
    }
}
