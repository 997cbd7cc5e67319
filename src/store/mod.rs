//! The database: the only place that knows SQL. SQLite and `PostgreSQL`, through sea-orm.
//!
//! Every write to an organisation's users or catalog increments the organisation's `revision` in the same
//! transaction, and so locks the organisation's row until it commits. A snapshot has the revision at which it was
//! read. If an import's transaction finds another revision, the directory has changed since the import was
//! planned ([`WriteError::Stale`]).

mod attempts;
mod audit;
mod audit_archives;
mod audit_heads;
mod catalog;
mod compressed_message;
mod connect;
mod connection_lanes;
mod connection_pool;
mod copied_error;
mod credential_sources;
mod database_access;
mod database_url;
mod distribution;
mod entity;
mod error;
mod held_imports;
mod import_audit;
mod import_transaction;
mod imports;
mod keyed_queue;
mod leases;
mod liveness;
mod mappings;
mod organizations;
mod postgres_hosts;
mod retry;
mod row_set;
mod schema;
mod servers;
mod snapshot;
mod sql;
mod tokens;
mod upload_ends;
mod upload_parts;
mod upload_runs;
mod uploads;
mod user_reader;
mod user_search;
mod user_selection;
mod user_values;
mod users;
mod write_transaction;

use std::{sync::Arc, time::Duration};

use sea_orm::ConnectionTrait;
use tokio::sync::Semaphore;

pub(crate) use attempts::AttemptRetention;
pub(crate) use audit::AuditEntry;
pub(crate) use audit_archives::{ArchiveError, AuditArchive};
pub(crate) use catalog::{CatalogDraft, CatalogError, DeceptiveName, DraftEntry, DraftGroup};
pub(crate) use compressed_message::CompressedMessage;
pub(crate) use connection_lanes::{CONNECTIONS, ConnectionLane, LanePermit, ReadTurn};
pub(crate) use credential_sources::CredentialSource;
pub(crate) use database_access::{AccessFault, ConnectionRoom};
pub(crate) use database_url::{DatabaseUrl, InvalidDatabaseUrl, has_password};
pub(crate) use distribution::TableDistribution;
pub(crate) use error::{StoreError, WriteError};
pub(crate) use held_imports::{HeldImport, HoldEnd};
pub(crate) use import_audit::{AttemptEnd, RoleGrants};
pub(crate) use import_transaction::{ImportTransaction, OverlapPermit, RecordChanges, WriteVolume};
pub(crate) use imports::{AttemptOpening, BatchKind, ImportRecord, RecordedBatch};
pub(crate) use leases::{DEFAULT_LEASE, Lease, LeaseAnswer, LeaseHolder, LeaseRequest, NEXT_FOR};
pub(crate) use liveness::LiveLease;
pub(crate) use mappings::{SaveMappingError, StoredMapping};
pub(crate) use organizations::Organization;
pub(crate) use retry::{BackOff, RetryPolicy};
pub(crate) use row_set::FEW_ROWS;
pub(crate) use schema::SchemaStatus;
pub use snapshot::{FurtherUsers, SelectUsers, Snapshot};
pub use tokens::StoredToken;
pub(crate) use upload_parts::{AppendAnswer, UploadChunk, UploadPart};
pub(crate) use upload_runs::{ClaimedRun, RunAnswer};
pub(crate) use uploads::{Upload, UploadLimits, UploadOpening, UploadStage};
pub(crate) use user_search::{UserFilter, UserOrder, UserPage, UserQuery, contains_folded};
pub(crate) use user_values::UserValues;
pub(crate) use users::{ProtectionChange, StoredUser, UserKey};

use audit_heads::KnownHeads;
use connection_lanes::ConnectionLanes;
use connection_pool::ConnectionPool;
use liveness::Heartbeat;
use postgres_hosts::PostgresHosts;
use sql::SqlDialect;
use write_transaction::{WriteTransaction, WriterTurns};

use crate::limits::DatabaseLimits;

/// How many imports' transactions may overlap. Each of them has a second connection, which waits for the first.
/// Any further import writes one transaction after the other.
const MAX_OVERLAPPING: usize = 4;

/// How many imports may keep others from writing while they read and plan through another connection.
const MAX_EXCLUSIVE: usize = 4;

