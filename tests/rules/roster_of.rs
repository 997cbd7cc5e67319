//! Uploads that begin with the roster of another upload, so that a roster is sent once and reviewed any number of
//! times.

use tonic::{Code, Status};
use user_import::{
    domain::Permission,
    proto::{BeginImportRequest, ImportFinish, ImportStart, append_import_request::Content},
};
use uuid::Uuid;

use user_import_testing::{
    App, Database, deactivating_missing, dry_run, finish_of, on_both_databases, roster, start_of,
    token,
    workbook::{xlsx, xlsx_rows},
};

on_both_databases![
    a_roster_that_was_sent_once_is_reviewed_and_imported,
    any_kind_of_roster_is_taken_in_whatever_parts_it_came,
    an_upload_goes_on_where_the_other_one_is,
    an_upload_that_is_there_needs_the_other_one_no_more,
    no_upload_but_an_open_one_of_the_caller_is_taken,
];

/// Begins an upload with the roster of another one. Returns its ID and the offset of the next part.
async fn begin(app: &App, start: ImportStart, source: &str) -> Result<(String, u64), Status> {
    let request = BeginImportRequest {
        start: Some(start),
        roster_of: source.to_owned(),
    };
    let begun = app.imports().begin_import(request).await?.into_inner();
    Ok((begun.import_id, begun.next_offset))
}

