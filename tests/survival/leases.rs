//! Two servers on one database: which of them may write, and which takes over.

use tonic::Code;
use user_import::proto::{ImportStart, ImportState, ResultFilter};

use crate::scene::{ID, Scene, eventually, expect_whole, many, start};
use user_import_testing::{
    Database, ImportResponses, on_both_databases, roster, signal::Signal, start_of,
};

on_both_databases![
    one_of_two_servers_writes_to_an_organisation_at_a_time,
    a_server_whose_client_joined_takes_over_the_import_of_a_dead_server;
    // Only a database server can end the connections of a stopped process, and SQLite has no server.
    a_server_that_wakes_after_its_import_was_taken_over_writes_nothing,
    a_server_that_wakes_after_another_import_writes_nothing,
];

async fn one_of_two_servers_writes_to_an_organisation_at_a_time(database: Database) {
    let one = Scene::start(database, 1).await;
    let other = one.another().await;
    let mut answers = one.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let waiting = other.app.import(roster().people(["ada"]));
    let joined = other.app.import_with(start(), many());
    let (first, joined, waited) = tokio::join!(first.and_rest(answers), joined, waiting);
    expect_whole(&first);
    expect_whole(&joined);
    assert_eq!(first.results, joined.results);
    expect_after(&first, &waited);
    one.expect_quiet().await;
    other.expect_quiet().await;
}

/// Expects that an import has waited for another one, and was then written.
fn expect_after(first: &ImportResponses, second: &ImportResponses) {
    assert_eq!(second.summary().created, 1, "{second}");
    let end = |imported: &ImportResponses| {
        let end = imported.summary().finished_at.expect("it has ended");
        (end.seconds, end.nanos)
    };
    assert!(end(first) <= end(second), "{second}");
}

async fn a_server_whose_client_joined_takes_over_the_import_of_a_dead_server(database: Database) {
    let mut one = Scene::start(database, 1).await;
    let other = one.another().await;
    let mut answers = one.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let mut joining = other.app.begin(start(), &many()).await;
    let joined = ImportResponses::first_results(&mut joining).await;
    one.process.kill();
    let died = first.and_rest(answers).await;
    assert_ne!(died.code(), Code::Ok, "it was too quick:\n{died}");
    expect_whole(&joined.and_rest(joining).await);
    other.expect_quiet().await;
}

/// Stops a server in the middle of importing [`many`]. Returns the answers that its client had received.
async fn stop_server(
    one: &Scene,
) -> (
    ImportResponses,
    tonic::Streaming<user_import::proto::ImportUsersResponse>,
) {
    let mut answers = one.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    one.process.signal(Signal::STOP);
    (first, answers)
}

async fn a_server_that_wakes_after_its_import_was_taken_over_writes_nothing() {
    let one = Scene::start(Database::Postgres, 1).await;
    let other = one.another().await;
    let (first, answers) = stop_server(&one).await;
    let taken_over = other.app.import_with(start(), &many()).await;
    expect_whole(&taken_over);
    let before = other.app.users().await;
    one.process.signal(Signal::CONT);
    let woken = first.and_rest(answers).await;
    assert_eq!(woken.code(), Code::Unavailable, "{woken}");
    for result in &woken.results {
        assert!(taken_over.results.contains(result), "{result:?} differs");
    }
    assert_eq!(other.app.users().await, before);
    assert_eq!(one.state().await, ImportState::Completed);
    expect_whole(&one.app.watch(ID, 0, ResultFilter::All).await);
    one.expect_quiet().await;
    other.expect_quiet().await;
}

async fn a_server_that_wakes_after_another_import_writes_nothing() {
    let one = Scene::start(Database::Postgres, 1).await;
    let other = one.another().await;
    let (first, answers) = stop_server(&one).await;
    let newer = ImportStart {
        import_id: "018f4e9e-5c7b-7000-8000-000000000002".to_owned(),
        ..start_of("pd")
    };
    let accepted = async || {
        let imported = other
            .app
            .import_with(newer.clone(), roster().people(["newer"]))
            .await;
        imported.code() == Code::Ok
    };
    eventually(accepted, "another import begins").await;
    let before = other.app.users().await;
    assert!(before.len() < 150, "it was too quick");
    one.process.signal(Signal::CONT);
    let woken = first.and_rest(answers).await;
    assert_eq!(woken.code(), Code::Unavailable, "{woken}");
    assert_eq!(other.app.users().await, before);
    let stale = other.app.import_with(start(), &many()).await;
    assert_eq!(stale.code(), Code::FailedPrecondition, "{stale}");
    assert_eq!(other.app.users().await, before);
    one.expect_quiet().await;
    other.expect_quiet().await;
}
