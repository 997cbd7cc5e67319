//! Personal data is only in the database and in answers to callers. Recognisable values go through every error path,
//! and must not appear in logs, metrics, traces or statuses.

use std::{net::SocketAddr, sync::Arc};

use prost::Message as _;
use tempfile::TempDir;
use tonic::{Code, Status};
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
        Role, Status as StatusColumn, SupervisorEmail, Username,
    },
    proto::{
        GetUserRequest, ImportFinish, ImportStart, ListUsersRequest, RowResult,
        SetUserProtectedRequest, get_user_request::Key, import_users_request::Message,
    },
};

use crate::{
    observed::{collector, get},
    program::serve,
};
use user_import_testing::{
    App, Database, FreshDatabase, ImportResponses, Roster, ServeProcess, free_address,
    on_both_databases, roster, start_of,
};

on_both_databases![nothing_of_a_roster_is_in_logs_metrics_traces_or_statuses];

/// A word that every value of these tests contains.
const CANARY: &str = "kanari";

/// The filter with which the server logs and traces as much as possible.
const LOG: &str = "trace";

fn has_canary(text: &str) -> bool {
    text.to_lowercase().contains(CANARY)
}

fn expect_clean(status: &Status, about: &str) {
    let details = String::from_utf8_lossy(status.details()).into_owned();
    assert!(!has_canary(status.message()), "{about}: {status}");
    assert!(!has_canary(&details), "{about}: {details}");
}

/// Returns rows that are rejected: one for every reason that a value can cause.
fn rejected() -> Roster {
    let wrong: [(Column, String); 14] = [
        (Email, CANARY.to_owned()),
        (Email, format!("{CANARY}@@pd.example")),
        (BadgeNumber, format!("{CANARY}{}", "9".repeat(80))),
        (FirstName, format!("{CANARY}\u{7}")),
        (LastName, format!("{CANARY}\u{202E}")),
        (StatusColumn, CANARY.to_owned()),
        (Username, format!("{CANARY} {CANARY}")),
        (Username, format!("{CANARY}\u{430}")),
        (Role, CANARY.to_owned()),
        (Rank, CANARY.to_owned()),
        (EvidenceGroupExtId, CANARY.to_owned()),
        (SupervisorEmail, format!("{CANARY}@nowhere.example")),
        (Phone, format!("+1{CANARY}")),
        (ExternalId, format!("{CANARY}{}", "x".repeat(300))),
    ];
    let mut rows = roster();
    for (number, (column, value)) in wrong.iter().enumerate() {
        rows = rows.row(&format!("{CANARY}-{number}"), [(*column, value.as_str())]);
    }
    let taken = format!("{CANARY}-twice");
    rows.row(&taken, []).row(&taken, [])
}

/// Returns a valid roster.
fn sound(count: usize) -> Roster {
    let names: Vec<_> = (0..count).map(|n| format!("{CANARY}.{n}")).collect();
    roster().people(names.iter().map(String::as_str))
}

async fn refused_files(app: &App) {
    let csv = sound(3).csv();
    let half = &csv[..csv.len() - 9];
    for (about, file) in [
        ("no header", format!("{CANARY},{CANARY}\n")),
        ("a quote never closed", csv.replace("Active", "\"Active")),
        ("a record too long", csv.clone() + &CANARY.repeat(20_000)),
        ("a charset's fault", csv.clone() + "\u{FFFD}"),
        ("short", half.to_owned()),
    ] {
        let imported = app.import(file).await;
        expect_clean(&imported.status, about);
    }
    let lie = ImportFinish {
        row_count: Some(9),
        ..ImportFinish::default()
    };
    let start = Message::Start(start_of("pd"));
    let messages = [start, Message::CsvChunk(csv.into()), Message::Finish(lie)];
    expect_clean(&app.send(messages).await.status, "another count");
}

async fn guards(app: &App) {
    let start = ImportStart {
        max_rejected_rows: Some(0),
        all_or_nothing: true,
        ..start_of("pd")
    };
    let refused = app.import_with(start, &rejected()).await;
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    expect_clean(&refused.status, "a guard");
}

async fn look_ups(app: &App) {
    let mut directory = app.directory();
    for key in [
        Key::Email(format!("{CANARY}@pd.example")),
        Key::ExternalId(format!("{CANARY}-unknown")),
        Key::UserId(CANARY.to_owned()),
    ] {
        let request = GetUserRequest {
            organization: "pd".to_owned(),
            key: Some(key),
        };
        expect_clean(&directory.get_user(request).await.unwrap_err(), "a look-up");
    }
    let request = ListUsersRequest {
        organization: "pd".to_owned(),
        text: CANARY.to_owned(),
        page_token: CANARY.to_owned(),
        ..ListUsersRequest::default()
    };
    expect_clean(&directory.list_users(request).await.unwrap_err(), "a list");
    let request = SetUserProtectedRequest {
        organization: "pd".to_owned(),
        user_id: CANARY.to_owned(),
        protected: true,
    };
    let status = directory.set_user_protected(request).await.unwrap_err();
    expect_clean(&status, "a protection");
}

/// An unforeseen fault of the database, whose own message quotes the row.
async fn database_faults(app: &App, database: Database) {
    let (make, drop) = match database {
        Database::Sqlite => (
            "CREATE TRIGGER fault BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER fault",
        ),
        Database::Postgres => (
            "ALTER TABLE users ADD CONSTRAINT fault CHECK (length(email) < 3) NOT VALID",
            "ALTER TABLE users DROP CONSTRAINT fault",
        ),
    };
    app.tamper(make).await;
    let failed = app.import(sound(40)).await;
    assert_ne!(failed.code(), Code::Ok, "{failed}");
    expect_clean(&failed.status, "a fault of the database");
    app.tamper(drop).await;
}

