//! A roster must not make its author an administrator, and must not remove one.

use tonic::Code;
use user_import::{
    domain::{
        Column::{BadgeNumber, Email, ExternalId, LastName, Role as RoleColumn, Status, Username},
        Permission,
    },
    proto::{
        Catalog, GetCatalogRequest, ImportStart, MatchBy, Role, SetUserProtectedRequest,
        UpdateCatalogRequest,
    },
};

use user_import_testing::{
    App, Database, ImportResponses, catalog, every_missing_user, on_both_databases, roster,
    rpcs::status_line, start_of, token,
};

on_both_databases![
    a_row_gives_no_privileged_role_and_changes_nobody_who_has_one,
    a_row_that_finds_its_user_by_another_key_changes_nobody_privileged,
    a_row_deactivates_nobody_without_the_permission,
    missing_administrators_are_left_active_and_named,
    whoever_may_grant_privileges_may_do_all_of_it,
    only_who_may_grant_privileges_protects_somebody_who_has_them,
    only_who_may_grant_privileges_decides_which_roles_are_privileged,
    the_digest_of_a_dry_run_is_that_of_who_may_do_the_same,
];

/// The catalog of every test. Its role Administrator is privileged.
pub fn privileged() -> Catalog {
    let mut catalog = catalog();
    let roles = catalog.roles.iter_mut();
    for role in roles.filter(|role| role.name == "Administrator") {
        role.privileged = true;
    }
    catalog
}

/// ada, who is an Administrator, and bob and cy, who are not.
async fn department(database: Database) -> App {
    let app = App::start(database).await;
    app.catalog("pd", privileged()).await;
    let people = roster()
        .row("ada", [(RoleColumn, "Administrator")])
        .people(["bob", "cy"]);
    let imported = app.import(people).await;
    assert_eq!(imported.summary().created, 3, "{imported}");
    app
}

/// All permissions except the one to grant privileges.
async fn clerk(app: &App) -> App {
    let permissions = Permission::ALL.into_iter();
    let permissions = permissions.filter(|p| *p != Permission::UsersGrantPrivileged);
    app.holding(token("pd", permissions)).await
}

/// Imports `roster` and deactivates the users that it does not list, first in a dry run and then for real. Both must
/// give the same results.
async fn deactivating_missing(app: &App, roster: &[u8]) -> ImportResponses {
    let missing = |validate_only| ImportStart {
        validate_only,
        max_deactivations: Some(3),
        deactivate_missing: Some(every_missing_user()),
        ..start_of("pd")
    };
    let dry = app.import_with(missing(true), roster).await;
    let done = app.import_with(missing(false), roster).await;
    assert_eq!(dry.summary().warnings, done.summary().warnings);
    assert_eq!(dry.summary().plan_digest, done.summary().plan_digest);
    done
}

