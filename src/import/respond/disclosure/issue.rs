//! Removes data about other users from one issue.

use crate::{
    domain::{column_in_file, fold},
    plan::{LOST_LETTER, OTHER_MARKS, RENAMES, waiting_sentence},
    proto::{Issue, IssueCode},
};

/// The issue for a reader who may not read users.
///
/// The match lists each code, so that a new code does not compile without a decision.
pub(crate) fn without_others(issue: Issue) -> Issue {
    let waiting = waiting_sentence(&issue.message).map(str::to_owned);
    let mut issue = said_without_others(issue);
    // The number of waiting rows is about the caller's own file.
    if let Some(waiting) = waiting.filter(|waiting| !issue.message.ends_with(waiting)) {
        issue.message = format!("{} {waiting}", issue.message);
    }
    issue
}

/// An issue of an undo for a reader who may not read users. The value that it quotes is one that the user had.
pub(super) fn of_undo(issue: &Issue) -> Issue {
    let message = format!(
        "{} cannot be given back. The reason is shown to callers who have the permission users.read.",
        issue.column
    );
    Issue {
        severity: issue.severity,
        code: issue.code,
        column: issue.column.clone(),
        message,
        ..Issue::default()
    }
}

fn said_without_others(issue: Issue) -> Issue {
    use IssueCode as Code;
    match issue.code() {
        Code::ExternalIdTaken if is_its_own_id(&issue) => issue,
        Code::ExternalIdTaken | Code::EmailTaken | Code::BadgeNumberTaken | Code::UsernameTaken => {
            taken(issue)
        }
        Code::SupervisorNotFound => supervisor_not_found(issue),
        Code::SupervisorCycle => supervisor_cycle(issue),
        // A value of another row is from the caller's own file.
        Code::LeadingZerosLost if issue.related_row == 0 => leading_zeros_lost(issue),
        Code::ExportArtifact if !issue.related_external_id.is_empty() => export_artifact(issue),
        // The suggestion is the name that the user has.
        Code::InvalidEncoding if !issue.suggestion.is_empty() => lost_letter(issue),
        Code::RoleNotGrantable | Code::ChangedConcurrently => missing_user(issue),
        // These are about the row's own value, an entry of the catalog, or another row of the file.
        Code::Required
        | Code::TooLong
        | Code::FieldCount
        | Code::InvalidEncoding
        | Code::InvalidCharacter
        | Code::InvalidEmail
        | Code::InvalidStatus
        | Code::InvalidPhone
        | Code::InvalidUsername
        | Code::ScientificNotation
        | Code::LeadingZerosLost
        | Code::TemplateExample
        | Code::UnknownRole
        | Code::UnknownRank
        | Code::UnknownGroup
        | Code::InactiveGroup
        | Code::DuplicateInFile
        | Code::SupervisorIsSelf
        | Code::SupervisorInactive
        | Code::DependsOnRejectedRow
        | Code::ProtectedUser
        | Code::LocationIgnored
        | Code::DeactivationNotPermitted
        | Code::PlaceholderValue
        | Code::ExportArtifact
        | Code::GarbledText
        | Code::PhoneRegionAssumed
        | Code::InvalidFormat
        | Code::IdentityReplaced
        | Code::StrayQuote
        | Code::NotARow
        | Code::MappingFailed
        | Code::EditedSince => issue,
        Code::Unspecified => nothing_known(issue),
    }
}

/// Returns `true` if the issue names the user of its own row.
fn is_its_own_id(issue: &Issue) -> bool {
    issue.related_external_id == issue.value
}

fn taken(issue: Issue) -> Issue {
    let key = issue.column.to_lowercase().replace('_', " ");
    let by = match issue.related_row {
        0 => "is already taken".to_owned(),
        row => format!("is taken by row {row}"),
    };
    let message = format!("{} {by}; give this row another {key}.", named(&issue));
    unnamed(issue, message)
}

/// A suggested email from the caller's own roster stays, with its row.
fn supervisor_not_found(issue: Issue) -> Issue {
    // A row that renames its user would disclose the user's current email.
    let is_own = issue.related_row != 0 && !issue.message.contains(RENAMES);
    if issue.suggestion.is_empty() || is_own {
        return issue;
    }
    let message = format!(
        "{} matches no user; correct it, or add that user to the file.",
        named(&issue)
    );
    unnamed(issue, message)
}

/// The path of the circle contains emails of users.
fn supervisor_cycle(issue: Issue) -> Issue {
    let message = format!(
        "{} closes a circle. Give another supervisor.",
        named(&issue)
    );
    unnamed(issue, message)
}

fn leading_zeros_lost(issue: Issue) -> Issue {
    let message = format!(
        "{} equals an existing one except for leading zeros; if a spreadsheet changed them, format \
         the column as text.",
        named(&issue)
    );
    unnamed(issue, message)
}

fn export_artifact(issue: Issue) -> Issue {
    let difference = if issue.message.contains(OTHER_MARKS) {
        "except for its dashes, apostrophes or spaces; if the row is about that user, write its EXTERNAL_ID as it is stored."
    } else if fold(&issue.value) == fold(&issue.suggestion) {
        "except for case; if the row is about that user, write it as it is stored."
    } else {
        "except for what a spreadsheet or a script has added to it; export the column as text."
    };
    let message = format!("{} equals an existing one {difference}", named(&issue));
    unnamed(issue, message)
}

fn lost_letter(issue: Issue) -> Issue {
    let message = format!(
        "{} is the user's name{LOST_LETTER}; export the file again, as UTF-8.",
        named(&issue)
    );
    unnamed(issue, message)
}

/// An issue of a row is about its own user. An issue of the import is about users who are missing from the roster,
/// and their number is data about other users too.
fn missing_user(issue: Issue) -> Issue {
    if issue.column != "EXTERNAL_ID" {
        return issue;
    }
    let message = match issue.code() {
        IssueCode::RoleNotGrantable => {
            "Users who are not listed have a privileged role, and are left Active: to deactivate \
             such a user needs the permission users.grant-privileged."
        }
        _ => {
            "Some users who are not listed could not be deactivated: they had been changed when \
             their turn came. They were left as they are."
        }
    };
    let without_value = Issue {
        value: String::new(),
        ..issue
    };
    unnamed(without_value, message.to_owned())
}

fn nothing_known(issue: Issue) -> Issue {
    unnamed(issue, String::new())
}

/// The column and the row's own value, which begin a message.
fn named(issue: &Issue) -> String {
    let column = column_in_file(&issue.column, &issue.file_column);
    format!("{column} \"{}\"", issue.value)
}

/// The issue with this message and without the user it was about.
fn unnamed(issue: Issue, message: String) -> Issue {
    Issue {
        message,
        suggestion: String::new(),
        related_external_id: String::new(),
        ..issue
    }
}
