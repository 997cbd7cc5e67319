//! An import whose roster comes in parts is the same as the import of that roster by `ImportUsers`: the same results,
//! deactivations, summary, status and record.

use tonic::Code;
use user_import::{
    domain::Column::{ExternalId, Phone, Role as RoleColumn, Status as StatusColumn},
    proto::{
        CsvFormat, DeactivateMissing, ImportFinish, ImportStart, ImportState, ImportSummary,
        ResultFilter, RowResult, UserRows, WatchImportRequest, append_import_request::Content,
        import_users_request::Message,
    },
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, finish_of, on_both_databases, roster, start_of,
};

on_both_databases![
    every_kind_of_roster_and_option_ends_as_it_does_on_a_stream,
    typed_rows_end_as_they_do_on_a_stream,
    no_input_at_all_is_refused_as_it_is_on_a_stream,
    the_same_file_in_any_parts_has_the_same_results,
    the_record_is_that_of_an_import,
    a_watcher_has_the_results_asked_for_at_the_beginning_or_others,
    a_watcher_who_comes_early_sees_everything,
    recorded_results_are_stored_once,
    organisations_with_the_same_import_id_are_apart,
];

/// The import ID is the same in both organisations, so that generated external IDs are, too.
const ID: &str = "018f4e9e-5c7b-7000-8000-000000000007";

fn bound(organization: &str, start: &ImportStart) -> ImportStart {
    ImportStart {
        organization: organization.to_owned(),
        import_id: ID.to_owned(),
        ..start.clone()
    }
}

/// Returns everything that must be equal: all except the server's own IDs, times, and the digest, for which each
/// organisation has a key of its own.
fn comparable(
    imported: &ImportResponses,
) -> (Vec<RowResult>, Vec<String>, Option<ImportSummary>, String) {
    let mut results = imported.results.clone();
    for result in &mut results {
        result.user_id.clear();
    }
    let users = imported.deactivations.iter();
    let summary = imported.summary.clone().map(|summary| ImportSummary {
        started_at: None,
        finished_at: None,
        plan_digest: Vec::new(),
        ..summary
    });
    let status = &imported.status;
    let told = format!(
        "{:?} {} {:?}",
        status.code(),
        status.message(),
        status.details()
    );
    (
        results,
        users.map(|user| user.external_id.clone()).collect(),
        summary,
        told,
    )
}

fn before() -> Roster {
    roster().people(["ada", "bob", "cy", "dan"])
}

/// Rows of every outcome, warnings, a swap, a row without external ID, and rows that depend on others.
fn mixed() -> Roster {
    roster()
        .people(["ada"])
        .row("bob", [(Phone, "+12025550123")])
        .row("eve", [(RoleColumn, "Oficer")])
        .row("fay", [(ExternalId, "")])
        .row("gus", [(Phone, "1.2025E+10")])
}

fn missing(confirmation: &str) -> ImportStart {
    ImportStart {
        deactivate_missing: Some(DeactivateMissing {
            confirmation: confirmation.to_owned(),
            ..DeactivateMissing::default()
        }),
        max_deactivations: Some(9),
        ..ImportStart::default()
    }
}

/// The options, the file, and how the import must end.
type StagedCase = (ImportStart, Vec<u8>, Code);

fn written() -> Vec<StagedCase> {
    let nothing = ImportStart::default();
    let with_values = ImportStart {
        include_values: true,
        ..nothing.clone()
    };
    let dry = ImportStart {
        validate_only: true,
        ..with_values.clone()
    };
    let whole = ImportStart {
        all_or_nothing: true,
        ..nothing.clone()
    };
    let sound = before().people(["eve"]);
    let shorter = roster().people(["ada", "bob"]);
    vec![
        (nothing.clone(), (&mixed()).into(), Code::Ok),
        (with_values, (&mixed()).into(), Code::Ok),
        (dry, (&mixed()).into(), Code::Ok),
        (missing("Confirm"), (&sound).into(), Code::Ok),
        (missing("Confirm"), (&shorter).into(), Code::Ok),
        (whole, (&sound).into(), Code::Ok),
        (
            nothing,
            sound.csv().replace(',', ";").into_bytes(),
            Code::Ok,
        ),
        (odd_columns(), odd_file(&sound), Code::Ok),
    ]
}

