//! Exports and templates as workbooks (semantics §10): every cell is text, the rows are those of the CSV file, and
//! another sheet has the valid values.

use std::{
    fs,
    io::{Cursor, ErrorKind},
    path::Path,
    process::Command,
};

use calamine::{Data, Reader, Xlsx};
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt;
use user_import::{
    config::Settings,
    domain::Column::{self, BadgeNumber, FirstName, LastName, Phone, Username},
    input::{InputLimits, WorkbookLimits},
    proto::{
        ExportUsersRequest, FileFormat, GetCatalogRequest, GetImportTemplateRequest, User,
        UserStatus,
    },
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    an_exported_workbook_has_the_rows_of_the_exported_csv_file,
    every_cell_of_a_workbook_is_text,
    options_for_csv_files_change_no_workbook,
    a_workbook_of_nobody_is_a_header,
    a_template_is_a_workbook_with_the_organisations_values,
    an_unknown_format_is_refused,
    more_users_than_an_import_takes_are_refused_as_a_workbook,
    an_exported_workbook_imports_unchanged,
    a_workbook_that_a_spreadsheet_has_saved_imports_unchanged,
    a_workbook_that_this_machines_spreadsheet_saves_imports_unchanged,
];

fn request() -> ExportUsersRequest {
    ExportUsersRequest {
        organization: "pd".to_owned(),
        format: FileFormat::Xlsx.into(),
        ..ExportUsersRequest::default()
    }
}

