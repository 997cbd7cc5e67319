//! The commands of `docs/backup.md` back up a database while a server imports into it, and restore it. The restored
//! database has the users of one moment and a complete audit trail, and accepts the next import.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{sync::Notify, time::timeout};
use tonic::Code;
use user_import::domain::Column::FirstName;

use crate::program::{program, serve};
use user_import_testing::{
    App, Database, FreshDatabase, ImportResponses, Roster, ServeProcess, roster, run,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/backup.md");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/backup/postgres.sh");

/// The directory of PostgreSQL's programs; `scripts/test` sets it.
const PROGRAMS: &str = "USER_IMPORT_TEST_POSTGRES_BIN";

mod sqlite {
    #[test]
    #[ignore = "needs the program sqlite3: run scripts/test"]
    fn a_backup_made_while_a_server_imports_is_restored_and_takes_the_next_import() {
        super::run(
            super::a_backup_made_while_a_server_imports_is_restored_and_takes_the_next_import(
                super::Database::Sqlite,
            ),
        );
    }
}

mod postgres {
    user_import_testing::postgres_tests![
        a_backup_made_while_a_server_imports_is_restored_and_takes_the_next_import(
            super::Database::Postgres
        ),
        the_script_of_compose_keeps_whole_dumps_and_removes_old_ones(),
    ];
}

/// Returns the commands that the page shows below a heading: to back up, and to restore.
fn commands(heading: &str) -> [String; 2] {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    blocks.collect::<Vec<_>>().try_into().unwrap()
}

/// The folders and databases that stand in place of those of the page.
struct BackupPlace {
    database: Arc<FreshDatabase>,
    folder: TempDir,
}

impl BackupPlace {
    /// Runs a shell script, with the folders and names of the test in place of those of the page.
    fn run(&self, script: &str) -> Output {
        let backups = self.folder.path().display().to_string();
        let script = script.replace("/var/backups", &backups);
        let mut shell = Command::new("bash");
        match &*self.database {
            FreshDatabase::Sqlite { directory } => {
                let script = script
                    .replace(
                        "/var/lib/user-import/user-import.db",
                        "/var/lib/user-import/test.db",
                    )
                    .replace("/var/lib/user-import", directory.path().to_str().unwrap());
                shell.args(["-euc", &script]);
            }
            FreshDatabase::Postgres { name, .. } => {
                let script = script.replace("user_import_restored", &restored(name));
                shell.args(["-euc", &script]);
                shell.env("PGDATABASE", name);
                shell.envs(self.cluster());
            }
        }
        let ran = shell.output().unwrap();
        eprintln!("{script}\n{}", String::from_utf8_lossy(&ran.stderr));
        ran
    }

    /// Returns the variables by which PostgreSQL's programs find the cluster and each other.
    fn cluster(&self) -> Vec<(&'static str, String)> {
        let url = self.database.url();
        let (_, url) = url.split_once("://").unwrap();
        let (credentials, address) = url.split_once('@').unwrap();
        let (user, password) = credentials.split_once(':').unwrap();
        let (host, port) = address.split('/').next().unwrap().split_once(':').unwrap();
        let programs = env::var(PROGRAMS).expect("run scripts/test");
        let path = format!("{programs}:{}", env::var("PATH").unwrap());
        let found = [
            ("PGUSER", user),
            ("PGPASSWORD", password),
            ("PGHOST", host),
            ("PGPORT", port),
            ("PATH", &path),
        ];
        found.map(|(name, value)| (name, value.to_owned())).to_vec()
    }

    /// Returns the database that the page's commands have restored.
    fn restored(&self) -> Arc<FreshDatabase> {
        match &*self.database {
            FreshDatabase::Sqlite { .. } => Arc::clone(&self.database),
            FreshDatabase::Postgres { cluster, name } => Arc::new(FreshDatabase::Postgres {
                cluster: cluster.clone(),
                name: restored(name),
            }),
        }
    }

    fn backups(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files
            .filter(|path| path.file_name() != Some("log".as_ref()))
            .collect()
    }
}

fn restored(name: &str) -> String {
    format!("{name}_restored")
}

const NAMES: [&str; 3] = ["ada", "grace", "joan"];