/// A file with an unknown column, in a charset that the options must name.
fn odd_columns() -> ImportStart {
    ImportStart {
        csv: Some(CsvFormat {
            charset: "windows-1252".to_owned(),
            ignore_unknown_columns: true,
            ..CsvFormat::default()
        }),
        ..ImportStart::default()
    }
}

fn odd_file(people: &Roster) -> Vec<u8> {
    let csv = people.csv();
    let lines = csv.lines().enumerate();
    let lines = lines.map(|(number, line)| match number {
        0 => format!("{line},NOT\u{c9}\n"),
        _ => format!("{line},x\n"),
    });
    let latin = |c: char| u8::try_from(u32::from(c)).unwrap();
    lines.collect::<String>().chars().map(latin).collect()
}

fn refused() -> Vec<StagedCase> {
    let nothing = ImportStart::default();
    let whole = ImportStart {
        all_or_nothing: true,
        ..nothing.clone()
    };
    let few = ImportStart {
        max_rejected_rows: Some(1),
        ..nothing.clone()
    };
    let other_plan = ImportStart {
        expected_plan_digest: vec![7; 32],
        ..nothing.clone()
    };
    let guarded = Code::FailedPrecondition;
    vec![
        (whole, (&mixed()).into(), guarded),
        (few, (&mixed()).into(), guarded),
        (other_plan, (&before()).into(), guarded),
        (nothing.clone(), (&before_inactive()).into(), guarded),
        (
            nothing.clone(),
            b"EMIAL,ROLE\nx,y\n".to_vec(),
            Code::InvalidArgument,
        ),
        (nothing, b"EMAIL,\"ROLE\n".to_vec(), Code::InvalidArgument),
    ]
}

/// Rosters that deactivate more users than the guard allows.
fn before_inactive() -> Roster {
    ["ada", "bob", "cy", "dan"]
        .into_iter()
        .fold(roster(), |people, name| {
            people.row(name, [(StatusColumn, "Inactive")])
        })
}

async fn every_kind_of_roster_and_option_ends_as_it_does_on_a_stream(database: Database) {
    let app = App::start(database).await;
    let cases = written().into_iter().chain(refused());
    for (number, (start, csv, code)) in cases.enumerate() {
        let (stream, parts) = (format!("stream-{number}"), format!("parts-{number}"));
        for organization in [&stream, &parts] {
            app.organization(organization).await;
            app.import_with(start_of(organization), &before()).await;
        }
        let expected = app.import_with(bound(&stream, &start), csv.clone()).await;
        let sizes = [1, 2, 60, 7];
        let found = app
            .import_in_parts(bound(&parts, &start), &csv, sizes)
            .await;
        assert_eq!(comparable(&found), comparable(&expected), "case {number}");
        assert_eq!(found.started, expected.started, "case {number}");
        let (found_users, wanted) = (app.export_of(&parts).await, app.export_of(&stream).await);
        assert_eq!(found_users, wanted, "case {number}");
        assert_eq!(found.code(), code, "case {number}: {found}");
    }
}

async fn typed_rows_end_as_they_do_on_a_stream(database: Database) {
    let app = App::start(database).await;
    app.organization("stream").await;
    let rows = mixed().typed();
    let start = |organization| bound(organization, &ImportStart::default());
    let expected = app.import_rows_with(start("stream"), rows.clone()).await;
    let (id, _) = app.begin_upload(start("pd")).await.unwrap();
    assert_eq!(app.append_rows(&id, 0, &rows[..1]).await.unwrap(), 1);
    assert_eq!(app.append_rows(&id, 1, &[]).await.unwrap(), 1);
    assert_eq!(app.append_rows(&id, 1, &rows[1..]).await.unwrap(), 5);
    let finish = ImportFinish {
        row_count: Some(5),
        ..ImportFinish::default()
    };
    let found = app.finish_and_watch("pd", &id, finish).await;
    assert_eq!(comparable(&found), comparable(&expected));
    assert_eq!(found.started, expected.started);
}

