//! Everything belongs to one organisation (semantics §1): the data of another organisation is never shown, changed or
//! compared with.

use tonic::Code;
use user_import::{
    domain::Column::{BadgeNumber, Role as RoleColumn, SupervisorEmail},
    proto::{
        Catalog, GetUserRequest, ImportStart, Role, SetUserProtectedRequest, get_user_request::Key,
    },
};

use user_import_testing::{App, Database, every_missing_user, on_both_databases, roster, start_of};

on_both_databases![
    the_same_people_may_work_in_two_organisations,
    an_import_changes_nobody_elsewhere,
    a_user_of_another_organisation_is_not_found,
    names_of_another_catalog_are_unknown,
];

/// ada and bob in `pd`, and people of the same names in `sheriff`.
async fn neighbours(database: Database) -> App {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    app.organization("sheriff").await;
    let people = roster().people(["ada", "bob", "cy"]);
    let imported = app.import_with(start_of("sheriff"), people).await;
    assert_eq!(imported.summary().created, 3, "{imported}");
    app
}

async fn the_same_people_may_work_in_two_organisations(database: Database) {
    let app = neighbours(database).await;
    // cy's badge number is taken only in `sheriff`, and cy supervises nobody in `pd`.
    let new = roster()
        .row("dan", [(BadgeNumber, "B-cy")])
        .row("eve", [(SupervisorEmail, "cy@pd.example")]);
    insta::assert_snapshot!(app.import(&new).await, @r"
    1 CREATED dan
    2 REJECTED eve [SUPERVISOR_NOT_FOUND]
    COMPLETED: 2 rows, 1 created, 1 rejected
    ");
    insta::assert_snapshot!(app.import_with(start_of("sheriff"), new).await, @r"
    1 REJECTED dan [BADGE_NUMBER_TAKEN user cy]
    2 CREATED eve
    COMPLETED: 2 rows, 1 created, 1 rejected
    ");
}

async fn an_import_changes_nobody_elsewhere(database: Database) {
    let app = neighbours(database).await;
    let before = app.users().await;
    let start = ImportStart {
        deactivate_missing: Some(every_missing_user()),
        max_deactivations: Some(2),
        ..start_of("sheriff")
    };
    let promoted = roster()
        .row("ada", [(RoleColumn, "Sergeant"), (BadgeNumber, "B-bob")])
        .row("bob", [(BadgeNumber, "B-ada")]);
    let imported = app.import_with(start, promoted).await;
    assert_eq!(imported.summary().updated, 2, "{imported}");
    assert_eq!(imported.summary().deactivated, 1, "{imported}");
    assert_eq!(app.users().await, before);
}

async fn a_user_of_another_organisation_is_not_found(database: Database) {
    let app = neighbours(database).await;
    let id = app.user("ada").await.id;
    let find = GetUserRequest {
        organization: "sheriff".to_owned(),
        key: Some(Key::UserId(id.clone())),
    };
    let found = app.directory().get_user(find).await;
    assert_eq!(
        found.err().map(|status| status.code()),
        Some(Code::NotFound)
    );
    let protect = SetUserProtectedRequest {
        organization: "sheriff".to_owned(),
        user_id: id,
        protected: true,
    };
    let protected = app.directory().set_user_protected(protect).await;
    assert_eq!(
        protected.err().map(|status| status.code()),
        Some(Code::NotFound)
    );
    assert!(!app.user("ada").await.protected);
}

async fn names_of_another_catalog_are_unknown(database: Database) {
    let app = neighbours(database).await;
    let mut wider = user_import_testing::catalog();
    wider.roles.push(Role {
        name: "Deputy".to_owned(),
        ..Role::default()
    });
    app.catalog("sheriff", wider).await;
    let deputy = roster().row("ada", [(RoleColumn, "Deputy")]);
    let here = app.import(&deputy).await;
    assert_eq!(here.summary().rejected, 1, "{here}");
    let there = app.import_with(start_of("sheriff"), deputy).await;
    assert_eq!(there.summary().updated, 1, "{there}");
    // This catalog can be emptied although users of other organisations have entries of the same names.
    app.organization("empty").await;
    app.catalog("empty", Catalog::default()).await;
}
