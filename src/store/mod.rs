//! The database: the only place that knows SQL. SQLite and PostgreSQL, through sea-orm.
//!
//! Every write to an organisation's users or catalog moves the organisation's `revision` on in the
//! same transaction, and so holds the organisation's row until it commits. A snapshot remembers the
//! revision it was read at; an import's transaction that finds another one knows that the directory
//! has changed since it was planned ([`WriteError::Stale`]).

mod attempts;
mod audit;
mod audit_heads;
mod catalog;
mod catalog_audit;
mod credential_sources;
mod database_url;
mod directory_cache;
mod entity;
mod error;
mod import_audit;
mod import_transaction;
mod imports;
mod keyed_queue;
mod lanes;
mod leases;
mod liveness;
mod organizations;
mod payload;
mod retry;
mod row_set;
mod schema;
mod snapshot;
mod tokens;
mod upload_ends;
mod upload_parts;
mod upload_runs;
mod uploads;
mod user_values;
mod users;

use std::{fs, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, Value,
    sqlx::{self, Connection as _, sqlite::SqliteConnectOptions},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    time::Instant,
};

use tokio_util::sync::CancellationToken;

pub use attempts::AttemptRetention;
pub use audit::{AuditEntry, AuditPage};
pub use catalog::{CatalogDraft, CatalogError, DeceptiveName, DraftEntry, DraftGroup};
pub use credential_sources::CredentialSource;
pub use database_url::{DatabaseUrl, InvalidDatabaseUrl, has_password};
pub use error::{StoreError, WriteError};
pub use import_audit::{AttemptEnd, RoleGrants};
pub use import_transaction::{ImportTransaction, OverlapPermit};
pub use imports::{AttemptOpening, BatchKind, ImportRecord, RecordedBatch};
pub use lanes::{ConnectionLane, LanePermit, ReadTurn};
pub use leases::{Lease, LeaseHolder};
pub use liveness::LeaseGuard;
pub use organizations::Organization;
pub use payload::Payload;
pub use retry::{BackOff, RetryPolicy};
pub use row_set::TextColumn;
pub use schema::SchemaStatus;
pub use snapshot::Snapshot;
pub use tokens::TokenRecord;
pub use upload_parts::{AppendOutcome, UploadChunk, UploadPart};
pub use upload_runs::{ClaimedRun, RunAnswer, RunReply};
pub use uploads::{Upload, UploadLimits, UploadOpening, UploadStage};
pub use user_values::UserValues;
pub use users::{ProtectionChange, UserFilter, UserKey, UserPage, UserRecord, contains_folded};

use audit::PendingAuditEvents;
use audit_heads::KnownHeads;
use directory_cache::DirectoryCache;
use keyed_queue::{KeyedPermit, KeyedQueue};
use lanes::Lanes;
use liveness::Heartbeat;

use crate::{
    config::Settings,
    limits::DatabaseLimits,
    private_files,
    telemetry::metrics::{self, DatabaseTimer},
};

/// How long a statement may wait for SQLite's one writer in another process.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// What the writer keeps of a SQLite file in memory, in KiB: the indexes' pages are written all
/// over, and each that falls out is written once more.
const SQLITE_WRITER_CACHE: u32 = 32 * 1024;

/// Pages in SQLite's log (4 KiB each) at which the writer copies them into the file, and syncs.
const SQLITE_LOG_PAGES: u32 = 8 * 1024;

/// How many imports' transactions may overlap, which takes a connection that waits for another. Where more run,
/// each import_transaction while others commit.
const OVERLAPS: usize = 4;

/// How many imports may keep others from writing while they read and plan through another connection.
const HOLDS: usize = 4;

/// How long a call may wait for a connection to a database that does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connected database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// The lane's.
    db: DatabaseConnection,
    lane: ConnectionLane,
    lanes: Arc<Lanes>,
    /// What import_transaction on SQLite; on `PostgreSQL` every lane import_transaction for itself.
    writer: Option<DatabaseConnection>,
    /// The same without SQLite's own check of references, for who checks them all at once.
    checking_writer: Option<DatabaseConnection>,
    /// SQLite has one writer: within a process, writers take turns.
    turns: Option<WriterTurns>,
    /// See [`OVERLAPS`].
    overlaps: Arc<Semaphore>,
    /// See [`HOLDS`].
    holds: Arc<Semaphore>,
    liveness: Heartbeat,
    /// What is known of directories.
    shelf: DirectoryCache,
    audit_heads: KnownHeads,
    retries: RetryPolicy,
}