async fn no_input_at_all_is_refused_as_it_is_on_a_stream(database: Database) {
    let app = App::start(database).await;
    app.organization("stream").await;
    let start = |organization| Message::Start(bound(organization, &ImportStart::default()));
    let finish = || Message::Finish(ImportFinish::default());
    let rows = || Message::Rows(UserRows::default());
    for (stream, part) in [
        (vec![start("stream"), finish()], None),
        (
            vec![start("stream"), rows(), finish()],
            Some(Content::Rows(UserRows::default())),
        ),
    ] {
        let expected = app.send(stream).await;
        let begun = bound("pd", &ImportStart::default());
        let (id, _) = app.begin_upload(begun).await.unwrap();
        if let Some(part) = part {
            assert_eq!(app.append_to("pd", &id, 0, part).await.unwrap(), 0);
        }
        let found = app
            .finish_and_watch("pd", &id, ImportFinish::default())
            .await;
        assert_eq!(comparable(&found), comparable(&expected));
        assert_eq!(found.code(), Code::InvalidArgument, "{found}");
    }
}

async fn the_same_file_in_any_parts_has_the_same_results(database: Database) {
    let app = App::start(database).await;
    // The file has characters of two bytes, quotes, and values with line breaks.
    let people = roster()
        .row("zo\u{eb}", [(ExternalId, "a \"b\"\nc")])
        .people(["bob"]);
    let csv = people.csv().into_bytes();
    let start = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let whole = app.import_with(start.clone(), csv.clone()).await;
    let without_id = |imported: &ImportResponses| {
        let mut found = comparable(imported);
        found.2 = found.2.map(|summary| ImportSummary {
            import_id: String::new(),
            ..summary
        });
        found
    };
    for at in (1..csv.len()).step_by(9) {
        let parts = app.import_in_parts(start.clone(), &csv, [at]).await;
        assert_eq!(without_id(&parts), without_id(&whole), "cut at {at}");
    }
    let bytes = std::iter::repeat(1);
    let parts = app.import_in_parts(start, &csv[..], bytes).await;
    assert_eq!(without_id(&parts), without_id(&whole));
}

async fn the_record_is_that_of_an_import(database: Database) {
    let app = App::start(database).await;
    let csv = mixed().csv().into_bytes();
    let start = ImportStart {
        source: "cad".to_owned(),
        ..bound("pd", &ImportStart::default())
    };
    let (id, _) = app.begin_upload(start).await.unwrap();
    assert_eq!(id, ID);
    let receiving = app.import_record(&id).await.unwrap();
    assert_eq!(receiving.state(), ImportState::Receiving);
    app.append(&id, 0, &csv).await.unwrap();
    let listed = app.import_page(9, "").await.0;
    assert_eq!(listed, std::slice::from_ref(&receiving));

    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    let record = app.import_record(&id).await.unwrap();
    assert_eq!(record.state(), ImportState::Completed);
    assert_eq!(
        (record.source.as_str(), &record.principal),
        ("cad", &receiving.principal)
    );
    // The import began when its upload was begun, and not when the upload was finished.
    assert_eq!(record.started_at, receiving.started_at);
    let summary = imported.summary();
    assert_eq!(summary.started_at, receiving.started_at);
    assert_eq!(
        (record.created, record.rejected),
        (summary.created, summary.rejected)
    );
    assert_eq!(record.input_sha256, summary.input_sha256);
    // The same ID with the same input in a stream is answered from the record.
    let again = app
        .import_with(bound("pd", &ImportStart::default()), csv)
        .await;
    assert!(again.started[0].resumed, "{again}");
    assert_eq!(again.results, imported.results);
    assert_eq!(again.summary, imported.summary);
}

