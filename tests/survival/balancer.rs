//! Three servers on one PostgreSQL behind a load balancer, `HAProxy`. Servers are killed at random and started again
//! while imports, uploads in parts and pushes go through the balancer. Each call goes to another server.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use user_import::{
    domain::Column::LastName,
    proto::{ImportStart, RowOutcome, append_import_request::Content},
};

use crate::{
    kills::{comparable, counts},
    leftovers::expect_quiet,
    process::{create_token, serve_at},
    scene::eventually,
    workload::Workload,
};
use user_import_testing::{
    App, Database, FreshDatabase, ImportResponses, PATIENCE, SeededRandom, ServeProcess, finish_of,
    free_address, on_postgres, roster, start_of,
};

on_postgres![servers_killed_behind_a_balancer_leave_the_result_of_an_undisturbed_run];

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/proxies.md"));

/// Servers behind the balancer.
const SERVERS: usize = 3;

/// The number of imports of each kind. Each import has a seed of its own.
const IMPORTS: u64 = 2;

/// The lowest number of servers that must be killed while work is under way.
const KILLS: usize = 6;

/// `HAProxy` as `docs/proxies.md` configures it for several servers, which is killed when dropped.
struct Balancer {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Balancer {
    async fn start(servers: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let block = PAGE.split("```haproxy\n").nth(3).expect("the page has it");
        let block = block.split("```").next().expect("a block has an end");
        let named = ["10.0.0.1:50051", "10.0.0.2:50051", "10.0.0.3:50051"];
        let backend = named
            .iter()
            .zip(servers)
            .fold(block.to_owned(), |block, (name, server)| {
                assert!(block.contains(name), "{block}");
                block.replace(name, &server.to_string())
            });
        let configuration = format!(
            "defaults\n    mode http\n    timeout connect 5s\n    timeout client 1h\n    timeout server 1h\n\
            frontend roster\n    bind {address} proto h2\n    default_backend user_import\n{backend}"
        );
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration).unwrap();
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("HAProxy is installed: scripts/test sees to that");
        let balancer = Self {
            child,
            address,
            _folder: folder,
        };
        let listens = async || TcpStream::connect(address).is_ok();
        eventually(listens, "the balancer listens").await;
        balancer
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The servers, and how a client reaches them through the balancer.
struct BalancedServers {
    servers: Vec<ServeProcess>,
    balancer: Balancer,
    database: Arc<FreshDatabase>,
    token: String,
}

impl BalancedServers {
    async fn start() -> Self {
        let database = Arc::new(Database::Postgres.create().await);
        let addresses: Vec<_> = (0..SERVERS).map(|_| free_address()).collect();
        let start = |address: &SocketAddr| serve_at(*address, &database.url(), &[]);
        let servers = addresses.iter().map(start).collect();
        Self {
            servers,
            balancer: Balancer::start(&addresses).await,
            token: create_token(&database.url()),
            database,
        }
    }

    /// Returns a client with a connection of its own to the balancer.
    async fn client(&self) -> App {
        let app = App::attach(Arc::clone(&self.database), self.balancer.address).await;
        app.presenting(&self.token)
    }
}

/// The messages between the killer and the work.
#[derive(Debug, Default)]
struct KillerMessages {
    kills: AtomicUsize,
    has_ended: AtomicBool,
}

/// Kills servers and starts them again until the work has ended; at most one is dead at a time. Returns the servers.
fn kill_servers(
    messages: &KillerMessages,
    mut servers: Vec<ServeProcess>,
    database_url: &str,
) -> Vec<ServeProcess> {
    let mut chance = SeededRandom::new(3);
    loop {
        thread::sleep(Duration::from_millis(1) * (100 + chance.permille() / 2));
        if messages.has_ended.load(Ordering::Relaxed) {
            return servers;
        }
        let server = &mut servers[chance.below(SERVERS)];
        server.kill();
        messages.kills.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(1) * (chance.permille() / 4));
        *server = serve_at(server.address, database_url, &[]);
    }
}

/// Repeats `attempt` until it succeeds, as a client must when the connection or the server is lost. Panics if the
/// service answers that the attempt can never succeed.
async fn persist<T>(mut attempt: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let trying = async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(status) => match status.code() {
                    // The service's own statuses for a lost server or another import, the balancer's statuses for a
                    // lost server, and the client's status for a stream that breaks off.
                    Code::Unavailable
                    | Code::Aborted
                    | Code::Unknown
                    | Code::Internal
                    | Code::Cancelled => {}
                    _ => panic!("{status:?}"),
                },
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, trying)
        .await
        .expect("it succeeds at last")
}

fn ended(imported: ImportResponses) -> Result<ImportResponses, Status> {
    match imported.code() {
        Code::Ok => Ok(imported),
        _ => Err(imported.status),
    }
}

/// Imports in one stream.
async fn import(app: &App, start: ImportStart, csv: &[u8]) -> ImportResponses {
    persist(async || ended(app.sending(start.clone(), csv.to_vec()).await)).await
}