/// Breaks streams off while they are sent, and sends messages in the wrong order.
async fn broken_streams(app: &App) {
    let call = app.call().await;
    call.send(Message::Start(start_of("pd"))).await;
    call.send(Message::CsvChunk(sound(50).csv().into())).await;
    drop(call);
    let call = app.call().await;
    call.send(Message::CsvChunk(sound(2).csv().into())).await;
    let refused = call.finish().await;
    expect_clean(&refused.status, "out of order");
}

/// Sends imports in parts: complete, refused, cut off, and with other content under the same ID.
async fn in_parts(app: &App) {
    let csv = rejected().csv().into_bytes();
    let imported = app.import_in_parts(start_of("pd"), &csv, [50]).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    let header = format!("{CANARY},{CANARY}\n").into_bytes();
    let refused = app.import_in_parts(start_of("pd"), &header, []).await;
    expect_clean(&refused.status, "no header, in parts");
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    app.append(&id, 0, &csv).await.unwrap();
    let mut other = csv.clone();
    other[200..].rotate_left(9);
    for (offset, part) in [(0, &other[..]), (7, &csv), (9_999_999, &csv)] {
        let status = app.append(&id, offset, part).await.unwrap_err();
        expect_clean(&status, "a part");
    }
    app.cancel(&id).await.unwrap();
}

async fn cancelled(app: &App) -> ImportResponses {
    let id = "018f4e9e-5c7b-7000-8000-00000000000a";
    let start = ImportStart {
        import_id: id.to_owned(),
        ..start_of("pd")
    };
    let mut answers = app.begin(start, &sound(300)).await;
    let first = ImportResponses::first_results(&mut answers).await;
    app.cancel(id).await.expect("it applies");
    let cancelled = first.and_rest(answers).await;
    assert_eq!(cancelled.code(), Code::Cancelled, "{cancelled}");
    expect_clean(&cancelled.status, "a cancelled import");
    cancelled
}

/// Makes calls with an invalid credential.
async fn denied_calls(app: &App) {
    let denied = app.presenting(CANARY).import(sound(1)).await;
    assert_eq!(denied.code(), Code::Unauthenticated, "{denied}");
    expect_clean(&denied.status, "a denied call");
}

/// A server that logs and traces as much as it can, in a folder of its own.
struct ObservedServer {
    server: Option<ServeProcess>,
    app: App,
    metrics: SocketAddr,
    folder: TempDir,
}

impl ObservedServer {
    async fn start(database: &Arc<FreshDatabase>, collector: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (metrics, endpoint) = (free_address(), format!("http://{collector}"));
        let listen = metrics.to_string();
        let options = ["--metrics-listen", &listen, "--otlp-endpoint", &endpoint];
        let verbose = ["--log", LOG, "--transaction-rows", "1"];
        let options = [options, verbose].concat();
        let server = serve(&database.url(), &options, &folder.path().join("log"));
        let app = App::attach(Arc::clone(database), server.address).await;
        Self {
            server: Some(server),
            app,
            metrics,
            folder,
        }
    }

    fn expect_clean_log(&self, expected: &[&str]) {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        for line in expected {
            assert!(log.contains(line), "{line} is not logged");
        }
        let told: Vec<_> = log.lines().filter(|line| has_canary(line)).collect();
        assert!(told.is_empty(), "{} lines, such as {}", told.len(), told[0]);
    }
}

async fn rejected_rows(app: &App) {
    let imported = app.import(&rejected()).await;
    assert!(
        imported.code() == Code::Ok && imported.summary().rejected >= 14,
        "{imported}"
    );
    // The values are in the answers to the caller. All other places are compared with them.
    let told = |result: &RowResult| has_canary(&result.encode_to_vec().escape_ascii().to_string());
    assert!(imported.results.iter().any(told));
}

async fn nothing_of_a_roster_is_in_logs_metrics_traces_or_statuses(database: Database) {
    let fresh = Arc::new(database.create().await);
    let (collector, mut spans) = collector().await;
    let mut observed = ObservedServer::start(&fresh, collector).await;
    let app = &observed.app;
    app.organization("pd").await;
    rejected_rows(app).await;
    refused_files(app).await;
    guards(app).await;
    look_ups(app).await;
    database_faults(app, database).await;
    broken_streams(app).await;
    in_parts(app).await;
    cancelled(app).await;
    denied_calls(app).await;
    let metrics = get(observed.metrics);
    assert!(
        metrics.contains("user_import_rows_total") && !has_canary(&metrics),
        "{metrics}"
    );
    let stopping = observed.server.take().unwrap();
    // The server stops in an orderly way, so that it sends all its spans.
    let stopped = tokio::task::spawn_blocking(move || stopping.stop()).await;
    stopped.unwrap();
    observed.expect_clean_log(&["internal error", "import ended", "a call was denied"]);
    let mut imports = 0;
    while let Ok(span) = spans.try_recv() {
        imports += usize::from(span.name == "/userimport.v1.ImportService/ImportUsers");
        let shown = format!("{span:?}");
        assert!(!has_canary(&shown), "{shown}");
    }
    assert!(imports > 10, "{imports} spans of imports");
    killed_while_it_writes(&fresh, collector).await;
}

async fn killed_while_it_writes(fresh: &Arc<FreshDatabase>, collector: SocketAddr) {
    let mut observed = ObservedServer::start(fresh, collector).await;
    let mut answers = observed.app.begin(start_of("pd"), &sound(400)).await;
    ImportResponses::first_results(&mut answers).await;
    observed.server.take().unwrap().kill();
    // A killed process loses only the output that it had not written yet.
    observed.expect_clean_log(&["listening"]);
}
