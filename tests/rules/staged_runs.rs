//! Beginning and finishing an upload: a repeated call does no harm, and an upload that cannot continue is refused at
//! once.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    limits::{ClientDeadlines, ServerLimits},
    proto::{DeactivateMissing, ImportFinish, ImportStart, ImportState},
};

use crate::retries::{many, named, start_slow};
use user_import_testing::{App, Database, finish_of, on_both_databases, roster, start_of};

on_both_databases![
    an_import_begun_again_says_where_to_go_on,
    an_import_begun_again_with_other_options_is_refused,
    bad_options_are_refused_at_the_beginning,
    an_import_without_an_id_is_given_one,
    a_finish_sent_again_is_answered_alike,
    a_finish_with_other_totals_is_refused,
    finishes_at_once_run_one_import,
    what_finish_states_must_be_what_came,
    an_import_that_ended_may_be_begun_again,
    an_import_that_holds_the_organisation_is_named,
    any_server_takes_any_call,
    an_import_interrupted_by_a_shutdown_goes_on,
    open_uploads_are_bounded,
    an_upload_waits_for_a_place_among_the_imports,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-000000000009";

fn start() -> ImportStart {
    ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Status>) -> Code {
    result.unwrap_err().code()
}

async fn an_import_begun_again_says_where_to_go_on(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    for (from, until) in [(0, 25), (25, 40), (40, 65)] {
        let begun = app.begin_upload(start()).await.unwrap();
        assert_eq!(begun, (ID.to_owned(), from as u64));
        app.append(ID, from as u64, &csv[from..until])
            .await
            .unwrap();
    }
    // Options that concern only the stream may be different.
    let other = ImportStart {
        source: "cad".to_owned(),
        include_values: true,
        ..start()
    };
    assert_eq!(app.begin_upload(other).await.unwrap().1, 65);
    app.append(ID, 65, &csv[65..]).await.unwrap();
    let imported = app.finish_and_watch("pd", ID, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
    let after = |change: &user_import::proto::ColumnChange| change.after.clone();
    let values: Vec<_> = imported.results[0]
        .changes
        .iter()
        .filter_map(after)
        .collect();
    assert!(values.contains(&"ada".to_owned()), "{values:?}");
}

async fn an_import_begun_again_with_other_options_is_refused(database: Database) {
    let app = App::start(database).await;
    app.begin_upload(start()).await.unwrap();
    let other = || ImportStart {
        all_or_nothing: true,
        ..start()
    };
    let refused = app.begin_upload(other()).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.metadata["import_id"].as_str()),
        ("IMPORT_ID_BOUND", ID)
    );
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.append(ID, 0, &csv).await.unwrap();
    let imported = app.finish_and_watch("pd", ID, finish_of(&csv)).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    // Now the ID is bound to its input, too, and stays so.
    assert_eq!(code(app.begin_upload(other()).await), Code::AlreadyExists);
    let other = roster().people(["bob"]).csv().into_bytes();
    let imported = app.import_in_parts(start(), &other, []).await;
    assert_eq!(imported.code(), Code::AlreadyExists, "{imported}");
    // The results under this ID belong to the roster that it is bound to, and not to this one.
    assert_eq!(imported.results, [], "{imported}");
    let users: Vec<_> = app.users().await;
    assert_eq!(users.len(), 1);
}

async fn bad_options_are_refused_at_the_beginning(database: Database) {
    let app = App::start(database).await;
    let unconfirmed = ImportStart {
        deactivate_missing: Some(DeactivateMissing::default()),
        ..start()
    };
    let unreadable = ImportStart {
        csv: Some(user_import::proto::CsvFormat {
            charset: "klingon".to_owned(),
            ..Default::default()
        }),
        ..start()
    };
    let unnamed = ImportStart {
        import_id: "x".to_owned(),
        ..start()
    };
    for bad in [unconfirmed, unreadable, unnamed] {
        assert_eq!(code(app.begin_upload(bad).await), Code::InvalidArgument);
    }
    assert_eq!(
        code(app.begin_upload(start_of("nowhere")).await),
        Code::NotFound
    );
    let nothing = user_import::proto::BeginImportRequest::default();
    assert_eq!(
        code(app.imports().begin_import(nothing).await),
        Code::InvalidArgument
    );
    assert_eq!(app.import_page(9, "").await.0, []);
}