/// A connected database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// The lane's.
    db: ConnectionPool,
    lane: ConnectionLane,
    lanes: Arc<ConnectionLanes>,
    /// The connection that writes on SQLite; on `PostgreSQL` every lane has its own.
    writer: Option<ConnectionPool>,
    /// The same without SQLite's own check of references, for transactions that check all of them at once.
    checking_writer: Option<ConnectionPool>,
    /// SQLite has one writer: within a process, writers take turns.
    turns: Option<WriterTurns>,
    /// See [`MAX_OVERLAPPING`].
    overlapping: Arc<Semaphore>,
    /// See [`MAX_EXCLUSIVE`].
    exclusive: Arc<Semaphore>,
    heartbeat: Heartbeat,
    audit_heads: KnownHeads,
    retries: RetryPolicy,
    /// The hosts of the `PostgreSQL` URL.
    hosts: Option<Arc<PostgresHosts>>,
    /// The tables are spread over several machines by Citus.
    is_distributed: bool,
}

impl Store {
    /// Connects to `sqlite://PATH` (the file is created if it is missing) or `postgres://…`, with the default
    /// lease.
    ///
    /// # Errors
    /// Fails if the URL is neither, or the database cannot be reached or used.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_within(&url.parse()?, DEFAULT_LEASE, DatabaseLimits::default()).await
    }

    /// Connects for servers whose leases last for `lease`, with limits for how long the database may take for a
    /// statement or a lock. `PostgreSQL` ends a transaction of a process that has stopped as soon as another process
    /// may take its lease over, which frees the transaction's locks.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_within(
        url: &DatabaseUrl,
        lease: Duration,
        limits: DatabaseLimits,
    ) -> Result<Self, StoreError> {
        connect::provide_file(url)?;
        let sqlite = url.is_sqlite();
        let hosts = match sqlite {
            true => None,
            false => Some(PostgresHosts::new(url, lease, limits)?),
        };
        let host = match &hosts {
            Some(hosts) => {
                let found = Box::pin(hosts.find()).await;
                Some(found.map_err(|error| connect::named_file(url, error))?)
            }
            None => None,
        };
        // The options are large, and so are the futures that connect with them.
        let options = connect::connect_options(url, host.as_ref());
        let settings = host.as_ref().and_then(|host| host.settings.as_ref());
        let lanes = Box::pin(ConnectionLanes::connect(&options, sqlite, settings)).await?;
        if let (Some(hosts), Some(host)) = (&hosts, &host) {
            hosts.watch(host, lanes.postgres_pools());
        }
        let writers = if sqlite {
            Some(Box::pin(connect::connect_sqlite_writers(options)).await?)
        } else {
            None
        };
        let (writer, checking_writer) = writers.unzip();
        let db = lanes.connection(ConnectionLane::Interactive).clone();
        let is_distributed = distribution::is_distributed(&db).await?;
        Ok(Self {
            db,
            lane: ConnectionLane::Interactive,
            lanes: Arc::new(lanes),
            writer,
            checking_writer,
            turns: sqlite.then(WriterTurns::default),
            overlapping: Arc::new(Semaphore::new(MAX_OVERLAPPING)),
            exclusive: Arc::new(Semaphore::new(MAX_EXCLUSIVE)),
            heartbeat: Heartbeat::default(),
            audit_heads: KnownHeads::default(),
            retries: RetryPolicy::default(),
            hosts: hosts.map(Arc::new),
            is_distributed,
        })
    }

    /// Makes sure that the database can be reached.
    ///
    /// # Errors
    /// Fails if it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.pool().ping().await?)
    }

    /// Returns `true` if a pooler between this process and the database drops the settings of connections, so that
    /// each transaction has to set them.
    #[must_use]
    pub const fn is_behind_pooler(&self) -> bool {
        self.db.is_pooled_outside()
    }

    /// Gives the memory back in which SQLite's writer keeps pages of the file. It fills again as pages are read.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn release_cache(&self) -> Result<(), StoreError> {
        if let Some(writer) = &self.writer {
            writer.execute_unprepared("PRAGMA shrink_memory").await?;
        }
        Ok(())
    }

    /// Returns `true` if the database has one writer at a time: SQLite.
    #[must_use]
    pub const fn has_one_writer(&self) -> bool {
        self.turns.is_some()
    }

    fn dialect(&self) -> SqlDialect {
        SqlDialect::of(&self.db)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sqlite_keeps_what_it_has_committed_and_checks_references() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db").display());
        let store = Store::connect(&url).await.unwrap();
        // NORMAL is 1, FULL 2.
        let durable = "SELECT journal_mode = 'wal' AND synchronous >= 1 AND foreign_keys \
            FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys";
        for connection in [&store.db, store.writer.as_ref().unwrap()] {
            let row = sql::query_one(connection, durable, []).await.unwrap();
            let row = row.unwrap();
            assert!(row.try_get_by_index::<bool>(0).unwrap());
        }
    }
}