/// A write transaction; it ends with `commit`, or by being dropped without effect.
#[derive(Debug)]
pub struct WriteTransaction {
    inner: DatabaseTransaction,
    _turn: Option<WriterTurn>,
    /// What the commit is to keep alive.
    liveness: Option<Heartbeat>,
    _work: DatabaseTimer,
    /// What the commit is to append to the audit trail.
    notes: PendingAuditEvents,
    audit_heads: KnownHeads,
}

impl Store {
    /// Connects to `sqlite://PATH` (the file is created when missing) or `postgres://…`, with the
    /// default lease.
    ///
    /// # Errors
    /// Where the URL is neither, or the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(&url.parse()?, Settings::default().lease).await
    }

    /// The same where a lease lasts for `lease`: `PostgreSQL` ends a transaction of a process that
    /// has stopped as soon as another may take its lease over, so that it holds no lock any longer.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(url: &DatabaseUrl, lease: Duration) -> Result<Self, StoreError> {
        Self::connect_within(url, lease, DatabaseLimits::default()).await
    }

    /// The same where the database may take so long for what it is asked.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_within(
        url: &DatabaseUrl,
        lease: Duration,
        limits: DatabaseLimits,
    ) -> Result<Self, StoreError> {
        provide_file(url)?;
        let sqlite = url.is_sqlite();
        // Options are large, and so is what waits for a connection with them.
        let options = connect_options(url, lease, limits, tune_sqlite);
        let lanes = Box::pin(Lanes::connect(&options, sqlite)).await?;
        let writers = if sqlite {
            let options = connect_options(url, lease, limits, tune_sqlite_writer);
            Some(Box::pin(connect_writers(options)).await?)
        } else {
            None
        };
        let (writer, checking_writer) = writers.unzip();
        Ok(Self {
            db: lanes.connection(ConnectionLane::Interactive).clone(),
            lane: ConnectionLane::Interactive,
            lanes: Arc::new(lanes),
            writer,
            checking_writer,
            turns: sqlite.then(WriterTurns::default),
            overlaps: Arc::new(Semaphore::new(OVERLAPS)),
            holds: Arc::new(Semaphore::new(HOLDS)),
            liveness: Heartbeat::default(),
            shelf: DirectoryCache::default(),
            audit_heads: KnownHeads::default(),
            retries: RetryPolicy::default(),
        })
    }

    /// The same, which keeps directories that it has read, in about so many bytes, and reads only what has
    /// changed when it is asked for one again. On SQLite, which does not tell what that is, it keeps none.
    #[must_use]
    pub fn with_directory_cache(self, bytes: usize) -> Self {
        let bytes = if self.has_one_writer() { 0 } else { bytes };
        Self {
            shelf: DirectoryCache::new(bytes),
            ..self
        }
    }

    /// Answers whether the database can be reached.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.ping().await?)
    }

    /// True where the database has one writer at a time: SQLite.
    #[must_use]
    pub const fn has_one_writer(&self) -> bool {
        self.turns.is_some()
    }

    fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// Begins a write transaction that is about no organisation.
    async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let connection = self.writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, None).await
    }

    /// Begins a write transaction that is about `organization`.
    async fn begin_for(&self, organization: i64) -> Result<WriteTransaction, StoreError> {
        let connection = self.writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, Some(organization)).await
    }

    /// Begins a write transaction that removes much of what `organization`'s users may refer to, and looks
    /// itself that none does. SQLite would look through all users for each row that is removed.
    async fn begin_checking_references(
        &self,
        organization: i64,
    ) -> Result<WriteTransaction, StoreError> {
        let connection = self.checking_writer.as_ref().unwrap_or(&self.db);
        self.begin_through(connection, Some(organization)).await
    }

    /// Begins a write transaction that keeps this process alive in the eyes of others: it waits for no other
    /// work's connection. On SQLite, which has one writer, each transaction does that for all others.
    async fn begin_for_heartbeat(&self) -> Result<WriteTransaction, StoreError> {
        let connection = self.writer.as_ref().unwrap_or(self.lanes.vital());
        self.begin_through(connection, None).await
    }

    async fn begin_through(
        &self,
        connection: &DatabaseConnection,
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
        let inner = connection.begin_with_options(options).await?;
        metrics::waited("transaction", asked.elapsed());
        let liveness = turn.is_some().then(|| self.liveness.clone());
        Ok(WriteTransaction {
            inner,
            _turn: turn,
            liveness,
            _work: DatabaseTimer::begin("transaction"),
            notes: PendingAuditEvents::default(),
            audit_heads: self.audit_heads.clone(),
        })
    }
}

