//! The phases of an import (semantics §3): receive, plan, guard, apply, deactivate, summary.

use std::time::Duration;

use tokio::time::timeout;
use tonic::Code;
use user_import::{
    config::Settings,
    domain::Column::{BadgeNumber, Email, FirstName, SupervisorEmail},
    proto::{
        ImportFinish, ImportPhase, ImportStart, ImportState, RowResult, UserRows,
        import_users_request::Message, import_users_response::Message as Reply,
    },
};

use user_import_testing::{App, Database, PATIENCE, Roster, on_both_databases, roster, start_of};

on_both_databases![
    before_finish_only_started_and_progress_are_sent,
    progress_goes_on_however_steadily_the_client_sends,
    a_message_in_the_grace_after_finish_refuses_the_import,
    a_client_that_never_half_closes_gets_its_import,
    a_result_comes_after_its_user_is_written,
    every_row_has_one_result_and_the_counts_add_up,
    a_dry_run_gives_the_results_of_the_import_and_writes_nothing,
    started_says_how_the_file_is_read,
    a_stream_that_breaks_off_writes_nothing,
];

/// Starts a server that sends progress a hundred times a second, and waits a hundredth of a second for a half-close.
fn lively() -> Settings {
    Settings {
        progress_interval: Duration::from_millis(10),
        half_close_grace: Duration::from_millis(10),
        ..Settings::default()
    }
}

fn start() -> Message {
    Message::Start(start_of("pd"))
}

fn chunk(roster: &Roster) -> Message {
    Message::CsvChunk(roster.csv().into())
}

fn finish() -> Message {
    Message::Finish(ImportFinish::default())
}

async fn before_finish_only_started_and_progress_are_sent(database: Database) {
    let app = App::start_with(database, lively()).await;
    let mut call = app.call().await;
    call.send(start()).await;
    call.send(chunk(&roster().people(["ada", "bob"]))).await;
    let (mut started, mut progress) = (0, 0);
    while started == 0 || progress < 3 {
        match call.read().await {
            Ok(Some(Reply::Started(_))) => started += 1,
            Ok(Some(Reply::Progress(p))) => {
                assert_eq!((p.phase(), p.rows_total), (ImportPhase::Receiving, 0));
                progress += 1;
            }
            other => panic!("{other:?} before finish"),
        }
    }
    assert_eq!(started, 1);
    assert!(app.users().await.is_empty());
    call.send(finish()).await;
    assert_eq!(call.finish().await.summary().created, 2);
}

