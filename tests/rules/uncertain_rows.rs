//! If the user of a row cannot be identified, no user is deactivated (semantics §7).

use insta::assert_snapshot;
use tonic::Code;
use user_import::domain::Column::{self, BadgeNumber, Email, ExternalId, Role, Username};

use user_import_testing::{
    App, Database, ImportResponses, Roster, deactivating_missing, dry_run, on_both_databases,
    roster, start_of,
};

on_both_databases![
    a_record_with_a_wrong_number_of_fields_refuses,
    a_row_of_which_nobody_can_tell_whom_it_lists_refuses,
    a_new_hire_with_one_mistyped_key_does_not_stop_the_sync,
    uncertain_rows_harm_nobody_where_nobody_is_to_be_deactivated,
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

async fn a_record_with_a_wrong_number_of_fields_refuses(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let csv = roster().people(["ada"]).csv() + "bob,bob@pd.example,1\n";
    assert_snapshot!(sync(&app, csv).await, @r"
    1 UNCHANGED ada
    2 REJECTED  [FIELD_COUNT]
    deactivated: bob
    REFUSED: 2 rows, 1 unchanged, 1 rejected, 1 deactivated
    refused: UNCERTAIN_ROWS deactivate_missing
    FailedPrecondition: The users of these rows cannot be identified because of faults in the rows: 2. A user who is listed there would be deactivated. Correct the rows, or import without deactivate_missing.
    ");
    assert_eq!(
        app.user("bob").await.status().as_str_name(),
        "USER_STATUS_ACTIVE"
    );
}

/// Returns ada's row, and a row that matches no user and has faults in these keys.
fn faulty<'a>(differing: impl IntoIterator<Item = (Column, &'a str)>) -> Roster {
    roster().people(["ada"]).row("new", differing)
}

async fn a_row_of_which_nobody_can_tell_whom_it_lists_refuses(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for (reason, rows) in [
        ("EXTERNAL_ID", faulty([(ExternalId, "1.4155E+10")])),
        (
            "blank, and EMAIL",
            faulty([(ExternalId, ""), (Email, "nowhere")]),
        ),
        (
            "blank, and BADGE_NUMBER",
            faulty([(ExternalId, ""), (BadgeNumber, "")]),
        ),
        (
            "blank, and USERNAME",
            faulty([(ExternalId, ""), (Username, "a b")]),
        ),
        (
            "two of three",
            faulty([(Email, "nowhere"), (Username, "a b")]),
        ),
        ("two of three", faulty([(Email, ""), (BadgeNumber, "1E+5")])),
    ] {
        let imported = sync(&app, rows).await;
        assert_eq!(
            imported.code(),
            Code::FailedPrecondition,
            "{reason}:\n{imported}"
        );
        let refusals = &imported.summary().refusals;
        assert_eq!(refusals[0].code, "UNCERTAIN_ROWS", "{reason}:\n{imported}");
        assert_eq!(refusals.len(), 1, "{reason}:\n{imported}");
        assert_eq!(imported.deactivated(), ["bob"], "{reason}");
    }
}

async fn a_new_hire_with_one_mistyped_key_does_not_stop_the_sync(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    for (reason, rows, gone) in [
        ("one of three", faulty([(Email, "nowhere")]), vec!["bob"]),
        (
            "no key",
            faulty([(ExternalId, ""), (Role, "Wizard")]),
            vec!["bob"],
        ),
        (
            "EXTERNAL_ID, but a sound key tells",
            faulty([(ExternalId, "1E+5"), (Email, "bob@pd.example")]),
            vec![],
        ),
        (
            "two of three, but the third tells",
            faulty([(Email, ""), (BadgeNumber, ""), (Username, "BOB")]),
            vec![],
        ),
        (
            "taken values are sound",
            faulty([
                (ExternalId, ""),
                (Email, "ada@pd.example"),
                (Username, "ada"),
            ]),
            vec!["bob"],
        ),
    ] {
        let imported = preview(&app, rows).await;
        assert_eq!(imported.code(), Code::Ok, "{reason}:\n{imported}");
        assert_eq!(imported.deactivated(), gone, "{reason}:\n{imported}");
    }
}

async fn uncertain_rows_harm_nobody_where_nobody_is_to_be_deactivated(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let imported = app
        .import(faulty([(ExternalId, ""), (Email, "nowhere")]))
        .await;
    assert_eq!(imported.code(), Code::Ok, "{imported}");
}
