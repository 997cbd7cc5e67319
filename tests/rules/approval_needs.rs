//! The record of a held import says what its approval needs (semantics §12). These tests compare that with what the
//! server demands, because a page must show a caller no button that the server refuses.

use tonic::Code;
use user_import::{
    config::Settings,
    domain::{Column::Status, Permission},
    proto::{ApprovalNeeds, ImportStart, ImportState},
};

use crate::retries::{ID, named};
use user_import_testing::{
    App, Database, Roster, every_missing_user, on_both_databases, roster, token,
};

on_both_databases![
    deactivate_missing_needs_its_permission_even_if_it_would_deactivate_nobody,
    rows_that_deactivate_users_need_nothing_of_every_caller,
    exactly_who_has_what_is_named_may_approve,
    with_four_eyes_another_credential_is_needed,
    only_a_held_import_says_what_its_approval_needs,
];

/// Twenty people. The first ones are Inactive.
fn people(inactive: usize) -> Roster {
    (0..20).fold(roster(), |roster, number| {
        let values = (number < inactive).then_some((Status, "Inactive"));
        roster.row(&format!("u{number:02}"), values)
    })
}

async fn department(database: Database, settings: Settings) -> App {
    let app = App::start_with(database, settings).await;
    assert_eq!(app.import(people(0)).await.summary().created, 20);
    app
}

fn holding() -> ImportStart {
    ImportStart {
        hold: true,
        ..named(ID)
    }
}

fn deactivating_missing() -> ImportStart {
    ImportStart {
        deactivate_missing: Some(every_missing_user()),
        ..holding()
    }
}

/// Makes the server hold this import. Returns what its record says, which must be the same in the list.
async fn needs(app: &App, start: ImportStart, roster: Roster) -> ApprovalNeeds {
    let held = app.import_with(start, roster).await;
    assert_eq!(held.summary().state(), ImportState::Held, "{held}");
    let record = app.import_record(ID).await.unwrap();
    let listed = app.imports_in(ImportState::Held, 2).await;
    assert_eq!(listed[0].approval_needs, record.approval_needs);
    record
        .approval_needs
        .expect("a held import says what it needs")
}

async fn deactivate_missing_needs_its_permission_even_if_it_would_deactivate_nobody(
    database: Database,
) {
    let app = department(database, Settings::default()).await;
    let needs = needs(&app, deactivating_missing(), people(12)).await;
    assert_eq!(
        needs.permissions,
        ["users.approve", "users.import", "users.deactivate"]
    );
    assert!(!needs.other_credential);
    let weak = [Permission::UsersApprove, Permission::UsersImport];
    let weak = app.holding(token("pd", weak)).await;
    // The caller's own plan deactivates no user: its rows are rejected, and every user is listed.
    let review = weak.review(ID).await;
    assert_eq!(review.summary().going_inactive, 0, "{review}");
    let refused = weak.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
}

async fn rows_that_deactivate_users_need_nothing_of_every_caller(database: Database) {
    let app = department(database, Settings::default()).await;
    let needs = needs(&app, holding(), people(12)).await;
    assert_eq!(needs.permissions, ["users.approve", "users.import"]);
    let weak = [Permission::UsersApprove, Permission::UsersImport];
    let weak = app.holding(token("pd", weak)).await;
    let review = weak.review(ID).await;
    let done = weak.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
}

async fn exactly_who_has_what_is_named_may_approve(database: Database) {
    let app = department(database, Settings::default()).await;
    let needs = needs(&app, deactivating_missing(), people(12)).await;
    let needed = Permission::ALL.into_iter().filter(|permission| {
        needs
            .permissions
            .iter()
            .any(|name| name == permission.name())
    });
    let needed: Vec<_> = needed.collect();
    assert_eq!(needed.len(), needs.permissions.len());
    for lacked in &needed {
        let others = needed.iter().filter(|one| *one != lacked).copied();
        let weak = app.holding(token("pd", others)).await;
        let refused = weak.approve(ID, &[0; 32]).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "without {lacked}");
    }
    let able = app.holding(token("pd", needed)).await;
    let review = able.review(ID).await;
    let done = able.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
}

async fn with_four_eyes_another_credential_is_needed(database: Database) {
    let settings = Settings {
        four_eyes: true,
        ..Settings::default()
    };
    let app = department(database, settings).await;
    assert!(needs(&app, holding(), people(12)).await.other_credential);
}

async fn only_a_held_import_says_what_its_approval_needs(database: Database) {
    let app = department(database, Settings::default()).await;
    needs(&app, deactivating_missing(), people(12)).await;
    let review = app.review(ID).await;
    let done = app.approve(ID, &review.summary().plan_digest).await;
    assert_eq!(done.code(), Code::Ok, "{done}");
    for record in app.imports_in(ImportState::Unspecified, 5).await {
        assert_eq!(record.approval_needs, None, "{record:?}");
    }
}