async fn progress_goes_on_however_steadily_the_client_sends(database: Database) {
    let settings = Settings {
        progress_interval: Duration::from_millis(200),
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let mut call = app.call().await;
    call.send(start()).await;
    let steady = async {
        loop {
            // Much more often than there is new progress to send.
            call.send(Message::CsvChunk("\n".into())).await;
            if let Ok(read) = timeout(Duration::from_micros(100), call.read()).await {
                break read;
            }
        }
    };
    let read = timeout(PATIENCE, steady).await;
    let read = read.expect("progress comes while the client sends");
    assert!(matches!(read, Ok(Some(Reply::Progress(_)))), "{read:?}");
}

async fn a_message_in_the_grace_after_finish_refuses_the_import(database: Database) {
    // The late message ends it at once.
    let settings = Settings {
        half_close_grace: PATIENCE,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    for late in [chunk(&roster().people(["bob"])), finish(), start()] {
        let call = app.call().await;
        call.send(start()).await;
        call.send(chunk(&roster().people(["ada"]))).await;
        call.send(finish()).await;
        call.send(late).await;
        let imported = call.finish().await;
        assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
        assert_eq!(imported.summary().state(), ImportState::Refused);
        assert!(app.users().await.is_empty());
    }
}

async fn a_client_that_never_half_closes_gets_its_import(database: Database) {
    let app = App::start_with(database, lively()).await;
    let call = app.call().await;
    call.send(start()).await;
    call.send(chunk(&roster().people(["ada"]))).await;
    call.send(finish()).await;
    let imported = call.read_to_end().await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn a_result_comes_after_its_user_is_written(database: Database) {
    let settings = Settings {
        transaction_rows: 1,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let mut call = app.call().await;
    call.send(start()).await;
    call.send(chunk(&roster().people(["ada", "bob", "cy"])))
        .await;
    call.send(finish()).await;
    let mut seen = 0;
    while seen < 3 {
        if let Some(Reply::Results(batch)) = call.read().await.expect("the import goes on") {
            for result in batch.results {
                assert_eq!(app.user(&result.external_id).await.id, result.user_id);
                seen += 1;
            }
        }
    }
    assert_eq!(call.finish().await.summary().created, 3);
}

/// Returns one row of each outcome, and rows that depend on each other.
fn mixture() -> Roster {
    roster()
        .people(["ada"])
        .row(
            "bob",
            [(FirstName, "Robert"), (SupervisorEmail, "new@pd.example")],
        )
        .people(["new"])
        .row("bad", [(Email, "nowhere")])
        .row("cy", [(BadgeNumber, "B-ada")])
        .row("late", [(BadgeNumber, "B-cy")])
}

async fn every_row_has_one_result_and_the_counts_add_up(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let imported = app.import(mixture()).await;
    let rows: Vec<u32> = imported.results.iter().map(|result| result.row).collect();
    assert_eq!(rows, [1, 2, 3, 4, 5, 6], "{imported}");
    let summary = imported.summary();
    let counts = (
        summary.created,
        summary.updated,
        summary.unchanged,
        summary.rejected,
    );
    assert_eq!(counts, (1, 1, 1, 3), "{imported}");
    assert_eq!(summary.rows, 6);
}

async fn a_dry_run_gives_the_results_of_the_import_and_writes_nothing(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let dry = ImportStart {
        validate_only: true,
        include_values: true,
        ..start_of("pd")
    };
    let wet = ImportStart {
        validate_only: false,
        ..dry.clone()
    };
    let before = app.users().await;
    let previewed = app.import_with(dry, mixture()).await;
    assert_eq!(app.users().await, before);
    assert!(previewed.summary().validate_only);
    assert_eq!(previewed.row(3).user_id, "", "nobody is there yet");

    let imported = app.import_with(wet, mixture()).await;
    assert_eq!(previewed.to_string(), imported.to_string());
    let but_the_id = |result: &RowResult| RowResult {
        user_id: String::new(),
        ..result.clone()
    };
    let verdicts = |results: &[RowResult]| results.iter().map(but_the_id).collect::<Vec<_>>();
    assert_eq!(verdicts(&previewed.results), verdicts(&imported.results));
    assert_eq!(
        previewed.summary().plan_digest,
        imported.summary().plan_digest
    );
    assert_eq!(
        previewed.summary().input_sha256,
        imported.summary().input_sha256
    );
}

async fn started_says_how_the_file_is_read(database: Database) {
    let app = App::start(database).await;
    let csv = "import_note;E-Mail;badge number;First Name;LAST_NAME;Status;Username;Role\n\
        x;ada@pd.example;1;Ada;L;Active;ada;Officer\n"
        .replace("E-Mail", "Email");
    let imported = app.import(csv).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let started = &imported.started[0];
    let columns = [
        "EMAIL",
        "BADGE_NUMBER",
        "FIRST_NAME",
        "LAST_NAME",
        "STATUS",
        "USERNAME",
        "ROLE",
    ];
    assert_eq!(started.columns, columns);
    assert_eq!(started.ignored_columns, ["import_note"]);
    assert_eq!((&*started.charset, &*started.delimiter), ("UTF-8", ";"));
    assert!(!started.resumed);

    let rows = roster().people(["bob"]).typed();
    let messages = [start(), Message::Rows(UserRows { rows }), finish()];
    let typed = app.send(messages).await;
    assert_eq!(typed.started.len(), 1, "{typed}");
    assert!(typed.started[0].columns.is_empty());
    assert_ne!(typed.import_id(), imported.import_id());
}

async fn a_stream_that_breaks_off_writes_nothing(database: Database) {
    let app = App::start_with(database, lively()).await;
    let mut call = app.call().await;
    call.send(start()).await;
    call.send(chunk(&roster().people(["ada"]))).await;
    // By now the server has the rows.
    while !matches!(call.read().await, Ok(Some(Reply::Progress(p))) if p.rows_received == 1) {}
    drop(call);
    app.people(["bob"]).await;
    assert_eq!(app.users().await.len(), 1);
}
