//! An export with neutralised formulas holds nothing that a spreadsheet computes, and it imports unchanged.

use user_import::{
    domain::Column::{BadgeNumber, FirstName, LastName, Phone, Username},
    proto::ExportUsersRequest,
};

use user_import_testing::{App, Database, on_both_databases, roster};

on_both_databases![a_neutralised_export_is_harmless_and_imports_unchanged];

async fn export(app: &App, neutralize_formulas: bool) -> String {
    let request = ExportUsersRequest {
        organization: "pd".to_owned(),
        neutralize_formulas,
        ..ExportUsersRequest::default()
    };
    app.export_with(request).await
}

async fn a_neutralised_export_is_harmless_and_imports_unchanged(database: Database) {
    let app = App::start(database).await;
    let people = roster()
        .row("=1+1", [(FirstName, "@SUM(1)"), (Phone, "+12025550123")])
        .row("-7", [(LastName, "=cmd|' /C calc'!A0"), (Username, "+ada")])
        .row("plain", [(BadgeNumber, "%1")]);
    assert_eq!(app.import(people).await.summary().created, 3);
    let plain = export(&app, false).await;
    let neutral = export(&app, true).await;
    assert_ne!(plain, neutral);
    let mut reader = csv::Reader::from_reader(neutral.as_bytes());
    for record in reader.records() {
        for value in &record.unwrap() {
            assert!(!value.starts_with(['=', '+', '-', '@', '%']), "{value:?}");
        }
    }
    let again = app.import(neutral).await;
    assert_eq!(again.summary().unchanged, 3, "{again}");
    assert_eq!(export(&app, false).await, plain);
}
