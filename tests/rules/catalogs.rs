//! Roles, ranks and groups as one document (api.md, `UpdateCatalog`).

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use user_import::{
    domain::Column::{EvidenceGroupExtId, Rank as RankColumn},
    proto::{Catalog, GetCatalogRequest, Group, Rank, Role, UpdateCatalogRequest},
};

use user_import_testing::{App, Database, catalog, on_both_databases, roster};

on_both_databases![
    a_catalog_is_replaced_as_a_whole,
    an_entry_in_use_stays,
    a_renamed_role_keeps_its_users,
    two_ranks_may_swap_their_names,
    the_same_renaming_twice_is_one,
    a_name_may_change_its_case,
    what_is_not_there_cannot_be_renamed,
    every_fault_of_a_document_is_named,
    a_group_can_be_closed_and_keeps_its_users,
    a_closed_group_is_given_to_nobody,
];

async fn update(app: &App, catalog: Catalog) -> Result<Catalog, Status> {
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(catalog),
    };
    let response = app.directory().update_catalog(request).await?;
    Ok(response
        .into_inner()
        .catalog
        .expect("the answer has a catalog"))
}

async fn get(app: &App) -> Catalog {
    let request = GetCatalogRequest {
        organization: "pd".to_owned(),
    };
    let response = app.directory().get_catalog(request).await;
    let catalog = response.expect("there is a catalog").into_inner().catalog;
    catalog.expect("the answer has a catalog")
}

fn role(name: &str, previous_name: &str) -> Role {
    Role {
        name: name.to_owned(),
        previous_name: previous_name.to_owned(),
        privileged: false,
    }
}

fn rank(name: &str, previous_name: &str) -> Rank {
    Rank {
        name: name.to_owned(),
        previous_name: previous_name.to_owned(),
    }
}

fn group(external_id: &str, name: &str, active: bool) -> Group {
    Group {
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        active,
    }
}

/// ada has the rank Captain and the group G-1; her role is Officer, and so is bob's.
async fn station(database: Database) -> App {
    let app = App::start(database).await;
    let ada = [(RankColumn, "Captain"), (EvidenceGroupExtId, "G-1")];
    app.import(roster().row("ada", ada).people(["bob"])).await;
    app
}

async fn a_catalog_is_replaced_as_a_whole(database: Database) {
    let app = App::start(database).await;
    let wanted = Catalog {
        roles: vec![role("  Zugführer ", ""), role("dispatcher", "")],
        ranks: vec![],
        groups: vec![group("02", "Second", false), group("1", "First", true)],
        ..Catalog::default()
    };
    let stored = update(&app, wanted).await.expect("nobody uses the old one");
    let expected = Catalog {
        roles: vec![role("dispatcher", ""), role("Zugführer", "")],
        ranks: vec![],
        groups: vec![group("02", "Second", false), group("1", "First", true)],
        ..Catalog::default()
    };
    assert_eq!(stored, expected);
    assert_eq!(get(&app).await, expected);
}

