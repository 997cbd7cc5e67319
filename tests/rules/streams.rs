//! Reading from the client never waits for writing to the client (semantics §3).

use tokio::time::timeout;
use user_import::{
    domain::Column::Location,
    proto::{
        ImportFinish, ImportStart, UserRows, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use user_import_testing::{
    App, Database, ImportCall, PATIENCE, on_both_databases, roster, start_of,
};

on_both_databases![
    a_client_may_send_everything_before_it_reads_anything,
    what_nobody_reads_is_applied_all_the_same,
    a_client_that_leaves_after_finish_has_its_users_written,
];

/// More rows than all windows and buffers between client and server hold.
const MUCH: usize = 12 * 1024 * 1024;

async fn a_client_may_send_everything_before_it_reads_anything(database: Database) {
    let app = App::start(database).await;
    // The fields are long, so that few rows have many bytes.
    let long = "x".repeat(4_000);
    let mut row = roster().row("ada", [(Location, long.as_str())]).typed();
    row[0].role = Some("Wizard".to_owned());
    let batch: Vec<_> = std::iter::repeat_n(row, 50).flatten().collect();
    let call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    let mut rows = 0;
    while rows * long.len() < MUCH {
        call.send(Message::Rows(UserRows {
            rows: batch.clone(),
        }))
        .await;
        rows += batch.len();
    }
    call.send(Message::Finish(ImportFinish::default())).await;
    let imported = call.finish().await;
    assert_eq!(imported.summary().rejected as usize, rows);
    assert_eq!(imported.results.len(), rows);
}

/// Sends `names`, and does not read the answers.
async fn send_unread(app: &App, names: &[String]) -> ImportCall {
    let rows = roster().people(names.iter().map(String::as_str)).typed();
    let mut call = app.call().await;
    let start = ImportStart {
        include_values: true,
        ..start_of("pd")
    };
    call.send(Message::Start(start)).await;
    call.send(Message::Rows(UserRows { rows })).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    call.half_close();
    call
}

/// Waits until the organisation has `count` users.
async fn wait_for_users(app: &App, count: usize) {
    let waiting = async { while app.users().await.len() < count {} };
    let written = timeout(PATIENCE, waiting).await;
    written.expect("the users are written");
}

async fn what_nobody_reads_is_applied_all_the_same(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = (0..2_000).map(|n| format!("user-{n}")).collect();
    let call = send_unread(&app, &names).await;
    wait_for_users(&app, names.len()).await;
    // A client that reads late still gets every answer.
    assert_eq!(call.finish().await.summary().created, 2_000);
}

async fn a_client_that_leaves_after_finish_has_its_users_written(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = (0..2_000).map(|n| format!("user-{n}")).collect();
    let mut call = send_unread(&app, &names).await;
    // The first results have come, so the import is applying.
    while !matches!(call.read().await, Ok(Some(Reply::Results(_)))) {}
    drop(call);
    wait_for_users(&app, names.len()).await;
}
