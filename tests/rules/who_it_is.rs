//! Messages that name the user that a row seems to be about (semantics §5): rehires, new external IDs, rosters without
//! external IDs; and the head of an organisation, who is listed as his own supervisor.

use std::fmt::Write as _;

use insta::assert_snapshot;
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, ExternalId, Role, Status, SupervisorEmail, Username,
    },
    proto::ImportStart,
};

use user_import_testing::{
    App, Database, ImportResponses, deactivating_missing, dry_run, on_both_databases, roster,
    start_of,
};

on_both_databases![
    the_issue_of_a_rehire_names_the_earlier_user,
    new_external_ids_for_everybody_reject_all_and_deactivate_nobody,
    the_issues_of_a_roster_without_external_ids_suggest_them,
    an_external_id_in_another_case_is_named,
    an_external_id_that_differs_by_case_alone_is_warned_of,
    one_taken_value_is_no_reason_to_be_somebody_else,
    the_head_who_is_his_own_supervisor_has_none,
    a_head_who_is_renamed_and_had_a_supervisor_has_none_afterwards,
    the_issue_of_a_head_who_names_himself_by_another_value_suggests_a_blank_cell,
];

/// Row, code and message of each issue.
fn said(imported: &ImportResponses) -> String {
    let mut said = String::new();
    for result in &imported.results {
        for issue in &result.issues {
            let code = issue.code().as_str_name().trim_start_matches("ISSUE_CODE_");
            writeln!(said, "{} {code} {}", result.row, issue.message).expect("text grows");
        }
    }
    said
}

