//! Uploads that are never finished, because somebody cancels them or they are abandoned. No user is written, no part of
//! the roster is kept, and the record says how they ended.

use std::time::Duration;

use tonic::Code;
use user_import::{
    config::Settings,
    limits::{ClientDeadlines, ServerLimits},
    proto::{AuditAction, ImportStart, ImportState},
};

use user_import_testing::{
    App, Database, PATIENCE, finish_of, on_both_databases, roster, start_of,
};

on_both_databases![
    an_upload_that_is_cancelled_is_gone,
    an_upload_that_falls_silent_is_removed,
    a_server_removes_what_was_abandoned_before_it_started,
    an_upload_that_goes_on_is_kept,
    what_an_import_answered_expires_with_its_results,
    the_audit_trail_is_that_of_an_import,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-00000000000a";

fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

fn impatient(upload: Duration) -> Settings {
    Settings {
        server: ServerLimits {
            deadlines: ClientDeadlines {
                upload,
                ..ClientDeadlines::default()
            },
            ..ServerLimits::default()
        },
        ..Settings::default()
    }
}

/// Returns how much is stored of rosters that came in parts.
async fn stored(app: &App) -> i64 {
    let sql = "SELECT (SELECT COUNT(*) FROM uploads) + (SELECT COUNT(*) FROM upload_chunks) \
        + (SELECT COUNT(*) FROM upload_replies)";
    app.database().number(sql).await
}

/// Waits until the import has this state.
async fn until(app: &App, state: ImportState) {
    let waiting = async {
        while app.import_record(ID).await.unwrap().state() != state {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "it was never {state:?}");
}

async fn actions(app: &App) -> Vec<AuditAction> {
    let events = app.audit_events("pd").await;
    let events = events.iter().filter(|event| event.subject.contains(ID));
    events.map(user_import::proto::AuditEvent::action).collect()
}

async fn an_upload_that_is_cancelled_is_gone(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    app.cancel(ID).await.unwrap();
    assert_eq!(stored(&app).await, 0);
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Cancelled);
    assert!(record.finished_at.is_some());
    let code = app.append(ID, 0, &csv).await.unwrap_err().code();
    assert_eq!(code, Code::FailedPrecondition);
    let code = app.finish(ID, finish_of(&csv)).await.unwrap_err().code();
    assert_eq!(code, Code::FailedPrecondition);
    assert_eq!(
        app.cancel(ID).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let watched = app.watch_in("pd", ID).await;
    assert_eq!(watched.summary().state(), ImportState::Cancelled);
    assert!(app.users().await.is_empty());
    assert_eq!(actions(&app).await, [AuditAction::ImportCancelRequested]);
    // The ID was never bound.
    let imported = app.import_in_parts(start(), &csv, []).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn an_upload_that_falls_silent_is_removed(database: Database) {
    let app = App::start_with(database, impatient(Duration::from_secs(4))).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    until(&app, ImportState::Refused).await;
    assert_eq!(stored(&app).await, 0);
    let watched = app.watch_in("pd", ID).await;
    let refusal = &watched.summary().refusals[0];
    assert_eq!(refusal.code, "UPLOAD_ABANDONED");
    insta::assert_snapshot!(refusal.message, @"No part of the roster came for 4 s, so what had come was removed. Nothing was written; begin the import again.");
    let code = app.append(ID, 0, &csv).await.unwrap_err().code();
    assert_eq!(code, Code::FailedPrecondition);
    assert!(app.users().await.is_empty());
    assert_eq!(actions(&app).await, [AuditAction::ImportRefused]);
}

async fn a_server_removes_what_was_abandoned_before_it_started(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    app.tamper("UPDATE uploads SET touched_ms = touched_ms - 3600001")
        .await;
    let app = app.restart().await;
    until(&app, ImportState::Refused).await;
    assert_eq!(stored(&app).await, 0);
}

async fn an_upload_that_goes_on_is_kept(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    let (other, _) = app.begin_upload(start_of("pd")).await.unwrap();
    app.append(&other, 0, &csv[..20]).await.unwrap();
    app.tamper("UPDATE uploads SET touched_ms = touched_ms - 3600001")
        .await;
    app.append(&other, 20, &csv[20..]).await.unwrap();
    let app = app.restart().await;
    until(&app, ImportState::Refused).await;
    let imported = app.finish_and_watch("pd", &other, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn what_an_import_answered_expires_with_its_results(database: Database) {
    let settings = Settings {
        result_retention: Duration::from_secs(1),
        cleaning_interval: Duration::from_millis(100),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let imported = app.import_in_parts(start(), &csv, []).await;
    assert_eq!(imported.results.len(), 1, "{imported}");
    let gone = async {
        while stored(&app).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    gone.expect("it goes");
    let watched = app.watch_in("pd", ID).await;
    assert_eq!(watched.summary().created, 1, "{watched}");
}

async fn the_audit_trail_is_that_of_an_import(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let dry = ImportStart {
        validate_only: true,
        ..start()
    };
    app.import_in_parts(dry, &csv, []).await;
    app.import_in_parts(start(), b"EMIAL\nx\n", []).await;
    app.import_in_parts(start(), &csv, []).await;
    let expected = [
        AuditAction::ImportPreviewed,
        AuditAction::ImportRefused,
        AuditAction::ImportBegun,
        AuditAction::ImportEnded,
    ];
    assert_eq!(actions(&app).await, expected);
}
