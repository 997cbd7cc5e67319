//! The server under attack, the clients that it has to serve meanwhile, and how long their calls take.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::nice;
use tempfile::TempDir;
use tokio::{
    runtime::{self, Runtime},
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
};
use user_import::{domain::Permission, proto::ImportStart};

use crate::program::{fastest_program, has_optimised_program, serve_by};
use user_import_testing::{App, Database, FreshDatabase, ServeProcess, start_of, token};

/// Most memory that the server may have at its peak, in KiB: 512 MiB, and the part that SQLite caches within the
/// process.
const RESIDENT: u64 = (512 + 48) * 1024;

/// Most memory that the server may request from the system: the same, and the stacks of its threads, most of which it
/// never touches. If it requests more, the system refuses, and the server aborts.
const ASKED: u64 = (RESIDENT + 192 * 1024) * 1024;

/// Number of attempts until a bad result counts.
const TRIES: usize = 5;

/// Attacks run one after the other, because each would slow the measurement of another.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Returns a guard. Until it is dropped, no other attack runs.
pub async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// The threads of the attackers. Attackers have machines of their own, so these threads have a low priority here, and do
/// not run the clients that are measured.
struct AttackerThreads(Option<Runtime>);

impl AttackerThreads {
    /// How much lower the priority of these threads is than that of the rest of the test.
    const NICENESS: i32 = 10;

    fn start() -> Self {
        let threads = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_start(|| {
                // On Linux the priority belongs to the calling thread. If it is the lowest already, this changes
                // nothing.
                let _ = nice(Self::NICENESS);
            })
            .enable_all()
            .build();
        Self(Some(threads.expect("a runtime starts")))
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0
            .as_ref()
            .expect("it runs until it is dropped")
            .spawn(work)
    }
}

impl Drop for AttackerThreads {
    /// Waits for the threads, since their clients hold the database. A thread of its own waits, because a thread that runs
    /// tasks may not.
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            let ended = thread::spawn(move || threads.shutdown_timeout(Duration::from_secs(10)));
            ended.join().expect("threads end");
        }
    }
}

/// A server process with a memory limit and two organisations: `pd`, which attacks, and `sheriff`.
pub struct AttackedServer {
    pub server: ServeProcess,
    /// A client with every permission in every organisation.
    pub operator: App,
    /// A client of `sheriff`.
    pub bystander: App,
    attackers: AttackerThreads,
    folder: TempDir,
    database: Arc<FreshDatabase>,
    _alone: MutexGuard<'static, ()>,
}

impl AttackedServer {
    pub async fn start(database: Database, options: &[&str]) -> Self {
        let alone = alone().await;
        let database = Arc::new(database.with_schema().await);
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let server = serve_by(fastest_program(), &database.url(), options, &log);
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
        Box::pin(bystander.import_one("somebody")).await;
        Self {
            server,
            operator,
            bystander,
            attackers: AttackerThreads::start(),
            folder,
            database,
            _alone: alone,
        }
    }

    /// Returns another client with these permissions in an organisation, on a connection of its own.
    pub async fn caller(
        &self,
        organization: &str,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> App {
        let client = self.operator.another_client().await;
        client.holding(token(organization, permissions)).await
    }

    /// The same for an attacker, whose threads serve the connection.
    pub async fn attacker(
        &self,
        organization: &str,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> App {
        let database = Arc::clone(&self.database);
        let attached = App::attach(database, self.server.address);
        let client = self.attackers.spawn(attached).await;
        let client = client.expect("the server listens");
        client.holding(token(organization, permissions)).await
    }

    /// Begins an attack by these tasks, which never end by themselves.
    pub fn attack_by(
        &self,
        tasks: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>,
    ) -> OngoingAttack {
        let tasks = tasks.into_iter().map(|task| self.attackers.spawn(task));
        OngoingAttack {
            tasks: tasks.collect(),
        }
    }

    /// Expects that the server has stayed within its limit and serves the others.
    pub async fn expect_unharmed(&self) {
        assert!(self.server.is_running(), "it has died: {}", self.log());
        let peak = self.server.peak();
        assert!(peak < RESIDENT, "{} MiB at the peak", peak / 1024);
        self.bystander.look().await.expect("others are served");
        Box::pin(self.bystander.import_one("somebody")).await;
    }

    /// Measures a bystander's calls and imports, before and during an attack.
    pub async fn measure(&self, attack: impl AsyncFnOnce() -> OngoingAttack) -> Vec<SlowedWork> {
        let call = async || self.bystander.look().await.expect("others are served");
        let import = async || Box::pin(self.bystander.import_one("somebody")).await;
        let usual = [mean(20, call).await, mean(8, import).await];
        let attack = attack().await;
        let attacked = [mean(20, call).await, mean(8, import).await];
        attack.end().await;
        self.expect_unharmed().await;
        let times = usual.into_iter().zip(attacked);
        times
            .map(|(usual, attacked)| SlowedWork { usual, attacked })
            .collect()
    }

    /// Returns the server's log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// Returns the start of an import that writes nothing.
pub fn dry_run(organization: &str) -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start_of(organization)
    }
}

/// Expects that each time under attack is at most twice the usual time.
///
/// On a busy machine, a measurement may be wrong by chance. It is then repeated with a new server, so that the usual
/// times are never those of a server that has been attacked. The limit is the same each time.
pub async fn expect_twice_at_most(measure: impl AsyncFn() -> Vec<SlowedWork>) {
    expect(measure, SlowedWork::is_twice_at_most).await;
}

/// Expects the same of an attack that costs the server much work. An unoptimised server needs more CPU time for this
/// work than two cores can give it within the limit, so four times as long is allowed.
pub async fn expect_twice_at_most_if_optimised(measure: impl AsyncFn() -> Vec<SlowedWork>) {
    let is_in_time = if has_optimised_program() {
        SlowedWork::is_twice_at_most
    } else {
        SlowedWork::is_four_times_at_most
    };
    expect(measure, is_in_time).await;
}

async fn expect(measure: impl AsyncFn() -> Vec<SlowedWork>, is_in_time: fn(&SlowedWork) -> bool) {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let measured = Box::pin(measure()).await;
        if measured.iter().all(is_in_time) {
            return;
        }
        seen.push(measured);
    }
    panic!("{seen:#?}");
}

/// The usual time of some work, and its time under attack.
#[derive(Clone, Copy, Debug)]
pub struct SlowedWork {
    pub usual: Duration,
    pub attacked: Duration,
}

impl SlowedWork {
    fn is_twice_at_most(&self) -> bool {
        self.attacked <= 2 * self.usual
    }

    fn is_four_times_at_most(&self) -> bool {
        self.attacked <= 4 * self.usual + Duration::from_millis(50)
    }
}

/// Returns the mean time of `work`, over `count` runs one after the other.
pub async fn mean(count: u32, work: impl AsyncFn()) -> Duration {
    let begun = Instant::now();
    for _ in 0..count {
        work().await;
    }
    begun.elapsed() / count
}

/// An attack that goes on until the test ends it.
pub struct OngoingAttack {
    tasks: Vec<JoinHandle<()>>,
}

impl OngoingAttack {
    /// Ends the attack.
    pub async fn end(self) {
        for task in self.tasks {
            task.abort();
            // A panic of an attacker fails the test, and so does an attack that has stopped by itself.
            let ended = task.await.expect_err("an attack goes on until it is ended");
            assert!(ended.is_cancelled(), "{ended}");
        }
    }
}
