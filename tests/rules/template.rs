//! The template (api.md, `GetImportTemplate`): a file to begin with. Its examples cannot be imported by mistake.

use insta::assert_snapshot;
use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::{
    Catalog, ExportUsersRequest, GetImportTemplateRequest, GetImportTemplateResponse, UserRow,
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![
    the_template_uses_the_organisations_own_names,
    importing_the_template_rejects_its_four_examples,
    an_example_is_rejected_in_any_case_and_as_a_typed_row,
    rows_written_below_the_examples_stand,
    the_template_of_an_unknown_organisation_is_not_found,
    a_template_and_an_export_for_a_spreadsheet_begin_with_a_byte_order_mark,
];

async fn template(app: &App, organization: &str) -> GetImportTemplateResponse {
    let request = GetImportTemplateRequest {
        organization: organization.to_owned(),
        ..GetImportTemplateRequest::default()
    };
    let response = app.imports().get_import_template(request).await;
    response.expect("the organisation is there").into_inner()
}

async fn the_template_uses_the_organisations_own_names(database: Database) {
    let app = App::start(database).await;
    let file = template(&app, "pd").await;
    assert_eq!(file.filename, "user-import-template.csv");
    assert_snapshot!(String::from_utf8(file.csv).unwrap(), @r"
    EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE
    EXAMPLE-1,jordan.sample@template.example,00101,Jordan,Sample,Active,jordan.sample,Administrator,,,Captain,G-1,+12025550101
    EXAMPLE-2,casey.sample@template.example,00102,Casey,Sample,Active,casey.sample,Officer,jordan.sample@template.example,,Lieutenant,G-1,+442079460018
    ,robin.sample@template.example,00103,Robin,Sample,Active,robin.sample,Sergeant,jordan.sample@template.example,,Captain,,
    EXAMPLE-4,morgan.sample@template.example,00104,Morgan,Sample,Inactive,morgan.sample,Administrator,,,,,
    ");

    app.organization("empty").await;
    app.catalog("empty", Catalog::default()).await;
    let bare = String::from_utf8(template(&app, "empty").await.csv).unwrap();
    assert!(bare.contains(",Officer,"), "{bare}");
}

async fn importing_the_template_rejects_its_four_examples(database: Database) {
    let app = App::start(database).await;
    let imported = app.reject(template(&app, "pd").await.csv).await;
    assert_snapshot!(imported, @r"
    1 REJECTED EXAMPLE-1 [TEMPLATE_EXAMPLE]
    2 REJECTED EXAMPLE-2 [TEMPLATE_EXAMPLE, SUPERVISOR_NOT_FOUND]
    3 REJECTED  [TEMPLATE_EXAMPLE, SUPERVISOR_NOT_FOUND]
    4 REJECTED EXAMPLE-4 [TEMPLATE_EXAMPLE]
    COMPLETED: 4 rows, 4 rejected
    ");
    assert_snapshot!(imported.messages(1)[0], @r#"EMAIL "jordan.sample@template.example" is an example from the import template; delete this row."#);
}

async fn an_example_is_rejected_in_any_case_and_as_a_typed_row(database: Database) {
    let app = App::start(database).await;
    let csv = String::from_utf8(template(&app, "pd").await.csv).unwrap();
    let shouted = csv.replace("@template.example", "@Template.EXAMPLE");
    assert_eq!(app.reject(shouted).await.summary().rejected, 4);
    let row = UserRow {
        email: Some(" Casey.Sample@template.example".to_owned()),
        ..UserRow::default()
    };
    let imported = app.import_rows(vec![row]).await;
    assert!(
        imported.to_string().contains("TEMPLATE_EXAMPLE"),
        "{imported}"
    );
}

async fn rows_written_below_the_examples_stand(database: Database) {
    let app = App::start(database).await;
    let mut csv = template(&app, "pd").await.csv;
    csv.extend(b"X-1,ada@pd.example,00421,Ada,Byron,Active,ada,Officer,,,,,\n");
    let imported = app.import(csv).await;
    assert_eq!(
        (imported.summary().created, imported.summary().rejected),
        (1, 4)
    );
    assert_eq!(app.users().await.len(), 1);
}

async fn the_template_of_an_unknown_organisation_is_not_found(database: Database) {
    let app = App::start(database).await;
    let request = GetImportTemplateRequest {
        organization: "nobody".to_owned(),
        ..GetImportTemplateRequest::default()
    };
    let status = app
        .imports()
        .get_import_template(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let resource = status.get_details_resource_info().expect("a detail");
    assert_eq!(
        (&*resource.resource_type, &*resource.resource_name),
        ("organization", "nobody")
    );
}

async fn a_template_and_an_export_for_a_spreadsheet_begin_with_a_byte_order_mark(
    database: Database,
) {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let app = App::start(database).await;
    let request = GetImportTemplateRequest {
        organization: "pd".to_owned(),
        byte_order_mark: true,
        ..GetImportTemplateRequest::default()
    };
    let marked = app.imports().get_import_template(request).await.unwrap();
    let plain = template(&app, "pd").await.csv;
    assert_eq!(marked.into_inner().csv, [MARK, &plain].concat());

    let people = roster().people(["ada", "bob"]);
    assert_eq!(app.import(&people).await.summary().created, 2);
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        byte_order_mark: true,
        ..ExportUsersRequest::default()
    };
    let marked = app.export_with(request).await.into_bytes();
    assert_eq!(marked, [MARK, app.export().await.as_bytes()].concat());
    assert_eq!(app.import(marked).await.summary().unchanged, 2);
}
