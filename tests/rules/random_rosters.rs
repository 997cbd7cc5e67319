//! The round trips that must hold (semantics §9), for random rosters.

use proptest::collection::vec;
use user_import::{
    domain::Column::{Email, Location},
    proto::{ExportUsersRequest, FileFormat, ImportStart, RowResult},
};

use user_import_testing::{
    App, Database, ImportResponses, any_people, for_all, on_both_databases, roster, roster_of,
    sound_people, start_of,
};

on_both_databases![
    any_directory_exports_to_a_file_that_imports_unchanged,
    any_split_into_chunks_gives_the_same_results,
    typed_rows_give_the_same_results_and_directory_as_the_equal_csv;
    sqlite_and_postgresql_give_the_same_results_and_directory,
];

/// Number of random rosters that a property is checked on.
const CASES: u32 = 12;

/// Starts an import whose generated external IDs are the same in any organisation and on any database.
fn numbered(organization: &str) -> ImportStart {
    ImportStart {
        import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
        include_values: true,
        ..start_of(organization)
    }
}

fn workbook_request() -> ExportUsersRequest {
    ExportUsersRequest {
        organization: "pd".to_owned(),
        format: FileFormat::Xlsx.into(),
        ..ExportUsersRequest::default()
    }
}

/// Returns the answers of an import, without lines and without the IDs that the server gives.
fn comparable(imported: &ImportResponses) -> String {
    let without_ids = |result: &RowResult| RowResult {
        line: 0,
        user_id: String::new(),
        ..result.clone()
    };
    let results: Vec<_> = imported.results.iter().map(without_ids).collect();
    format!("{imported}\n{results:#?}")
}

async fn any_directory_exports_to_a_file_that_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    for_all(CASES, sound_people(), async |people| {
        app.tamper("DELETE FROM users").await;
        let imported = app.import(roster_of(&people)).await;
        assert_eq!(
            imported.summary().created as usize,
            people.len(),
            "{imported}"
        );
        let (users, exported) = (app.users().await, app.export().await);
        let again = app.import(exported.clone()).await;
        assert_eq!(
            again.summary().unchanged as usize,
            people.len(),
            "{again}\n{exported}"
        );
        assert_eq!(app.users().await, users);
        let workbook = app.export_workbook(workbook_request()).await;
        let again = app.import_workbook(start_of("pd"), workbook).await;
        let unchanged = again.summary().unchanged as usize;
        assert_eq!(unchanged, people.len(), "{again}\n{exported}");
        let same = app.import(roster_of(&people)).await;
        assert_eq!(same.summary().unchanged as usize, people.len(), "{same}");
        assert_eq!(app.export().await, exported);
    });
}

async fn any_split_into_chunks_gives_the_same_results(database: Database) {
    let app = App::start(database).await;
    let imported = app
        .import(roster().row("x", [(Email, "ada0@pd.example")]))
        .await;
    assert_eq!(imported.summary().created, 1);
    for_all(
        CASES,
        (any_people(), vec(0..200usize, 0..20)),
        async |(people, sizes)| {
            let csv = roster_of(&people).csv().into_bytes();
            let dry_run = || ImportStart {
                validate_only: true,
                ..numbered("pd")
            };
            let whole = app.import_with(dry_run(), csv.clone()).await;
            let split = app.import_split(dry_run(), &csv, sizes).await;
            assert_eq!(split.results, whole.results);
            assert_eq!(split.to_string(), whole.to_string());
            assert_eq!(split.summary().plan_digest, whole.summary().plan_digest);
            assert_eq!(split.summary().input_sha256, whole.summary().input_sha256);
        },
    );
}

async fn typed_rows_give_the_same_results_and_directory_as_the_equal_csv(database: Database) {
    let app = App::start(database).await;
    app.organization("typed").await;
    for_all(CASES, any_people(), async |people| {
        app.tamper("DELETE FROM users").await;
        let people = roster_of(&people).row("last", [(Location, "Depot")]);
        let csv = app.import_with(numbered("pd"), &people).await;
        let typed = app
            .import_rows_with(numbered("typed"), people.typed())
            .await;
        assert_eq!(comparable(&typed), comparable(&csv));
        assert_eq!(typed.summary().warnings, csv.summary().warnings);
        assert_eq!(app.export_of("typed").await, app.export().await);
    });
}

async fn sqlite_and_postgresql_give_the_same_results_and_directory() {
    let (sqlite, postgres) = (
        App::start(Database::Sqlite).await,
        App::start(Database::Postgres).await,
    );
    // The digest of a plan depends on a secret of the organisation, so both organisations get the same one.
    sqlite
        .tamper("UPDATE organizations SET digest_secret = zeroblob(32)")
        .await;
    postgres
        .tamper("UPDATE organizations SET digest_secret = decode(repeat('00', 32), 'hex')")
        .await;
    for_all(
        CASES,
        (any_people(), any_people()),
        async |(first, second)| {
            for people in [first, second] {
                let people = roster_of(&people);
                let one = sqlite.import_with(numbered("pd"), &people).await;
                let other = postgres.import_with(numbered("pd"), &people).await;
                assert_eq!(comparable(&one), comparable(&other));
                assert_eq!(one.summary().plan_digest, other.summary().plan_digest);
                assert_eq!(sqlite.export().await, postgres.export().await);
            }
            for app in [&sqlite, &postgres] {
                app.tamper("DELETE FROM users").await;
            }
        },
    );
}
