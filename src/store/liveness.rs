//! The heartbeat of this process, and the leases that its imports hold.
//!
//! A process that waits for the database is not dead. Other processes only see what the database says, but this process
//! knows its own leases. On SQLite, all transactions wait for one writer, so a transaction renews the leases before
//! the next one begins, unless another one has just done so.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Lease, Store, StoreError, WriteTransaction};

/// How long a renewal counts as new: a small part of the shortest lease, which lasts for a second.
const NEW_FOR: Duration = Duration::from_millis(100);

/// What this process keeps alive. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Heartbeat(Arc<Mutex<Liveness>>);

#[derive(Debug, Default)]
struct Liveness {
    server: Option<Uuid>,
    /// Lease numbers by organisation.
    leases: HashMap<i64, i64>,
    /// When a transaction has last renewed all of this. What has been taken since is newer.
    renewed: Option<Instant>,
}

/// A lease that counts as alive in this process until this is dropped, however long its renewal waits for the
/// database.
#[derive(Debug)]
pub struct LiveLease {
    heartbeat: Heartbeat,
    lease: Lease,
}

impl Store {
    /// Lets a lease that this process has taken count as alive here until the returned value is dropped.
    #[must_use]
    pub fn keep_lease_alive(&self, lease: Lease) -> LiveLease {
        self.heartbeat.keep_alive(lease)
    }
}

impl Heartbeat {
    /// Counts `lease` as alive from now on, and any earlier lease of its organisation no longer.
    fn keep_alive(&self, lease: Lease) -> LiveLease {
        let mut liveness = self.0.lock();
        liveness.leases.insert(lease.organization, lease.number);
        LiveLease {
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

    /// Returns `true` if it is time to renew everything.
    pub(super) fn is_due(&self) -> bool {
        let renewed = self.0.lock().renewed;
        renewed.is_none_or(|renewed| renewed.elapsed() >= NEW_FOR)
    }

    /// Notes that a transaction has committed that renewed everything at this moment.
    pub(super) fn renewed(&self, at: Instant) {
        self.0.lock().renewed = Some(at);
    }

    /// The server whose heartbeat this process keeps, if it keeps one.
    pub(super) fn server(&self) -> Option<Uuid> {
        self.0.lock().server
    }

    pub(super) fn set_server(&self, server: Option<Uuid>) {
        self.0.lock().server = server;
    }
}

impl Drop for LiveLease {
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

impl WriteTransaction {
    /// On SQLite: renews this process's leases and heartbeat if that is due, since their own renewals may have been
    /// waiting for this transaction. Returns when, or `None` if nothing was renewed.
    pub(super) async fn renew_what_is_due(&self) -> Result<Option<Instant>, StoreError> {
        let Some(heartbeat) = self.heartbeat.as_ref().filter(|beat| beat.is_due()) else {
            return Ok(None);
        };
        let (leases, server) = (heartbeat.leases(), heartbeat.server());
        if leases.is_empty() && server.is_none() {
            return Ok(None);
        }
        let now = Instant::now();
        if !leases.is_empty() {
            self.renew_all(&leases).await?;
        }
        if let Some(server) = server {
            let now = self.dialect().now_ms();
            let sql = format!("UPDATE servers SET heartbeat_ms = {now} WHERE id = $1");
            self.execute(sql, [server.into()]).await?;
        }
        Ok(Some(now))
    }

    /// Renews many leases in one statement, which only SQLite understands.
    async fn renew_all(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE import_leases SET renewed_ms = {now} FROM json_each($1) AS held \
            WHERE organization_id = held.value ->> 0 AND number = held.value ->> 1 AND renewed_ms > 0"
        );
        let held = leases
            .iter()
            .map(|lease| (lease.organization, lease.number));
        let held = serde_json::to_string(&held.collect::<Vec<_>>());
        let held = held.map_err(StoreError::encoding)?;
        self.execute(sql, [held.into()]).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn renewals_are_due_again_soon_after_the_last_one() {
        let heartbeat = Heartbeat::default();
        assert!(heartbeat.is_due());
        heartbeat.renewed(Instant::now());
        assert!(!heartbeat.is_due());
        tokio::time::advance(NEW_FOR).await;
        assert!(heartbeat.is_due());
    }

    #[test]
    fn an_earlier_lease_ends_without_ending_the_later_one() {
        let heartbeat = Heartbeat::default();
        let lease = |number| Lease {
            organization: 7,
            number,
        };
        let earlier = heartbeat.keep_alive(lease(1));
        let later = heartbeat.keep_alive(lease(2));
        drop(earlier);
        assert_eq!(heartbeat.held(7), 2);
        assert_eq!(heartbeat.leases(), [lease(2)]);
        drop(later);
        assert_eq!(heartbeat.held(7), 0);
    }
}
