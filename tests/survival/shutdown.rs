//! Orderly shutdown takes a bounded time, with silent and stalled clients connected.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::{ImportState, ImportUsersRequest, import_users_request::Message};

use crate::{
    leftovers::expect_quiet,
    scene::{Scene, expect_whole, many, start},
};
use user_import_testing::{Database, ImportResponses, on_both_databases, signal::Signal, start_of};

on_both_databases![
    an_orderly_shutdown_interrupts_an_import_which_goes_on_later,
    silent_and_stalled_clients_do_not_delay_the_shutdown,
    calls_that_are_only_beginning_at_shutdown_are_asked_to_retry,
];

/// The grace period for clients and imports, and a margin for a slow machine.
const BOUND: Duration = Duration::from_secs(15);

async fn an_orderly_shutdown_interrupts_an_import_which_goes_on_later(database: Database) {
    let mut scene = Scene::start(database, 1).await;
    let mut answers = scene.app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    scene.process.signal(Signal::TERM);
    let ended = first.and_rest(answers).await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert!(ended.status.get_details_retry_info().is_some());
    assert_eq!(ended.summary().state(), ImportState::Interrupted);
    assert!(scene.process.ended_within(BOUND).await.success());
    expect_quiet(&scene.database).await;

    scene.restart().await;
    assert_eq!(scene.state().await, ImportState::Interrupted);
    let resumed = scene.app.import_with(start(), &many()).await;
    expect_whole(&resumed);
    for result in &ended.results {
        assert!(resumed.results.contains(result), "{result:?} is lost");
    }
    scene.expect_quiet().await;
}

async fn silent_and_stalled_clients_do_not_delay_the_shutdown(database: Database) {
    let mut scene = Scene::start(database, 1).await;
    scene.app.organization("other").await;
    // This client sends `start` and nothing more.
    let (silent, requests) = mpsc::channel(1);
    let message = Some(Message::Start(start_of("other")));
    let first = silent.send(ImportUsersRequest { message }).await;
    first.expect("there is room");
    let mut client = scene.app.imports();
    let _heard = client.import_users(ReceiverStream::new(requests)).await;
    // This client sends everything and never reads.
    let _stalled = scene.app.begin(start(), &many()).await;
    scene.until_state(ImportState::Applying).await;
    scene.process.signal(Signal::TERM);
    assert!(scene.process.ended_within(BOUND).await.success());
    expect_quiet(&scene.database).await;
    drop(silent);
}

async fn calls_that_are_only_beginning_at_shutdown_are_asked_to_retry(database: Database) {
    let mut scene = Scene::start(database, 1).await;
    let silent = scene.app.call().await;
    let sending = scene.app.call().await;
    sending.send(Message::Start(start())).await;
    scene.until_state(ImportState::Receiving).await;
    scene.process.signal(Signal::TERM);
    for ended in [silent.read_to_end().await, sending.read_to_end().await] {
        assert_eq!(ended.code(), Code::Unavailable, "{ended}");
        assert!(ended.status.get_details_retry_info().is_some());
    }
    let late = scene.app.import_with(start(), &many()).await;
    // The server refuses the call, or accepts no calls any more.
    let is_refused = matches!(late.code(), Code::Unavailable | Code::Cancelled);
    assert!(is_refused && late.results.is_empty(), "{late}");
    assert!(scene.process.ended_within(BOUND).await.success());
    scene.restart().await;
    assert!(scene.app.users().await.is_empty());
    scene.expect_quiet().await;
}
