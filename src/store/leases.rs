//! Who may write to an organisation, across all servers on the same database, by the database's
//! clock (semantics §8).
//!
//! A lease has a number that grows with every taking. Taking one holds the organisation's row, as
//! every write transaction does, so that it waits for a transaction under way; each transaction then
//! looks whether the number is still its own. Renewing touches the lease's own row alone.
//!
//! On SQLite a renewal may have to wait for the one writer longer than the lease lasts. A lease that
//! this process holds is therefore alive here whatever its time says ([`Store::guard_lease`]), and each
//! transaction renews all of them at its end, for the other processes to see.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

use super::{LeaseGuard, Store, StoreError, WriteError, WriteTransaction, uploads::millis};

/// A lease that this process has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The organisation.
    pub organization: i64,
    /// Fencing number.
    pub number: i64,
}

/// The import that holds an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Its ID.
    pub import: Uuid,
    /// For how long it has been running.
    pub running: Duration,
    /// When its lease runs out unless renewed.
    pub runs_out: Duration,
}

/// The database's clock, in milliseconds since 1970.
pub(super) const fn now_ms(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        _ => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    }
}

impl Store {
    /// The import that holds the organisation now, if any does.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn holder(
        &self,
        organization: i64,
        ttl: Duration,
    ) -> Result<Option<LeaseHolder>, StoreError> {
        let own = self.liveness.held(organization);
        self.retry(|| read_holder(&self.db, organization, own, ttl))
            .await
    }

    /// Lets a lease that this process has taken count as alive here until the hold is dropped.
    #[must_use]
    pub fn guard_lease(&self, lease: Lease) -> LeaseGuard {
        self.liveness.guard(lease)
    }

    /// Takes the lease for an import, unless another import holds it.
    ///
    /// # Errors
    /// Where the database fails.
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
        let own = self.liveness.held(organization);
        if let Some(holder) = read_holder(&tx.inner, organization, own, ttl).await? {
            return Ok(Err(holder));
        }
        let now = now_ms(self.backend());
        let sql = format!(
            "INSERT INTO import_leases (organization_id, number, import_id, since_ms, renewed_ms) \
            VALUES ($1, 1, $2, {now}, {now}) ON CONFLICT (organization_id) DO UPDATE SET \
            number = import_leases.number + 1, import_id = $2, since_ms = {now}, renewed_ms = {now} \
            RETURNING number"
        );
        let values: [Value; 2] = [organization.into(), import.into()];
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let row = tx.inner.query_one_raw(statement).await?;
        let number = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        tx.commit().await?;
        Ok(Ok(Lease {
            organization,
            number,
        }))
    }

    /// Renews a lease. False: another has been taken since.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn renew_lease(&self, lease: Lease) -> Result<bool, StoreError> {
        let tx = self.begin_for_heartbeat().await?;
        let renewed = tx.renew(lease).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Gives a lease back, unless another has been taken since.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn release_lease(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = "UPDATE import_leases SET renewed_ms = 0 \
            WHERE organization_id = $1 AND number = $2";
        let values = vec![lease.organization.into(), lease.number.into()];
        let tx = self.begin_for(lease.organization).await?;
        tx.execute(sql.to_owned(), values).await?;
        tx.commit().await
    }

    /// Tells the other servers that this one is alive.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn record_heartbeat(&self, server: Uuid) -> Result<(), StoreError> {
        self.retry(|| self.record_heartbeat_once(server)).await
    }

    async fn record_heartbeat_once(&self, server: Uuid) -> Result<(), StoreError> {
        let now = now_ms(self.backend());
        let sql = format!(
            "INSERT INTO servers (id, heartbeat_ms) VALUES ($1, {now}) \
            ON CONFLICT (id) DO UPDATE SET heartbeat_ms = {now}"
        );
        let tx = self.begin_for_heartbeat().await?;
        tx.execute(sql, vec![server.into()]).await?;
        tx.commit().await?;
        self.liveness.set_server(Some(server));
        Ok(())
    }

    /// Says good-bye, and forgets servers that have been gone for a day.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_heartbeat(&self, server: Uuid) -> Result<(), StoreError> {
        self.liveness.set_server(None);
        let now = now_ms(self.backend());
        let sql = format!("DELETE FROM servers WHERE id = $1 OR heartbeat_ms < {now} - 86400000");
        let tx = self.begin_for_heartbeat().await?;
        tx.execute(sql, vec![server.into()]).await?;
        tx.commit().await
    }

    /// When a server was last heard of, by the database's clock; `None`: it has said good-bye.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_heartbeat(&self, server: Uuid) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT heartbeat_ms FROM servers WHERE id = $1";
        let statement = Statement::from_sql_and_values(self.backend(), sql, [server.into()]);
        let row = self.db.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// True where the server has been heard of within `ttl`, or is this one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn is_alive(&self, server: Uuid, ttl: Duration) -> Result<bool, StoreError> {
        self.retry(|| self.is_alive_once(server, ttl)).await
    }

    pub(super) async fn is_alive_once(
        &self,
        server: Uuid,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        if self.liveness.server() == Some(server) {
            return Ok(true);
        }
        let now = now_ms(self.backend());
        let sql = format!("SELECT 1 FROM servers WHERE id = $1 AND heartbeat_ms + $2 > {now}");
        let values: [Value; 2] = [server.into(), millis(ttl).into()];
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(self.db.query_one_raw(statement).await?.is_some())
    }
}

