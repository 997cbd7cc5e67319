//! Clients that are killed. An import whose client dies before `finish` writes nothing. After `finish`, an import goes on
//! without its client.

use std::{
    io::Write,
    process::{Child, Stdio},
};

use user_import::proto::{ImportState, ResultFilter};

use crate::{
    process::program,
    scene::{ID, Scene, eventually, expect_whole, many, start},
};
use user_import_testing::{Database, ImportResponses, on_both_databases, roster};

on_both_databases![
    a_client_killed_while_it_sends_writes_nothing,
    an_import_that_is_applying_goes_on_without_its_client,
    a_second_client_shares_the_same_import_and_waits_with_another_one,
];

/// Imports standard input with the command line.
fn import(scene: &Scene) -> Child {
    program()
        .args(["import", "-", "--organization=pd", "--import-id", ID])
        .arg(format!("--endpoint=http://{}", scene.process.address))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client can be started")
}

fn kill(mut client: Child) {
    client.kill().expect("it is running");
    client.wait().expect("it is our child");
}

async fn a_client_killed_while_it_sends_writes_nothing(database: Database) {
    let scene = Scene::start(database, 1).await;
    let mut client = import(&scene);
    let roster = many().csv();
    let mut input = client.stdin.take().expect("its input is a pipe");
    let half = &roster.as_bytes()[..roster.len() / 2];
    input.write_all(half).expect("it reads");
    scene.until_state(ImportState::Receiving).await;
    kill(client);
    scene.until_state(ImportState::Interrupted).await;
    assert!(scene.app.users().await.is_empty());
    expect_whole(&scene.app.import_with(start(), roster).await);
    scene.expect_quiet().await;
}

async fn an_import_that_is_applying_goes_on_without_its_client(database: Database) {
    let scene = Scene::start(database, 1).await;
    let mut client = import(&scene);
    let mut input = client.stdin.take().expect("its input is a pipe");
    let roster = many().csv();
    input.write_all(roster.as_bytes()).expect("it reads");
    drop(input);
    let writing = async || {
        let record = scene.app.import_record(ID).await;
        record.is_ok_and(|record| record.created > 0)
    };
    eventually(writing, "the import writes").await;
    kill(client);
    assert_eq!(
        scene.state().await,
        ImportState::Applying,
        "it was too quick"
    );
    expect_whole(&scene.app.watch(ID, 0, ResultFilter::All).await);
    assert_eq!(scene.app.users().await.len(), 150);
    scene.expect_quiet().await;
}

async fn a_second_client_shares_the_same_import_and_waits_with_another_one(database: Database) {
    let scene = Scene::start(database, 1).await;
    let other = scene.another_client().await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let waiting = other.import(roster().people(["ada"]));
    let shared = other.import_with(start(), many());
    let (first, shared, waited) = tokio::join!(first.and_rest(answers), shared, waiting);
    assert_eq!(waited.summary().created, 1, "{waited}");
    expect_whole(&first);
    expect_whole(&shared);
    assert_eq!(first.results, shared.results);
    drop(other);
    scene.expect_quiet().await;
}
