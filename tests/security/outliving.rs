//! A stream ends soon after its credential has become invalid. An import that applies continues.

use std::time::Duration;

use tonic::{Code, Status, Streaming, transport::Channel};
use user_import::{
    clock::Clock,
    config::{SecuritySettings, Settings},
    domain::{
        Column::{FirstName, LastName},
        Permission::{self, UsersImport, UsersRead},
    },
    proto::{
        ExportUsersRequest, ImportFinish, ImportState, UserRows, WatchImportRequest,
        WatchImportResponse, import_users_request::Message,
        import_users_response::Message as Reply,
    },
};

use user_import_testing::{
    App, Database, ImportCall, ImportResponses, TokenGrant, on_both_databases, roster,
    rpcs::{answer, status_line},
    start_of, token,
};

on_both_databases![
    a_watch_ends_when_its_token_is_revoked_and_the_import_goes_on,
    a_watch_ends_when_its_token_expires,
    an_upload_ends_when_its_token_is_revoked,
    an_upload_ends_when_its_token_expires,
    a_call_that_has_not_begun_to_import_ends_too,
    an_export_ends_when_its_token_is_revoked,
    an_import_that_applies_goes_on_though_its_token_is_revoked,
    a_database_that_is_away_ends_no_stream,
];

const LONG: Duration = Duration::from_mins(1);
const GET: &str = "/userimport.v1.DirectoryService/GetOrganization";

/// Starts a server that checks the credentials of streams often, and makes an operator.
async fn scene(database: Database) -> (App, App) {
    let settings = Settings {
        security: SecuritySettings {
            reload_interval: Duration::from_millis(20),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    // From now on, no call without a credential is admitted.
    let operator = app.holding(token("*", Permission::ALL)).await;
    (app, operator)
}

/// Returns a grant that is valid for longer than a slow machine needs to begin a call with it.
fn brief(permission: Permission) -> TokenGrant {
    TokenGrant {
        expires_at: Clock::system().now() + time::Duration::seconds(15),
        ..token("pd", [permission])
    }
}

/// Begins an import of ada that waits for `finish`. Returns it with its ID.
async fn upload(caller: &App) -> (ImportCall, String) {
    let mut call = caller.call().await;
    let rows = roster().people(["ada"]).typed();
    call.send(Message::Start(start_of("pd"))).await;
    call.send(Message::Rows(UserRows { rows })).await;
    loop {
        if let Some(Reply::Started(started)) = call.read().await.unwrap() {
            return (call, started.import_id);
        }
    }
}

async fn watch(caller: &App, import_id: &str) -> Streaming<WatchImportResponse> {
    let request = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: import_id.to_owned(),
        ..WatchImportRequest::default()
    };
    let mut answers = caller
        .imports()
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    answers.message().await.unwrap().expect("it has begun");
    answers
}

/// Returns the status with which a stream ends, after reading it to its end.
async fn end<T>(mut answers: Streaming<T>) -> Status {
    let reading = async {
        loop {
            match answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return Status::ok(""),
                Err(status) => return status,
            }
        }
    };
    tokio::time::timeout(LONG, reading).await.expect("it ends")
}

fn assert_denied(status: &Status, reason: &str) {
    let told = status_line(status);
    assert!(
        told.starts_with(&format!("Unauthenticated {reason}:")),
        "{told}"
    );
}

async fn a_watch_ends_when_its_token_is_revoked_and_the_import_goes_on(database: Database) {
    let (_server, app) = scene(database).await;
    let (call, import) = upload(&app).await;
    let (id, text) = app.create_token(token("pd", [UsersRead])).await;
    let (watched, other) = (
        watch(&app.presenting(&text), &import).await,
        watch(&app, &import).await,
    );
    app.revoke(id).await;
    assert_denied(&end(watched).await, "CREDENTIAL_REVOKED");
    call.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(call.finish().await.summary().created, 1);
    assert_eq!(end(other).await.code(), Code::Ok);
}

async fn a_watch_ends_when_its_token_expires(database: Database) {
    let (_server, app) = scene(database).await;
    let (call, import) = upload(&app).await;
    let grant = brief(UsersRead);
    let expires_at = grant.expires_at;
    let watched = watch(&app.holding(grant).await, &import).await;
    assert_denied(&end(watched).await, "CREDENTIAL_EXPIRED");
    let late = Clock::system().now() - expires_at;
    assert!(
        !late.is_negative() && late < time::Duration::seconds(20),
        "{late}"
    );
    drop(call);
}

