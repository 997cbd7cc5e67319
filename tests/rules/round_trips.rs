//! The round trips that must hold (semantics §9).

use insta::assert_snapshot;
use user_import::{
    domain::Column::{EvidenceGroupExtId, FirstName, Phone, Rank, Status, SupervisorEmail},
    proto::{ImportFinish, import_users_request::Message},
};

use user_import_testing::{App, Database, Roster, on_both_databases, roster, start_of};

on_both_databases![
    an_export_imports_unchanged,
    the_same_file_again_changes_nothing,
    chunks_may_end_anywhere,
    typed_rows_do_what_the_equal_csv_does,
];

/// A user with a value in every column that is stored, a supervisor whose row comes after its report, and a name that
/// needs quotes and has a letter of three bytes.
fn station() -> Roster {
    roster()
        .row(
            "bob",
            [
                (SupervisorEmail, "ada@pd.example"),
                (Rank, "Captain"),
                (EvidenceGroupExtId, "G-1"),
                (Phone, "+1 202 555 0123"),
            ],
        )
        .row("ada", [(Status, "Inactive")])
        .row("cy", [(FirstName, "the \"third\", 三")])
}

async fn an_export_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    let first = app.import(station()).await;
    assert_eq!(first.summary().created, 3, "{first}");
    let exported = app.export().await;
    let written = app.users().await;

    let imported = app.import(exported.clone()).await;
    assert_eq!(imported.summary().unchanged, 3, "{imported}");
    assert_eq!(app.users().await, written);
    assert_eq!(app.export().await, exported);
}

async fn the_same_file_again_changes_nothing(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    assert_snapshot!(app.import(roster().people(["ada", "bob"])).await, @r"
    1 UNCHANGED ada
    2 UNCHANGED bob
    COMPLETED: 2 rows, 2 unchanged
    ");
}

async fn chunks_may_end_anywhere(database: Database) {
    let app = App::start(database).await;
    let csv = station().csv().into_bytes();
    let whole = app.import(csv.clone()).await;
    assert_eq!(whole.summary().created, 3, "{whole}");

    app.organization("byte-by-byte").await;
    let bytes = csv
        .chunks(1)
        .map(|byte| Message::CsvChunk(byte.to_vec().into()));
    let start = Message::Start(start_of("byte-by-byte"));
    let finish = Message::Finish(ImportFinish::default());
    let messages = [start].into_iter().chain(bytes).chain([finish]);
    assert_eq!(app.send(messages).await.to_string(), whole.to_string());
}

async fn typed_rows_do_what_the_equal_csv_does(database: Database) {
    let csv_app = App::start(database).await;
    let from_csv = csv_app.import(station()).await;
    assert_eq!(from_csv.summary().created, 3, "{from_csv}");

    let typed_app = App::start(database).await;
    let from_rows = typed_app.import_rows(station().typed()).await;
    assert_eq!(from_rows.to_string(), from_csv.to_string());
    assert_eq!(from_rows.messages(1), from_csv.messages(1));
    assert_eq!(typed_app.export().await, csv_app.export().await);
}
