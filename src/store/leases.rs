//! Who may write to an organisation, across all servers on the same database, by the database's clock (semantics §8).
//!
//! A lease has a number that grows each time the lease is taken. Taking it locks the organisation's row, as every
//! write transaction does, and so waits for a running transaction. Each transaction then checks that its lease's
//! number is still the current one. Renewing a lease writes to the lease's own row only.
//!
//! On SQLite a renewal may wait for the one writer longer than the lease lasts. So a lease that this process holds
//! counts as alive here, whatever its time says ([`Store::guard_lease`]), and each transaction renews all of them at
//! its end, for other processes to see.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    Dialect, LeaseGuard, Store, StoreError, WriteError, WriteTransaction,
    sql::{self, millis},
};

/// How long a lease lasts without a heartbeat, unless the settings say otherwise.
pub(crate) const DEFAULT_LEASE: Duration = Duration::from_secs(15);

/// A lease that this process has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The organisation.
    pub organization: i64,
    /// Fencing number.
    pub number: i64,
}

/// The import that holds an organisation's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Its ID.
    pub import: Uuid,
    /// How long it has held the lease.
    pub running: Duration,
    /// How long until its lease runs out unless it is renewed.
    pub runs_out: Duration,
}

impl Store {
    /// Returns the import that holds the organisation's lease now, if any does.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn holder(
        &self,
        organization: i64,
        ttl: Duration,
    ) -> Result<Option<LeaseHolder>, StoreError> {
        let own = self.heartbeat.held(organization);
        self.retry(|| read_holder(&self.db, organization, own, ttl))
            .await
    }

    /// Lets a lease that this process has taken count as alive here until the guard is dropped.
    #[must_use]
    pub fn guard_lease(&self, lease: Lease) -> LeaseGuard {
        self.heartbeat.guard(lease)
    }

    /// Takes the lease for an import, unless another import holds it.
    ///
    /// # Errors
    /// Fails if the database fails.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn take_lease(
        &self,
        organization: i64,
        import: Uuid,
        ttl: Duration,
    ) -> Result<Result<Lease, LeaseHolder>, StoreError> {
        self.retry(|| self.take_lease_once(organization, import, ttl))
            .await
    }

    async fn take_lease_once(
        &self,
        organization: i64,
        import: Uuid,
        ttl: Duration,
    ) -> Result<Result<Lease, LeaseHolder>, StoreError> {
        let tx = self.begin_for(organization).await?;
        tx.enter_exclusive(organization).await?;
        tx.lock(organization).await?;
        let own = self.heartbeat.held(organization);
        if let Some(holder) = read_holder(&tx.inner, organization, own, ttl).await? {
            return Ok(Err(holder));
        }
        let now = self.dialect().now_ms();
        let sql = format!(
            "INSERT INTO import_leases (organization_id, number, import_id, since_ms, renewed_ms) \
            VALUES ($1, 1, $2, {now}, {now}) ON CONFLICT (organization_id) DO UPDATE SET \
            number = import_leases.number + 1, import_id = $2, since_ms = {now}, renewed_ms = {now} \
            RETURNING number"
        );
        let row = tx
            .query_one(sql, [organization.into(), import.into()])
            .await?;
        let number = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        tx.commit().await?;
        Ok(Ok(Lease {
            organization,
            number,
        }))
    }

    /// Renews a lease. Returns `false` if another lease has been taken since.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn renew_lease(&self, lease: Lease) -> Result<bool, StoreError> {
        let tx = self.begin_for_heartbeat().await?;
        let renewed = tx.renew(lease).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Gives a lease back, unless another lease has been taken since.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn release_lease(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = "UPDATE import_leases SET renewed_ms = 0 \
            WHERE organization_id = $1 AND number = $2";
        let tx = self.begin_for(lease.organization).await?;
        tx.execute(sql, [lease.organization.into(), lease.number.into()])
            .await?;
        tx.commit().await
    }

    /// Shows the other servers that this one is alive.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn record_heartbeat(&self, server: Uuid) -> Result<(), StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "INSERT INTO servers (id, heartbeat_ms) VALUES ($1, {now}) \
            ON CONFLICT (id) DO UPDATE SET heartbeat_ms = {now}"
        );
        self.retry(|| async {
            let tx = self.begin_for_heartbeat().await?;
            tx.execute(&*sql, [server.into()]).await?;
            tx.commit().await
        })
        .await?;
        self.heartbeat.set_server(Some(server));
        Ok(())
    }

    /// Removes this server's heartbeat, and those of servers that have been gone for a day.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn remove_heartbeat(&self, server: Uuid) -> Result<(), StoreError> {
        self.heartbeat.set_server(None);
        let now = self.dialect().now_ms();
        let sql = format!("DELETE FROM servers WHERE id = $1 OR heartbeat_ms < {now} - 86400000");
        let tx = self.begin_for_heartbeat().await?;
        tx.execute(sql, [server.into()]).await?;
        tx.commit().await
    }

    /// Returns the time of a server's last heartbeat by the database's clock, or `None` if it has been removed.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn last_heartbeat(&self, server: Uuid) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT heartbeat_ms FROM servers WHERE id = $1";
        let row = sql::query_one(&self.db, sql, [server.into()]).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// Returns `true` if the server had a heartbeat within `ttl`, or is this one.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn is_alive(&self, server: Uuid, ttl: Duration) -> Result<bool, StoreError> {
        self.retry(|| self.is_alive_once(server, ttl)).await
    }

    /// The same without retries, for use within a transaction.
    pub(super) async fn is_alive_once(
        &self,
        server: Uuid,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        if self.heartbeat.server() == Some(server) {
            return Ok(true);
        }
        let now = self.dialect().now_ms();
        let sql = format!("SELECT 1 FROM servers WHERE id = $1 AND heartbeat_ms + $2 > {now}");
        let row = sql::query_one(&self.db, sql, [server.into(), millis(ttl).into()]);
        Ok(row.await?.is_some())
    }
}

