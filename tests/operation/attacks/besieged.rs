//! The server that is attacked, those whom it has to serve meanwhile, and how long that takes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
};
use user_import::{domain::Permission, proto::ImportStart};

use crate::program::Process;
use user_import_testing::{App, Database, FreshDatabase, start_of, token};

/// What the server may hold at its peak, in KiB: 512 MiB, and what SQLite caches within the process.
const RESIDENT: u64 = (512 + 48) * 1024;

/// What the server may ever ask the system for: as much, and the stacks of its threads, of which little is
/// ever touched. Where it asks for more it is refused, and aborts.
const ASKED: u64 = (RESIDENT + 192 * 1024) * 1024;

/// How often a measurement is made again before its result counts as bad.
const TRIES: usize = 5;

/// Attacks follow each other: each would slow what another one measures.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Until it is dropped no other attack is made.
pub async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// A server process in a memory limit, with the organisations `pd`, which attacks, and `sheriff`.
pub struct Besieged {
    pub server: Process,
    /// Somebody who may do everything everywhere.
    pub operator: App,
    /// Somebody of `sheriff`.
    pub bystander: App,
    folder: TempDir,
    // The last to go.
    _database: Arc<FreshDatabase>,
    _alone: MutexGuard<'static, ()>,
}

impl Besieged {
    pub async fn start(database: Database, options: &[&str]) -> Self {
        let alone = alone().await;
        let database = Arc::new(database.with_schema().await);
        let folder = tempfile::tempdir().unwrap();
        let server = Process::serve(&database.url(), options, &folder.path().join("log"));
        server.limit_memory(ASKED);
        let outsider = App::attach(Arc::clone(&database), server.address).await;
        let operator = outsider.holding(token("*", Permission::ALL)).await;
        operator.organization("pd").await;
        operator.organization("sheriff").await;
        let bystander = operator
            .another_client()
            .await
            .holding(token("sheriff", Permission::ALL))
            .await;
        bystander.import_one("somebody").await;
        Self {
            server,
            operator,
            bystander,
            folder,
            _database: database,
            _alone: alone,
        }
    }

    /// Somebody else with these permissions in an organisation, on a connection of his or her own.
    pub async fn caller(
        &self,
        organization: &str,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> App {
        let client = self.operator.another_client().await;
        client.holding(token(organization, permissions)).await
    }

    /// Expects that the server has stayed within its limit, and serves the others.
    pub async fn expect_unharmed(&self) {
        assert!(self.server.is_running(), "it has died: {}", self.log());
        let peak = self.server.peak();
        assert!(peak < RESIDENT, "{} MiB at the peak", peak / 1024);
        self.bystander.look().await.expect("others are served");
        self.bystander.import_one("somebody").await;
    }

    /// A bystander's calls and imports, before and during an attack.
    pub async fn measure(&self, attack: impl AsyncFnOnce() -> Attack) -> Vec<Slowed> {
        let call = async || self.bystander.look().await.expect("others are served");
        let import = async || self.bystander.import_one("somebody").await;
        let usual = [mean(20, call).await, mean(8, import).await];
        let attack = attack().await;
        let attacked = [mean(20, call).await, mean(8, import).await];
        attack.end().await;
        self.expect_unharmed().await;
        let times = usual.into_iter().zip(attacked);
        times
            .map(|(usual, attacked)| Slowed { usual, attacked })
            .collect()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// An import of which nothing is written.
pub fn dry_run(organization: &str) -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of(organization)
    }
}

/// Expects that what is measured, usual times and those under attack, is twice the usual at most.
///
/// On a busy machine a measurement may be wrong by chance: it is made again then, from a new server on, so that
/// nothing that an attack leaves behind counts as usual. The bound is the same each time.
pub async fn expect_twice_at_most(measure: impl AsyncFn() -> Vec<Slowed>) {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let measured = measure().await;
        if measured.iter().all(Slowed::is_twice_at_most) {
            return;
        }
        seen.push(measured);
    }
    panic!("{seen:#?}");
}

/// What something takes.
#[derive(Clone, Copy, Debug)]
pub struct Slowed {
    pub usual: Duration,
    pub attacked: Duration,
}

impl Slowed {
    fn is_twice_at_most(&self) -> bool {
        self.attacked <= 2 * self.usual
    }
}

/// How long it takes, of `count` times that follow each other.
pub async fn mean(count: u32, work: impl AsyncFn()) -> Duration {
    let begun = Instant::now();
    for _ in 0..count {
        work().await;
    }
    begun.elapsed() / count
}

/// An attack that goes on until it is ended.
pub struct Attack {
    tasks: Vec<JoinHandle<()>>,
}

impl Attack {
    /// One that these work at.
    pub fn working(tasks: impl IntoIterator<Item = JoinHandle<()>>) -> Self {
        Self {
            tasks: tasks.into_iter().collect(),
        }
    }

    /// Ends it.
    pub async fn end(self) {
        for task in self.tasks {
            task.abort();
            // A panic of an attacker is one of the test.
            if let Err(error) = task.await {
                assert!(error.is_cancelled(), "{error}");
            }
        }
    }
}
