//! The parts of an upload: where a part belongs, which parts may be sent again, and which are refused. A refused part
//! does not change the upload.

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    input::InputLimits,
    proto::{
        AppendImportRequest, ImportFinish, ImportStart, UserRow, append_import_request::Content,
    },
};

use user_import_testing::{App, Database, finish_of, on_both_databases, roster, start_of};

on_both_databases![
    a_part_sent_again_changes_nothing,
    a_part_at_a_wrong_offset_is_refused_with_the_expected_one,
    other_content_at_the_same_place_is_refused,
    an_upload_has_one_kind_of_input,
    a_part_without_content_or_upload_is_refused,
    an_upload_stays_within_the_limits_of_an_import,
    parts_that_come_at_once_are_taken_once,
    a_message_is_as_large_as_on_a_stream,
];

const ID: &str = "018f4e9e-5c7b-7000-8000-000000000008";

async fn begun(app: &App) -> String {
    let start = ImportStart {
        import_id: ID.to_owned(),
        ..start_of("pd")
    };
    app.begin_upload(start).await.unwrap().0
}

/// Returns the offset at which the next part begins, as the server says it.
fn expected_offset(refused: Result<u64, Status>) -> u64 {
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "OFFSET_DIFFERS");
    let violations = status
        .get_details_precondition_failure()
        .unwrap()
        .violations;
    assert_eq!(violations[0].r#type, "OFFSET_DIFFERS");
    let offset: u64 = info.metadata["expected_offset"].parse().unwrap();
    assert!(status.message().contains(&offset.to_string()), "{status}");
    offset
}

/// Returns the code of a refusal that has a single violation.
fn precondition(refused: Result<u64, Status>) -> String {
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let violations = status
        .get_details_precondition_failure()
        .unwrap()
        .violations;
    violations[0].r#type.clone()
}

async fn a_part_sent_again_changes_nothing(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob"]).csv().into_bytes();
    let id = begun(&app).await;
    for (from, until) in [(0, 10), (10, 11), (11, csv.len())] {
        let added = app.append(&id, from as u64, &csv[from..until]).await;
        assert_eq!(added.unwrap(), until as u64);
    }
    // Sends parts again: complete ones, pieces of one, and pieces of several.
    for (from, until) in [
        (0, 10),
        (10, 11),
        (0, csv.len()),
        (3, 9),
        (5, 40),
        (11, 12),
        (7, 7),
    ] {
        let again = app.append(&id, from as u64, &csv[from..until]).await;
        assert_eq!(again.unwrap(), csv.len() as u64, "{from}..{until}");
    }
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 2, "{imported}");

    let rows = roster().people(["cy", "dan", "eve"]).typed();
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    app.append_rows(&id, 0, &rows[..2]).await.unwrap();
    app.append_rows(&id, 2, &rows[2..]).await.unwrap();
    for (from, until) in [(0, 2), (0, 3), (1, 3), (1, 2), (2, 3)] {
        let again = app.append_rows(&id, from as u64, &rows[from..until]).await;
        assert_eq!(again.unwrap(), 3, "{from}..{until}");
    }
    let imported = app
        .finish_and_watch("pd", &id, ImportFinish::default())
        .await;
    assert_eq!(imported.summary().created, 3, "{imported}");
}

async fn a_part_at_a_wrong_offset_is_refused_with_the_expected_one(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let id = begun(&app).await;
    assert_eq!(expected_offset(app.append(&id, 1, &csv[1..]).await), 0);
    app.append(&id, 0, &csv[..20]).await.unwrap();
    for offset in [21, 1_000, u64::MAX, i64::MAX as u64] {
        assert_eq!(expected_offset(app.append(&id, offset, "x").await), 20);
    }
    assert_eq!(expected_offset(app.append(&id, 21, "").await), 20);
    // The part equals the received bytes, and continues after them.
    assert_eq!(expected_offset(app.append(&id, 10, &csv[10..]).await), 20);
    app.append(&id, 20, &csv[20..]).await.unwrap();
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");

    let rows = roster().people(["bob", "cy"]).typed();
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    app.append_rows(&id, 0, &rows[..1]).await.unwrap();
    assert_eq!(expected_offset(app.append_rows(&id, 0, &rows).await), 1);
    assert_eq!(expected_offset(app.append_rows(&id, 2, &rows).await), 1);
}