impl WriteTransaction {
    async fn renew(&self, lease: Lease) -> Result<bool, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE import_leases SET renewed_ms = {now} \
            WHERE organization_id = $1 AND number = $2"
        );
        let values = [lease.organization.into(), lease.number.into()];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// On SQLite: renews this process's leases and heartbeat, since their own renewals may have been waiting for
    /// this transaction.
    pub(super) async fn keep_alive(&self) -> Result<(), StoreError> {
        let Some(heartbeat) = &self.heartbeat else {
            return Ok(());
        };
        for lease in heartbeat.leases() {
            self.renew(lease).await?;
        }
        if let Some(server) = heartbeat.server() {
            let now = self.dialect().now_ms();
            let sql = format!("UPDATE servers SET heartbeat_ms = {now} WHERE id = $1");
            self.execute(sql, [server.into()]).await?;
        }
        Ok(())
    }

    /// Makes sure that no other lease has been taken, whether or not this one has run out.
    pub(super) async fn fence(&self, lease: Lease) -> Result<(), WriteError> {
        let sql = "SELECT 1 FROM import_leases WHERE organization_id = $1 AND number = $2";
        let values = [lease.organization.into(), lease.number.into()];
        match self.query_one(sql, values).await? {
            Some(_) => Ok(()),
            None => Err(WriteError::LeaseLost),
        }
    }
}

/// Returns the holder of a lease that has not run out, or whose number is `own`.
async fn read_holder(
    db: &impl ConnectionTrait,
    organization: i64,
    own: i64,
    ttl: Duration,
) -> Result<Option<LeaseHolder>, StoreError> {
    let now = Dialect::of(db).now_ms();
    let sql = format!(
        "SELECT import_id, {now} - since_ms, renewed_ms + $2 - {now} FROM import_leases \
        WHERE organization_id = $1 AND (renewed_ms + $2 > {now} OR number = $3)"
    );
    let values = [organization.into(), millis(ttl).into(), own.into()];
    let Some(row) = sql::query_one(db, sql, values).await? else {
        return Ok(None);
    };
    let duration = |index| -> Result<Duration, StoreError> {
        let ms: i64 = row.try_get_by_index(index)?;
        Ok(Duration::from_millis(ms.max(0).unsigned_abs()))
    };
    let runs_out = duration(2)?;
    Ok(Some(LeaseHolder {
        import: row.try_get_by_index(0)?,
        running: duration(1)?,
        // A lease of this process whose renewal is waiting does not run out now.
        runs_out: if runs_out.is_zero() { ttl } else { runs_out },
    }))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::domain::Actor;

    async fn organization(store: &Store, slug: &str) -> i64 {
        let (actor, now) = (Actor::default(), OffsetDateTime::UNIX_EPOCH);
        let made = store.create_organization(slug, slug, &actor, now);
        made.await.unwrap().id
    }

    async fn take(store: &Store, organization: i64) -> Lease {
        let ttl = Duration::from_secs(1);
        let taken = store.take_lease(organization, Uuid::now_v7(), ttl).await;
        taken.unwrap().unwrap()
    }

    /// Makes every lease and heartbeat old, as after a very long transaction.
    async fn age(store: &Store) {
        for sql in [
            "UPDATE import_leases SET renewed_ms = 1",
            "UPDATE servers SET heartbeat_ms = 1",
        ] {
            store.db.execute_unprepared(sql).await.unwrap();
        }
    }

    #[tokio::test]
    async fn on_sqlite_a_transaction_renews_the_leases_that_waited_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let (one, other) = (
            organization(&store, "one").await,
            organization(&store, "other").await,
        );
        let (writer, waiting) = (take(&store, one).await, take(&store, other).await);
        let server = Uuid::now_v7();
        store.record_heartbeat(server).await.unwrap();
        let hold = (store.guard_lease(writer), store.guard_lease(waiting));
        age(&store).await;

        let elsewhere = Store::connect(&url).await.unwrap();
        let ttl = Duration::from_mins(1);
        assert_eq!(elsewhere.holder(other, ttl).await.unwrap(), None);
        assert!(store.holder(other, ttl).await.unwrap().is_some());
        let (actor, now) = (Actor::default(), OffsetDateTime::UNIX_EPOCH);
        let write = store.begin_write(writer, Uuid::now_v7(), &actor, now);
        let mut write = write.await.unwrap();
        write.claim().await.unwrap();
        write.commit().await.unwrap();
        assert!(elsewhere.holder(other, ttl).await.unwrap().is_some());
        assert!(elsewhere.is_alive(server, ttl).await.unwrap());

        drop(hold);
        age(&store).await;
        assert_eq!(store.holder(other, ttl).await.unwrap(), None);
    }
}