/// Returns the same people, all with the same first name.
fn renamed(count: usize) -> Roster {
    let first = format!("Name {count}");
    NAMES.into_iter().fold(roster(), |roster, name| {
        roster.row(name, [(FirstName, first.as_str())])
    })
}

/// Imports them with another first name each time, until the test stops it. Returns how often it did.
async fn keep_importing(app: App, stop: Arc<Notify>) -> usize {
    for count in 1.. {
        app.import(renamed(count)).await;
        // A permit that was given earlier ends the loop too.
        if timeout(Duration::ZERO, stop.notified()).await.is_ok() {
            return count;
        }
    }
    unreachable!()
}

async fn a_backup_made_while_a_server_imports_is_restored_and_takes_the_next_import(
    database: Database,
) {
    let heading = match database {
        Database::Sqlite => "SQLite",
        Database::Postgres => "PostgreSQL",
    };
    let [back_up, restore] = commands(heading);
    let place = BackupPlace {
        database: Arc::new(database.with_schema().await),
        folder: tempfile::tempdir().unwrap(),
    };
    let log = place.folder.path().join("log");
    let server = serve(&place.database.url(), &[], &log);
    let app = App::attach(Arc::clone(&place.database), server.address).await;
    app.organization("pd").await;
    app.import(renamed(0)).await;

    let stop = Arc::new(Notify::new());
    let importing = tokio::spawn(keep_importing(
        app.another_client().await,
        Arc::clone(&stop),
    ));
    let place = tokio::task::spawn_blocking(move || {
        let made = place.run(&back_up);
        assert!(made.status.success(), "{made:?}");
        place
    });
    let place = place.await.unwrap();
    stop.notify_one();
    assert!(importing.await.unwrap() > 0);
    assert_private(&place.backups());
    app.people(["lost"]).await;
    server.stop();

    let made = place.run(&restore);
    assert!(made.status.success(), "{made:?}");
    let restored = place.restored();
    let server = serve(&restored.url(), &[], &log);
    let app = App::attach(restored, server.address).await;
    let users = app.users().await;
    let names: Vec<_> = users.iter().map(|user| user.first_name.as_str()).collect();
    // All three have been renamed equally often, so the backup is of one moment.
    assert!(
        names.len() == 3 && names.iter().all(|name| *name == names[0]),
        "{names:?}"
    );
    assert_whole_trail(&server);
    let again = import_in_turn(&app, &renamed(0).people(["lost"])).await;
    assert_eq!((again.summary().rows, again.summary().created), (4, 1));
    assert_whole_trail(&server);
}

/// Imports as clients do. If an import ran while the backup was made, its lease is in the backup, and the new import
/// waits until that lease has expired.
async fn import_in_turn(app: &App, roster: &Roster) -> ImportResponses {
    loop {
        let imported = app.import(roster.clone()).await;
        if imported.code() != Code::Aborted {
            return imported;
        }
    }
}

fn assert_whole_trail(server: &ServeProcess) {
    let endpoint = format!("http://{}", server.address);
    let verify = ["audit", "verify", "--organization", "pd", "--endpoint"];
    let verified = program().args(verify).arg(endpoint).output().unwrap();
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(said.starts_with("The audit trail of pd is whole"), "{said}");
}

/// Expects a single file, which only its owner can read.
fn assert_private(backups: &[PathBuf]) {
    assert_eq!(backups.len(), 1, "{backups:?}");
    assert_eq!(fs::metadata(&backups[0]).unwrap().mode() & 0o777, 0o600);
}

async fn the_script_of_compose_keeps_whole_dumps_and_removes_old_ones() {
    let place = BackupPlace {
        database: Arc::new(Database::Postgres.with_schema().await),
        folder: tempfile::tempdir().unwrap(),
    };
    let script = format!("{SCRIPT} /var/backups");
    let old = "touch --date='20 days ago' /var/backups/user-import-20200101T000000Z.dump";
    assert!(place.run(old).status.success());
    // Without a database there is no new backup, and the last backup stays.
    let failed = place.run(&format!("PGDATABASE=nowhere {script}"));
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert_eq!(place.backups().len(), 1);
    assert!(place.run(&script).status.success());
    let backups = place.backups();
    assert_private(&backups);
    let list = format!("pg_restore --list '{}'", backups[0].display());
    let listed = place.run(&list);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("TABLE DATA public audit_events"),
        "{listed}"
    );
}