async fn an_entry_in_use_stays(database: Database) {
    let app = station(database).await;
    let before = get(&app).await;
    let status = update(&app, Catalog::default()).await.expect_err("in use");
    assert_eq!(status.code(), Code::FailedPrecondition);
    let failure = status.get_details_precondition_failure();
    let violations = failure
        .expect("the violations are in the details")
        .violations;
    let told: Vec<_> = violations
        .iter()
        .map(|v| (&*v.r#type, &*v.subject, v.description.contains(" 2 users")))
        .collect();
    assert_eq!(
        told,
        [
            ("IN_USE", "roles/Officer", true),
            ("IN_USE", "ranks/Captain", false),
            ("IN_USE", "groups/G-1", false)
        ],
        "{violations:?}"
    );
    assert_eq!(get(&app).await, before);
}

async fn a_renamed_role_keeps_its_users(database: Database) {
    let app = station(database).await;
    let mut renamed = catalog();
    renamed.roles = vec![role("Deputy", "officer"), role("Officer II", "")];
    update(&app, renamed).await.expect("the role is renamed");
    assert_eq!(app.user("ada").await.role, "Deputy");
    let roster = roster().row("ada", [(user_import::domain::Column::Role, "DEPUTY")]);
    let imported = app.import(roster).await;
    assert_eq!(imported.summary().unchanged, 1, "{imported}");
}

async fn two_ranks_may_swap_their_names(database: Database) {
    let app = station(database).await;
    let mut swapped = catalog();
    swapped.ranks = vec![rank("Captain", "Lieutenant"), rank("Lieutenant", "Captain")];
    update(&app, swapped).await.expect("the names are swapped");
    assert_eq!(app.user("ada").await.rank, "Lieutenant");
}

async fn the_same_renaming_twice_is_one(database: Database) {
    let app = station(database).await;
    let mut renamed = catalog();
    renamed.roles[0] = role("Deputy", "Officer");
    let once = update(&app, renamed.clone()).await.expect("it is renamed");
    let twice = update(&app, renamed)
        .await
        .expect("it has its name already");
    assert_eq!(once, twice);
    assert_eq!(app.user("bob").await.role, "Deputy");
}

async fn a_name_may_change_its_case(database: Database) {
    let app = station(database).await;
    let mut shouted = catalog();
    shouted.roles[0] = role("OFFICER", "");
    update(&app, shouted).await.expect("it is the same role");
    assert_eq!(app.user("bob").await.role, "OFFICER");
}

async fn what_is_not_there_cannot_be_renamed(database: Database) {
    let app = station(database).await;
    for roles in [
        vec![role("Officer", ""), role("Deputy", "Nobody")],
        vec![role("One", "Officer"), role("Other", "Officer")],
    ] {
        let status = update(&app, Catalog { roles, ..catalog() }).await;
        assert_eq!(
            status.map_err(|status| status.code()),
            Err(Code::InvalidArgument)
        );
    }
    assert_eq!(get(&app).await.roles.len(), 3);
}

async fn every_fault_of_a_document_is_named(database: Database) {
    let app = App::start(database).await;
    let faulty = Catalog {
        roles: vec![role("", ""), role("Straße", ""), role("STRASSE", "")],
        ranks: vec![rank(&"x".repeat(129), "")],
        groups: vec![
            group("", "No ID", true),
            group("7", "", true),
            group(" 7 ", "Twice", true),
        ],
        phone_region: "USA".to_owned(),
        badge_number_pattern: "[0-9".to_owned(),
        external_id_pattern: r"(a)\1".to_owned(),
    };
    let status = update(&app, faulty).await.expect_err("it has faults");
    assert_eq!(status.code(), Code::InvalidArgument);
    let request = status.get_details_bad_request();
    let violations = request
        .expect("the violations are in the details")
        .field_violations;
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| &*violation.field)
        .collect();
    assert_eq!(
        fields,
        [
            "catalog.roles[0].name",
            "catalog.roles[2].name",
            "catalog.ranks[0].name",
            "catalog.groups[0].external_id",
            "catalog.groups[2].external_id",
            "catalog.phone_region",
            "catalog.badge_number_pattern",
            "catalog.external_id_pattern"
        ]
    );
    let nothing = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: None,
    };
    let status = app.directory().update_catalog(nothing).await;
    assert_eq!(
        status.map_err(|status| status.code()).err(),
        Some(Code::InvalidArgument)
    );
}

fn closed() -> Catalog {
    let mut closed = catalog();
    closed.groups[0].active = false;
    closed
}

async fn a_group_can_be_closed_and_keeps_its_users(database: Database) {
    let app = station(database).await;
    update(&app, closed())
        .await
        .expect("a group in use can be closed");
    assert_eq!(app.user("ada").await.evidence_group_external_id, "G-1");
    let imported = app.import(app.export().await).await;
    assert_eq!(imported.summary().unchanged, 2, "{imported}");
}

async fn a_closed_group_is_given_to_nobody(database: Database) {
    let app = station(database).await;
    update(&app, closed())
        .await
        .expect("a group in use can be closed");
    let given = roster()
        .row("bob", [(EvidenceGroupExtId, "G-1")])
        .row("cy", [(EvidenceGroupExtId, "G-1")]);
    insta::assert_snapshot!(app.import(given).await, @r"
    1 REJECTED bob [INACTIVE_GROUP]
    2 REJECTED cy [INACTIVE_GROUP]
    COMPLETED: 2 rows, 2 rejected
    ");
}