impl WriteTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        let heads = self.append_notes().await?;
        self.keep_alive().await?;
        self.inner.commit().await?;
        self.audit_heads.moved(heads);
        Ok(())
    }

    async fn execute(&self, sql: String, values: Vec<Value>) -> Result<u64, StoreError> {
        let backend = self.inner.get_database_backend();
        let statement = sea_orm::Statement::from_sql_and_values(backend, sql, values);
        Ok(self.inner.execute_raw(statement).await?.rows_affected())
    }
}

/// Who may write to a SQLite file. The transactions of one organisation wait for each other first, so that
/// however many it has, the others wait for one of them.
#[derive(Clone, Debug)]
struct WriterTurns {
    of_organizations: KeyedQueue<i64>,
    writer: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct WriterTurn {
    // Dropped first: the organisation's next one may wait for the writer as soon as it is free.
    _writer: OwnedMutexGuard<()>,
    _of_organization: Option<KeyedPermit<i64>>,
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

/// Connects. If several processes create the same SQLite file at once, one of them switches it to WAL mode, and
/// the others get "locked" at once, whatever their busy timeout: they try again.
async fn connect(options: ConnectOptions, sqlite: bool) -> Result<DatabaseConnection, StoreError> {
    let limit = if sqlite {
        ACQUIRE_TIMEOUT
    } else {
        Duration::ZERO
    };
    let retries = RetryPolicy::new(limit, CancellationToken::new());
    retries
        .retry(|| async { Ok(Database::connect(options.clone()).await?) })
        .await
}

/// SQLite's writer, and the one that checks references itself; only one of them has a transaction at a time.
async fn connect_writers(
    mut options: ConnectOptions,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    options.max_connections(1);
    let writer = connect(options.clone(), true).await?;
    options.map_sqlx_sqlite_opts(|options| {
        // A change of the catalog leaves it to the writer to copy the log.
        let log_pages = SQLITE_LOG_PAGES.to_string();
        tune_sqlite(options)
            .foreign_keys(false)
            .pragma("wal_autocheckpoint", log_pages)
    });
    options.connect_lazy(true);
    Ok((writer, connect(options, true).await?))
}

/// False where a connection that comes back to the pool is still inside a transaction, as one is
/// whose rollback failed on a full disk; it is closed then, and with it goes its lock.
async fn is_clean(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that has been asked for comes before the answer.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// SQLite's file is private from its beginning on, and SQLite gives the files beside it the same mode.
fn provide_file(url: &DatabaseUrl) -> Result<(), StoreError> {
    let Some(file) = url.file() else {
        return Ok(());
    };
    if let Err(error) = private_files::provide(&file) {
        return Err(StoreError::File { file, error });
    }
    // SQLite follows a link, too.
    let file = fs::canonicalize(&file).unwrap_or(file);
    for ending in ["-wal", "-shm"] {
        let mut beside = file.clone().into_os_string();
        beside.push(ending);
        private_files::shut_out_others(beside.as_ref());
    }
    Ok(())
}

fn connect_options(
    url: &DatabaseUrl,
    lease: Duration,
    limits: DatabaseLimits,
    sqlite: fn(SqliteConnectOptions) -> SqliteConnectOptions,
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.reveal());
    options
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |options| {
            options.options([
                ("idle_in_transaction_session_timeout", lease.as_millis()),
                ("statement_timeout", limits.statement.as_millis()),
                ("lock_timeout", limits.lock.as_millis()),
            ])
        })
        .map_sqlx_sqlite_opts(sqlite)
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(is_clean(connection)))
        });
    options
}

/// Durable against a crash of the process; readers never wait for the writer.
fn tune_sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
}

/// The same with more memory, and fewer copies of the log.
fn tune_sqlite_writer(options: SqliteConnectOptions) -> SqliteConnectOptions {
    tune_sqlite(options)
        .pragma("cache_size", format!("-{SQLITE_WRITER_CACHE}"))
        .pragma("wal_autocheckpoint", SQLITE_LOG_PAGES.to_string())
        .pragma("temp_store", "MEMORY")
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;

    use super::*;

    #[tokio::test]
    async fn what_sqlite_has_committed_survives_and_refers_to_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db").display());
        let store = Store::connect(&url).await.unwrap();
        // NORMAL is 1, FULL 2.
        let durable = "SELECT journal_mode = 'wal' AND synchronous >= 1 AND foreign_keys \
            FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys";
        for connection in [&store.db, store.writer.as_ref().unwrap()] {
            let statement = Statement::from_string(DbBackend::Sqlite, durable);
            let row = connection.query_one_raw(statement).await.unwrap().unwrap();
            assert!(row.try_get_by_index::<bool>(0).unwrap());
        }
    }
}