async fn other_content_at_the_same_place_is_refused(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let id = begun(&app).await;
    app.append(&id, 0, &csv[..30]).await.unwrap();
    app.append(&id, 30, &csv[30..]).await.unwrap();
    for at in [0, 29, 30, csv.len() - 1] {
        let mut other = csv.clone();
        other[at] ^= 1;
        let refused = app.append(&id, 0, &other).await;
        assert_eq!(precondition(refused), "CONTENT_DIFFERS", "at {at}");
    }
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");

    let rows = roster().people(["bob"]).typed();
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    app.append_rows(&id, 0, &rows).await.unwrap();
    // An unset field is not the same as a blank one.
    let other = UserRow {
        phone: Some(String::new()),
        ..rows[0].clone()
    };
    let refused = app.append_rows(&id, 0, &[other]).await;
    assert_eq!(precondition(refused), "CONTENT_DIFFERS");
}

async fn an_upload_has_one_kind_of_input(database: Database) {
    let app = App::start(database).await;
    let people = roster().people(["ada"]);
    let csv = people.csv().into_bytes();
    let id = begun(&app).await;
    app.append(&id, 0, &csv).await.unwrap();
    for offset in [0, csv.len() as u64] {
        let refused = app.append_rows(&id, offset, &people.typed()).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        let violations = refused.get_details_bad_request().unwrap().field_violations;
        assert!(violations[0].description.contains("both"), "{violations:?}");
    }
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn a_part_without_content_or_upload_is_refused(database: Database) {
    let app = App::start(database).await;
    let code = |result: Result<u64, Status>| result.unwrap_err().code();
    assert_eq!(code(app.append(ID, 0, "x").await), Code::NotFound);
    assert_eq!(code(app.append("x", 0, "x").await), Code::InvalidArgument);
    let csv = roster().people(["ada"]);
    let streamed = app.import(&csv).await;
    let refused = app.append(streamed.import_id(), 0, "x").await;
    assert_eq!(precondition(refused), "NOT_UPLOADING");
    let id = begun(&app).await;
    let request = AppendImportRequest {
        organization: "pd".to_owned(),
        import_id: id.clone(),
        ..AppendImportRequest::default()
    };
    let refused = app.imports().append_import(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    let content = Content::CsvChunk("x".into());
    let refused = app.append_to("nowhere", &id, 0, content).await;
    assert_eq!(code(refused), Code::NotFound);
    let csv = csv.csv().into_bytes();
    app.append(&id, 0, &csv).await.unwrap();
    app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    let refused = app.append(&id, csv.len() as u64, "x").await;
    assert_eq!(precondition(refused), "UPLOAD_FINISHED");
}

async fn an_upload_stays_within_the_limits_of_an_import(database: Database) {
    let settings = Settings {
        limits: InputLimits {
            max_rows: 3,
            max_bytes: 400,
            ..InputLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    let quota = |refused: Result<u64, Status>| {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        status.get_details_quota_failure().unwrap().violations[0]
            .description
            .clone()
    };
    let id = begun(&app).await;
    app.append(&id, 0, [b'x'; 300]).await.unwrap();
    let told = quota(app.append(&id, 300, [b'x'; 101]).await);
    assert_eq!(
        told,
        "More than 400 bytes, the limit for one import; send fewer rows, or have the limit raised."
    );
    assert_eq!(app.append(&id, 300, [b'x'; 100]).await.unwrap(), 400);

    let rows = roster().people(["ada", "bob", "cy", "dan"]).typed();
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    assert!(quota(app.append_rows(&id, 0, &rows).await).starts_with("More than 3 rows"));
    app.append_rows(&id, 0, &rows[..3]).await.unwrap();
    assert!(quota(app.append_rows(&id, 3, &rows[3..]).await).starts_with("More than 3 rows"));
    let long = UserRow {
        first_name: Some("x".repeat(401)),
        ..UserRow::default()
    };
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    assert!(quota(app.append_rows(&id, 0, &[long]).await).contains("400 bytes"));
    // Rows of a CSV file are counted only when the file is read.
    let csv = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE\n".to_owned();
    let csv = csv + &"a,b,c,d,e,f,g\n".repeat(4);
    let imported = app
        .import_in_parts(start_of("pd"), csv.as_bytes(), [])
        .await;
    assert!(imported.refusal().contains("TOO_MANY_ROWS"), "{imported}");
}

async fn parts_that_come_at_once_are_taken_once(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let id = begun(&app).await;
    let sent = (0..8).map(|_| app.append(&id, 0, &csv));
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!(answer.unwrap(), csv.len() as u64);
    }
    let imported = app.finish_and_watch("pd", &id, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");
}

async fn a_message_is_as_large_as_on_a_stream(database: Database) {
    let app = App::start(database).await;
    let id = begun(&app).await;
    let most = vec![b'x'; 4 * 1024 * 1024];
    assert_eq!(app.append(&id, 0, &most).await.unwrap(), most.len() as u64);
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    let more = vec![b'x'; 4 * 1024 * 1024 + 1024];
    let rows = vec![UserRow::default(); 50_001];
    for refused in [
        app.append(&id, 0, &more).await,
        app.append_rows(&id, 0, &rows).await,
    ] {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    }
}
