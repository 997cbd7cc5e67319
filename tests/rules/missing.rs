//! Which users count as listed and stay active (semantics §7, deactivate missing).

use insta::assert_snapshot;
use tonic::Code;
use user_import::domain::Column::{BadgeNumber, Email, ExternalId, Role, Username};

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, dry_run, on_both_databases, roster,
    start_of,
};

on_both_databases![
    a_new_row_lists_whoever_has_its_email_badge_or_username,
    a_row_that_matched_its_user_lists_nobody_else,
    a_row_with_another_users_external_id_lists_its_own_user,
    a_shifted_row_refuses_deactivation,
    keys_that_differ_by_leading_zeros_list_their_user,
    an_invalid_row_lists_its_user,
];

async fn sync(app: &App, roster: impl Into<Vec<u8>>) -> ImportResponses {
    app.import_with(deactivating_missing(start_of("pd")), roster)
        .await
}

/// Asks for a dry run, so that the directory is the same for each row of a table.
async fn preview(app: &App, roster: impl Into<Vec<u8>>) -> ImportResponses {
    let start = dry_run(deactivating_missing(start_of("pd")));
    app.import_with(start, roster).await
}

async fn a_new_row_lists_whoever_has_its_email_badge_or_username(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for (column, value) in [
        (Email, "BOB@pd.example"),
        (BadgeNumber, "B-bob"),
        (Username, "Bob"),
    ] {
        for external_id in ["new", ""] {
            let differing = [(ExternalId, external_id), (column, value)];
            let listing = roster().people(["ada"]).row("new", differing);
            let imported = preview(&app, listing).await;
            assert_eq!(imported.code(), Code::Ok, "{column}:\n{imported}");
            assert!(imported.deactivated().is_empty(), "{column}:\n{imported}");
        }
    }
    let nobody = roster().people(["ada", "new"]);
    assert_eq!(preview(&app, nobody).await.deactivated(), ["bob"]);
}

async fn a_row_that_matched_its_user_lists_nobody_else(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let taking = roster().row("ada", [(Email, "bob@pd.example")]);
    assert_snapshot!(sync(&app, taking).await, @r"
    1 REJECTED ada [EMAIL_TAKEN user bob]
    deactivated: bob
    COMPLETED: 1 rows, 1 rejected, 1 deactivated
    ");
}

/// If a byte of an external ID is deleted, it is the external ID of another user.
async fn a_row_with_another_users_external_id_lists_its_own_user(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let damaged = roster().people(["ada"]).row("bob", [(ExternalId, "ada")]);
    let imported = sync(&app, damaged).await;
    assert_eq!(imported.summary().rejected, 2, "{imported}");
    assert!(imported.deactivated().is_empty(), "{imported}");
}

/// A comma within a value moves all values after it into other columns.
async fn a_shifted_row_refuses_deactivation(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let shifted = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE\n\
        ada,ada@pd.example,B-ada,Ada,Lee,Active,ada,Officer\n\
        1,005,bob@pd.example,B-bob,Bob,Lee,Active,bob\n";
    let imported = sync(&app, shifted).await;
    let refusals = &imported.summary().refusals;
    assert_eq!(refusals.len(), 1, "{imported}");
    assert_eq!(refusals[0].code, "UNCERTAIN_ROWS", "{imported}");
}

async fn keys_that_differ_by_leading_zeros_list_their_user(database: Database) {
    let app = App::start(database).await;
    let station = roster()
        .people(["ada"])
        .row("0042", [])
        .row("bob", [(BadgeNumber, "007")]);
    app.import(station).await;
    let damaged = roster()
        .people(["ada"])
        .row("42", [])
        .row("robert", [(BadgeNumber, "7")]);
    let imported = preview(&app, damaged).await;
    assert!(imported.deactivated().is_empty(), "{imported}");
    let padded = roster()
        .people(["ada"])
        .row("000042", [])
        .row("robert", [(BadgeNumber, "0007")]);
    let imported = preview(&app, padded).await;
    assert!(imported.deactivated().is_empty(), "{imported}");
}

async fn an_invalid_row_lists_its_user(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy", "dan"]).await;
    let invalid = roster()
        .row("ada", [(Role, "Wizard"), (Email, "nowhere")])
        .row("bob", [(BadgeNumber, ""), (Username, "two words")])
        .row("x", [(Email, "cy@pd.example"), (Role, "")]);
    let imported = preview(&app, invalid).await;
    assert_eq!(imported.summary().rejected, 3, "{imported}");
    assert_eq!(imported.deactivated(), ["dan"], "{imported}");
}
