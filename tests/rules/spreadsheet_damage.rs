//! Damage that a spreadsheet does to a roster (semantics §2, Spreadsheet damage). Messages name it.

use insta::assert_snapshot;
use user_import::{
    domain::Column::{self, BadgeNumber, Email, ExternalId, LastName, Phone, Username},
    proto::{IssueCode, IssueSeverity},
};

use user_import_testing::{App, Database, on_both_databases, roster, start_of};

on_both_databases![
    a_rounded_number_is_named_in_the_columns_that_hold_numbers,
    what_only_looks_like_a_rounded_number_stands,
    lost_leading_zeros_are_warned_of_and_the_existing_value_suggested,
    zeros_that_were_added_are_warned_of_too,
    a_value_with_its_own_zeros_is_not_warned_of,
    rows_of_one_file_that_differ_by_zeros_alone_are_warned_of,
    a_user_is_named_before_a_row_that_differs_by_zeros_alone,
];

async fn a_rounded_number_is_named_in_the_columns_that_hold_numbers(database: Database) {
    let app = App::start(database).await;
    for column in [ExternalId, BadgeNumber, Phone] {
        for rounded in ["1.4155E+10", "4,9e-3", "-1E+05", "1.202555E+10 "] {
            let people = roster().row("ada", [(column, rounded)]);
            let imported = app.reject(&people).await;
            let told = imported.messages(1);
            assert_eq!(told.len(), 1, "{imported}");
            assert!(told[0].contains("is in scientific notation"), "{}", told[0]);
            assert_eq!(app.import_rows(people.typed()).await.messages(1), told);
        }
    }
    let people = roster().row("ada", [(BadgeNumber, "1.4155E+10")]);
    assert_snapshot!(app.reject(people).await.messages(1)[0], @r#"BADGE_NUMBER "1.4155E+10" is in scientific notation; format the column as text in the spreadsheet and enter the full number again."#);
}

async fn what_only_looks_like_a_rounded_number_stands(database: Database) {
    let app = App::start(database).await;
    for (column, value) in [
        (BadgeNumber, "4E12"),
        (ExternalId, "1E-A"),
        (BadgeNumber, "E+10"),
        (ExternalId, "12E+"),
        (LastName, "1.5E+3"),
        (Username, "1E+3"),
    ] {
        let imported = app.import(roster().row("ada", [(column, value)])).await;
        assert_eq!(imported.summary().rejected, 0, "{value}:\n{imported}");
        app.tamper("DELETE FROM users").await;
    }
}

async fn lost_leading_zeros_are_warned_of_and_the_existing_value_suggested(database: Database) {
    let app = app_with_zeros(database).await;
    let lost = roster().row("bob", [(ExternalId, "42"), (BadgeNumber, "7")]);
    let imported = app.import(lost).await;
    assert_snapshot!(imported, @r"
    1 CREATED 42 [warning: LEADING_ZEROS_LOST user 0042, warning: LEADING_ZEROS_LOST user 0042]
    COMPLETED: 1 rows, 1 created
    ");
    assert_snapshot!(imported.messages(1).join("\n"), @r#"
    EXTERNAL_ID "42" equals the existing "0042" except for leading zeros; if a spreadsheet changed them, format the column as text.
    BADGE_NUMBER "7" equals the existing "007" except for leading zeros; if a spreadsheet changed them, format the column as text.
    "#);
    let suggested: Vec<_> = imported
        .row(1)
        .issues
        .iter()
        .map(|i| &*i.suggestion)
        .collect();
    assert_eq!(suggested, ["0042", "007"]);
}

async fn zeros_that_were_added_are_warned_of_too(database: Database) {
    let app = app_with_zeros(database).await;
    let own = roster().row("ada", [(ExternalId, "0042"), (BadgeNumber, "00007")]);
    assert_snapshot!(app.import(own).await, @r"
    1 UPDATED 0042: BADGE_NUMBER [warning: LEADING_ZEROS_LOST user 0042]
    COMPLETED: 1 rows, 1 updated
    ");
}

async fn a_value_with_its_own_zeros_is_not_warned_of(database: Database) {
    let app = app_with_zeros(database).await;
    let same: [(Column, &str); 2] = [(ExternalId, "0042"), (BadgeNumber, "007")];
    assert_snapshot!(app.import(roster().row("ada", same)).await, @r"
    1 UNCHANGED 0042
    COMPLETED: 1 rows, 1 unchanged
    ");
}

async fn rows_of_one_file_that_differ_by_zeros_alone_are_warned_of(database: Database) {
    let app = App::start(database).await;
    for (padded, short) in [("0421", "421"), ("007", "07"), ("00A9", "A9")] {
        for (first, second) in [(padded, short), (short, padded)] {
            for column in [ExternalId, BadgeNumber] {
                let people = roster()
                    .row("ada", [(column, first)])
                    .row("bob", [(column, second)]);
                let imported = app.preview(start_of("pd"), &people).await;
                let told = [1, 2].map(|row| &imported.row(row).issues[..]);
                let [[one], [other]] = told else {
                    panic!("{imported}");
                };
                assert_eq!((one.related_row, other.related_row), (2, 1));
                assert_eq!(one.code(), IssueCode::LeadingZerosLost);
                assert_eq!(one.severity(), IssueSeverity::Warning);
                // Zeros are only ever lost, so the longer value is suggested for the shorter one.
                let suggested =
                    [first, second].map(|value| if value == short { padded } else { "" });
                assert_eq!([&*one.suggestion, &*other.suggestion], suggested);
                assert_eq!(imported.summary().created, 2, "{imported}");
            }
        }
    }
    let people = roster()
        .row("ada", [(ExternalId, "0421"), (BadgeNumber, "7")])
        .row("bob", [(ExternalId, "421"), (BadgeNumber, "007")])
        .row("cy", [(ExternalId, "00421"), (Email, "nowhere")]);
    let imported = app.import(people).await;
    assert_snapshot!(imported, @"
    1 CREATED 0421 [warning: LEADING_ZEROS_LOST row 2, warning: LEADING_ZEROS_LOST row 2]
    2 CREATED 421 [warning: LEADING_ZEROS_LOST row 1, warning: LEADING_ZEROS_LOST row 1]
    3 REJECTED 00421 [INVALID_EMAIL, warning: LEADING_ZEROS_LOST row 1]
    COMPLETED: 3 rows, 2 created, 1 rejected
    ");
    assert_snapshot!([1, 2, 3].map(|row| imported.messages(row).join("\n")).join("\n"), @r#"
    EXTERNAL_ID "0421" equals "421" of row 2 except for leading zeros; if a spreadsheet changed one of them, format the column as text.
    BADGE_NUMBER "7" equals "007" of row 2 except for leading zeros; if a spreadsheet changed one of them, format the column as text.
    EXTERNAL_ID "421" equals "0421" of row 1 except for leading zeros; if a spreadsheet changed one of them, format the column as text.
    BADGE_NUMBER "007" equals "7" of row 1 except for leading zeros; if a spreadsheet changed one of them, format the column as text.
    EMAIL "nowhere" is not an email address; write it like name@example.com.
    EXTERNAL_ID "00421" equals "0421" of row 1 except for leading zeros; if a spreadsheet changed one of them, format the column as text.
    "#);
    // A stored value stands, and there is no message.
    let again = roster()
        .row("ada", [(ExternalId, "0421"), (BadgeNumber, "7")])
        .row("bob", [(ExternalId, "421"), (BadgeNumber, "007")]);
    assert_snapshot!(app.import(again).await, @"
    1 UNCHANGED 0421
    2 UNCHANGED 421
    COMPLETED: 2 rows, 2 unchanged
    ");
}

async fn a_user_is_named_before_a_row_that_differs_by_zeros_alone(database: Database) {
    let app = app_with_zeros(database).await;
    let people = roster()
        .row("bob", [(BadgeNumber, "7")])
        .row("cy", [(BadgeNumber, "07")])
        .row("ada", [(ExternalId, "0042"), (BadgeNumber, "007")]);
    assert_snapshot!(app.preview(start_of("pd"), &people).await, @"
    1 CREATED bob [warning: LEADING_ZEROS_LOST user 0042]
    2 CREATED cy [warning: LEADING_ZEROS_LOST user 0042]
    3 UNCHANGED 0042
    COMPLETED: 3 rows, 2 created, 1 unchanged
    ");
}

/// A server with one user, whose external ID is 0042 and whose badge number is 007.
async fn app_with_zeros(database: Database) -> App {
    let app = App::start(database).await;
    let people = roster().row("ada", [(ExternalId, "0042"), (BadgeNumber, "007")]);
    assert_eq!(app.import(people).await.summary().created, 1);
    app
}
