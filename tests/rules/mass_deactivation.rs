//! The guard of mass deactivation (semantics §7), below and above its limits: more than 5 % and more than 10 users, or
//! more than half of them; or the number that the caller approves.

use tonic::Code;
use user_import::{
    domain::Column::{Email, Status},
    proto::ImportStart,
};

use user_import_testing::{
    App, Database, ImportResponses, Roster, every_missing_user, on_both_databases, roster, start_of,
};

on_both_databases![
    eleven_of_thirty_are_too_many_and_ten_are_not,
    half_of_a_small_station_may_go_and_no_more,
    rows_and_missing_users_count_together,
    only_users_who_go_from_active_to_inactive_count,
    the_number_that_the_caller_approves_replaces_the_guard,
    a_dry_run_is_guarded_too,
];

/// Names of `count` people.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n:02}")).collect()
}

/// A roster of these people. The first `inactive` of them are Inactive.
fn rows(names: &[String], inactive: usize) -> Roster {
    names
        .iter()
        .enumerate()
        .fold(roster(), |roster, (n, name)| {
            let status = if n < inactive { "Inactive" } else { "Active" };
            roster.row(name, [(Status, status)])
        })
}

/// Starts a server with `count` active users.
async fn station(database: Database, count: usize) -> (App, Vec<String>) {
    let app = App::start(database).await;
    let names = names(count);
    app.people(names.iter().map(String::as_str)).await;
    (app, names)
}

async fn inactive(app: &App) -> usize {
    let users = app.users().await;
    users
        .iter()
        .filter(|user| user.status().as_str_name() == "USER_STATUS_INACTIVE")
        .count()
}

fn refused_with(imported: &ImportResponses, code: &str) {
    assert_eq!(imported.code(), Code::FailedPrecondition, "{imported}");
    assert_eq!(imported.summary().refusals[0].code, code, "{imported}");
}

async fn eleven_of_thirty_are_too_many_and_ten_are_not(database: Database) {
    let (app, names) = station(database, 30).await;
    let eleven = app.import(rows(&names, 11)).await;
    refused_with(&eleven, "MASS_DEACTIVATION");
    let said = &eleven.summary().refusals[0].message;
    assert!(said.starts_with("11 of 30 active users"), "{said}");
    assert_eq!(inactive(&app).await, 0);
    assert_eq!(app.import(rows(&names, 10)).await.code(), Code::Ok);
    assert_eq!(inactive(&app).await, 10);
}

async fn half_of_a_small_station_may_go_and_no_more(database: Database) {
    let (app, names) = station(database, 4).await;
    refused_with(&app.import(rows(&names, 3)).await, "MASS_DEACTIVATION");
    assert_eq!(app.import(rows(&names, 2)).await.code(), Code::Ok);
    // Two active users are left, and half of them is one.
    refused_with(&app.import(rows(&names, 4)).await, "MASS_DEACTIVATION");
    assert_eq!(inactive(&app).await, 2);
}

async fn rows_and_missing_users_count_together(database: Database) {
    let (app, names) = station(database, 30).await;
    let start = ImportStart {
        deactivate_missing: Some(every_missing_user()),
        ..start_of("pd")
    };
    // A row makes six users Inactive, and four or five are missing.
    let eleven = app.import_with(start.clone(), rows(&names[..25], 6)).await;
    refused_with(&eleven, "MASS_DEACTIVATION");
    assert_eq!(eleven.deactivations.len(), 5, "{eleven}");
    assert_eq!(eleven.summary().deactivated, 5);
    let ten = app.import_with(start, rows(&names[..26], 6)).await;
    assert_eq!(ten.code(), Code::Ok, "{ten}");
    assert_eq!(inactive(&app).await, 10);
}

async fn only_users_who_go_from_active_to_inactive_count(database: Database) {
    let (app, names) = station(database, 3).await;
    app.import(rows(&names[..1], 1)).await;
    // One is Inactive already, two become Inactive, and a rejected row changes no user.
    let quiet = rows(&names[..1], 1)
        .row("new", [(Status, "Inactive")])
        .row("newer", [(Status, "Inactive")])
        .row(&names[1], [(Status, "Inactive"), (Email, "nowhere")]);
    let start = ImportStart {
        max_deactivations: Some(0),
        ..start_of("pd")
    };
    let imported = app.import_with(start, quiet).await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
    assert_eq!(imported.summary().created, 2, "{imported}");
}

async fn the_number_that_the_caller_approves_replaces_the_guard(database: Database) {
    let (app, names) = station(database, 4).await;
    let approving = |max| ImportStart {
        max_deactivations: Some(max),
        ..start_of("pd")
    };
    for (max, gone) in [(0, 1), (2, 3)] {
        let refused = app.import_with(approving(max), rows(&names, gone)).await;
        refused_with(&refused, "TOO_MANY_DEACTIVATIONS");
    }
    assert_eq!(inactive(&app).await, 0);
    let all = app.import_with(approving(4), rows(&names, 4)).await;
    assert_eq!(all.code(), Code::Ok, "{all}");
    assert_eq!(inactive(&app).await, 4);
}

async fn a_dry_run_is_guarded_too(database: Database) {
    let (app, names) = station(database, 3).await;
    let start = ImportStart {
        validate_only: true,
        ..start_of("pd")
    };
    refused_with(
        &app.import_with(start, rows(&names, 3)).await,
        "MASS_DEACTIVATION",
    );
}
