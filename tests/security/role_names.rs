//! The name of a role shows which role it is: nobody can make a role that looks like another one, and every change of a
//! privileged role, even of the case of its letters, needs `users.grant-privileged`.

use tonic::{Code, Status};
use user_import::{
    domain::Permission,
    proto::{Catalog, Group, Rank, Role, UpdateCatalogRequest},
};

use crate::privileged::privileged;
use user_import_testing::{App, Database, on_both_databases, rpcs::status_line, token};

on_both_databases![
    a_role_that_is_not_what_it_looks_like_is_refused,
    a_role_that_looks_like_another_is_refused,
    the_case_of_a_privileged_role_is_part_of_it,
    a_name_that_is_stored_already_stands,
    ranks_and_groups_have_no_invisible_characters,
];

async fn apply(app: &App, catalog: Catalog) -> Result<Catalog, Status> {
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(catalog),
    };
    let updated = app.directory().update_catalog(request).await?;
    Ok(updated.into_inner().catalog.unwrap())
}

fn with_role(name: &str) -> Catalog {
    let mut catalog = privileged();
    catalog.roles.push(Role {
        name: name.to_owned(),
        ..Role::default()
    });
    catalog
}

/// Makes a caller with all permissions, and one who may only write the catalog.
async fn callers(database: Database) -> (App, App, App) {
    let app = App::start(database).await;
    app.catalog("pd", privileged()).await;
    let all = app.holding(token("pd", Permission::ALL)).await;
    let clerk = [Permission::CatalogWrite, Permission::UsersRead];
    let clerk = app.holding(token("pd", clerk)).await;
    (app, all, clerk)
}

async fn a_role_that_is_not_what_it_looks_like_is_refused(database: Database) {
    let (_app, all, clerk) = callers(database).await;
    for name in [
        "Admin\u{200B}istrator",
        "Admin\u{200D}istrator",
        "Admin\u{AD}istrator",
        "Admin\u{7}istrator",
        "Admin\u{202E}istrator",
        "\u{410}dministrator",
        "\u{FF21}dministrator",
        "\u{FF21}\u{FF4D}\u{FF49}",
        "\u{1D400}dmin",
    ] {
        for caller in [&all, &clerk] {
            let refused = apply(caller, with_role(name)).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{name:?}: {refused}");
        }
    }
    let mixed = apply(&all, with_role("\u{410}dministrator")).await;
    assert_eq!(
        mixed.unwrap_err().message(),
        "catalog.roles[3].name: \"\u{410}dministrator\" mixes scripts whose letters look alike: \
         \"d\" (U+0064) is Latin; write it in one script."
    );
}

async fn a_role_that_looks_like_another_is_refused(database: Database) {
    let (_app, all, clerk) = callers(database).await;
    for name in ["Adm1nistrator", "Administrat0r", "0fficer"] {
        for caller in [&all, &clerk] {
            let refused = apply(caller, with_role(name)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{name:?}: {refused}");
        }
    }
    let refused = apply(&all, with_role("0fficer")).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "catalog.roles[3].name: \"0fficer\" looks like \"Officer\"; give it a name that differs more."
    );
    for name in ["Detective", "Officer II", "Capit\u{E1}n"] {
        apply(&clerk, with_role(name)).await.unwrap();
    }
}

async fn the_case_of_a_privileged_role_is_part_of_it(database: Database) {
    let (_app, all, clerk) = callers(database).await;
    let mut catalog = privileged();
    let roles = catalog.roles.iter_mut();
    for role in roles.filter(|role| role.privileged) {
        role.name = role.name.to_uppercase();
    }
    let denied = apply(&clerk, catalog.clone()).await.unwrap_err();
    assert!(
        status_line(&denied).starts_with("PermissionDenied PERMISSION_MISSING"),
        "{denied}"
    );
    let changed = apply(&all, catalog).await.unwrap();
    assert!(
        changed
            .roles
            .iter()
            .any(|role| role.name == "ADMINISTRATOR")
    );
    // Every caller who may write the catalog may change any other role.
    let mut catalog = changed;
    let roles = catalog.roles.iter_mut();
    for role in roles.filter(|role| role.name == "Officer") {
        "OFFICER".clone_into(&mut role.name);
    }
    apply(&clerk, catalog).await.unwrap();
}

async fn a_name_that_is_stored_already_stands(database: Database) {
    let (app, _all, clerk) = callers(database).await;
    app.tamper(
        "UPDATE roles SET name = '\u{410}dmin', name_key = '\u{430}dmin' WHERE name = 'Sergeant'",
    )
    .await;
    let mut catalog = with_role("Detective");
    for role in &mut catalog.roles {
        if role.name == "Sergeant" {
            "\u{410}dmin".clone_into(&mut role.name);
        }
    }
    let stored = apply(&clerk, catalog.clone()).await.unwrap();
    assert!(stored.roles.iter().any(|role| role.name == "\u{410}dmin"));
    // Every new name is compared with the others, including names that stand.
    catalog.roles.push(Role {
        name: "\u{410}dm1n".to_owned(),
        ..Role::default()
    });
    let refused = apply(&clerk, catalog).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}

async fn ranks_and_groups_have_no_invisible_characters(database: Database) {
    let (_app, all, _clerk) = callers(database).await;
    let mut catalog = privileged();
    catalog.ranks.push(Rank {
        name: "Chi\u{200D}ef".to_owned(),
        ..Rank::default()
    });
    catalog.groups.push(Group {
        external_id: "K\u{2062}9".to_owned(),
        name: "K-\u{200D}9".to_owned(),
        active: true,
    });
    let refused = apply(&all, catalog).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert!(
        refused.message().contains("2 more in the details"),
        "{refused}"
    );
}