async fn an_import_without_an_id_is_given_one(database: Database) {
    let app = App::start(database).await;
    let first = app.begin_upload(start_of("pd")).await.unwrap();
    let second = app.begin_upload(start_of("pd")).await.unwrap();
    assert_ne!(first.0, second.0);
    assert_eq!((first.1, second.1), (0, 0));
}

async fn a_finish_sent_again_is_answered_alike(database: Database) {
    let app = App::start(database).await;
    for (csv, expected) in [
        (roster().people(["ada"]).csv(), Code::Ok),
        ("EMIAL\nx\n".to_owned(), Code::InvalidArgument),
    ] {
        let csv = csv.into_bytes();
        let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
        app.append(&id, 0, &csv).await.unwrap();
        let first = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
        for _ in 0..2 {
            let again = app.finish(&id, finish_of(&csv)).await;
            let again = again.err().map_or(Code::Ok, |status| status.code());
            assert_eq!(again, expected);
            let watched = app.watch_in("pd", &id).await;
            assert_eq!(watched.results, first.results);
            assert_eq!(watched.summary, first.summary);
        }
    }
    // Neither import ran twice.
    assert_eq!(app.import_page(9, "").await.0.len(), 2);
    assert_eq!(app.users().await.len(), 1);
}

async fn a_finish_with_other_totals_is_refused(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.import_in_parts(start(), &csv, []).await;
    let other = ImportFinish {
        row_count: Some(7),
        ..finish_of(&csv)
    };
    let refused = app.finish(ID, other).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
}

