//! A fresh, empty database for each test, removed when the test ends, however it ends.

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::{sync::OnceCell, time::sleep};
use user_import::config::Settings;

use super::server;

/// The variable that names the cluster to make PostgreSQL databases on; `scripts/test` sets it.
const POSTGRES_URL: &str = "USER_IMPORT_TEST_POSTGRES_URL";

/// The variable that names a database on that cluster which has the newest schema, once a test has made it.
/// `scripts/test` sets it if the cluster is its own; the database is removed with the cluster.
const POSTGRES_TEMPLATE: &str = "USER_IMPORT_TEST_POSTGRES_TEMPLATE";

/// The databases on which every rule must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A database that no other test uses.
#[derive(Debug)]
pub enum FreshDatabase {
    Sqlite { directory: TempDir },
    Postgres { cluster: String, name: String },
}

impl Database {
    /// Makes an empty database of this kind.
    pub async fn create(self) -> FreshDatabase {
        match self {
            Self::Sqlite => FreshDatabase::Sqlite {
                directory: tempfile::tempdir().expect("a temporary directory can be made"),
            },
            Self::Postgres => FreshDatabase::on_cluster(cluster()).await,
        }
    }

    /// Makes a database with the newest schema. It is a copy of a template: running all migration steps for each test
    /// took a quarter of the database's work.
    pub async fn with_schema(self) -> FreshDatabase {
        match self {
            Self::Sqlite => {
                static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
                let template = TEMPLATE.get_or_init(sqlite_template).await;
                let fresh = self.create().await;
                fs::write(fresh.file(), template).expect("a file can be written");
                fresh
            }
            Self::Postgres => {
                static TEMPLATE: OnceCell<Option<String>> = OnceCell::const_new();
                match TEMPLATE.get_or_init(postgres_template).await {
                    Some(template) => FreshDatabase::made(cluster(), template).await,
                    None => self.create().await,
                }
            }
        }
    }
}

fn cluster() -> String {
    env::var(POSTGRES_URL).unwrap_or_else(|_| {
        panic!("{POSTGRES_URL} is not set; run scripts/test, which starts PostgreSQL")
    })
}

/// Returns a file with the newest schema.
async fn sqlite_template() -> Vec<u8> {
    let database = Database::Sqlite.create().await;
    server::migrated(&database.url(), &Settings::default()).await;
    let whole = database.file().with_extension("whole");
    // The database's own file lacks the changes that are still in its log.
    let sql = format!("VACUUM INTO '{}'", whole.display());
    database.execute(&sql).await;
    fs::read(whole).expect("the copy can be read")
}

/// Returns the options with which this run's tests copy a database with the newest schema, if it has a name.
async fn postgres_template() -> Option<String> {
    let template = env::var(POSTGRES_TEMPLATE).ok()?;
    let cluster = cluster();
    let there = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{template}'");
    if number(&cluster, &there).await == 0 {
        let database = Database::Postgres.create().await;
        server::migrated(&database.url(), &Settings::default()).await;
        // A database with an open connection cannot be renamed or copied.
        database.take_away().await;
        let connected = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{}'",
            database.name()
        );
        while number(&cluster, &connected).await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
        let rename = format!("ALTER DATABASE {} RENAME TO {template}", database.name());
        execute(&cluster, &rename).await;
    }
    // PostgreSQL copies its files and does not also log them, if its version has that option.
    let version = "SELECT current_setting('server_version_num')::BIGINT";
    let strategy = match number(&cluster, version).await {
        150_000.. => "STRATEGY file_copy",
        _ => "",
    };
    Some(format!("TEMPLATE {template} {strategy}"))
}

/// Returns a name that differs from that of any other test in this process or on the same machine.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("user_import_test_{}_{count}", std::process::id())
}

impl FreshDatabase {
    /// Makes an empty database on the PostgreSQL cluster at this URL.
    pub async fn on_cluster(cluster: String) -> Self {
        Self::made(cluster, "").await
    }

    /// Makes a database there with `options` of `CREATE DATABASE`.
    async fn made(cluster: String, options: &str) -> Self {
        let name = unique_name();
        execute(&cluster, &format!("CREATE DATABASE {name} {options}")).await;
        Self::Postgres { cluster, name }
    }