async fn the_issue_of_a_rehire_names_the_earlier_user(database: Database) {
    let app = App::start(database).await;
    let before = roster().row("ada", [(Status, "Inactive")]).people(["bob"]);
    app.import(before).await;
    let rehired = roster()
        .row("ada", [(ExternalId, "E-2001")])
        .people(["bob"]);
    let imported = app.import(&rehired).await;
    assert_snapshot!(said(&imported), @r#"
    1 EMAIL_TAKEN EMAIL "ada@pd.example" already belongs to user "ada", who is inactive, as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    1 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-ada" already belongs to user "ada", who is inactive, as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    1 USERNAME_TAKEN USERNAME "ada" already belongs to user "ada", who is inactive, as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    "#);
    assert_eq!(imported.row(1).issues[0].related_external_id, "ada");
    assert_eq!(
        said(&app.import_rows(rehired.typed()).await),
        said(&imported)
    );
    // The row has one value of an inactive user, and the message names only that value.
    let one = roster().row("new", [(Username, "ADA")]);
    assert_snapshot!(said(&app.import(one).await), @r#"1 USERNAME_TAKEN USERNAME "ADA" already belongs to user "ada", who is inactive; give this row another username."#);
}

async fn new_external_ids_for_everybody_reject_all_and_deactivate_nobody(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cy"]).await;
    let before = app.users().await;
    let start = deactivating_missing(start_of("pd"));
    let renumbered = roster()
        .row("ada", [(ExternalId, "WD0")])
        .row("bob", [(ExternalId, "WD1"), (Email, "robert@pd.example")])
        .row(
            "cy",
            [(ExternalId, "WD2"), (BadgeNumber, "9"), (Role, "Sergeant")],
        );
    let imported = app.import_with(start, renumbered).await;
    assert_eq!(imported.summary().rejected, 3, "{imported}");
    assert_eq!(
        (app.users().await, imported.deactivations.len()),
        (before, 0)
    );
    assert_snapshot!(said(&imported), @r#"
    1 EMAIL_TAKEN EMAIL "ada@pd.example" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    1 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-ada" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    1 USERNAME_TAKEN USERNAME "ada" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    2 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-bob" already belongs to user "bob", as other values of this row do. If the row is about this user, write "bob" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    2 USERNAME_TAKEN USERNAME "bob" already belongs to user "bob", as other values of this row do. If the row is about this user, write "bob" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    3 EMAIL_TAKEN EMAIL "cy@pd.example" already belongs to user "cy", as other values of this row do. If the row is about this user, write "cy" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    3 USERNAME_TAKEN USERNAME "cy" already belongs to user "cy", as other values of this row do. If the row is about this user, write "cy" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    "#);
}

async fn the_issues_of_a_roster_without_external_ids_suggest_them(database: Database) {
    let app = App::start(database).await;
    let nameless = |last| roster().row("ada", [(ExternalId, ""), (Column::LastName, last)]);
    let first = app.import(nameless("Whitlock")).await;
    let id = &first.row(1).external_id;
    let again = app.import(nameless("Quill")).await;
    assert_snapshot!(said(&again).replace(id, "GENERATED"), @r#"
    1 EMAIL_TAKEN EMAIL "ada@pd.example" already belongs to user "GENERATED", as other values of this row do. If the row is about this user, write "GENERATED" in EXTERNAL_ID; to find users without EXTERNAL_ID, import with match_by.
    1 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-ada" already belongs to user "GENERATED", as other values of this row do. If the row is about this user, write "GENERATED" in EXTERNAL_ID; to find users without EXTERNAL_ID, import with match_by.
    1 USERNAME_TAKEN USERNAME "ada" already belongs to user "GENERATED", as other values of this row do. If the row is about this user, write "GENERATED" in EXTERNAL_ID; to find users without EXTERNAL_ID, import with match_by.
    "#);
    let typed = app.import_rows(nameless("Quill").typed()).await;
    assert_eq!(said(&typed), said(&again));
}

async fn an_external_id_in_another_case_is_named(database: Database) {
    let app = App::start(database).await;
    let before = roster().row("ada", [(ExternalId, "E-1001")]);
    app.import(before).await;
    let other = roster().row(
        "ada",
        [
            (ExternalId, "e-1001"),
            (Email, "new@pd.example"),
            (Username, "new"),
        ],
    );
    assert_snapshot!(said(&app.import(other).await), @r#"1 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-ada" already belongs to user "E-1001", whose EXTERNAL_ID differs from this row's "e-1001" only by case; write "E-1001" in EXTERNAL_ID."#);
}

async fn an_external_id_that_differs_by_case_alone_is_warned_of(database: Database) {
    let app = App::start(database).await;
    for (stored, given) in [
        ("E-12", "e-12"),
        ("abc9", "Abc9"),
        ("STRASSE-1", "stra\u{DF}e-1"),
    ] {
        app.import(roster().row("ada", [(ExternalId, stored)]))
            .await;
        let new = roster()
            .row("new", [(ExternalId, given)])
            .row("ada", [(ExternalId, stored)]);
        let imported = app.preview(start_of("pd"), &new).await;
        let told = format!(
            "EXTERNAL_ID \"{given}\" equals the existing \"{stored}\" except for case; if the row is about that user, \
             write \"{stored}\"."
        );
        assert_eq!(said(&imported), format!("1 EXPORT_ARTIFACT {told}\n"));
        let issue = &imported.row(1).issues[0];
        assert_eq!(
            (&*issue.suggestion, &*issue.related_external_id),
            (stored, stored)
        );
        assert_eq!(imported.summary().created, 1, "{imported}");
        app.tamper("DELETE FROM users").await;
    }
    // A row that is rejected for another reason also gets this message.
    app.import(roster().row("ada", [(ExternalId, "E-12")]).people(["bob"]))
        .await;
    let other = roster().row("new", [(ExternalId, "e-12"), (Email, "bob@pd.example")]);
    assert_snapshot!(said(&app.preview(start_of("pd"), &other).await), @r#"
    1 EMAIL_TAKEN EMAIL "bob@pd.example" already belongs to user "bob"; give this row another email.
    1 EXPORT_ARTIFACT EXTERNAL_ID "e-12" equals the existing "E-12" except for case; if the row is about that user, write "E-12".
    "#);
}

async fn one_taken_value_is_no_reason_to_be_somebody_else(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob"]).await;
    let rows = roster().row("new", [(Email, "ada@pd.example"), (BadgeNumber, "B-bob")]);
    assert_snapshot!(said(&app.import(rows).await), @r#"
    1 EMAIL_TAKEN EMAIL "ada@pd.example" already belongs to user "ada"; give this row another email.
    1 BADGE_NUMBER_TAKEN BADGE_NUMBER "B-bob" already belongs to user "bob"; give this row another badge number.
    "#);
}

async fn the_head_who_is_his_own_supervisor_has_none(database: Database) {
    let app = App::start(database).await;
    let rows = roster()
        .row("ada", [(SupervisorEmail, "Ada@pd.example")])
        .row("bob", [(SupervisorEmail, "ada@pd.example")])
        .row("cy", [(SupervisorEmail, "bob@pd.example")]);
    let typed = app
        .import_rows_with(dry_run(start_of("pd")), rows.typed())
        .await;
    let imported = app.import(&rows).await;
    assert_snapshot!(imported, @r"
    1 CREATED ada [warning: SUPERVISOR_IS_SELF]
    2 CREATED bob
    3 CREATED cy
    COMPLETED: 3 rows, 3 created
    ");
    assert_snapshot!(said(&imported), @r#"1 SUPERVISOR_IS_SELF SUPERVISOR_EMAIL "Ada@pd.example" is the row's own user, and is read as no supervisor; leave it blank if the user has none."#);
    assert_eq!(said(&typed), said(&imported));
    assert_eq!(app.user("ada").await.supervisor_email, "");
    assert_eq!(app.import(&rows).await.summary().unchanged, 3);
}

async fn a_head_who_is_renamed_and_had_a_supervisor_has_none_afterwards(database: Database) {
    let app = App::start(database).await;
    let before = roster()
        .row("ada", [(SupervisorEmail, "bob@pd.example")])
        .people(["bob"]);
    app.import(before).await;
    let start = ImportStart {
        include_values: true,
        ..start_of("pd")
    };
    let renamed = roster().row(
        "ada",
        [
            (Email, "chief@pd.example"),
            (SupervisorEmail, "CHIEF@pd.example"),
        ],
    );
    let imported = app.import_with(start, renamed).await;
    assert_snapshot!(imported, @r"
    1 UPDATED ada: EMAIL, SUPERVISOR_EMAIL [warning: SUPERVISOR_IS_SELF]
    COMPLETED: 1 rows, 1 updated
    ");
    let change = imported
        .row(1)
        .changes
        .iter()
        .find(|c| c.column == "SUPERVISOR_EMAIL");
    let change = change.map(|change| (change.before.as_deref(), change.after.as_deref()));
    assert_eq!(change, Some((Some("bob@pd.example"), None)));
    assert_eq!(app.user("ada").await.supervisor_email, "");
}

async fn the_issue_of_a_head_who_names_himself_by_another_value_suggests_a_blank_cell(
    database: Database,
) {
    let app = App::start(database).await;
    let chief = [
        (ExternalId, "E-1"),
        (BadgeNumber, "0042"),
        (Username, "dwhitlock"),
        (Column::FirstName, "Dana"),
        (Column::LastName, "Whitlock"),
    ];
    let department = |cell| {
        let own = chief.into_iter().chain([(SupervisorEmail, cell)]);
        roster()
            .row("chief", own)
            .row("bob", [(SupervisorEmail, "chief@pd.example")])
    };
    for is_known in [false, true] {
        if is_known {
            app.import(department("")).await;
        }
        for cell in [
            "0042",
            "DWhitlock",
            "e-1",
            "Dana Whitlock",
            "whitlock,  dana",
            "Whitlock Dana",
            "mailto:chief@pd.example",
            "Dana Whitlock <chief@pd.example>",
        ] {
            let imported = app.preview(start_of("pd"), &department(cell)).await;
            let head = &imported.row(1).issues[0];
            assert_eq!(
                head.code().as_str_name(),
                "ISSUE_CODE_SUPERVISOR_NOT_FOUND",
                "{cell}"
            );
            assert!(
                head.message.contains("leave the cell blank"),
                "{}",
                head.message
            );
            assert_eq!(head.suggestion, "");
            // The rows of people below a head who is a user stand. For a new head, the message gives the head as the
            // reason.
            let rejected = if is_known { 1 } else { 2 };
            assert_eq!(imported.summary().rejected, rejected, "{cell}\n{imported}");
        }
    }
    assert_snapshot!(said(&app.import(department("0042")).await), @r#"1 SUPERVISOR_NOT_FOUND SUPERVISOR_EMAIL "0042" matches no user, and seems to name the row's own user; leave the cell blank if the user has no supervisor."#);
    // Another person with the same name may be meant.
    let namesake = department("Dana Whitlock").row(
        "dana",
        [(Column::FirstName, "Dana"), (Column::LastName, "Whitlock")],
    );
    let imported = app.import(namesake).await;
    assert_eq!(
        imported.row(1).issues[0].suggestion,
        "dana@pd.example",
        "{imported}"
    );
}
