//! A fresh, empty database for each test, removed when the test ends, however it ends.

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use tempfile::TempDir;
use tokio::{sync::OnceCell, time::sleep};
use user_import::config::Settings;

use super::server;

/// The variable that names the cluster to make PostgreSQL databases on; `scripts/test` sets it.
const POSTGRES_URL: &str = "USER_IMPORT_TEST_POSTGRES_URL";

/// The variable that names a database on that cluster which has the newest schema, once a test has made it.
/// `scripts/test` sets it if the cluster is its own; the database is removed with the cluster.
const POSTGRES_TEMPLATE: &str = "USER_IMPORT_TEST_POSTGRES_TEMPLATE";

/// The variable that names a database on the coordinator of Citus, as a superuser. If it is set, the PostgreSQL tests
/// have databases there, with distributed tables.
const CITUS_URL: &str = "USER_IMPORT_TEST_CITUS_URL";

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
            Self::Postgres => match env::var(CITUS_URL) {
                Ok(coordinator) => FreshDatabase::on_citus(&coordinator).await,
                Err(_) => FreshDatabase::on_cluster(cluster()).await,
            },
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
                // Citus expects that a database has the same name on all machines, so a template cannot be copied.
                if env::var_os(CITUS_URL).is_some() {
                    return self.create().await;
                }
                match TEMPLATE.get_or_init(postgres_template).await {
                    Some(template) => FreshDatabase::made(cluster(), template).await,
                    None => self.create().await,
                }
            }
        }
    }
}

/// Returns `true` if the PostgreSQL tests have distributed databases, and says `why` the calling test does not run
/// there.
pub fn is_distributed(why: &str) -> bool {
    let is_distributed = env::var_os(CITUS_URL).is_some();
    if is_distributed {
        println!("NOT RUN: {why}");
    }
    is_distributed
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
    // Recent changes may be only in the log beside the file.
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

    /// Makes a database on all machines of Citus, and distributes its tables.
    pub async fn on_citus(coordinator: &str) -> Self {
        let fresh = Self::undistributed_on_citus(coordinator).await;
        let store = server::migrated(&fresh.url(), &Settings::default()).await;
        store.distribute().await.expect("Citus takes the tables");
        fresh
    }

    /// Makes an empty database on all machines of Citus.
    pub async fn undistributed_on_citus(coordinator: &str) -> Self {
        let name = unique_name();
        let joint = if coordinator.contains('?') { '&' } else { '?' };
        let cluster =
            format!("{coordinator}{joint}options[citus.enable_create_database_propagation]=on");
        execute(&cluster, &format!("CREATE DATABASE {name}")).await;
        let fresh = Self::Postgres { cluster, name };
        let workers = texts(
            coordinator,
            "SELECT node_name || ':' || node_port FROM citus_get_active_worker_nodes() ORDER BY 1",
        )
        .await;
        let url = fresh.url();
        let (user, rest) = url.split_once('@').expect("the URL names a user");
        let (host, database) = rest.split_once('/').expect("the URL names a database");
        for node in workers.iter().map(String::as_str).chain([host]) {
            let extension = "CREATE EXTENSION IF NOT EXISTS citus";
            execute(&format!("{user}@{node}/{database}"), extension).await;
        }
        let arguments = |node: &str| {
            let (name, port) = node.rsplit_once(':').expect("a node has a port");
            format!("'{name}', {port}")
        };
        let own = format!("SELECT citus_set_coordinator_host({})", arguments(host));
        execute(&url, &own).await;
        for worker in &workers {
            execute(
                &url,
                &format!("SELECT citus_add_node({})", arguments(worker)),
            )
            .await;
        }
        fresh
    }

    /// Makes an empty database there with `options` of `CREATE DATABASE`.
    pub async fn on_cluster_with(cluster: String, options: &str) -> Self {
        Self::made(cluster, options).await
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
                let (server, parameters) = cluster.split_once('?').unwrap_or((cluster, ""));
                let (server, _) = server.rsplit_once('/').expect("the URL names a database");
                let question = if parameters.is_empty() { "" } else { "?" };
                format!("{server}/{name}{question}{parameters}")
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
    pub async fn begin(&self, sql: &str) -> OpenTransaction {
        let connection = connect(&self.url()).await;
        let begun = OpenTransaction(connection);
        begun.execute(&format!("BEGIN; {sql}")).await;
        begun
    }

    /// Returns once a connection to this database waits for a lock: on any machine, if the database is distributed.
    pub async fn until_somebody_waits(&self) {
        self.until_one_waits("").await;
    }

    /// The same for a connection that waits for a table.
    pub async fn until_somebody_waits_for_a_table(&self) {
        self.until_one_waits("AND wait_event = 'relation'").await;
    }

    /// The same for a connection that waits for a row.
    pub async fn until_somebody_waits_for_a_row(&self) {
        self.until_one_waits("AND wait_event = 'transactionid'")
            .await;
    }

    async fn until_one_waits(&self, condition: &str) {
        let activity = match self.has_citus().await {
            false => "pg_stat_activity",
            true => "citus_stat_activity",
        };
        let waiting = format!(
            "SELECT count(*) FROM {activity} \
            WHERE datname = current_database() AND wait_event_type = 'Lock' {condition}"
        );
        while self.number(&waiting).await == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the one number that a query yields.
    pub async fn number(&self, sql: &str) -> i64 {
        number(&self.url(), sql).await
    }

    /// Returns the sum of the numbers that a query yields on Citus's workers, which is zero without Citus.
    pub async fn number_on_workers(&self, sql: &str) -> i64 {
        let sum = format!(
            "SELECT coalesce(sum(result::bigint), 0)::bigint FROM run_command_on_workers($$ {sql} $$)"
        );
        match self.has_citus().await {
            false => 0,
            true => self.number(&sum).await,
        }
    }

    async fn has_citus(&self) -> bool {
        let view = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('citus_stat_activity')";
        self.number(view).await > 0
    }
}

/// A transaction that is still open.
#[derive(Debug)]
pub struct OpenTransaction(DatabaseConnection);

impl OpenTransaction {
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
        // A runtime cannot wait for itself, so a thread with a runtime of its own runs the statement.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(execute(&cluster, &sql));
        });
        // A panic here, while the test panics, would hide the reason of the failure.
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

async fn texts(url: &str, sql: &str) -> Vec<String> {
    let connection = connect(url).await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await;
    let closed = connection.close().await;
    closed.expect("a connection can be closed");
    let rows = rows.expect("the query is valid");
    let text = |row: &QueryResult| row.try_get_by_index(0).expect("it is a text");
    rows.iter().map(text).collect()
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
    // Another connection may write to a SQLite file for a while if the machine is slow.
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| options.busy_timeout(Duration::from_mins(1)));
    sea_orm::Database::connect(options)
        .await
        .unwrap_or_else(|error| panic!("the test database cannot be reached: {error}"))
}
