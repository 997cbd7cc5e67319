//! Opens connections: the options of both databases, and SQLite's file and writers.

use std::{fs, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{self, Connection as _, pool::PoolConnectionMetadata, sqlite::SqliteConnectOptions},
};
use tokio_util::sync::CancellationToken;

use super::{
    DatabaseUrl, RetryPolicy, StoreError, connection_pool::ConnectionPool,
    postgres_hosts::FoundHost,
};
use crate::{private_files, telemetry::metrics};

/// How long a statement may wait for SQLite's one writer in another process.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// KiB of a SQLite file that the writer keeps in memory. Imports change pages of the indexes in random order, and a
/// page that falls out of memory is written once more.
const SQLITE_WRITER_CACHE: u32 = 32 * 1024;

/// Bytes of a page of a new SQLite file; SQLite's own default is 4 KiB. A new user changes pages all over six indexes, and
/// larger pages make these shallower: creating 100,000 users takes a tenth less processor time. Even larger pages would
/// make each commit write more. A file that exists keeps its size.
const SQLITE_PAGE: u32 = 8 * 1024;

/// How long a call may wait for a connection to a database that does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection to PostgreSQL is used.
const LIFETIME: Duration = Duration::from_mins(30);

/// How long a connection to PostgreSQL counts as alive after it was used. The pool has tested it then.
const ALIVE_FOR: Duration = Duration::from_millis(100);

/// Connects. If several processes create the same SQLite file at once, one of them switches it to WAL mode, and
/// the others get "locked" at once, whatever their busy timeout: they try again.
pub(super) async fn connect(
    options: ConnectOptions,
    sqlite: bool,
) -> Result<DatabaseConnection, StoreError> {
    let limit = if sqlite {
        ACQUIRE_TIMEOUT
    } else {
        Duration::ZERO
    };
    let retries = RetryPolicy::new(limit, CancellationToken::new());
    let connected = retries.retry(|| async { Ok(Database::connect(options.clone()).await?) });
    let mut connection = connected.await?;
    connection.set_metric_callback(|_| metrics::database_statement());
    Ok(connection)
}

/// SQLite's writer, and a second one whose transactions check references themselves. Only one of them has a
/// transaction at a time.
pub(super) async fn connect_sqlite_writers(
    mut options: ConnectOptions,
) -> Result<(ConnectionPool, ConnectionPool), StoreError> {
    options.map_sqlx_sqlite_opts(tune_sqlite_writer);
    options.max_connections(1);
    let writer = connect(options.clone(), true).await?;
    options.map_sqlx_sqlite_opts(|options| tune_sqlite(options).foreign_keys(false));
    options.connect_lazy(true);
    let checking_writer = connect(options, true).await?;
    Ok((
        ConnectionPool::new(writer, None),
        ConnectionPool::new(checking_writer, None),
    ))
}

/// Returns `false` for a connection that comes back to the pool inside a transaction, as it does if its rollback
/// failed on a full disk. The pool then closes it, which frees its lock.
async fn is_clean(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback that is queued runs before the answer.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Returns `false` for a connection that is old. Fails if it has been idle for a while, and the database has gone
/// meanwhile. The pool then opens another one.
async fn is_usable(
    connection: &mut sqlx::PgConnection,
    state: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if state.idle_for >= ALIVE_FOR {
        connection.ping().await?;
    }
    Ok(state.age < LIFETIME)
}

/// Makes SQLite's file private from its beginning. SQLite gives the files beside it the same mode.
pub(super) fn provide_file(url: &DatabaseUrl) -> Result<(), StoreError> {
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

/// Returns the error that says which file of certificates cannot be read, if that may be why no host was found. The
/// database's library does not name the file.
pub(super) fn named_file(url: &DatabaseUrl, error: StoreError) -> StoreError {
    if error.network().is_none() && error.code().is_some() {
        return error;
    }
    let files = url.certificate_files().into_iter();
    let mut unreadable = files.filter_map(|file| {
        let error = fs::read(&file).err()?;
        Some(StoreError::CertificateFile { file, error })
    });
    unreadable.next().unwrap_or(error)
}

/// The options of every connection: on `PostgreSQL` those of the host that was found.
pub(super) fn connect_options(url: &DatabaseUrl, host: Option<&FoundHost>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.reveal());
    if let Some(host) = host {
        let host = host.options.clone();
        options.map_sqlx_postgres_opts(move |_| host.clone());
    }
    options
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // With an idle time or a lifetime, sqlx looks through its idle connections from time to time. If one is taken at that
        // moment, it may count 2⁶⁴ and keep a thread of the runtime busy for ever (sqlx 0.9.0, `PoolInner::num_idle`).
        .idle_timeout(None)
        .max_lifetime(None)
        // The pool tests each connection that comes back to it. A second test before each use would be one more round
        // trip: six of them for a push.
        .test_before_acquire(false)
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.before_acquire(|connection, state| Box::pin(is_usable(connection, state)))
        })
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(tune_sqlite)
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(is_clean(connection)))
        });
    options
}

/// Durable against a crash of the process. Readers never wait for the writer.
fn tune_sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .page_size(SQLITE_PAGE)
        .foreign_keys(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
}

/// The same with more memory. SQLite copies its log into the file, and syncs it, each time that the log has 1,000 pages.
/// Everybody waits meanwhile: with eight times as many pages a push waited five times its share now and then, and imports
/// took as long as before.
fn tune_sqlite_writer(options: SqliteConnectOptions) -> SqliteConnectOptions {
    tune_sqlite(options)
        .pragma("cache_size", format!("-{SQLITE_WRITER_CACHE}"))
        .pragma("temp_store", "MEMORY")
}

#[cfg(test)]
mod tests {
    use sea_orm::sqlx::{ConnectOptions as _, Executor as _, Row as _};

    use super::*;

    #[tokio::test]
    async fn a_new_file_has_larger_pages_and_an_older_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for (size, exists) in [(8_192, false), (4_096, true)] {
            let file = folder.path().join(format!("{size}.db"));
            let plain = SqliteConnectOptions::new()
                .filename(&file)
                .create_if_missing(true);
            if exists {
                let mut made = plain.clone().page_size(size).connect().await.unwrap();
                made.execute("CREATE TABLE x (y)").await.unwrap();
            }
            let mut opened = tune_sqlite(plain).connect().await.unwrap();
            let page = opened.fetch_one("PRAGMA page_size").await.unwrap();
            assert_eq!(page.get::<u32, _>(0), size);
        }
    }

    #[test]
    fn no_pool_looks_through_its_idle_connections() {
        let url: DatabaseUrl = "sqlite::memory:".parse().unwrap();
        let options = connect_options(&url, None);
        assert_eq!(options.get_idle_timeout(), Some(None));
        assert_eq!(options.get_max_lifetime(), Some(None));
    }
}
