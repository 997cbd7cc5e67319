//! The roles and groups to which deactivation is limited (semantics §7).

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{EvidenceGroupExtId, Role},
    proto::{DeactivateMissing, Group, ImportStart},
};

use user_import_testing::{
    App, Database, catalog, deactivating_missing, every_missing_user, on_both_databases, roster,
    start_of,
};

on_both_databases![
    roles_and_groups_bound_the_scope,
    an_unknown_name_in_the_scope_refuses,
    unknown_names_are_reported_however_many_there_are,
    protected_users_in_the_scope_are_counted,
    users_who_would_be_deactivated_are_named_in_a_refused_import,
];

fn start(missing: DeactivateMissing) -> ImportStart {
    ImportStart {
        deactivate_missing: Some(missing),
        ..deactivating_missing(start_of("pd"))
    }
}

/// Officers in the groups G-1 and G-3 and without a group, and a sergeant in G-1.
async fn station(database: Database) -> App {
    let app = App::start(database).await;
    let mut groups = catalog();
    groups.groups.push(Group {
        external_id: "G-3".to_owned(),
        name: "Third".to_owned(),
        active: true,
    });
    app.catalog("pd", groups).await;
    let people = roster()
        .people(["keep"])
        .row("o-none", [])
        .row("o-1", [(EvidenceGroupExtId, "G-1")])
        .row("o-3", [(EvidenceGroupExtId, "G-3")])
        .row("s-1", [(EvidenceGroupExtId, "G-1"), (Role, "Sergeant")]);
    assert_eq!(app.import(people).await.summary().created, 5);
    app
}

async fn roles_and_groups_bound_the_scope(database: Database) {
    let app = station(database).await;
    for (roles, groups, gone) in [
        (vec![], vec![], vec!["o-1", "o-3", "o-none", "s-1"]),
        (vec!["sergeant"], vec![], vec!["s-1"]),
        (
            vec!["SERGEANT", "Officer"],
            vec![],
            vec!["o-1", "o-3", "o-none", "s-1"],
        ),
        (vec!["Administrator"], vec![], vec![]),
        (vec![], vec!["G-1"], vec!["o-1", "s-1"]),
        (vec![], vec!["G-1", "G-3"], vec!["o-1", "o-3", "s-1"]),
        (vec!["Officer"], vec!["G-1"], vec!["o-1"]),
        (vec![], vec!["G-2"], vec![]),
    ] {
        let scope = DeactivateMissing {
            only_roles: roles.iter().map(ToString::to_string).collect(),
            only_group_external_ids: groups.iter().map(ToString::to_string).collect(),
            ..DeactivateMissing::default()
        };
        let start = ImportStart {
            validate_only: true,
            ..start(scope)
        };
        let imported = app.import_with(start, roster().people(["keep"])).await;
        assert_eq!(
            imported.deactivated(),
            gone,
            "{roles:?} {groups:?}:\n{imported}"
        );
    }
}

async fn an_unknown_name_in_the_scope_refuses(database: Database) {
    let app = station(database).await;
    for (roles, groups, code) in [
        ("Sergent", "G-1", "UNKNOWN_ROLE"),
        ("Sergeant", "g-1", "UNKNOWN_GROUP"),
        ("", "G-1", "UNKNOWN_ROLE"),
    ] {
        let scope = DeactivateMissing {
            only_roles: vec![roles.to_owned()],
            only_group_external_ids: vec![groups.to_owned()],
            ..every_missing_user()
        };
        let imported = app
            .import_with(start(scope), roster().people(["keep"]))
            .await;
        assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
        let summary = imported.summary();
        assert_eq!(summary.refusals[0].code, code, "{imported}");
        // Nothing was planned, so no row has an outcome, and the counts add up to zero.
        assert_eq!((summary.rows, summary.unchanged), (0, 0), "{imported}");
    }
}

async fn unknown_names_are_reported_however_many_there_are(database: Database) {
    let app = station(database).await;
    let scope = DeactivateMissing {
        only_group_external_ids: (0..100_000).map(|n| format!("X-{n}")).collect(),
        ..every_missing_user()
    };
    let imported = app
        .import_with(start(scope), roster().people(["keep"]))
        .await;
    assert_eq!(imported.code(), Code::InvalidArgument, "{imported}");
    let refusals = &imported.summary().refusals;
    assert!(refusals.len() > 1_000, "{}", refusals.len());
    assert_eq!(refusals.last().unwrap().code, "MORE_REFUSALS");
}

async fn protected_users_in_the_scope_are_counted(database: Database) {
    let app = station(database).await;
    for name in ["o-1", "o-3", "s-1"] {
        app.protect(name).await;
    }
    let scope = DeactivateMissing {
        only_group_external_ids: vec!["G-1".to_owned()],
        ..every_missing_user()
    };
    assert_snapshot!(app.import_with(start(scope), roster().people(["keep"])).await, @r"
    1 UNCHANGED keep
    COMPLETED: 1 rows, 1 unchanged, 2 protected
    ");
}

async fn users_who_would_be_deactivated_are_named_in_a_refused_import(database: Database) {
    let app = station(database).await;
    let refused = ImportStart {
        max_deactivations: Some(3),
        ..start(every_missing_user())
    };
    let imported = app.import_with(refused, roster().people(["keep"])).await;
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(imported.deactivated(), ["o-1", "o-3", "o-none", "s-1"]);
    let bob = &imported.deactivations[0];
    assert_eq!(bob.email, "o-1@pd.example");
    assert_eq!(bob.user_id, app.user("o-1").await.id);
}