/// Imports in parts, each of which may reach another server.
async fn upload(app: &App, start: ImportStart, csv: &[u8]) -> ImportResponses {
    let organization = start.organization.clone();
    let size = csv.len() / 7 + 1;
    let id = loop {
        let (id, offset) = persist(async || app.begin_upload(start.clone()).await).await;
        let begin = usize::try_from(offset).unwrap();
        if begin >= csv.len() {
            break id;
        }
        let part = &csv[begin..(begin + size).min(csv.len())];
        let content = || Content::CsvChunk(part.to_vec().into());
        persist(async || app.append_to(&organization, &id, offset, content()).await).await;
    };
    persist(async || {
        app.finish_in(&organization, &id, finish_of(csv)).await?;
        ended(app.watch_in(&organization, &id).await)
    })
    .await
}

/// Pushes a new name for one person until `is_enough` holds. Each push must be written exactly once. Returns the number
/// of pushes.
async fn push(app: App, organization: String, is_enough: impl Fn() -> bool) -> u32 {
    let mut number = 0;
    while !is_enough() {
        let start = ImportStart {
            import_id: format!("018f4e9e-5c7b-7000-8000-{number:012}"),
            ..start_of(&organization)
        };
        let name = format!("Ruiz{number}");
        let rows = roster().row("ada", [(LastName, &*name)]).typed();
        let pushed = persist(async || ended(app.push(start.clone(), rows.clone()).await)).await;
        let expected = match number {
            0 => RowOutcome::Created,
            _ => RowOutcome::Updated,
        };
        assert_eq!(pushed.row(1).outcome(), expected, "{number}: {pushed}");
        number += 1;
    }
    number
}

/// How a roster is sent.
#[derive(Clone, Copy, Debug)]
enum RosterTransport {
    Streamed,
    InParts,
}

/// Sends the import of this seed into an organisation of its own.
async fn send(
    app: App,
    organization: String,
    seed: u64,
    sending: RosterTransport,
) -> ImportResponses {
    let workload = Workload::new(seed);
    let (start, csv) = (workload.start(&organization), workload.import.csv());
    match sending {
        RosterTransport::Streamed => import(&app, start, csv.as_bytes()).await,
        RosterTransport::InParts => upload(&app, start, csv.as_bytes()).await,
    }
}

async fn servers_killed_behind_a_balancer_leave_the_result_of_an_undisturbed_run() {
    let scene = BalancedServers::start().await;
    let app = scene.client().await;
    let kinds = [RosterTransport::Streamed, RosterTransport::InParts];
    let runs = (1..=IMPORTS).flat_map(|seed| kinds.map(|kind| (seed, kind)));
    let runs: Vec<_> = runs.collect();
    let name = |prefix: &str, (seed, kind): (u64, RosterTransport)| {
        format!("{prefix}-{seed}-{kind:?}").to_lowercase()
    };
    for (seed, kind) in &runs {
        let before = &Workload::new(*seed).before;
        for prefix in ["undisturbed", "disturbed"] {
            let organization = name(prefix, (*seed, *kind));
            app.organization(&organization).await;
            let before = app.import_with(start_of(&organization), before).await;
            assert_eq!(before.summary().rejected, 0, "{before}");
        }
    }
    app.organization("pushes").await;
    let mut undisturbed = Vec::new();
    for &(seed, kind) in &runs {
        undisturbed.push(
            send(
                app.clone_connection(),
                name("undisturbed", (seed, kind)),
                seed,
                kind,
            )
            .await,
        );
    }

    let mut jobs = Vec::new();
    for &(seed, kind) in &runs {
        let client = scene.client().await;
        jobs.push(send(client, name("disturbed", (seed, kind)), seed, kind));
    }
    let client = scene.client().await;
    let messages = Arc::new(KillerMessages::default());
    let (servers, url, killing) = (scene.servers, scene.database.url(), Arc::clone(&messages));
    let killer = tokio::task::spawn_blocking(move || kill_servers(&killing, servers, &url));
    let kills = || messages.kills.load(Ordering::Relaxed);
    // The killer ends before the work only if it fails.
    let is_enough = || kills() >= KILLS || killer.is_finished();
    let pushing = push(client, "pushes".to_owned(), is_enough);
    let (disturbed, pushes) = tokio::join!(join_all(jobs), pushing);
    messages.has_ended.store(true, Ordering::Relaxed);
    let _servers = killer.await.expect("every server starts again");
    println!("{} servers were killed, and {pushes} pushes done", kills());
    for ((run, disturbed), undisturbed) in runs.iter().zip(&disturbed).zip(&undisturbed) {
        assert_eq!(comparable(disturbed), comparable(undisturbed), "{run:?}");
        assert_eq!(counts(disturbed), counts(undisturbed), "{run:?}");
        let [found, wanted] = ["disturbed", "undisturbed"].map(|prefix| name(prefix, *run));
        let (found, wanted) = (app.export_of(&found).await, app.export_of(&wanted).await);
        assert_eq!(found, wanted, "{run:?}");
    }
    let revision = "SELECT revision FROM organizations WHERE slug = 'pushes'";
    // The catalog adds 1 to the revision, and so does each push.
    assert_eq!(scene.database.number(revision).await, 1 + i64::from(pushes));
    expect_quiet(&scene.database).await;
}
