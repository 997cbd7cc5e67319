//! The connections to PostgreSQL are cut while an import is written.

use std::{sync::Arc, time::Duration};

use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::{ImportState, ResultFilter};

use crate::{
    process::{IMPATIENT, PATIENT},
    proxy::FaultyProxy,
    scene::{ID, Scene, expect_whole, many, start},
};
use user_import_testing::{Database, ImportResponses, on_postgres};

on_postgres![
    connections_ended_by_the_database_are_made_again,
    connections_cut_by_the_network_are_made_again,
    a_commit_whose_answer_is_lost_is_found_in_the_record,
    a_database_that_stays_away_interrupts_the_import,
];

/// Starts a server that reaches its database through a proxy. The server waits this number of seconds for its database.
async fn behind_proxy(patience: u32) -> (Scene, FaultyProxy) {
    let database = Arc::new(Database::Postgres.create().await);
    let url = database.url();
    let (credentials, rest) = url.rsplit_once('@').expect("the URL names a user");
    let (target, name) = rest.split_once('/').expect("the URL names a database");
    let proxy = FaultyProxy::start(target.to_owned()).await;
    let url = format!("{credentials}@{}/{name}", proxy.address);
    let scene = Scene::on(database, url, 1, patience).await;
    scene.app.organization("pd").await;
    (scene, proxy)
}

/// Sends the import until it succeeds, as a client that is asked to retry does.
pub async fn until_ok(scene: &Scene) -> ImportResponses {
    for _ in 0..20 {
        let imported = scene.app.import_with(start(), &many()).await;
        match imported.code() {
            Code::Unavailable => {
                assert!(imported.status.get_details_retry_info().is_some());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            _ => return imported,
        }
    }
    panic!("the import never ends");
}

/// The shortest time between two disturbances. An idle machine makes a new connection and writes a row in less time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(150);

/// Repeats a disturbance while the import runs. The import must then succeed. As long as nothing is written, each pause
/// is twice as long as the one before, because a busy machine may finish no transaction within the shortest pause.
async fn disturbed(scene: &Scene, mut disturb: impl AsyncFnMut()) {
    let disturbing = async {
        let (mut pause, mut written) = (SHORTEST_PAUSE, 0);
        loop {
            disturb().await;
            tokio::time::sleep(pause).await;
            let users = scene.database.number("SELECT count(*) FROM users").await;
            pause = match users > written {
                true => SHORTEST_PAUSE,
                false => pause * 2,
            };
            written = users;
        }
    };
    let imported = tokio::select! {
        imported = until_ok(scene) => imported,
        () = disturbing => unreachable!("it has no end"),
    };
    expect_whole(&imported);
    let watched = scene.app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
    assert_eq!(scene.app.users().await.len(), 150);
    scene.expect_quiet().await;
}

async fn connections_ended_by_the_database_are_made_again() {
    let scene = Scene::start(Database::Postgres, 1).await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    disturbed(&scene, async || {
        scene.database.number(end).await;
    })
    .await;
}

async fn connections_cut_by_the_network_are_made_again() {
    let (scene, proxy) = behind_proxy(PATIENT).await;
    disturbed(&scene, async || proxy.cut()).await;
}

async fn a_commit_whose_answer_is_lost_is_found_in_the_record() {
    let (scene, proxy) = behind_proxy(PATIENT).await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    proxy.lose_commits(10);
    let imported = first.and_rest(answers).await;
    assert_eq!(proxy.commits_to_lose(), 0, "it was too quick");
    expect_whole(&imported);
    let watched = scene.app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
    scene.expect_quiet().await;
}

async fn a_database_that_stays_away_interrupts_the_import() {
    let (scene, proxy) = behind_proxy(IMPATIENT).await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    proxy.set_away(true);
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert!(ended.status.get_details_retry_info().is_some());
    assert_eq!(ended.summary().state(), ImportState::Interrupted);
    proxy.set_away(false);
    let resumed = until_ok(&scene).await;
    expect_whole(&resumed);
    for result in &ended.results {
        assert!(resumed.results.contains(result), "{result:?} is lost");
    }
    scene.expect_quiet().await;
}
