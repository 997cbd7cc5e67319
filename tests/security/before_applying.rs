//! A credential is checked again before anything is written, because it may have become invalid since the import began.

use time::Duration;
use user_import::{
    clock::Clock,
    domain::Permission,
    proto::{ImportFinish, ImportState, UserRows, import_users_request::Message},
};

use user_import_testing::{
    App, Database, ImportCall, ImportResponses, TokenGrant, on_both_databases, roster,
    rpcs::status_line, start_of, token,
};

on_both_databases![
    a_token_revoked_while_rows_arrive_writes_nothing,
    a_token_that_expires_while_rows_arrive_writes_nothing,
    a_local_caller_overtaken_by_the_first_token_writes_nothing,
];

/// Begins an import of ada without `finish`. The server has read its `start`.
async fn begun(caller: &App) -> ImportCall {
    let mut call = caller.call().await;
    let rows = roster().people(["ada"]).typed();
    call.send(Message::Start(start_of("pd"))).await;
    call.send(Message::Rows(UserRows { rows })).await;
    call.read().await.expect("it has started");
    call
}

async fn finished(call: ImportCall) -> ImportResponses {
    call.send(Message::Finish(ImportFinish::default())).await;
    call.finish().await
}

fn assert_refused(imported: &ImportResponses, reason: &str) {
    assert!(
        status_line(&imported.status).starts_with(&format!("Unauthenticated {reason}:")),
        "{imported}"
    );
    let summary = imported.summary();
    assert_eq!(summary.state(), ImportState::Refused, "{imported}");
    assert_eq!(summary.refusals[0].code, reason, "{imported}");
    assert!(imported.results.is_empty(), "{imported}");
}

async fn a_token_revoked_while_rows_arrive_writes_nothing(database: Database) {
    let app = App::start(database).await;
    let (id, text) = app
        .create_token(token("pd", [Permission::UsersImport]))
        .await;
    let call = begun(&app.presenting(&text)).await;
    app.revoke(id).await;
    assert_refused(&finished(call).await, "CREDENTIAL_REVOKED");
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    assert_eq!(reader.users().await, []);
    // Nothing is left that would make other imports wait.
    let writer = app.holding(token("pd", [Permission::UsersImport])).await;
    let imported = writer.import(roster().people(["ada"])).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn a_token_that_expires_while_rows_arrive_writes_nothing(database: Database) {
    let app = App::start(database).await;
    let day = token("pd", [Permission::UsersImport]);
    let (_, text) = app.create_token(day).await;
    let call = begun(&app.presenting(&text)).await;
    let past = Clock::system().now() - Duration::days(1);
    let past = past.format(&time::format_description::well_known::Rfc3339);
    app.tamper(&format!(
        "UPDATE tokens SET expires_at = '{}'",
        past.unwrap()
    ))
    .await;
    assert_refused(&finished(call).await, "CREDENTIAL_EXPIRED");
    let reader = app
        .holding(TokenGrant::clone(&token("pd", [Permission::UsersRead])))
        .await;
    assert_eq!(reader.users().await, []);
}

async fn a_local_caller_overtaken_by_the_first_token_writes_nothing(database: Database) {
    let app = App::start(database).await;
    let call = begun(&app).await;
    let reader = app.holding(token("pd", [Permission::UsersRead])).await;
    assert_refused(&finished(call).await, "CREDENTIAL_REVOKED");
    assert_eq!(reader.users().await, []);
}