impl WriteTransaction {
    async fn renew(&self, lease: Lease) -> Result<bool, StoreError> {
        let now = now_ms(self.inner.get_database_backend());
        let sql = format!(
            "UPDATE import_leases SET renewed_ms = {now} \
            WHERE organization_id = $1 AND number = $2"
        );
        let values = vec![lease.organization.into(), lease.number.into()];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Renews whatever this process lives by where its renewals may be waiting for this very
    /// transaction, however long that took: on SQLite.
    pub(super) async fn keep_alive(&self) -> Result<(), StoreError> {
        let Some(liveness) = &self.liveness else {
            return Ok(());
        };
        for lease in liveness.leases() {
            self.renew(lease).await?;
        }
        if let Some(server) = liveness.server() {
            let now = now_ms(self.inner.get_database_backend());
            let sql = format!("UPDATE servers SET heartbeat_ms = {now} WHERE id = $1");
            self.execute(sql, vec![server.into()]).await?;
        }
        Ok(())
    }

    /// Makes sure that the lease is still ours, whatever its time.
    pub(super) async fn fence(&self, lease: Lease) -> Result<(), WriteError> {
        let backend = self.inner.get_database_backend();
        let sql = "SELECT 1 FROM import_leases WHERE organization_id = $1 AND number = $2";
        let values: [Value; 2] = [lease.organization.into(), lease.number.into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        match self.inner.query_one_raw(statement).await? {
            Some(_) => Ok(()),
            None => Err(WriteError::Overtaken),
        }
    }
}

/// The holder of a lease whose time has not run out, or whose number is `own`.
async fn read_holder(
    connection: &impl ConnectionTrait,
    organization: i64,
    own: i64,
    ttl: Duration,
) -> Result<Option<LeaseHolder>, StoreError> {
    let backend = connection.get_database_backend();
    let now = now_ms(backend);
    let sql = format!(
        "SELECT import_id, {now} - since_ms, renewed_ms + $2 - {now} FROM import_leases \
        WHERE organization_id = $1 AND (renewed_ms + $2 > {now} OR number = $3)"
    );
    let values: [Value; 3] = [organization.into(), millis(ttl).into(), own.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let Some(row) = connection.query_one_raw(statement).await? else {
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
        // One of our own that waits for its renewal does not run out now.
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

    /// As after a transaction that took for ever: every sign of life is old.
    async fn age(store: &Store) {
        for sql in [
            "UPDATE import_leases SET renewed_ms = 1",
            "UPDATE servers SET heartbeat_ms = 1",
        ] {
            store.db.execute_unprepared(sql).await.unwrap();
        }
    }

    #[tokio::test]
    async fn on_sqlite_a_transaction_keeps_alive_whoever_waited_for_it() {
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
