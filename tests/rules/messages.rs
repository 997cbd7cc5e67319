//! Every sentence about the input that an administrator may read (semantics §6), with the data that a program gets
//! beside it. A person who changes a sentence sees here how it reads among the others.

use std::fmt::Write;

use insta::assert_snapshot;
use user_import::{
    domain::Column::{
        self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
        Role, Status, SupervisorEmail, Username,
    },
    proto::Catalog,
};

use user_import_testing::{App, Database, ImportResponses, Roster, on_both_databases, roster};

on_both_databases![
    what_is_said_of_a_record,
    what_is_said_of_a_value,
    what_is_said_of_a_value_that_is_not_in_the_catalog,
    what_is_said_of_a_value_beside_other_users_and_rows,
    what_is_said_of_a_long_value_is_short,
];

/// `CODE | column | value | message | suggestion`, a line for each issue.
fn table(imported: &ImportResponses) -> String {
    let issues = imported.results.iter().flat_map(|result| &result.issues);
    let mut table = String::new();
    for issue in issues {
        let code = issue.code().as_str_name().trim_start_matches("ISSUE_CODE_");
        let told = [
            code,
            &issue.column,
            &issue.value,
            &issue.message,
            &issue.suggestion,
        ];
        writeln!(table, "{}", told.join(" | ").trim_end_matches([' ', '|'])).expect("text grows");
    }
    table
}

/// Returns the messages about these values. Each value is in a row of its own without another fault.
async fn messages(app: &App, values: &[(Column, &str)]) -> String {
    let rows = values.iter().zip(1..);
    let people = rows.fold(roster(), |roster, (&value, row)| {
        roster.row(&format!("r{row}"), [value])
    });
    let imported = app.import(people.clone()).await;
    let typed = app.import_rows(people.typed()).await;
    assert_eq!(
        table(&typed),
        table(&imported),
        "typed rows are told the same"
    );
    table(&imported)
}