    /// Returns the file of a SQLite database.
    fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite { directory } => directory.path().join("test.db"),
            Self::Postgres { .. } => unreachable!("a PostgreSQL database is no file"),
        }
    }

    /// Returns the name of a PostgreSQL database.
    fn name(&self) -> &str {
        match self {
            Self::Sqlite { .. } => unreachable!("a SQLite database has no name"),
            Self::Postgres { name, .. } => name,
        }
    }

    /// Runs a statement on a connection of its own.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await;
    }

    /// Runs a statement in the same way, and returns the database's message if it refuses.
    pub async fn try_execute(&self, sql: &str) -> Result<(), String> {
        let connection = connect(&self.url()).await;
        let result = connection.execute_unprepared(sql).await;
        let closed = connection.close().await;
        closed.expect("a connection can be closed");
        result.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Returns the URL at which a server finds the database.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { .. } => format!("sqlite://{}", self.file().display()),
            Self::Postgres { cluster, name } => {
                let (server, _) = cluster.rsplit_once('/').expect("the URL names a database");
                format!("{server}/{name}")
            }
        }
    }
}

impl FreshDatabase {
    /// Makes the database unusable. On PostgreSQL new connections are refused. On SQLite an open file stays usable, so
    /// a table is removed.
    pub async fn take_away(&self) {
        match self {
            Self::Sqlite { .. } => {
                let sql = "ALTER TABLE organizations RENAME TO gone";
                self.execute(sql).await;
            }
            Self::Postgres { cluster, name } => {
                let closed = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
                execute(cluster, &closed).await;
                let sql = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                execute(cluster, &sql).await;
            }
        }
    }

    /// Undoes [`take_away`](Self::take_away).
    pub async fn give_back(&self) {
        match self {
            Self::Sqlite { .. } => {
                let sql = "ALTER TABLE gone RENAME TO organizations";
                self.execute(sql).await;
            }
            Self::Postgres { cluster, name } => {
                let open = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true");
                execute(cluster, &open).await;
            }
        }
    }

    /// Begins a separate transaction with these statements.
    pub async fn begin(&self, sql: &str) -> Begun {
        let connection = connect(&self.url()).await;
        let begun = Begun(connection);
        begun.execute(&format!("BEGIN; {sql}")).await;
        begun
    }

    /// Returns the one number that a query yields.
    pub async fn number(&self, sql: &str) -> i64 {
        number(&self.url(), sql).await
    }
}

/// A transaction that is still open.
#[derive(Debug)]
pub struct Begun(DatabaseConnection);

impl Begun {
    /// Ends it with these statements.
    pub async fn commit(self, sql: &str) {
        self.execute(&format!("{sql}; COMMIT")).await;
        let closed = self.0.close().await;
        closed.expect("a connection can be closed");
    }

    async fn execute(&self, sql: &str) {
        if let Err(error) = self.0.execute_unprepared(sql).await {
            panic!("{sql}: {error}");
        }
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let Self::Postgres { cluster, name } = self else {
            return;
        };
        let cluster = cluster.clone();
        // `FORCE` closes connections of a server that is still stopping; they do not matter any more.
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // A runtime cannot wait for itself, so the statement has a thread and a runtime of its own.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(execute(&cluster, &sql));
        });
        // A panic in a drop during the test's panic would hide the reason of the failure.
        if dropping.join().is_err() {
            eprintln!("the database {name} was not removed");
        }
    }
}

async fn number(url: &str, sql: &str) -> i64 {
    let connection = connect(url).await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await;
    let number = row.map(|row| row.map(|row| row.try_get_by_index(0)));
    connection
        .close()
        .await
        .expect("a connection can be closed");
    match number {
        Ok(Some(Ok(number))) => number,
        other => panic!("{sql}: {other:?}"),
    }
}

async fn execute(url: &str, sql: &str) {
    let connection = connect(url).await;
    if let Err(error) = connection.execute_unprepared(sql).await {
        panic!("{sql}: {error}");
    }
    connection
        .close()
        .await
        .expect("a connection can be closed");
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    // A SQLite file may have a writer for as long as the machine takes.
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| options.busy_timeout(Duration::from_mins(1)));
    sea_orm::Database::connect(options)
        .await
        .unwrap_or_else(|error| panic!("the test database cannot be reached: {error}"))
}