async fn finishes_at_once_run_one_import(database: Database) {
    let app = App::start(database).await;
    let other = app.another_server().await;
    let csv = roster().people(["ada", "bob"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    let sent = (0..6).map(|number| match number % 2 {
        0 => app.finish(ID, finish_of(&csv)),
        _ => other.finish(ID, finish_of(&csv)),
    });
    let answers = futures_util::future::join_all(sent).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let imported = app.watch_in("pd", ID).await;
    assert_eq!(
        (imported.results.len(), imported.summary().created),
        (2, 2),
        "{imported}"
    );
    assert_eq!(app.import_page(9, "").await.0.len(), 1);
}

async fn what_finish_states_must_be_what_came(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let sound = finish_of(&csv);
    for (finish, told) in [
        (
            ImportFinish {
                row_count: Some(2),
                ..sound.clone()
            },
            "ROW_COUNT_DIFFERS",
        ),
        (
            ImportFinish {
                byte_count: Some(1),
                ..ImportFinish::default()
            },
            "BYTE_COUNT_DIFFERS",
        ),
        (
            ImportFinish {
                sha256: Some(vec![7; 32]),
                ..ImportFinish::default()
            },
            "SHA256_DIFFERS",
        ),
    ] {
        let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
        app.append(&id, 0, &csv).await.unwrap();
        let imported = app.finish_and_watch("pd", &id, finish).await;
        assert!(imported.refusal().contains(told), "{imported}");
        assert_eq!(imported.code(), Code::FailedPrecondition);
    }
    assert!(app.users().await.is_empty());
    // No part of the rosters is stored any more.
    let chunks = app
        .database()
        .number("SELECT COUNT(*) FROM upload_chunks")
        .await;
    assert_eq!(chunks, 0);
}

async fn an_import_that_ended_may_be_begun_again(database: Database) {
    let app = App::start(database).await;
    let dry = || ImportStart {
        validate_only: true,
        ..start()
    };
    let csv = roster().people(["ada"]).csv().into_bytes();
    // No user was written under the ID, so it is free, even for other options.
    for _ in 0..2 {
        let imported = app.import_in_parts(dry(), &csv, [20]).await;
        assert_eq!(imported.summary().created, 1, "{imported}");
    }
    let refused = app.import_in_parts(start(), b"EMIAL\nx\n", []).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    let first = app.import_in_parts(start(), &csv, [20]).await;
    // Now the ID is bound, and the same roster is answered with the recorded results.
    let again = app.import_in_parts(start(), &csv, [30]).await;
    assert_eq!(again.results, first.results);
    assert_eq!(again.summary, first.summary);
    assert!(again.started[0].resumed && !first.started[0].resumed);
}

async fn an_import_that_holds_the_organisation_is_named(database: Database) {
    let app = start_slow(database).await;
    let csv = roster().people(["zed"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    let mut slow = app.begin(named(crate::retries::ID), &many()).await;
    user_import_testing::ImportResponses::first_results(&mut slow).await;
    let refused = app.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted, "{refused}");
    assert!(refused.get_details_retry_info().is_some());
    let (other, dry) = (
        start_of("pd"),
        ImportStart {
            validate_only: true,
            ..start_of("pd")
        },
    );
    assert_eq!(code(app.begin_upload(other).await), Code::Aborted);
    // A dry run does not take the place of an import. An upload that was begun before answers with its offset.
    app.begin_upload(dry).await.unwrap();
    assert_eq!(app.begin_upload(start()).await.unwrap().1, csv.len() as u64);
    app.cancel(crate::retries::ID).await.unwrap();
    drop(slow);
    let finished = loop {
        match app.finish(ID, finish_of(&csv)).await {
            Err(status) if status.code() == Code::Aborted => {}
            finished => break finished,
        }
    };
    finished.unwrap();
    let imported = app.watch_in("pd", ID).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn any_server_takes_any_call(database: Database) {
    let app = App::start(database).await;
    let (second, third) = (app.another_server().await, app.another_server().await);
    let csv = roster().people(["ada", "bob"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    second.append(ID, 0, &csv[..50]).await.unwrap();
    third.append(ID, 50, &csv[50..]).await.unwrap();
    assert_eq!(
        second.begin_upload(start()).await.unwrap().1,
        csv.len() as u64
    );
    second.finish(ID, finish_of(&csv)).await.unwrap();
    let imported = third.watch_in("pd", ID).await;
    assert_eq!(
        (imported.results.len(), imported.summary().created),
        (2, 2),
        "{imported}"
    );
    assert_eq!(app.watch_in("pd", ID).await.results, imported.results);
}

async fn an_import_interrupted_by_a_shutdown_goes_on(database: Database) {
    let app = start_slow(database).await;
    let csv = many().csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    app.finish(ID, finish_of(&csv)).await.unwrap();
    while app.import_record(ID).await.unwrap().state() != ImportState::Applying {
        tokio::task::yield_now().await;
    }
    let app = app.restart().await;
    let stopped = app.watch_in("pd", ID).await;
    assert_eq!(
        stopped.summary().state(),
        ImportState::Interrupted,
        "{stopped}"
    );
    assert_eq!(stopped.code(), Code::Unavailable);
    app.finish(ID, finish_of(&csv)).await.unwrap();
    let imported = app.watch_in("pd", ID).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.results.len(), imported.summary().rows as usize);
    assert!(imported.started[0].resumed);
}

async fn open_uploads_are_bounded(database: Database) {
    let settings = Settings {
        server: ServerLimits {
            organization_imports: 2,
            ..ServerLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.organization("other").await;
    app.begin_upload(start()).await.unwrap();
    app.begin_upload(start_of("pd")).await.unwrap();
    let refused = app.begin_upload(start_of("pd")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.get_details_retry_info().is_some());
    assert_eq!(app.import_page(9, "").await.0.len(), 2);
    // An existing upload can continue, and other organisations have places of their own.
    app.begin_upload(start()).await.unwrap();
    app.begin_upload(start_of("other")).await.unwrap();
    app.cancel(ID).await.unwrap();
    app.begin_upload(start_of("pd")).await.unwrap();
}

async fn an_upload_waits_for_a_place_among_the_imports(database: Database) {
    let settings = Settings {
        server: ServerLimits {
            organization_imports: 1,
            deadlines: ClientDeadlines {
                import_turn: Duration::from_millis(100),
                ..ClientDeadlines::default()
            },
            ..ServerLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.begin_upload(start()).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    let other = app.unread_dry_run().await;
    let refused = app.finish(ID, finish_of(&csv)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.get_details_retry_info().is_some());
    let watched = app.watch_in("pd", ID).await;
    assert_eq!(watched.code(), Code::ResourceExhausted, "{watched}");
    let record = app.import_record(ID).await.unwrap();
    assert_eq!(record.state(), ImportState::Receiving);
    drop(other);
    while app.finish(ID, finish_of(&csv)).await.is_err() {}
    let imported = app.watch_in("pd", ID).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}
