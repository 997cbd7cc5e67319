//! `PgBouncer` between the server and PostgreSQL, configured as in `docs/scale.md`. It discards the settings of
//! connections, and in transaction mode each transaction may get another connection.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tonic::Code;
use user_import::{config::Settings, domain::Column::FirstName, limits::DatabaseLimits};

use crate::program::run;
use user_import_testing::{App, Database, FreshDatabase, PATIENCE, on_postgres, roster, start_of};

on_postgres![
    imports_go_through_a_pooler_in_transaction_mode,
    imports_go_through_a_pooler_in_session_mode,
    time_outs_hold_although_the_pooler_drops_them,
    doctor_says_what_to_set_in_a_pooler_that_does_not_work,
];

/// The settings of connections that the pooler drops and does not refuse, as in `docs/scale.md`.
const DROPPED: &str = "extra_float_digits,options";

/// Organisations that work at the same time, so that they share the pooler's connections.
const ORGANIZATIONS: usize = 6;

/// A running `PgBouncer`, which is killed when dropped.
struct Pooler {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one for the tests' cluster.
    async fn start(mode: &str) -> Self {
        Self::dropping(DROPPED, mode).await
    }

    /// Starts one that drops these settings and refuses all others.
    async fn dropping(settings: &str, mode: &str) -> Self {
        let dropped = settings;
        let folder = tempfile::tempdir().unwrap();
        let target = Database::Postgres.create().await.url();
        let (credentials, rest) = target.split_once('@').unwrap();
        let (_, password) = credentials.rsplit_once(':').unwrap();
        let (target, _) = rest.split_once('/').unwrap();
        let (host, target_port) = target.split_once(':').unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let settings = format!(
            "[databases]\n* = host={host} port={target_port} user=postgres password={password}\n\
            [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
            auth_type = any\npool_mode = {mode}\ndefault_pool_size = 20\n\
            ignore_startup_parameters = {dropped}\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("/usr/sbin/pgbouncer");
        if rustix::process::getuid().is_root() {
            // It refuses to run as root.
            let nobody = 65_534;
            for path in [folder.path(), &file] {
                std::os::unix::fs::chown(path, Some(nobody), Some(nobody)).unwrap();
            }
            command.uid(nobody).gid(nobody);
        }
        let child = command.arg(&file).stderr(Stdio::null()).spawn();
        let child = child.expect("PgBouncer is installed: scripts/test sees to that");
        let pooler = Self {
            child,
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            _folder: folder,
        };
        let listening = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_err()
            {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, listening).await.expect("it listens");
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // This fails only if the process has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes several organisations import at once, through one server.
async fn import_through(mode: &str) {
    let pooler = Pooler::start(mode).await;
    let database = Arc::new(FreshDatabase::on_cluster(pooler.url.clone()).await);
    let app = App::serve(Arc::clone(&database), Settings::default()).await;
    let names: Vec<String> = (0..ORGANIZATIONS).map(|n| format!("pd-{n}")).collect();
    let work = names.iter().map(|organization| async {
        app.organization(organization).await;
        let people = || roster().people(["ann", "ben", "cid"]);
        let created = app.import_with(start_of(organization), people()).await;
        assert_eq!(created.summary().created, 3, "{created}");
        for round in 0..5 {
            let name = format!("Ann{round}");
            let changed = roster().row("ann", [(FirstName, &*name)]);
            let pushed = app.push(start_of(organization), changed.typed()).await;
            assert_eq!(
                (pushed.code(), pushed.summary().updated),
                (Code::Ok, 1),
                "{pushed}"
            );
            assert_eq!(app.users_of(organization).await.len(), 3);
        }
        let again = app.import_with(start_of(organization), people()).await;
        assert_eq!(again.summary().updated, 1, "{again}");
    });
    join_all(work).await;
    let doctor = run(&["doctor"], &database.url());
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("warning  pooler"), "{said}");
}

async fn imports_go_through_a_pooler_in_transaction_mode() {
    import_through("transaction").await;
}

async fn imports_go_through_a_pooler_in_session_mode() {
    import_through("session").await;
}

async fn time_outs_hold_although_the_pooler_drops_them() {
    let pooler = Pooler::start("transaction").await;
    let database = Arc::new(FreshDatabase::on_cluster(pooler.url.clone()).await);
    let settings = Settings {
        database: DatabaseLimits {
            lock: Duration::from_millis(300),
            ..DatabaseLimits::default()
        },
        database_patience: Duration::from_millis(500),
        ..Settings::default()
    };
    let app = App::serve(Arc::clone(&database), settings).await;
    app.organization("pd").await;
    let lock = database.begin("LOCK TABLE users IN EXCLUSIVE MODE").await;
    let importing = app.import(roster().people(["ann"]));
    let imported = timeout(PATIENCE, importing)
        .await
        .expect("it waits for the lock no longer");
    assert_eq!(imported.code(), Code::Unavailable, "{imported}");
    drop(lock);
    let imported = app.import(roster().people(["ann"])).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn doctor_says_what_to_set_in_a_pooler_that_does_not_work() {
    for (dropped, mode, advice) in [
        ("", "transaction", "set ignore_startup_parameters = "),
        ("extra_float_digits", "session", DROPPED),
        (DROPPED, "statement", "set pool_mode = transaction"),
    ] {
        let pooler = Pooler::dropping(dropped, mode).await;
        let doctor = run(&["doctor", "--listen", "127.0.0.1:0"], &pooler.url);
        let said = String::from_utf8(doctor.stdout).unwrap();
        let wrong: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("WRONG"))
            .collect();
        assert!(wrong.len() == 1 && wrong[0].contains(advice), "{said}");
    }
}
