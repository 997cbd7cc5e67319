//! Write transactions: who may begin one, and what each does at its end.
//!
//! A commit appends the audit events that were noted, and on SQLite it renews what this process keeps alive, if that
//! is due ([`super::liveness`]). What a transaction does in between stands in the module of its subject.

use std::sync::Arc;

use sea_orm::{DatabaseTransaction, QueryResult, SqliteTransactionMode, TransactionOptions, Value};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use super::{
    Store, StoreError,
    audit::PendingAuditEvents,
    audit_heads::KnownHeads,
    connection_pool::ConnectionPool,
    keyed_queue::{KeyedQueue, QueuePermit},
    liveness::Heartbeat,
    sql::{self, SqlDialect},
};
use crate::telemetry::metrics::{self, DatabaseTimer};

/// A write transaction. Dropped without [`commit`](Self::commit), it has no effect.
#[derive(Debug)]
pub(super) struct WriteTransaction {
    pub(super) inner: DatabaseTransaction,
    _turn: Option<WriterTurn>,
    /// What the commit keeps alive; on SQLite only.
    pub(super) heartbeat: Option<Heartbeat>,
    _work: DatabaseTimer,
    /// What the commit appends to the audit trail.
    pub(super) pending_events: PendingAuditEvents,
    pub(super) audit_heads: KnownHeads,
}

impl Store {
    /// Begins a write transaction that concerns no organisation.
    pub(super) async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let connection = self.writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, None).await
    }

    /// Begins a write transaction that concerns `organization`.
    pub(super) async fn begin_for(
        &self,
        organization: i64,
    ) -> Result<WriteTransaction, StoreError> {
        let connection = self.writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, Some(organization)).await
    }

    /// Begins a write transaction that removes many entries that `organization`'s users may refer to, and that
    /// itself checks that no user does. SQLite's own check would search all users for each removed row.
    pub(super) async fn begin_checking_references(
        &self,
        organization: i64,
    ) -> Result<WriteTransaction, StoreError> {
        let connection = self.checking_writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, Some(organization)).await
    }

    /// Begins a write transaction that shows other processes that this one is alive. It waits for no connection
    /// that other work uses. On SQLite, which has one writer, every transaction renews the leases of all.
    pub(super) async fn begin_for_heartbeat(&self) -> Result<WriteTransaction, StoreError> {
        let connection = self
            .writer
            .as_ref()
            .unwrap_or_else(|| self.lanes.heartbeat());
        self.begin_through(connection, None).await
    }

    #[tracing::instrument(name = "begin_transaction", level = "debug", skip_all)]
    async fn begin_through(
        &self,
        connection: &ConnectionPool,
        organization: Option<i64>,
    ) -> Result<WriteTransaction, StoreError> {
        let asked = Instant::now();
        let turn = match &self.turns {
            Some(turns) => Some(turns.take(organization).await),
            None => None,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = connection.begin(options).await?;
        metrics::database_statement();
        metrics::waited("transaction", asked.elapsed());
        let heartbeat = turn.is_some().then(|| self.heartbeat.clone());
        Ok(WriteTransaction {
            inner,
            _turn: turn,
            heartbeat,
            _work: DatabaseTimer::begin("transaction"),
            pending_events: PendingAuditEvents::default(),
            audit_heads: self.audit_heads.clone(),
        })
    }
}

impl WriteTransaction {
    #[tracing::instrument(name = "commit_transaction", level = "debug", skip_all)]
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let heads = self.append_pending_events().await?;
        let renewed = self.renew_what_is_due().await?;
        self.inner.commit().await?;
        metrics::database_statement();
        metrics::database_commit();
        if let (Some(heartbeat), Some(at)) = (&self.heartbeat, renewed) {
            heartbeat.renewed(at);
        }
        self.audit_heads.advance(heads);
        Ok(())
    }

    pub(super) fn dialect(&self) -> SqlDialect {
        SqlDialect::of(&self.inner)
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, StoreError> {
        Ok(sql::execute(&self.inner, sql, values).await?)
    }

    /// Returns the first row of a query, if it has any.
    pub(super) async fn query_one(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<QueryResult>, StoreError> {
        Ok(sql::query_one(&self.inner, sql, values).await?)
    }

    /// Returns all rows of a query.
    pub(super) async fn query_all(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        Ok(sql::query_all(&self.inner, sql, values).await?)
    }
}

/// The turns to write to a SQLite file, which has one writer. The transactions of one organisation queue among
/// themselves first, so that other organisations wait for one of them at most.
#[derive(Clone, Debug)]
pub(super) struct WriterTurns {
    of_organizations: KeyedQueue<i64>,
    writer: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct WriterTurn {
    // Dropped first: the organisation's next transaction may then queue for the writer.
    _writer: OwnedMutexGuard<()>,
    _of_organization: Option<QueuePermit<i64>>,
}

impl Default for WriterTurns {
    fn default() -> Self {
        Self {
            of_organizations: KeyedQueue::new(1),
            writer: Arc::default(),
        }
    }
}

impl WriterTurns {
    async fn take(&self, organization: Option<i64>) -> WriterTurn {
        let of_organization = match organization {
            Some(organization) => Some(self.of_organizations.acquire(organization).await),
            None => None,
        };
        WriterTurn {
            _writer: Arc::clone(&self.writer).lock_owned().await,
            _of_organization: of_organization,
        }
    }
}
