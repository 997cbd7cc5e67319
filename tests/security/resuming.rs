//! A caller who resumes an interrupted import has only his or her own permissions.

use tonic::Code;
use user_import::{
    config::Settings,
    domain::{Column::Role, Permission},
    proto::{ImportStart, ImportState, IssueCode, RowOutcome, UserStatus},
};

use crate::privileged::privileged;
use user_import_testing::{
    App, Database, ImportResponses, Roster, every_missing_user, on_both_databases, roster,
    rpcs::{self, status_line},
    start_of, token,
};

on_both_databases![
    a_clerk_who_resumes_an_administrators_import_makes_no_administrator_and_removes_none,
    whoever_may_not_deactivate_does_not_resume_an_import_that_does,
];

/// Number of rows that are written one by one, so that there is time to stop the server.
const MANY: usize = 150;

fn start() -> ImportStart {
    ImportStart {
        import_id: rpcs::NOBODY.to_owned(),
        max_deactivations: Some(10),
        deactivate_missing: Some(every_missing_user()),
        ..start_of("pd")
    }
}

/// Many officers, and a new administrator in the last row.
fn many() -> Roster {
    let names: Vec<String> = (0..MANY).map(|number| format!("u{number:04}")).collect();
    let officers = roster().people(names.iter().map(String::as_str));
    officers.row("z-boss", [(Role, "Administrator")])
}

/// Interrupts an import of [`many`] by a caller with all permissions. The import would also deactivate gone, who is an
/// Administrator.
async fn interrupted(database: Database) -> App {
    let settings = Settings {
        transaction_rows: 1,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.catalog("pd", privileged()).await;
    let gone = roster().row("gone", [(Role, "Administrator")]);
    assert_eq!(app.import(gone).await.summary().created, 1);
    let mut answers = app.begin(start(), &many()).await;
    let first = ImportResponses::first_results(&mut answers).await;
    let (app, ended) = tokio::join!(app.restart(), first.and_rest(answers));
    assert_eq!(ended.summary().state(), ImportState::Interrupted, "{ended}");
    app
}

async fn a_clerk_who_resumes_an_administrators_import_makes_no_administrator_and_removes_none(
    database: Database,
) {
    let app = Box::pin(interrupted(database)).await;
    let permissions = Permission::ALL.into_iter();
    let permissions = permissions.filter(|p| *p != Permission::UsersGrantPrivileged);
    let clerk = app.holding(token("pd", permissions)).await;
    let resumed = clerk.import_with(start(), &many()).await;
    assert_eq!(resumed.code(), Code::Ok, "{resumed}");
    let boss = resumed.row(151);
    assert_eq!(boss.outcome(), RowOutcome::Rejected, "{resumed}");
    assert_eq!(boss.issues[0].code(), IssueCode::RoleNotGrantable);
    let summary = resumed.summary();
    assert_eq!((summary.created as usize, summary.deactivated), (MANY, 0));
    assert_eq!(summary.warnings[0].related_external_id, "gone");
    assert_eq!(clerk.user("gone").await.status(), UserStatus::Active);
}

async fn whoever_may_not_deactivate_does_not_resume_an_import_that_does(database: Database) {
    let app = Box::pin(interrupted(database)).await;
    let permissions = [Permission::UsersImport, Permission::UsersRead];
    let importer = app.holding(token("pd", permissions)).await;
    let before = importer.users().await;
    let denied = importer.import_with(start(), &many()).await;
    assert!(
        status_line(&denied.status).starts_with("PermissionDenied PERMISSION_MISSING"),
        "{denied}"
    );
    assert_eq!(importer.users().await, before);
}
