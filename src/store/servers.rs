//! The servers on the same database: each one shows the others that it is alive, by the database's clock.

use std::{collections::HashSet, time::Duration};

use uuid::Uuid;

use super::{
    Store, StoreError,
    sql::{self, millis},
};

impl Store {
    /// Shows the other servers that this one is alive.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn record_heartbeat(&self, server: Uuid) -> Result<(), StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "INSERT INTO servers (id, heartbeat_ms) VALUES ($1, {now}) \
            ON CONFLICT (id) DO UPDATE SET heartbeat_ms = excluded.heartbeat_ms"
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

    /// Returns the servers that had a heartbeat within `ttl`.
    pub(super) async fn servers_with_heartbeat(
        &self,
        ttl: Duration,
    ) -> Result<HashSet<Uuid>, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!("SELECT id FROM servers WHERE heartbeat_ms + $1 > {now}");
        let rows = sql::query_all(&self.db, sql, [millis(ttl).into()]).await?;
        rows.iter()
            .map(|row| Ok(row.try_get_by_index(0)?))
            .collect()
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