fn assert_refused(imported: &ImportResponses, reason: &str) {
    assert_denied(&imported.status, reason);
    let summary = imported.summary();
    assert_eq!(summary.state(), ImportState::Refused, "{imported}");
    assert_eq!(summary.refusals[0].code, reason, "{imported}");
}

async fn an_upload_ends_when_its_token_is_revoked(database: Database) {
    let (_server, app) = scene(database).await;
    let (id, text) = app.create_token(token("pd", [UsersImport])).await;
    let (call, _) = upload(&app.presenting(&text)).await;
    app.revoke(id).await;
    // The client sends nothing more, and has not half-closed.
    assert_refused(&call.read_to_end().await, "CREDENTIAL_REVOKED");
    assert_eq!(app.users().await, []);
}

async fn an_upload_ends_when_its_token_expires(database: Database) {
    let (_server, app) = scene(database).await;
    let (call, _) = upload(&app.holding(brief(UsersImport)).await).await;
    assert_refused(&call.read_to_end().await, "CREDENTIAL_EXPIRED");
    assert_eq!(app.users().await, []);
}

async fn a_call_that_has_not_begun_to_import_ends_too(database: Database) {
    let (_server, app) = scene(database).await;
    let (id, text) = app.create_token(token("pd", [UsersImport])).await;
    let call = app.presenting(&text).call().await;
    app.revoke(id).await;
    assert_denied(&call.read_to_end().await.status, "CREDENTIAL_REVOKED");
}

/// More rows than the windows and buffers between server and client hold.
async fn an_export_ends_when_its_token_is_revoked(database: Database) {
    let (_server, app) = scene(database).await;
    let long = "x".repeat(128);
    let people = (0..3_000).fold(roster(), |people, number| {
        let names = [(FirstName, &*long), (LastName, &*long)];
        people.row(&format!("u{number}"), names)
    });
    assert_eq!(app.import(&people).await.summary().created, 3_000);
    let (id, text) = app.create_token(token("pd", [UsersRead])).await;
    // By default, a client accepts 2 MiB before the test reads.
    let channel = Channel::from_shared(format!("http://{}", app.address())).unwrap();
    let channel = channel.initial_stream_window_size(65_535).connect().await;
    let caller = app.through(channel.unwrap()).presenting(&text);
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        ..ExportUsersRequest::default()
    };
    let export = caller.directory().export_users(request).await.unwrap();
    let mut pieces = export.into_inner();
    app.revoke(id).await;
    // The reader takes some time.
    let status = loop {
        match pieces.message().await {
            Ok(Some(_)) => assert_eq!(answer(&app, GET, "pd").await, "Ok"),
            Ok(None) => panic!("it ended as if it were whole"),
            Err(status) => break status,
        }
    };
    assert_denied(&status, "CREDENTIAL_REVOKED");
}

async fn an_import_that_applies_goes_on_though_its_token_is_revoked(database: Database) {
    let (_server, app) = scene(database).await;
    let (id, text) = app.create_token(token("pd", [UsersImport])).await;
    let names: Vec<_> = (0..10_000).map(|n| format!("u{n}")).collect();
    let csv = roster().people(names.iter().map(String::as_str)).csv();
    let mut call = app.presenting(&text).call().await;
    call.send(Message::Start(start_of("pd"))).await;
    call.send(Message::CsvChunk(csv.into())).await;
    call.send(Message::Finish(ImportFinish::default())).await;
    call.half_close();
    // A result is sent only after it has been written.
    let mut seen = loop {
        if let Some(Reply::Results(results)) = call.read().await.unwrap() {
            break results.results.len();
        }
    };
    app.revoke(id).await;
    let rest = call.read_to_end().await;
    seen += rest.results.len();
    assert_eq!((rest.code(), seen), (Code::Ok, 10_000), "{}", rest.status);
    assert_eq!(rest.summary().state(), ImportState::Completed);
}

async fn a_database_that_is_away_ends_no_stream(database: Database) {
    let (_server, app) = scene(database).await;
    let (_, text) = app.create_token(token("pd", [UsersImport])).await;
    let (call, _) = upload(&app.presenting(&text)).await;
    app.database().take_away().await;
    // By then the credential has been checked many times.
    let mut call = call;
    for _ in 0..2 {
        assert!(matches!(call.read().await, Ok(Some(Reply::Progress(_)))));
    }
    app.database().give_back().await;
    call.send(Message::Finish(ImportFinish::default())).await;
    assert_eq!(call.finish().await.summary().created, 1);
}
