//! The largest catalog, and the time that its changes take.

use std::time::{Duration, Instant};

use tonic::{Code, Status};
use tonic_types::StatusExt;
use user_import::proto::{Catalog, GetCatalogRequest, Group, Rank, Role, UpdateCatalogRequest};

use crate::searches::fill;
use user_import_testing::{App, Database, catalog, on_both_databases};

on_both_databases![
    a_catalog_has_five_thousand_entries_at_most,
    a_catalog_has_a_mebibyte_at_most,
    a_catalog_of_an_earlier_release_that_fits_no_message_is_refused_in_words,
    removing_a_thousand_entries_costs_one_pass_over_the_users,
    names_are_swapped_moved_and_marked_in_one_document,
];

async fn update(app: &App, catalog: Catalog) -> Result<Catalog, Status> {
    let request = UpdateCatalogRequest {
        organization: "pd".to_owned(),
        catalog: Some(catalog),
    };
    let updated = app.directory().update_catalog(request).await?;
    Ok(updated.into_inner().catalog.unwrap())
}

async fn get(app: &App) -> Result<Catalog, Status> {
    let request = GetCatalogRequest {
        organization: "pd".to_owned(),
    };
    let found = app.directory().get_catalog(request).await?;
    Ok(found.into_inner().catalog.unwrap())
}

fn ranks(count: usize) -> Vec<Rank> {
    let rank = |number| Rank {
        name: format!("Rank {number:06}"),
        ..Rank::default()
    };
    (0..count).map(rank).collect()
}

fn roles(count: usize) -> Vec<Role> {
    let role = |number| Role {
        name: format!("Role {number:06}"),
        ..Role::default()
    };
    (0..count).map(role).collect()
}

fn groups(count: usize) -> Vec<Group> {
    let group = |number| Group {
        external_id: format!("{number:0255}"),
        name: format!("{number:0128}"),
        active: true,
    };
    (0..count).map(group).collect()
}

fn assert_too_large(result: Result<Catalog, Status>) {
    let status = result.expect_err("it is too large");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let details = status.get_error_details();
    let quota = details.quota_failure().unwrap();
    assert_eq!(quota.violations[0].subject, "catalog");
}

async fn a_catalog_has_five_thousand_entries_at_most(database: Database) {
    let app = App::start(database).await;
    let own = catalog();
    let others = own.roles.len() + own.groups.len();
    let of = |count: usize| Catalog {
        ranks: ranks(count - others),
        ..own.clone()
    };
    assert_too_large(update(&app, of(5_001)).await);
    let updated = update(&app, of(5_000)).await.unwrap();
    assert_eq!(updated.ranks.len(), 5_000 - others);
    assert_eq!(get(&app).await.unwrap(), updated);
}

async fn a_catalog_has_a_mebibyte_at_most(database: Database) {
    let app = App::start(database).await;
    let of = |count| Catalog {
        groups: groups(count),
        ..catalog()
    };
    assert_too_large(update(&app, of(2_800)).await);
    let updated = update(&app, of(2_600)).await.unwrap();
    assert_eq!(get(&app).await.unwrap(), updated);
}

async fn a_catalog_of_an_earlier_release_that_fits_no_message_is_refused_in_words(
    database: Database,
) {
    let app = App::start(database).await;
    let sql = "INSERT INTO ranks (organization_id, id, name, name_key) \
        WITH RECURSIVE n(n) AS (SELECT 1001 UNION ALL SELECT n + 1 FROM n WHERE n < 70000) \
        SELECT o.id, n, 'The rank with the long name and the number ' || n, 'r' || n \
        FROM organizations o, n WHERE o.slug = 'pd'";
    app.database().execute(sql).await;
    assert_too_large(get(&app).await);
    assert!(update(&app, catalog()).await.is_ok());
    assert!(get(&app).await.is_ok());
}

async fn removing_a_thousand_entries_costs_one_pass_over_the_users(database: Database) {
    let app = App::start(database).await;
    app.organization("sheriff").await;
    fill(&app, database, 50_000).await;
    // The database does this by itself within a minute.
    app.database().execute("ANALYZE").await;
    let with = |kind: &str, count: usize| {
        let mut catalog = catalog();
        match kind {
            "roles" => catalog.roles.extend(roles(count)),
            "ranks" => catalog.ranks = ranks(count),
            _ => catalog.groups.extend(groups(count)),
        }
        catalog
    };
    let other = app.another_client().await;
    for kind in ["roles", "ranks", "groups"] {
        // Measures the time of the change, and of another organisation's write beside it.
        let remove = async |count| {
            let mut shortest = [Duration::MAX; 2];
            for _ in 0..3 {
                update(&app, with(kind, count)).await.unwrap();
                let begun = Instant::now();
                let removing = async {
                    update(&app, with(kind, 0)).await.unwrap();
                    begun.elapsed()
                };
                let writing = async {
                    other.import_one("somebody").await;
                    begun.elapsed()
                };
                let (removing, writing) = tokio::join!(removing, writing);
                shortest = [shortest[0].min(removing), shortest[1].min(writing)];
            }
            shortest
        };
        let (one, thousand) = (remove(1).await, remove(1_000).await);
        for (one, thousand) in one.into_iter().zip(thousand) {
            assert!(
                thousand < one * 4,
                "{kind}: {thousand:?}, and {one:?} for one"
            );
        }
    }
    // Entries that users have are still found, and their users counted.
    let roles = vec![Role {
        name: "Nobody's".to_owned(),
        ..Role::default()
    }];
    let unused = Catalog { roles, ..catalog() };
    let status = update(&app, unused).await.expect_err("users have a role");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("50000 users"), "{status}");
}

async fn names_are_swapped_moved_and_marked_in_one_document(database: Database) {
    let app = App::start(database).await;
    let rank = |name: &str, previous: &str| Rank {
        name: name.to_owned(),
        previous_name: previous.to_owned(),
    };
    let with = |ranks: Vec<Rank>| Catalog { ranks, ..catalog() };
    let first = with(vec![rank("One", ""), rank("Two", ""), rank("Three", "")]);
    update(&app, first).await.unwrap();
    let number = async |name: &str| {
        let sql = format!("SELECT CAST(id AS bigint) FROM ranks WHERE name = '{name}'");
        app.database().number(&sql).await
    };
    let before = (number("One").await, number("Two").await);
    let swapped = vec![rank("Two", "One"), rank("One", "Two"), rank("FOUR", "")];
    let updated = update(&app, with(swapped)).await.unwrap();
    let names: Vec<_> = updated.ranks.iter().map(|rank| &*rank.name).collect();
    assert_eq!(names, ["FOUR", "One", "Two"]);
    assert_eq!((number("Two").await, number("One").await), before);
    // A change of letter case is a change.
    let cased = vec![rank("two", ""), rank("One", ""), rank("Four", "")];
    let updated = update(&app, with(cased)).await.unwrap();
    let names: Vec<_> = updated.ranks.iter().map(|rank| &*rank.name).collect();
    assert_eq!(names, ["Four", "One", "two"]);
}