async fn what_is_said_of_a_record(database: Database) {
    let app = App::start(database).await;
    let header = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,PHONE";
    let csv = format!(
        "{header}\n\
         few@pd.example,B-few,Few,Example,Active,few\n\
         many@pd.example,B-many,\"Many\",Example, Jr.,Active,many,Officer,\n\
         bytes@pd.example,B-bytes,~,Example,Active,bytes,Officer,\n\
         cut@pd.example,B-cut,Cut,Example,Active,cut,Officer"
    );
    let csv: Vec<u8> = csv
        .bytes()
        .map(|b| if b == b'~' { 0xE9 } else { b })
        .collect();
    assert_snapshot!(table(&app.reject(csv).await), @r#"
    FIELD_COUNT |  |  | The row has 6 fields, but the header has 8; add what is missing.
    FIELD_COUNT |  |  | The row has 9 fields, but the header has 8; put double quotes around a value that holds the delimiter, or remove the delimiters at the end of the line.
    INVALID_ENCODING | FIRST_NAME |  | FIRST_NAME holds the byte 0xE9, which is not valid UTF-8; save the file as UTF-8, or name the charset it has (such as windows-1252) in the charset option.
    FIELD_COUNT |  |  | The row has 7 fields, but the header has 8; add what is missing.
    "#);
}

async fn what_is_said_of_a_value(database: Database) {
    let app = App::start(database).await;
    let over = "x".repeat(4_097);
    let table = messages(
        &app,
        &[
            (FirstName, ""),
            (LastName, "\u{202E}nosliW"),
            (FirstName, &over),
            (ExternalId, "1.4155E+10"),
            (BadgeNumber, "4,2E+05"),
            (Email, "ada at pd.example"),
            (Email, "ada@localhost"),
            (Email, "casey.sample@template.example"),
            (Status, "Actve"),
            (Status, "on leave"),
            (Username, "ada lovelace"),
            (Phone, "n/a"),
            (Phone, "020 7946 0018"),
            (Phone, "+1 202 555"),
            (Phone, "+1 202 555 0143 ext. 5"),
            (Phone, "1.202555E+10"),
            (Phone, "+1 555 555 0143"),
        ],
    )
    .await;
    assert_snapshot!(table, @r#"
    REQUIRED | FIRST_NAME |  | FIRST_NAME is blank; fill it in.
    INVALID_CHARACTER | LAST_NAME | �nosliW | LAST_NAME "�nosliW" holds the invisible character U+202E; remove it.
    TOO_LONG | FIRST_NAME | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… | FIRST_NAME "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" has 4097 bytes, and no field may have more than 4096; shorten it.
    SCIENTIFIC_NOTATION | EXTERNAL_ID | 1.4155E+10 | EXTERNAL_ID "1.4155E+10" is in scientific notation; format the column as text in the spreadsheet and enter the full number again.
    SCIENTIFIC_NOTATION | BADGE_NUMBER | 4,2E+05 | BADGE_NUMBER "4,2E+05" is in scientific notation; format the column as text in the spreadsheet and enter the full number again.
    INVALID_EMAIL | EMAIL | ada at pd.example | EMAIL "ada at pd.example" has more than an email address, or is mistyped; write ada@pd.example. | ada@pd.example
    INVALID_EMAIL | EMAIL | ada@localhost | EMAIL "ada@localhost" is not an email address; write it like name@example.com.
    TEMPLATE_EXAMPLE | EMAIL | casey.sample@template.example | EMAIL "casey.sample@template.example" is an example from the import template; delete this row.
    INVALID_STATUS | STATUS | Actve | STATUS "Actve" is neither Active nor Inactive; did you mean "Active"? | Active
    INVALID_STATUS | STATUS | on leave | STATUS "on leave" is neither Active nor Inactive; write one of the two.
    INVALID_USERNAME | USERNAME | ada lovelace | USERNAME "ada lovelace" contains white space; take it out, or write a dot in its place.
    INVALID_PHONE | PHONE | n/a | PHONE "n/a" is not a phone number; leave the cell blank, which clears the phone number.
    INVALID_PHONE | PHONE | 020 7946 0018 | PHONE "020 7946 0018" begins with no known country code; write it with one, such as +1 202 555 0143.
    INVALID_PHONE | PHONE | +1 202 555 | PHONE "+1 202 555" has too few or too many digits for its country code; check both.
    INVALID_PHONE | PHONE | +1 202 555 0143 ext. 5 | PHONE "+1 202 555 0143 ext. 5" has an extension; leave the extension out.
    SCIENTIFIC_NOTATION | PHONE | 1.202555E+10 | PHONE "1.202555E+10" is in scientific notation; format the column as text in the spreadsheet and enter the full number again.
    INVALID_PHONE | PHONE | +1 555 555 0143 | PHONE "+1 555 555 0143" was read as +15555550143, which is not a number in use; check its country code and digits.
    "#);
}

async fn what_is_said_of_a_value_that_is_not_in_the_catalog(database: Database) {
    let app = App::start(database).await;
    let values = [
        (Role, "Offcier"),
        (Role, "Detective"),
        (Rank, "Captian"),
        (Rank, "Chief"),
        (EvidenceGroupExtId, "G1"),
        (EvidenceGroupExtId, "NORTH"),
        (EvidenceGroupExtId, "G-22"),
        (EvidenceGroupExtId, "G-2"),
    ];
    assert_snapshot!(messages(&app, &values).await, @r#"
    UNKNOWN_ROLE | ROLE | Offcier | ROLE "Offcier" is not a role of this organisation; did you mean "Officer"? | Officer
    UNKNOWN_ROLE | ROLE | Detective | ROLE "Detective" is not a role of this organisation; use one of "Administrator", "Officer", "Sergeant".
    UNKNOWN_RANK | RANK | Captian | RANK "Captian" is not a rank of this organisation; did you mean "Captain"? | Captain
    UNKNOWN_RANK | RANK | Chief | RANK "Chief" is not a rank of this organisation; use one of "Captain", "Lieutenant".
    UNKNOWN_GROUP | EVIDENCE_GROUP_EXT_ID | G1 | EVIDENCE_GROUP_EXT_ID "G1" is not a group of this organisation; did you mean "G-1"? | G-1
    UNKNOWN_GROUP | EVIDENCE_GROUP_EXT_ID | NORTH | EVIDENCE_GROUP_EXT_ID "NORTH" is not a group of this organisation; use "G-1".
    UNKNOWN_GROUP | EVIDENCE_GROUP_EXT_ID | G-22 | EVIDENCE_GROUP_EXT_ID "G-22" is not a group of this organisation; did you mean "G-1"? | G-1
    INACTIVE_GROUP | EVIDENCE_GROUP_EXT_ID | G-2 | EVIDENCE_GROUP_EXT_ID "G-2" is inactive; give an active group.
    "#);
    app.catalog(
        "pd",
        Catalog {
            roles: user_import_testing::catalog().roles,
            ..Catalog::default()
        },
    )
    .await;
    assert_snapshot!(messages(&app, &values[2..5]).await, @r#"
    UNKNOWN_RANK | RANK | Captian | RANK "Captian" is not a rank of this organisation; add the rank to the catalog first.
    UNKNOWN_RANK | RANK | Chief | RANK "Chief" is not a rank of this organisation; add the rank to the catalog first.
    UNKNOWN_GROUP | EVIDENCE_GROUP_EXT_ID | G1 | EVIDENCE_GROUP_EXT_ID "G1" is not a group of this organisation; add the group to the catalog first.
    "#);
}

async fn what_is_said_of_a_value_beside_other_users_and_rows(database: Database) {
    let app = App::start(database).await;
    let zeros = [(ExternalId, "0042"), (BadgeNumber, "007")];
    let present = roster().people(["ada", "pat"]).row("zed", zeros);
    app.import(present.row("out", [(Status, "Inactive")])).await;
    app.protect("pat").await;
    assert_snapshot!(table(&app.import(beside_others()).await), @r#"
    PROTECTED_USER | STATUS | Inactive | STATUS "Inactive" would deactivate user "pat", who is protected; keep the user Active, or end the protection first.
    EMAIL_TAKEN | EMAIL | ADA@pd.example | EMAIL "ADA@pd.example" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    BADGE_NUMBER_TAKEN | BADGE_NUMBER | B-ada | BADGE_NUMBER "B-ada" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    USERNAME_TAKEN | USERNAME | Ada | USERNAME "Ada" already belongs to user "ada", as other values of this row do. If the row is about this user, write "ada" in EXTERNAL_ID; to give users new external IDs, import with match_by.
    LEADING_ZEROS_LOST | EXTERNAL_ID | 42 | EXTERNAL_ID "42" equals the existing "0042" except for leading zeros; if a spreadsheet changed them, format the column as text. | 0042
    LEADING_ZEROS_LOST | BADGE_NUMBER | 07 | BADGE_NUMBER "07" equals the existing "007" except for leading zeros; if a spreadsheet changed them, format the column as text. | 007
    SUPERVISOR_NOT_FOUND | SUPERVISOR_EMAIL | aad@pd.example | SUPERVISOR_EMAIL "aad@pd.example" matches no user; did you mean "ada@pd.example"? | ada@pd.example
    SUPERVISOR_NOT_FOUND | SUPERVISOR_EMAIL | chief@elsewhere.example | SUPERVISOR_EMAIL "chief@elsewhere.example" matches no user; correct it, or add that user to the file.
    SUPERVISOR_IS_SELF | SUPERVISOR_EMAIL | Self@pd.example | SUPERVISOR_EMAIL "Self@pd.example" is the row's own user, and is read as no supervisor; leave it blank if the user has none.
    SUPERVISOR_CYCLE | SUPERVISOR_EMAIL | two@pd.example | SUPERVISOR_EMAIL "two@pd.example" closes a circle: one@pd.example → two@pd.example → one@pd.example. Give another supervisor.
    SUPERVISOR_NOT_FOUND | SUPERVISOR_EMAIL | two@pd.example | SUPERVISOR_EMAIL "two@pd.example" matches no user, because row 8 was rejected.
    SUPERVISOR_CYCLE | SUPERVISOR_EMAIL | one@pd.example | SUPERVISOR_EMAIL "one@pd.example" closes a circle: two@pd.example → one@pd.example → two@pd.example. Give another supervisor.
    SUPERVISOR_NOT_FOUND | SUPERVISOR_EMAIL | one@pd.example | SUPERVISOR_EMAIL "one@pd.example" matches no user, because row 7 was rejected.
    SUPERVISOR_INACTIVE | SUPERVISOR_EMAIL | out@pd.example | SUPERVISOR_EMAIL "out@pd.example" is inactive after this import; check who supervises this user.
    INVALID_STATUS | STATUS | ? | STATUS "?" is neither Active nor Inactive; write one of the two. 1 other row waits for this one.
    SUPERVISOR_NOT_FOUND | SUPERVISOR_EMAIL | bad@pd.example | SUPERVISOR_EMAIL "bad@pd.example" matches no user, because row 10 was rejected.
    DEPENDS_ON_REJECTED_ROW | SUPERVISOR_EMAIL | bad@pd.example | Row 10, whose user would have had the email "bad@pd.example", was rejected; correct row 10 first.
    DUPLICATE_IN_FILE | EXTERNAL_ID | good | EXTERNAL_ID "good" is in row 13 too, with other values; keep the row that is right, and delete the other.
    DUPLICATE_IN_FILE | EMAIL | good@pd.example | EMAIL "good@pd.example" is in row 14 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another email.
    DUPLICATE_IN_FILE | BADGE_NUMBER | B-good | BADGE_NUMBER "B-good" is in row 14 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another badge number.
    DUPLICATE_IN_FILE | USERNAME | good | USERNAME "good" is in row 14 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username.
    DUPLICATE_IN_FILE | EXTERNAL_ID | good | EXTERNAL_ID "good" is in row 12 too, with other values; keep the row that is right, and delete the other.
    DUPLICATE_IN_FILE | EMAIL | GOOD@pd.example | EMAIL "GOOD@pd.example" is in row 12 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another email.
    DUPLICATE_IN_FILE | BADGE_NUMBER | B-good | BADGE_NUMBER "B-good" is in row 12 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another badge number.
    DUPLICATE_IN_FILE | USERNAME | good | USERNAME "good" is in row 12 too; if both rows are about one person, keep the row that is right, and delete the other; otherwise give one of them another username.
    "#);
}

/// Rows whose own values are valid, but which conflict with the users or with each other.
fn beside_others() -> Roster {
    roster()
        .row("pat", [(Status, "Inactive")])
        .row(
            "new",
            [
                (Email, "ADA@pd.example"),
                (BadgeNumber, "B-ada"),
                (Username, "Ada"),
            ],
        )
        .row("zero", [(ExternalId, "42"), (BadgeNumber, "07")])
        .row("lost", [(SupervisorEmail, "aad@pd.example")])
        .row("alone", [(SupervisorEmail, "chief@elsewhere.example")])
        .row("self", [(SupervisorEmail, "Self@pd.example")])
        .row("one", [(SupervisorEmail, "two@pd.example")])
        .row("two", [(SupervisorEmail, "one@pd.example")])
        .row("under", [(SupervisorEmail, "out@pd.example")])
        .row("bad", [(Status, "?")])
        .row("report", [(SupervisorEmail, "bad@pd.example")])
        .row("good", [])
        .row(
            "good",
            [(Email, "2@pd.example"), (BadgeNumber, "2"), (Username, "2")],
        )
        .row(
            "like",
            [
                (Email, "GOOD@pd.example"),
                (BadgeNumber, "B-good"),
                (Username, "good"),
            ],
        )
}

async fn what_is_said_of_a_long_value_is_short(database: Database) {
    let app = App::start(database).await;
    let long = "é".repeat(300);
    let values = Column::ALL
        .into_iter()
        .filter(|&column| column != Column::Location);
    let values: Vec<_> = values.map(|column| (column, &*long)).collect();
    let table = messages(&app, &values).await;
    for line in table.lines() {
        assert!(line.chars().count() < 560, "{line}");
    }
    let first = table.lines().next().unwrap_or_default();
    assert_snapshot!(first, @r#"TOO_LONG | EXTERNAL_ID | éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé… | EXTERNAL_ID "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…" has 300 characters; shorten it to at most 255."#);
}
