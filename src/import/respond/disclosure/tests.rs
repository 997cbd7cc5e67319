use rstest::rstest;

use super::*;
use crate::{
    plan::OTHER_MARKS,
    proto::{ColumnChange, Issue, IssueCode as Code},
};

/// Returns an issue as a reader of users receives it, with a secret in every place that could hold one.
fn issue(code: Code, column: &str, related_row: u32) -> Issue {
    Issue {
        code: code.into(),
        column: column.to_owned(),
        value: "own".to_owned(),
        message: format!("{column} \"own\" of \"secret\""),
        suggestion: "secret".to_owned(),
        related_external_id: "secret".to_owned(),
        related_row,
        ..Issue::default()
    }
}

#[rstest]
#[case::taken(
    Code::EmailTaken,
    "EMAIL",
    0,
    r#"EMAIL "own" is already taken; give this row another email."#
)]
#[case::taken_by_a_row(
    Code::BadgeNumberTaken,
    "BADGE_NUMBER",
    7,
    r#"BADGE_NUMBER "own" is taken by row 7; give this row another badge number."#
)]
#[case::username(
    Code::UsernameTaken,
    "USERNAME",
    0,
    r#"USERNAME "own" is already taken; give this row another username."#
)]
#[case::supervisor(
    Code::SupervisorNotFound,
    "SUPERVISOR_EMAIL",
    0,
    r#"SUPERVISOR_EMAIL "own" matches no user; correct it, or add that user to the file."#
)]
#[case::cycle(
    Code::SupervisorCycle,
    "SUPERVISOR_EMAIL",
    0,
    r#"SUPERVISOR_EMAIL "own" closes a circle. Give another supervisor."#
)]
#[case::zeros(
    Code::LeadingZerosLost,
    "EXTERNAL_ID",
    0,
    r#"EXTERNAL_ID "own" equals an existing one except for leading zeros; if a spreadsheet changed them, format the column as text."#
)]
#[case::artefact(
    Code::ExportArtifact,
    "USERNAME",
    0,
    r#"USERNAME "own" equals an existing one except for what a spreadsheet or a script has added to it; export the column as text."#
)]
#[case::lost_letter(Code::InvalidEncoding, "LAST_NAME", 0, r#"LAST_NAME "own" is the user's name, in which a program has lost a letter; export the file again, as UTF-8."#)]
#[case::privileged(
    Code::RoleNotGrantable,
    "EXTERNAL_ID",
    0,
    "Users who are not listed have a privileged role, and are left Active: to deactivate such a user needs the permission users.grant-privileged."
)]
#[case::left_alone(
    Code::ChangedConcurrently,
    "EXTERNAL_ID",
    0,
    "Some users who are not listed could not be deactivated: they had been changed when their turn \
     came. They were left as they are."
)]
#[case::unknown_code(Code::Unspecified, "EMAIL", 0, "")]
fn nothing_of_another_user_is_left(
    #[case] code: Code,
    #[case] column: &str,
    #[case] row: u32,
    #[case] message: &str,
) {
    let told = issue::without_others(issue(code, column, row));
    assert_eq!(told.message, message);
    let told = format!("{told:?}");
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn an_email_of_the_callers_own_file_stays_suggested() {
    let own = issue(Code::SupervisorNotFound, "SUPERVISOR_EMAIL", 3);
    assert_eq!(issue::without_others(own.clone()), own);
}

#[test]
fn a_value_that_another_row_has_with_other_zeros_stays_quoted() {
    let own = issue(Code::LeadingZerosLost, "BADGE_NUMBER", 3);
    assert_eq!(issue::without_others(own.clone()), own);
}

#[test]
fn an_artefact_is_disclosed_only_as_it_is_in_the_callers_own_file() {
    let own = Issue {
        related_external_id: String::new(),
        ..issue(Code::ExportArtifact, "BADGE_NUMBER", 3)
    };
    assert_eq!(issue::without_others(own.clone()), own);
    let by_case = Issue {
        value: "Secret".to_owned(),
        ..issue(Code::ExportArtifact, "EXTERNAL_ID", 0)
    };
    let told = issue::without_others(by_case);
    assert_eq!(
        told.message,
        "EXTERNAL_ID \"Secret\" equals an existing one except for case; if the row is about that user, write it as \
         it is stored."
    );
    assert_eq!((&*told.suggestion, &*told.related_external_id), ("", ""));
}

#[test]
fn a_key_that_a_user_has_with_other_dashes_is_not_disclosed() {
    let by_dash = Issue {
        message: format!("BADGE_NUMBER \"own\" is \"secret\" of user \"secret\"{OTHER_MARKS}"),
        ..issue(Code::ExportArtifact, "BADGE_NUMBER", 0)
    };
    let told = issue::without_others(by_dash);
    assert_eq!(
        told.message,
        "BADGE_NUMBER \"own\" equals an existing one except for its dashes, apostrophes or spaces; if the row is about \
         that user, write its EXTERNAL_ID as it is stored."
    );
    assert!(!format!("{told:?}").contains("secret"));
}

#[test]
fn an_issue_about_a_renamed_user_does_not_disclose_the_users_email() {
    let renamed = Issue {
        message:
            "SUPERVISOR_EMAIL \"own\" matches no user after this import, because row 3 changes it \
             to \"secret\"; write that."
                .to_owned(),
        ..issue(Code::SupervisorNotFound, "SUPERVISOR_EMAIL", 3)
    };
    let told = format!("{:?}", issue::without_others(renamed));
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn the_number_of_rows_that_depend_on_a_row_is_disclosed() {
    for waiting in [
        "1 other row waits for this one.",
        "12 other rows wait for this one.",
    ] {
        let taken = Issue {
            message: format!("EMAIL \"own\" of \"secret\". {waiting}"),
            ..issue(Code::EmailTaken, "EMAIL", 0)
        };
        let told = issue::without_others(taken).message;
        let expected = "EMAIL \"own\" is already taken; give this row another email.";
        assert_eq!(told, format!("{expected} {waiting}"));
    }
}

#[test]
fn values_and_deactivated_users_are_not_disclosed() {
    let result = RowResult {
        row: 1,
        changes: vec![ColumnChange {
            column: "EMAIL".to_owned(),
            before: Some("secret".to_owned()),
            after: Some("secret".to_owned()),
        }],
        ..RowResult::default()
    };
    let user = DeactivatedUser {
        user_id: "id".to_owned(),
        external_id: "secret".to_owned(),
        email: "secret".to_owned(),
    };
    let users = vec![user];
    for message in [
        Message::Results(RowResults::new(vec![result])),
        Message::Deactivations(Deactivations { users }),
    ] {
        assert!(message_tells_of_others(&message));
        let told = format!("{:?}", message_without_others(message).unwrap());
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn the_number_of_users_who_stay_active_is_not_disclosed() {
    let left = issue(Code::RoleNotGrantable, "EXTERNAL_ID", 0);
    let summary = ImportSummary {
        warnings: vec![left; 3],
        ..ImportSummary::default()
    };
    let Message::Summary(told) = message_without_others(Message::Summary(summary)).unwrap() else {
        panic!("a summary stays one");
    };
    assert_eq!(told.warnings.len(), 1);
}

#[test]
fn only_the_state_and_counts_of_another_callers_import_are_disclosed() {
    let import = Import {
        import_id: "id".to_owned(),
        rows: 3,
        source: "secret".to_owned(),
        principal: "secret".to_owned(),
        warnings: vec![issue(Code::EmailTaken, "EMAIL", 0)],
        plan_digest: vec![1],
        ..Import::default()
    };
    let told = record_without_others(import.clone(), false);
    assert_eq!((told.rows, &told.warnings[..]), (3, &[][..]));
    assert!(!format!("{told:?}").contains("secret") && told.plan_digest.is_empty());
    let own = record_without_others(import, true);
    assert_eq!((&*own.source, own.warnings.len()), ("secret", 1));
}
