//! At the limit of open uploads, a dry run that has been silent gives its place to another upload of the same
//! principal. Pages of the console leave such uploads open when they are closed.

use tonic::{Code, Status};
use user_import::{
    config::Settings,
    domain::Permission::UsersImport,
    limits::ServerLimits,
    proto::{
        BeginImportRequest, ImportStart, ImportState, InspectRosterRequest, ReadRosterRowsRequest,
    },
};

use user_import_testing::{App, Database, dry_run, on_both_databases, roster, start_of, token};

on_both_databases![
    the_longest_silent_one_makes_room,
    it_is_kept_if_the_new_upload_begins_with_its_roster,
    it_is_kept_until_it_has_been_silent_for_minutes,
    it_is_kept_if_somebody_looks_at_it_or_sends_a_part_again,
    it_is_kept_from_uploads_of_others,
    an_upload_that_is_no_dry_run_is_kept,
];

/// Starts a server on which an organisation may have two open uploads.
async fn app_with_two_places(database: Database) -> App {
    let settings = Settings {
        server: ServerLimits {
            organization_imports: 2,
            ..ServerLimits::default()
        },
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

async fn begin(app: &App, start: ImportStart) -> Result<String, Status> {
    app.begin_upload(start)
        .await
        .map(|(import_id, _)| import_id)
}

/// Sets back the time of the last call of all uploads.
async fn pass(app: &App, milliseconds: u32) {
    let sql = format!("UPDATE uploads SET touched_ms = touched_ms - {milliseconds}");
    app.tamper(&sql).await;
}

/// Begins uploads of two dry runs. Both have been silent for more than five minutes, and the first one for longer.
async fn two_silent_dry_runs(app: &App) -> [String; 2] {
    let first = begin(app, dry_run(start_of("pd"))).await.unwrap();
    pass(app, 1_000).await;
    let second = begin(app, dry_run(start_of("pd"))).await.unwrap();
    pass(app, 300_000).await;
    [first, second]
}

async fn is_open(app: &App, import_id: &str) -> bool {
    app.append(import_id, 0, "EMAIL").await.is_ok()
}

fn assert_full(refused: Result<String, Status>) {
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
}

async fn the_longest_silent_one_makes_room(database: Database) {
    let app = app_with_two_places(database).await;
    let [first, second] = two_silent_dry_runs(&app).await;
    let import = begin(&app, start_of("pd")).await.unwrap();
    assert!(is_open(&app, &import).await && is_open(&app, &second).await);
    assert!(!is_open(&app, &first).await);
    let record = app.import_record(&first).await.unwrap();
    assert_eq!(record.state(), ImportState::Refused);
    assert_eq!(record.refusals[0].code, "UPLOAD_ABANDONED");
    // The other upload has just had a call.
    assert_full(begin(&app, start_of("pd")).await);
}

async fn it_is_kept_if_the_new_upload_begins_with_its_roster(database: Database) {
    let app = app_with_two_places(database).await;
    let [first, second] = two_silent_dry_runs(&app).await;
    let request = BeginImportRequest {
        start: Some(dry_run(start_of("pd"))),
        roster_of: first.clone(),
    };
    app.imports().begin_import(request).await.unwrap();
    assert!(is_open(&app, &first).await && !is_open(&app, &second).await);
}

async fn it_is_kept_until_it_has_been_silent_for_minutes(database: Database) {
    let app = app_with_two_places(database).await;
    for _ in 0..2 {
        begin(&app, dry_run(start_of("pd"))).await.unwrap();
    }
    pass(&app, 240_000).await;
    assert_full(begin(&app, start_of("pd")).await);
}

async fn it_is_kept_if_somebody_looks_at_it_or_sends_a_part_again(database: Database) {
    let app = app_with_two_places(database).await;
    let csv = roster().people(["ada"]).csv();
    let upload = begin(&app, dry_run(start_of("pd"))).await.unwrap();
    app.append(&upload, 0, &csv).await.unwrap();
    begin(&app, start_of("pd")).await.unwrap();
    let inspect = InspectRosterRequest {
        organization: "pd".to_owned(),
        import_id: upload.clone(),
        ..InspectRosterRequest::default()
    };
    let read = ReadRosterRowsRequest {
        organization: "pd".to_owned(),
        import_id: upload.clone(),
        rows: vec![1],
        ..ReadRosterRowsRequest::default()
    };
    for call in ["inspect", "read", "append"] {
        pass(&app, 300_000).await;
        match call {
            "inspect" => drop(app.imports().inspect_roster(inspect.clone()).await.unwrap()),
            "read" => drop(app.imports().read_roster_rows(read.clone()).await.unwrap()),
            _ => drop(app.append(&upload, 0, &csv).await.unwrap()),
        }
        assert_full(begin(&app, start_of("pd")).await);
    }
}

async fn it_is_kept_from_uploads_of_others(database: Database) {
    let app = app_with_two_places(database).await;
    two_silent_dry_runs(&app).await;
    let other = app.holding(token("pd", [UsersImport])).await;
    assert_full(begin(&other, start_of("pd")).await);
}

async fn an_upload_that_is_no_dry_run_is_kept(database: Database) {
    let app = app_with_two_places(database).await;
    for _ in 0..2 {
        begin(&app, start_of("pd")).await.unwrap();
    }
    pass(&app, 300_000).await;
    assert_full(begin(&app, dry_run(start_of("pd"))).await);
}