async fn a_row_gives_no_privileged_role_and_changes_nobody_who_has_one(database: Database) {
    let app = department(database).await;
    let clerk = clerk(&app).await;
    let people = roster()
        .row("ada", [(RoleColumn, "Officer")])
        .row("bob", [(RoleColumn, "administrator")])
        .row("dan", [(RoleColumn, "Administrator")])
        .row("cy", [(RoleColumn, "Sergeant")]);
    insta::assert_snapshot!(clerk.import(people).await, @"
    1 REJECTED ada [ROLE_NOT_GRANTABLE user ada]
    2 REJECTED bob [ROLE_NOT_GRANTABLE]
    3 REJECTED dan [ROLE_NOT_GRANTABLE]
    4 UPDATED cy: ROLE
    COMPLETED: 4 rows, 1 updated, 3 rejected
    ");
    // A roster that lists an administrator without a change stands.
    let same = roster().row("ada", [(RoleColumn, "Administrator")]);
    insta::assert_snapshot!(clerk.import(same).await, @"
    1 UNCHANGED ada
    COMPLETED: 1 rows, 1 unchanged
    ");
}

async fn a_row_that_finds_its_user_by_another_key_changes_nobody_privileged(database: Database) {
    let app = department(database).await;
    let clerk = clerk(&app).await;
    let keys = [
        (MatchBy::Email, Email, "ADA@pd.example"),
        (MatchBy::BadgeNumber, BadgeNumber, "B-ada"),
        (MatchBy::Username, Username, "Ada"),
    ];
    for (match_by, key, value) in keys {
        let start = ImportStart {
            match_by: match_by.into(),
            ..start_of("pd")
        };
        let people = roster()
            .row(
                "ada",
                [(ExternalId, "W-1"), (key, value), (LastName, "Taken")],
            )
            .row("bob", [(ExternalId, "W-2"), (RoleColumn, "Administrator")])
            .row("cy", [(ExternalId, "cy")]);
        let before = clerk.users().await;
        insta::assert_snapshot!(clerk.import_with(start, people).await, @"
        1 REJECTED ada [ROLE_NOT_GRANTABLE user ada]
        2 REJECTED bob [ROLE_NOT_GRANTABLE]
        3 UNCHANGED cy
        COMPLETED: 3 rows, 1 unchanged, 2 rejected
        ");
        assert_eq!(clerk.users().await, before);
    }
}

async fn a_row_deactivates_nobody_without_the_permission(database: Database) {
    let app = department(database).await;
    let importer = app.holding(token("pd", [Permission::UsersImport])).await;
    let people = roster()
        .row("bob", [(Status, "Inactive")])
        .row("dan", [(Status, "Inactive")]);
    insta::assert_snapshot!(importer.import(people).await, @"
    1 REJECTED bob [DEACTIVATION_NOT_PERMITTED]
    2 CREATED dan
    COMPLETED: 2 rows, 1 created, 1 rejected
    ");
}

async fn missing_administrators_are_left_active_and_named(database: Database) {
    let app = department(database).await;
    let clerk = clerk(&app).await;
    let people: Vec<u8> = roster().people(["cy"]).into();
    let imported = deactivating_missing(&clerk, &people).await;
    insta::assert_snapshot!(imported, @"
    1 UNCHANGED cy
    deactivated: bob
    COMPLETED: 1 rows, 1 unchanged, 1 deactivated
    warning: ROLE_NOT_GRANTABLE user ada
    ");
    let warnings = &imported.summary().warnings;
    let told: Vec<_> = warnings.iter().map(|w| &*w.message).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"User "ada" is not listed but has a privileged role, and is left Active: to deactivate such a user needs the permission users.grant-privileged."#);
    assert_eq!(
        warnings[0].related_external_id,
        clerk.users().await[0].external_id
    );
}

async fn whoever_may_grant_privileges_may_do_all_of_it(database: Database) {
    let app = department(database).await;
    let administrator = app.holding(token("pd", Permission::ALL)).await;
    let people: Vec<u8> = roster()
        .row("bob", [(RoleColumn, "Administrator")])
        .people(["cy"])
        .into();
    let imported = deactivating_missing(&administrator, &people).await;
    let summary = imported.summary();
    assert_eq!((summary.updated, summary.deactivated), (1, 1), "{imported}");
    assert_eq!(summary.warnings, []);
}

async fn only_who_may_grant_privileges_protects_somebody_who_has_them(database: Database) {
    let app = department(database).await;
    let clerk = clerk(&app).await;
    let administrator = app.holding(token("pd", Permission::ALL)).await;
    let (ada, bob) = (clerk.user("ada").await, clerk.user("bob").await);
    for protected in [true, false] {
        let request = |user_id: &str| SetUserProtectedRequest {
            organization: "pd".to_owned(),
            user_id: user_id.to_owned(),
            protected,
        };
        let denied = clerk.directory().set_user_protected(request(&ada.id)).await;
        assert_eq!(
            status_line(&denied.unwrap_err()),
            "PermissionDenied PERMISSION_MISSING: The user has a privileged role: to protect such \
             a user or to end that needs the permission users.grant-privileged, which this \
             credential does not have."
        );
        assert_eq!(clerk.user("ada").await.protected, !protected);
        clerk
            .directory()
            .set_user_protected(request(&bob.id))
            .await
            .unwrap();
        let done = administrator
            .directory()
            .set_user_protected(request(&ada.id))
            .await;
        assert_eq!(
            done.unwrap().into_inner().user.unwrap().protected,
            protected
        );
    }
}

async fn only_who_may_grant_privileges_decides_which_roles_are_privileged(database: Database) {
    let app = department(database).await;
    let clerk = clerk(&app).await;
    let administrator = app.holding(token("pd", Permission::ALL)).await;
    let spare = Role {
        name: "Chief".to_owned(),
        privileged: true,
        ..Role::default()
    };
    let mut start = privileged();
    start.roles.push(spare);
    apply(&administrator, start.clone()).await.unwrap();

    let change = |change: &dyn Fn(&mut Vec<Role>)| {
        let mut catalog = start.clone();
        change(&mut catalog.roles);
        catalog
    };
    let named = |roles: &mut Vec<Role>, name: &str, to: &dyn Fn(&mut Role)| {
        roles.iter_mut().filter(|r| r.name == name).for_each(to);
    };
    let rename = |role: &mut Role, name: &str| {
        role.previous_name = std::mem::replace(&mut role.name, name.to_owned());
    };
    let changes = [
        change(&|roles| named(roles, "Administrator", &|role| role.privileged = false)),
        change(&|roles| named(roles, "Officer", &|role| role.privileged = true)),
        change(&|roles| named(roles, "Chief", &|role| rename(role, "Boss"))),
        change(&|roles| roles.retain(|role| role.name != "Chief")),
        change(&|roles| {
            named(roles, "Administrator", &|role| rename(role, "Old"));
            named(roles, "Officer", &|role| rename(role, "Administrator"));
        }),
    ];
    for changed in changes {
        let status = apply(&clerk, changed.clone()).await.unwrap_err();
        assert!(
            status_line(&status).starts_with("PermissionDenied PERMISSION_MISSING:"),
            "{changed:?}"
        );
        assert_eq!(privileges(&clerk).await, ["Administrator", "Chief"]);
        apply(&administrator, changed).await.unwrap();
        let mut back = start.clone();
        named(&mut back.roles, "Chief", &|role| role.previous_name.clear());
        // Roles that were renamed first get their old names.
        restore(&administrator, back).await;
    }
    // Every caller who may write the catalog may make changes that do not concern privileged roles.
    let harmless = change(&|roles| {
        roles.push(Role {
            name: "Cadet".to_owned(),
            ..Role::default()
        });
    });
    apply(&clerk, harmless).await.unwrap();
    assert_eq!(privileges(&clerk).await, ["Administrator", "Chief"]);
}

/// Makes `catalog` the catalog, whatever names the roles have now.
async fn restore(app: &App, mut catalog: Catalog) {
    let now = current(app).await;
    for (old, name) in [("Boss", "Chief"), ("Old", "Administrator")] {
        if now.roles.iter().any(|role| role.name == old) {
            for role in catalog.roles.iter_mut().filter(|role| role.name == name) {
                old.clone_into(&mut role.previous_name);
            }
            if name == "Administrator" {
                for role in catalog
                    .roles
                    .iter_mut()
                    .filter(|role| role.name == "Officer")
                {
                    "Administrator".clone_into(&mut role.previous_name);
                }
            }
        }
    }
    apply(app, catalog).await.unwrap();
}

async fn current(app: &App) -> Catalog {
    let organization = "pd".to_owned();
    let request = GetCatalogRequest { organization };
    let answer = app.directory().get_catalog(request).await.unwrap();
    answer.into_inner().catalog.unwrap()
}

/// The names of the privileged roles.
async fn privileges(app: &App) -> Vec<String> {
    let roles = current(app).await.roles.into_iter();
    roles
        .filter(|role| role.privileged)
        .map(|role| role.name)
        .collect()
}

async fn apply(app: &App, catalog: Catalog) -> Result<(), tonic::Status> {
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(catalog),
    };
    app.directory().update_catalog(request).await.map(|_| ())
}

async fn the_digest_of_a_dry_run_is_that_of_who_may_do_the_same(database: Database) {
    let app = department(database).await;
    let administrator = app.holding(token("pd", Permission::ALL)).await;
    let clerk = clerk(&app).await;
    let people = || roster().row("bob", [(RoleColumn, "Administrator")]);
    let dry = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    let shown = administrator.import_with(dry, people()).await;
    let start = ImportStart {
        expected_plan_digest: shown.summary().plan_digest.clone(),
        ..start_of("pd")
    };
    let refused = clerk.import_with(start.clone(), people()).await;
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let done = administrator.import_with(start, people()).await;
    assert_eq!(done.summary().updated, 1, "{done}");
}