/// Returns the rows of a sheet. Fails if a cell is not text.
fn rows(file: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut workbook = Xlsx::new(Cursor::new(file)).expect("a workbook");
    assert_eq!(
        workbook.sheet_names()[0],
        "Roster",
        "the sheet that an import reads"
    );
    let range = workbook.worksheet_range(sheet).expect("a sheet");
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    range
        .rows()
        .map(|row| row.iter().map(text).collect())
        .collect()
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

async fn an_exported_workbook_has_the_rows_of_the_exported_csv_file(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .row(
            "00421",
            [
                (FirstName, "=1+2"),
                (BadgeNumber, "1E5"),
                (Phone, "+442079460018"),
            ],
        )
        .row(
            "2024-01-05",
            [
                (FirstName, "TRUE"),
                (LastName, "O\u{2019}Brien \u{674E} \u{5D0}"),
            ],
        )
        .row(
            "12345678901234567890",
            [(FirstName, "a  b"), (LastName, "<&> \"Dee\" _x0041_")],
        )
        .row(
            "-7",
            [
                (LastName, "@SUM(1)"),
                (Username, "+ada"),
                (BadgeNumber, "000"),
            ],
        )
        .row("x", [(LastName, "1,5")]);
    let imported = app.import(people).await;
    assert_eq!(imported.summary().created, 5, "{imported}");
    let workbook = app.export_workbook(request()).await;
    let expected = csv_rows(&app.export().await);
    assert_eq!(expected.len(), 6);
    assert_eq!(rows(&workbook, "Roster"), expected);

    let filtered = ExportUsersRequest {
        text: "sum(".to_owned(),
        status: UserStatus::Active.into(),
        ..request()
    };
    let workbook = app.export_workbook(filtered.clone()).await;
    let filtered = ExportUsersRequest {
        format: FileFormat::Csv.into(),
        ..filtered
    };
    let expected = csv_rows(&app.export_with(filtered).await);
    assert_eq!(expected.len(), 2);
    assert_eq!(rows(&workbook, "Roster"), expected);
}

async fn every_cell_of_a_workbook_is_text(database: Database) {
    let app = App::start(database).await;
    let names: Vec<_> = (0..3_000).map(|n| format!("{n:05}")).collect();
    let people = roster().people(names.iter().map(String::as_str));
    assert_eq!(app.import(people).await.summary().created, 3_000);
    let workbook = app.export_workbook(request()).await;
    let roster = rows(&workbook, "Roster");
    assert_eq!(roster, csv_rows(&app.export().await));
    let values = rows(&workbook, "Valid values");
    assert_eq!(
        values[0][..4],
        ["STATUS", "ROLE", "RANK", "EVIDENCE_GROUP_EXT_ID"]
    );
    assert_eq!(values[1][0], "Active");
}

async fn options_for_csv_files_change_no_workbook(database: Database) {
    let app = App::start(database).await;
    app.import(roster().row("1", [(FirstName, "=1+2")])).await;
    let with_options = ExportUsersRequest {
        neutralize_formulas: true,
        byte_order_mark: true,
        ..request()
    };
    let workbook = app.export_workbook(with_options).await;
    assert!(workbook.starts_with(b"PK"));
    assert_eq!(rows(&workbook, "Roster")[1][3], "=1+2");
}

async fn a_workbook_of_nobody_is_a_header(database: Database) {
    let app = App::start(database).await;
    let workbook = app.export_workbook(request()).await;
    let header: Vec<_> = Column::ALL.iter().map(|column| column.header()).collect();
    assert_eq!(rows(&workbook, "Roster"), [header]);
}

async fn a_template_is_a_workbook_with_the_organisations_values(database: Database) {
    let app = App::start(database).await;
    let request = |format: FileFormat| GetImportTemplateRequest {
        organization: "pd".to_owned(),
        format: format.into(),
        ..GetImportTemplateRequest::default()
    };
    let workbook = app
        .imports()
        .get_import_template(request(FileFormat::Xlsx))
        .await;
    let workbook = workbook.unwrap().into_inner();
    assert_eq!(workbook.filename, "user-import-template.xlsx");
    assert!(workbook.csv.is_empty());
    let csv = app
        .imports()
        .get_import_template(request(FileFormat::Csv))
        .await;
    let csv = csv.unwrap().into_inner();
    assert_eq!(csv.filename, "user-import-template.csv");
    assert!(csv.workbook.is_empty());
    let csv = String::from_utf8(csv.csv).unwrap();
    assert_eq!(rows(&workbook.workbook, "Roster"), csv_rows(&csv));
    let values = rows(&workbook.workbook, "Valid values");
    let column = |at: usize| -> Vec<&str> {
        let cells = values[1..].iter().map(|row| &*row[at]);
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let request = GetCatalogRequest {
        organization: "pd".to_owned(),
    };
    let catalog = app.directory().get_catalog(request).await.unwrap();
    let catalog = catalog.into_inner().catalog.unwrap();
    let roles: Vec<_> = catalog.roles.iter().map(|role| &*role.name).collect();
    let ranks: Vec<_> = catalog.ranks.iter().map(|rank| &*rank.name).collect();
    let active = catalog.groups.iter().filter(|group| group.active);
    let groups: Vec<_> = active.map(|group| &*group.external_id).collect();
    assert_eq!(column(0), ["Active", "Inactive"]);
    assert_eq!((column(1), column(2), column(3)), (roles, ranks, groups));
}

async fn an_unknown_format_is_refused(database: Database) {
    let app = App::start(database).await;
    let export = ExportUsersRequest {
        format: 9,
        ..request()
    };
    let refused = app.try_export(export).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::InvalidArgument, "format has no value 9.")
    );
    let template = GetImportTemplateRequest {
        organization: "pd".to_owned(),
        format: -1,
        ..GetImportTemplateRequest::default()
    };
    let refused = app
        .imports()
        .get_import_template(template)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

async fn more_users_than_an_import_takes_are_refused_as_a_workbook(database: Database) {
    let workbook = WorkbookLimits {
        max_rows: 2,
        ..WorkbookLimits::default()
    };
    let settings = Settings {
        limits: InputLimits {
            workbook,
            ..InputLimits::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.people(["ada", "bob", "eve"]).await;
    for _ in 0..3 {
        let refused = app.try_export(request()).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        assert_eq!(
            refused.message(),
            "The export has more than 2 users, and an import takes no more from a workbook. Export them as CSV, or in \
             parts by a filter."
        );
        let quota = refused
            .get_details_quota_failure()
            .expect("a quota is named");
        assert_eq!(quota.violations[0].subject, "workbook_rows");
    }
    let filtered = ExportUsersRequest {
        text: "bob".to_owned(),
        ..request()
    };
    let expected = app
        .export_with(ExportUsersRequest {
            format: 0,
            ..filtered.clone()
        })
        .await;
    assert_eq!(expected.lines().count(), 2);
    let workbook = app.export_workbook(filtered).await;
    assert_eq!(rows(&workbook, "Roster"), csv_rows(&expected));
    assert_eq!(app.export().await.lines().count(), 4);
}

/// A directory of values that a spreadsheet would change in a CSV file, and its export as `LibreOffice` saved it.
const SPREADSHEETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spreadsheets");

fn spreadsheet(name: &str) -> Vec<u8> {
    fs::read(Path::new(SPREADSHEETS).join(name)).expect("a file of the tests")
}

/// Imports the values that a spreadsheet would change. Returns the exported directory.
async fn odd_values(app: &App) -> Vec<User> {
    let imported = app.import(spreadsheet("roster.csv")).await;
    assert_eq!(imported.summary().created, 10, "{imported}");
    app.users().await
}

/// Expects that a workbook is the directory as it is.
async fn expect_unchanged(app: &App, workbook: Vec<u8>, users: &[User]) {
    let again = app.import_workbook(start_of("pd"), workbook).await;
    let unchanged = again.summary().unchanged as usize;
    assert_eq!(unchanged, users.len(), "{again}");
    assert_eq!(app.users().await, users);
}

async fn an_exported_workbook_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    let users = odd_values(&app).await;
    let workbook = app.export_workbook(request()).await;
    expect_unchanged(&app, workbook, &users).await;
}

async fn a_workbook_that_a_spreadsheet_has_saved_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    let users = odd_values(&app).await;
    for saved in ["saved.xlsx", "saved.ods"] {
        expect_unchanged(&app, spreadsheet(saved), &users).await;
    }
}

/// Opens the export in `LibreOffice` and saves it, if that is installed. The test above has a file that was saved so.
async fn a_workbook_that_this_machines_spreadsheet_saves_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    let users = odd_values(&app).await;
    let workbook = app.export_workbook(request()).await;
    for format in ["xlsx", "ods"] {
        let Some(saved) = saved_by_libreoffice(&workbook, format) else {
            eprintln!("left out: there is no soffice on this machine");
            return;
        };
        expect_unchanged(&app, saved, &users).await;
    }
}

/// Returns the workbook as `LibreOffice` saves it, or `None` if it is not installed.
fn saved_by_libreoffice(workbook: &[u8], format: &str) -> Option<Vec<u8>> {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("users.xlsx"), workbook).expect("a file");
    // Each test has a profile of its own, so that tests that run at the same time do not wait for each other.
    let profile = format!("-env:UserInstallation=file://{}", path("profile").display());
    let mut soffice = Command::new("soffice");
    let soffice = soffice.args([&*profile, "--headless", "--convert-to", format, "--outdir"]);
    match soffice.arg(path("saved")).arg(path("users.xlsx")).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        output => {
            let output = output.expect("soffice runs");
            let saved = fs::read(path("saved").join(format!("users.{format}")));
            Some(saved.unwrap_or_else(|error| panic!("{error}: {output:?}")))
        }
    }
}
