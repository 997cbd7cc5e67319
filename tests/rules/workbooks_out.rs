//! Exports and templates as workbooks (semantics §10): text in every cell, the rows of the CSV file, and the valid values.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use tonic::Code;
use user_import::{
    domain::Column::{self, BadgeNumber, FirstName, LastName, Phone, Username},
    proto::{
        ExportUsersRequest, FileFormat, GetCatalogRequest, GetImportTemplateRequest, UserStatus,
    },
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    an_exported_workbook_has_the_rows_of_the_exported_csv_file,
    every_cell_of_a_workbook_is_text,
    options_for_csv_files_change_no_workbook,
    a_workbook_of_nobody_is_a_header,
    a_template_is_a_workbook_with_the_organisations_values,
    an_unknown_format_is_refused,
];

fn request() -> ExportUsersRequest {
    ExportUsersRequest {
        organization: "pd".to_owned(),
        format: FileFormat::Xlsx.into(),
        ..ExportUsersRequest::default()
    }
}

/// The rows of a sheet. Each cell must be text.
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
