//! `match_by` (semantics §4): rosters without external IDs, and the day on which all external IDs change.

use insta::assert_snapshot;
use tonic::Code;
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, ExternalId, FirstName, LastName, Role, Status, SupervisorEmail,
        Username,
    },
    proto::{ImportStart, MatchBy},
};

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, on_both_databases, roster, start_of,
};

on_both_databases![
    each_of_three_keys_finds_the_user,
    new_external_ids_become_the_users,
    a_user_whom_a_row_matches_by_external_id_is_nobody_elses,
    several_rows_for_one_user_are_duplicates,
    users_found_by_another_key_are_listed,
    keys_and_external_ids_move_in_one_import,
    protection_and_permissions_hold_as_for_any_update,
    it_is_bound_to_the_import_id_and_a_value_that_it_does_not_have_is_refused,
];

fn by(match_by: MatchBy) -> ImportStart {
    ImportStart {
        match_by: match_by.into(),
        include_values: true,
        ..start_of("pd")
    }
}

fn changed(imported: &ImportResponses, row: u32) -> Vec<String> {
    let changes = imported.row(row).changes.iter();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    changes
        .map(|c| format!("{}: {} -> {}", c.column, text(&c.before), text(&c.after)))
        .collect()
}

async fn each_of_three_keys_finds_the_user(database: Database) {
    for (match_by, key, value) in [
        (MatchBy::Email, Email, "ADA@pd.example"),
        (MatchBy::BadgeNumber, BadgeNumber, "B-ada"),
        (MatchBy::Username, Username, "Ada"),
    ] {
        let app = App::start(database).await;
        app.people(["ada", "bob"]).await;
        // Another key differs, so that only the right key finds the user.
        let (other, changed_to) = match key {
            Email => (BadgeNumber, "B-7"),
            _ => (Email, "ada7@pd.example"),
        };
        let values = [(ExternalId, ""), (key, value), (other, changed_to)];
        let rows = roster().row("ada", values).row("new", [(ExternalId, "")]);
        let typed = app.preview(by(match_by), &rows).await;
        let imported = app.import_with(by(match_by), rows).await;
        for imported in [&typed, &imported] {
            let summary = imported.summary();
            assert_eq!((summary.updated, summary.created), (1, 1), "{imported}");
            assert_eq!(imported.row(1).external_id, "ada");
        }
        let ada = app.user("ada").await;
        let found = match other {
            BadgeNumber => ada.badge_number,
            _ => ada.email,
        };
        assert_eq!(found, changed_to);
        assert_eq!(app.users().await.len(), 3);
    }
}

