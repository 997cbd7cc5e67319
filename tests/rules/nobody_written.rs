//! An import that writes no user has a single transaction, whatever the size of transactions is, and that transaction
//! records every result (semantics §8).

use user_import::{
    config::Settings,
    domain::Column::{Email, FirstName, Phone},
    proto::{ImportState, ResultFilter},
};

use crate::retries::{ID, named};
use user_import_testing::{App, Database, Roster, on_both_databases, roster};

on_both_databases![
    what_nobody_is_written_for_is_one_transaction,
    each_written_row_still_has_its_transaction,
    more_results_than_one_statement_takes_are_each_recorded_once,
];

const PEOPLE: [&str; 8] = ["ada", "bob", "cyd", "dee", "eve", "fay", "gus", "hal"];

/// Starts a server that writes one row in a transaction. These people are users.
async fn department(database: Database) -> App {
    let settings = Settings {
        transaction_rows: 1,
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    app.people(PEOPLE).await;
    app
}

/// Returns how many transactions this import has: each increments the organisation's revision.
async fn transactions(app: &App, roster: Roster) -> i64 {
    let revision = "SELECT revision FROM organizations";
    let before = app.database().number(revision).await;
    let imported = app.import_with(named(ID), roster).await;
    assert_eq!(imported.results.len(), PEOPLE.len(), "{imported}");
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert_eq!(watched.results, imported.results);
    assert_eq!(watched.summary, imported.summary);
    assert_eq!(imported.summary().state(), ImportState::Completed);
    app.database().number(revision).await - before
}

async fn what_nobody_is_written_for_is_one_transaction(database: Database) {
    let app = department(database).await;
    let six_and_two_rejected = roster()
        .people(PEOPLE.into_iter().take(6))
        .row("gus", [(Email, "no address")])
        .row("hal", [(Phone, "none")]);
    assert_eq!(transactions(&app, six_and_two_rejected).await, 1);
}

async fn each_written_row_still_has_its_transaction(database: Database) {
    let app = department(database).await;
    let two_written = roster()
        .people(PEOPLE.into_iter().take(6))
        .row("gus", [(FirstName, "August")])
        .row("hal", [(FirstName, "Harold")]);
    assert!(transactions(&app, two_written).await > 2);
}

async fn more_results_than_one_statement_takes_are_each_recorded_once(database: Database) {
    let app = App::start(database).await;
    let long = "x".repeat(80);
    let many = (0..6_000).fold(roster(), |roster, number| {
        roster.row(&format!("r{number}"), [(Email, &*long), (Phone, &*long)])
    });
    let imported = app.import_with(named(ID), many).await;
    assert_eq!(imported.summary().rejected, 6_000);
    let batches = "SELECT count(*) FROM import_results";
    let batches = app.database().number(batches).await;
    assert!(
        batches > 8,
        "{batches} are no more than one statement takes"
    );
    let watched = app.watch(ID, 0, ResultFilter::All).await;
    assert!(watched.results == imported.results, "some are lost");
    let rows = watched.results.iter().map(|result| result.row);
    assert!(rows.eq(1..=6_000), "not every row has one result");
}
