//! A PostgreSQL server of a test's own, which the test may kill and restart.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tempfile::TempDir;
use uuid::Uuid;

use crate::scene::eventually;
use user_import_testing::{
    certificates::IssuedCertificate,
    free_address,
    signal::{self, Signal},
};

/// The directory of PostgreSQL's programs; `scripts/test` sets it.
const PROGRAMS: &str = "USER_IMPORT_TEST_POSTGRES_BIN";

/// A cluster with one server, which is removed when dropped. Committed data survives the death of its processes. It
/// does not wait for the disk, which would matter only after a crash of the machine.
#[derive(Debug)]
pub struct PostgresCluster {
    directory: TempDir,
    password: String,
    port: u16,
    server: Option<Child>,
}

impl PostgresCluster {
    /// Makes a new cluster and starts its server.
    pub async fn start() -> Self {
        let mut cluster = Self::stopped(Uuid::new_v4().simple().to_string());
        cluster.initialise();
        cluster.start_somewhere().await;
        cluster
    }

    /// Makes a standby of this cluster and starts it. From now on this cluster confirms no transaction before the standby
    /// has it.
    pub async fn synchronous_standby(&mut self) -> Self {
        let mut standby = Self::stopped(self.password.clone());
        let mut copying = standby.program("pg_basebackup");
        copying.args(["--write-recovery-conf", "--no-sync", "--checkpoint=fast"]);
        let origin = self.url() + "?application_name=standby";
        let output = copying
            .arg("--pgdata")
            .arg(standby.data())
            .arg("--dbname")
            .arg(origin)
            .output();
        let output = output.expect("pg_basebackup can be run");
        assert!(output.status.success(), "{output:?}");
        standby.start_somewhere().await;
        self.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            .await;
        self.run("SELECT pg_reload_conf()").await;
        let following = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let follows = async || self.number(following).await == 1;
        eventually(follows, "the standby follows").await;
        standby
    }

    /// Makes every transaction that begins from now on refuse writes, as an administrator does before a fail-over, or
    /// accept them again.
    pub async fn set_read_only(&self, is_read_only: bool) {
        let setting = format!("ALTER SYSTEM SET default_transaction_read_only = {is_read_only}");
        self.run(&setting).await;
        self.run("SELECT pg_reload_conf()").await;
    }

    /// Makes the server speak TLS with this certificate from now on.
    pub async fn encrypt(&mut self, issued: &IssuedCertificate) {
        for (name, content) in [
            ("server.crt", &issued.certificate),
            ("server.key", &issued.key),
        ] {
            let file = self.data().join(name);
            fs::write(&file, content).expect("there is space");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is our file");
            if let Some((user, group)) = unprivileged() {
                std::os::unix::fs::chown(file, Some(user), Some(group))
                    .expect("root may give its files away");
            }
        }
        self.run("ALTER SYSTEM SET ssl = on").await;
        self.end(Signal::INT);
        self.restart().await;
    }

    /// Promotes a standby, so that it accepts writes.
    pub async fn promote(&self) {
        self.run("SELECT pg_promote()").await;
    }

    /// Returns the URL of a database of this cluster, `url`, with the standby's host after this one's.
    pub fn url_with(&self, standby: &Self, url: &str) -> String {
        let (own, others) = (format!("@127.0.0.1:{}/", self.port), standby.port);
        url.replace(
            &own,
            &format!("@127.0.0.1:{},127.0.0.1:{others}/", self.port),
        ) + "?target_session_attrs=read-write"
    }

    /// Returns the URL of a database of `primary`, `url`, on this standby.
    pub fn url_of(&self, primary: &Self, url: &str) -> String {
        let host = |port: u16| format!("@127.0.0.1:{port}/");
        url.replace(&host(primary.port), &host(self.port))
    }

    fn stopped(password: String) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        if let Some((user, group)) = unprivileged() {
            std::os::unix::fs::chown(directory.path(), Some(user), Some(group))
                .expect("root may give its files away");
        }
        Self {
            directory,
            password,
            port: 0,
            server: None,
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    async fn start_somewhere(&mut self) {
        let running = async || {
            self.port = free_address().port();
            self.try_start().await
        };
        eventually(running, "PostgreSQL starts").await;
    }

    async fn run(&self, sql: &str) {
        let connection = Database::connect(self.url()).await.expect("it is running");
        connection
            .execute_unprepared(sql)
            .await
            .expect("it is a superuser");
        connection.close().await.expect("it can be closed");
    }

    async fn number(&self, sql: &str) -> i64 {
        let connection = Database::connect(self.url()).await.expect("it is running");
        let question = Statement::from_string(DbBackend::Postgres, sql);
        let row = connection
            .query_one_raw(question)
            .await
            .expect("it is a superuser");
        connection.close().await.expect("it can be closed");
        row.expect("a count has a row")
            .try_get_by_index(0)
            .expect("it is a number")
    }

    /// Returns the URL of the first database of this cluster.
    pub fn url(&self) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
    }

    /// Sends the server's first process a signal that ends it.
    pub fn end(&mut self, by: Signal) {
        if let Some(mut server) = self.server.take() {
            signal::send(server.id(), by);
            server.wait().expect("it is our child");
        }
    }

    /// Starts the server again on the same port.
    pub async fn restart(&mut self) {
        // The new server cannot start before the last child process of the old one has ended.
        eventually(async || self.try_start().await, "PostgreSQL starts again").await;
    }

    fn initialise(&self) {
        let password = self.directory.path().join("password");
        fs::write(&password, &self.password).expect("there is space");
        let output = self
            .program("initdb")
            .args(["-U", "postgres", "-A", "password", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--pwfile"])
            .arg(password)
            .output();
        let output = output.expect("initdb can be run");
        assert!(output.status.success(), "{output:?}");
    }

    /// Returns `true` once the server answers, or `false` if it has ended instead.
    async fn try_start(&mut self) -> bool {
        let mut server = self
            .program("postgres")
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
            .spawn()
            .expect("postgres can be run");
        loop {
            if server.try_wait().expect("it is our child").is_some() {
                return false;
            }
            let mut question = self.program("pg_isready");
            question.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if question.status().is_ok_and(|status| status.success()) {
                self.server = Some(server);
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns one of PostgreSQL's programs on this cluster's data. The programs refuse to run as root.
    fn program(&self, name: &str) -> Command {
        let programs = env::var_os(PROGRAMS);
        let programs =
            programs.unwrap_or_else(|| panic!("{PROGRAMS} is not set; run scripts/test"));
        let mut command = Command::new(PathBuf::from(programs).join(name));
        command
            .env("PGDATA", self.data())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
    }
}

/// Returns a user for programs that root starts, or `None` if this process does not run as root.
fn unprivileged() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").expect("it is this process");
    if own.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let ids = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, user, group, ..] = fields[..] else {
                return None;
            };
            (name == wanted).then_some((user.parse().ok()?, group.parse().ok()?))
        })
    };
    Some(
        ids("postgres")
            .or_else(|| ids("nobody"))
            .expect("there is nobody"),
    )
}