/// Begins an upload that has received this CSV. Returns its ID.
async fn sent(app: &App, csv: &[u8]) -> String {
    let (id, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    app.append(&id, 0, csv).await.unwrap();
    id
}

async fn a_roster_that_was_sent_once_is_reviewed_and_imported(database: Database) {
    let app = App::start(database).await;
    app.import(roster().people(["ada", "bob", "cy"]).csv())
        .await;
    let csv = roster().people(["ada", "dan"]).csv().into_bytes();
    let source = sent(&app, &csv).await;

    let mut digests = Vec::new();
    for (start, deactivated) in [
        (start_of("pd"), 0),
        (deactivating_missing(start_of("pd")), 2),
    ] {
        let (review, received) = begin(&app, dry_run(start), &source).await.unwrap();
        assert_eq!(received, csv.len() as u64);
        let reviewed = app.finish_and_watch("pd", &review, finish_of(&csv)).await;
        let summary = reviewed.summary();
        assert_eq!((summary.created, summary.deactivated), (1, deactivated));
        digests.push(summary.plan_digest.clone());
    }
    let start = ImportStart {
        expected_plan_digest: digests.pop().unwrap(),
        ..deactivating_missing(start_of("pd"))
    };
    let (import, _) = begin(&app, start, &source).await.unwrap();
    let imported = app.finish_and_watch("pd", &import, finish_of(&csv)).await;
    assert_eq!(imported.summary().deactivated, 2, "{imported}");
    // The upload still exists, and can be cancelled like any other.
    app.cancel(&source).await.unwrap();
    let refused = begin(&app, start_of("pd"), &source).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
}

async fn any_kind_of_roster_is_taken_in_whatever_parts_it_came(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let (pieces, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    for (offset, byte) in csv.iter().enumerate() {
        app.append(&pieces, offset as u64, [*byte]).await.unwrap();
    }
    let (import, received) = begin(&app, start_of("pd"), &pieces).await.unwrap();
    assert_eq!(received, csv.len() as u64);
    let imported = app.finish_and_watch("pd", &import, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");

    let rows = roster().people(["bob", "cy", "dan"]).typed();
    let (typed, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    app.append_rows(&typed, 0, &rows[..1]).await.unwrap();
    app.append_rows(&typed, 1, &rows[1..]).await.unwrap();
    let (import, received) = begin(&app, start_of("pd"), &typed).await.unwrap();
    assert_eq!(received, 3);
    let imported = app.finish_and_watch("pd", &import, ImportFinish::default());
    assert_eq!(imported.await.summary().created, 3);

    let rows = roster().people(["eve"]).csv();
    let rows = rows.lines().map(|line| line.split(','));
    let book = xlsx(&[("People", xlsx_rows(rows))]).zip();
    let (workbook, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    let content = Content::WorkbookChunk(book.clone().into());
    app.append_to("pd", &workbook, 0, content).await.unwrap();
    let (import, _) = begin(&app, start_of("pd"), &workbook).await.unwrap();
    let imported = app.finish_and_watch("pd", &import, finish_of(&book)).await;
    assert_eq!(imported.summary().created, 1, "{imported}");

    // An empty file is a roster, but an upload without any input has none.
    let empty = sent(&app, b"").await;
    let (import, _) = begin(&app, start_of("pd"), &empty).await.unwrap();
    let finished = app.finish(&import, finish_of(b"")).await.unwrap_err();
    assert_eq!(finished.code(), Code::InvalidArgument, "{finished}");
    assert!(finished.message().contains("empty"), "{finished}");
}

async fn an_upload_goes_on_where_the_other_one_is(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada", "bob"]).csv().into_bytes();
    let (source, _) = app.begin_upload(dry_run(start_of("pd"))).await.unwrap();
    app.append(&source, 0, &csv[..40]).await.unwrap();
    let start = ImportStart {
        import_id: Uuid::now_v7().to_string(),
        ..start_of("pd")
    };
    let begun = begin(&app, start.clone(), &source).await.unwrap();
    assert_eq!(begun.1, 40);
    // Each upload continues alone, with its own parts. One of them gets the parts that only the other had.
    app.append(&source, 40, &csv[40..90]).await.unwrap();
    app.append(&begun.0, 40, &csv[40..60]).await.unwrap();
    let again = begin(&app, start.clone(), &source).await.unwrap();
    assert_eq!(again, (begun.0.clone(), 90));
    app.append(&begun.0, 90, &csv[90..]).await.unwrap();
    let ahead = begin(&app, start, &source).await.unwrap();
    assert_eq!(ahead.1, csv.len() as u64);
    let imported = app.finish_and_watch("pd", &begun.0, finish_of(&csv)).await;
    assert_eq!(imported.summary().created, 2, "{imported}");
}

async fn an_upload_that_is_there_needs_the_other_one_no_more(database: Database) {
    let app = App::start(database).await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let source = sent(&app, &csv).await;
    let start = ImportStart {
        import_id: Uuid::now_v7().to_string(),
        ..start_of("pd")
    };
    let begun = begin(&app, start.clone(), &source).await.unwrap();
    app.cancel(&source).await.unwrap();
    assert_eq!(begin(&app, start, &source).await.unwrap(), begun);
}

async fn no_upload_but_an_open_one_of_the_caller_is_taken(database: Database) {
    let app = App::start(database).await;
    app.organization("other").await;
    let mine = app.holding(token("pd", [Permission::UsersImport])).await;
    let others = app.holding(token("pd", [Permission::UsersImport])).await;
    let elsewhere = app.holding(token("other", [Permission::UsersImport]));
    let elsewhere = elsewhere.await;
    let csv = roster().people(["ada"]).csv().into_bytes();
    let source = sent(&mine, &csv).await;
    let own = ImportStart {
        import_id: Uuid::now_v7().to_string(),
        ..start_of("pd")
    };
    let itself = own.import_id.clone();
    let unknown = Uuid::now_v7().to_string();
    for (app, start, source, code) in [
        (&others, start_of("pd"), &*source, Code::PermissionDenied),
        (&elsewhere, start_of("other"), &source, Code::NotFound),
        (&elsewhere, start_of("pd"), &source, Code::PermissionDenied),
        (&mine, start_of("pd"), &unknown, Code::NotFound),
        (&mine, start_of("pd"), "x", Code::InvalidArgument),
        (&mine, own, &itself, Code::InvalidArgument),
    ] {
        let import = Uuid::now_v7().to_string();
        let start = match start.import_id.is_empty() {
            true => ImportStart {
                import_id: import.clone(),
                ..start
            },
            false => start,
        };
        let refused = begin(app, start.clone(), source).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        // No upload was begun.
        let part = app
            .append_to(&start.organization, &start.import_id, 0, content())
            .await;
        assert!(part.is_err(), "{code:?}");
    }
    let ended = sent(&mine, &csv).await;
    mine.finish_and_watch("pd", &ended, finish_of(&csv)).await;
    let refused = begin(&mine, start_of("pd"), &ended).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
}

fn content() -> Content {
    Content::CsvChunk(b"EMAIL".to_vec().into())
}