async fn a_watcher_has_the_results_asked_for_at_the_beginning_or_others(database: Database) {
    let app = App::start(database).await;
    app.import(&before()).await;
    let start = ImportStart {
        result_filter: ResultFilter::Rejections.into(),
        ..bound("pd", &ImportStart::default())
    };
    let imported = app
        .import_in_parts(start, mixed().csv().as_bytes(), [30])
        .await;
    let rows =
        |imported: &ImportResponses| imported.results.iter().map(|r| r.row).collect::<Vec<_>>();
    assert_eq!(rows(&imported), [3, 5]);
    let all = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(rows(&all), [1, 2, 3, 4, 5]);
    let rest = app.watch(ID, 2, ResultFilter::All).await;
    assert_eq!(rest.results.len(), 3, "{rest}");
    let rest = app.watch(ID, 1, ResultFilter::Rejections).await;
    assert_eq!(rest.results.len(), 1, "{rest}");
}

async fn a_watcher_who_comes_early_sees_everything(database: Database) {
    let app = App::start(database).await;
    let csv = mixed().csv().into_bytes();
    let begun = bound("pd", &ImportStart::default());
    let (id, _) = app.begin_upload(begun).await.unwrap();
    let request = WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: id.clone(),
        ..WatchImportRequest::default()
    };
    let early = app
        .imports()
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    app.append(&id, 0, &csv).await.unwrap();
    app.finish(&id, finish_of(&csv)).await.unwrap();
    let early = ImportResponses::watched(Ok(early)).await;
    let late = app.watch_in("pd", &id).await;
    assert_eq!(comparable(&early), comparable(&late));
    assert_eq!(
        (early.results.len(), early.started.len()),
        (5, 1),
        "{early}"
    );
}

/// For a run, the server stores `started`, the place of the results, and the summary.
async fn recorded_results_are_stored_once(database: Database) {
    let app = App::start(database).await;
    let start = |validate_only| ImportStart {
        validate_only,
        ..bound("pd", &ImportStart::default())
    };
    let csv = mixed().csv();
    let stored = "SELECT COUNT(*) FROM upload_replies";
    let previewed = app.import_in_parts(start(true), csv.as_bytes(), []).await;
    assert_eq!(app.database().number(stored).await, 3);
    let log = "SELECT COUNT(*) FROM import_results";
    assert_eq!(app.database().number(log).await, 0);
    let imported = app.import_in_parts(start(false), csv.as_bytes(), []).await;
    let rows =
        |imported: &ImportResponses| imported.results.iter().map(|r| r.row).collect::<Vec<_>>();
    assert_eq!((rows(&previewed).len(), rows(&imported).len()), (5, 5));
    let bytes = "SELECT SUM(LENGTH(payload)) FROM upload_replies WHERE sequence = 1";
    assert_eq!(app.database().number(stored).await, 3);
    assert!(
        app.database().number(bytes).await < 16,
        "results are stored twice"
    );
}

async fn organisations_with_the_same_import_id_are_apart(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    let (csv, others) = (
        roster().people(["ada"]).csv(),
        roster().people(["bob"]).csv(),
    );
    let start = |organization| bound(organization, &ImportStart::default());
    app.begin_upload(start("pd")).await.unwrap();
    app.begin_upload(start("other")).await.unwrap();
    app.append(ID, 0, &csv).await.unwrap();
    let content = Content::CsvChunk(others.clone().into());
    app.append_to("other", ID, 0, content).await.unwrap();
    let of_other = app
        .finish_and_watch("other", ID, finish_of(others.as_bytes()))
        .await;
    assert_eq!(of_other.results[0].external_id, "bob");
    assert!(app.users().await.is_empty());
    let of_pd = app
        .finish_and_watch("pd", ID, finish_of(csv.as_bytes()))
        .await;
    assert_eq!(of_pd.results[0].external_id, "ada");
    assert_eq!(app.users_of("other").await.len(), 1);
}