async fn new_external_ids_become_the_users(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let ids: Vec<_> = app.users().await.into_iter().map(|user| user.id).collect();
    let renumbered = roster()
        .row("ada", [(ExternalId, "WD0")])
        .row("bob", [(ExternalId, "WD1"), (LastName, "Quill")])
        .row(
            "cy",
            [(ExternalId, "WD2"), (SupervisorEmail, "ada@pd.example")],
        );
    let imported = app.import_with(by(MatchBy::Email), &renumbered).await;
    assert_snapshot!(imported, @r"
    1 UPDATED WD0: EXTERNAL_ID
    2 UPDATED WD1: EXTERNAL_ID, LAST_NAME
    3 UPDATED WD2: EXTERNAL_ID, SUPERVISOR_EMAIL
    COMPLETED: 3 rows, 3 updated
    ");
    assert_eq!(changed(&imported, 1), ["EXTERNAL_ID: ada -> WD0"]);
    assert_eq!(
        changed(&imported, 2),
        ["EXTERNAL_ID: bob -> WD1", "LAST_NAME: Example -> Quill"]
    );
    let users = app.users().await;
    let now: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
    assert_eq!(now, ids);
    let numbers: Vec<_> = users.iter().map(|user| &*user.external_id).collect();
    assert_eq!(numbers, ["WD0", "WD1", "WD2"]);
    // From now on the external IDs find the users.
    assert_eq!(app.import(&renumbered).await.summary().unchanged, 3);
    let again = app.import_with(by(MatchBy::Email), &renumbered).await;
    assert_eq!(again.summary().unchanged, 3, "{again}");
}

async fn a_user_whom_a_row_matches_by_external_id_is_nobody_elses(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    // The new row has ada's email, and row 2 is about ada. If ada gives the email up, the new row creates a user.
    // Otherwise it is rejected.
    for (freed, outcome) in [
        ("ada@pd.example", "REJECTED"),
        ("ada2@pd.example", "CREATED"),
    ] {
        let rows = roster()
            .row("new", [(ExternalId, "N1"), (Email, "ada@pd.example")])
            .row("ada", [(Email, freed)])
            .row("bob", [(Status, "unknown")]);
        let imported = app.import_with(by(MatchBy::Email), rows).await;
        let told = imported.row(1).outcome().as_str_name();
        assert!(told.ends_with(outcome), "{imported}");
    }
}

async fn several_rows_for_one_user_are_duplicates(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let rows = roster()
        .row("ada", [(ExternalId, ""), (LastName, "One")])
        .row("ada", [(ExternalId, ""), (LastName, "Two")])
        .row("bob", [(ExternalId, ""), (LastName, "Same")])
        .row("bob", [(ExternalId, ""), (LastName, "Same")]);
    let imported = app.import_with(by(MatchBy::Email), rows).await;
    assert_snapshot!(imported, @r"
    1 REJECTED ada [DUPLICATE_IN_FILE row 2]
    2 REJECTED ada [DUPLICATE_IN_FILE row 1]
    3 UPDATED bob: LAST_NAME
    4 UNCHANGED bob [warning: DUPLICATE_IN_FILE row 3]
    COMPLETED: 4 rows, 1 updated, 1 unchanged, 2 rejected
    ");
    assert_snapshot!(imported.messages(1)[0], @"Row 2 is about the same user and has other values; keep the row that is right, and delete the other.");
    let different_ids = roster()
        .row("ada", [(ExternalId, "A1")])
        .row("ada", [(ExternalId, "A2")])
        .row(
            "bob",
            [
                (ExternalId, "A1"),
                (Email, "new@pd.example"),
                (LastName, "Same"),
            ],
        );
    let imported = app.import_with(by(MatchBy::Username), different_ids).await;
    assert_snapshot!(imported, @r"
    1 REJECTED ada [DUPLICATE_IN_FILE row 2]
    2 REJECTED ada [DUPLICATE_IN_FILE row 1]
    3 REJECTED bob [DUPLICATE_IN_FILE row 1]
    COMPLETED: 3 rows, 3 rejected
    ");
}

async fn users_found_by_another_key_are_listed(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let start = deactivating_missing(by(MatchBy::BadgeNumber));
    let rows = roster()
        .row(
            "ada",
            [
                (ExternalId, "W1"),
                (Email, "a1@pd.example"),
                (Username, "a1"),
            ],
        )
        .row("bob", [(ExternalId, ""), (Role, "Oficer")]);
    let imported = app.import_with(start, rows).await;
    assert_snapshot!(imported, @r"
    1 UPDATED W1: EXTERNAL_ID, EMAIL, USERNAME
    2 REJECTED bob [UNKNOWN_ROLE]
    deactivated: cy
    COMPLETED: 2 rows, 1 updated, 1 rejected, 1 deactivated
    ");
}

async fn keys_and_external_ids_move_in_one_import(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let rows = roster()
        .row(
            "ada",
            [
                (ExternalId, "W1"),
                (Username, "bob"),
                (BadgeNumber, "B-bob"),
            ],
        )
        .row(
            "bob",
            [(ExternalId, "W2"), (Username, "cy"), (BadgeNumber, "B-ada")],
        )
        .row("cy", [(ExternalId, "W3"), (Username, "ada")])
        .row(
            "new",
            [(ExternalId, "ada2"), (SupervisorEmail, "cy@pd.example")],
        );
    let imported = app.import_with(by(MatchBy::Email), rows).await;
    assert_eq!(imported.summary().updated, 3, "{imported}");
    let users = app.users().await;
    let told = users.iter().map(|user| {
        let values = [
            &user.external_id,
            &user.email,
            &user.badge_number,
            &user.username,
        ];
        values.map(String::as_str).join(" ")
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    W1 ada@pd.example B-bob bob
    W2 bob@pd.example B-ada cy
    W3 cy@pd.example B-cy ada
    ada2 new@pd.example B-new new
    ");
}

async fn protection_and_permissions_hold_as_for_any_update(database: Database) {
    let app = App::start(database).await;
    app.people(["ada"]).await;
    app.protect("ada").await;
    let rows = roster().row("ada", [(ExternalId, "W1"), (Status, "Inactive")]);
    let imported = app.import_with(by(MatchBy::Username), rows).await;
    assert_snapshot!(imported, @r"
    1 REJECTED ada [PROTECTED_USER user ada]
    COMPLETED: 1 rows, 1 rejected
    ");
    // If the row seems to be about another person than the user, there is a warning, as for an external ID.
    let replaced = roster().row(
        "new",
        [
            (ExternalId, "W1"),
            (Email, "ada@pd.example"),
            (FirstName, "New"),
            (LastName, "Person"),
        ],
    );
    let imported = app.import_with(by(MatchBy::Email), replaced).await;
    assert_eq!(imported.summary().identity_changes, 1, "{imported}");
}

async fn it_is_bound_to_the_import_id_and_a_value_that_it_does_not_have_is_refused(
    database: Database,
) {
    let app = App::start(database).await;
    let start = |match_by: i32| ImportStart {
        import_id: "0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a11".to_owned(),
        match_by,
        ..start_of("pd")
    };
    let rows = roster().row("ada", [(Column::Phone, "")]);
    assert_eq!(app.import_with(start(1), &rows).await.code(), Code::Ok);
    assert_eq!(app.import_with(start(1), &rows).await.code(), Code::Ok);
    assert_eq!(
        app.import_with(start(0), &rows).await.code(),
        Code::AlreadyExists
    );
    let refused = app.import_with(start(9), &rows).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert_snapshot!(refused.status.message(), @"match_by has no value 9.");
}
