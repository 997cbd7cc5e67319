//! One issue without what belongs to other users.

use crate::{
    plan::{RENAMES, waiting_sentence},
    proto::{Issue, IssueCode},
};

/// The issue as somebody is told it who may not read users.
///
/// Each code is decided about by itself, so that a new one does not compile before it is.
pub(crate) fn without_others(issue: Issue) -> Issue {
    let waiting = waiting_sentence(&issue.message).map(str::to_owned);
    let mut issue = said_without_others(issue);
    // How many rows wait is told of the caller's own file.
    if let Some(waiting) = waiting.filter(|waiting| !issue.message.ends_with(waiting)) {
        issue.message = format!("{} {waiting}", issue.message);
    }
    issue
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
        // A value of another row is of the caller's own file.
        Code::LeadingZerosLost if issue.related_row == 0 => leading_zeros_lost(issue),
        Code::ExportArtifact if !issue.related_external_id.is_empty() => export_artifact(issue),
        Code::RoleNotGrantable | Code::ChangedConcurrently => missing_user(issue),
        // These say what is wrong with the row's own value, or name an entry of the catalog or
        // another row of the file.
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
        | Code::NotARow => issue,
        Code::Unspecified => nothing_known(issue),
    }
}

/// True if the user that the issue names is the one that its own row names.
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

/// An email that the caller's own roster gives stays suggested: its row is named beside it.
fn supervisor_not_found(issue: Issue) -> Issue {
    // That a row renames its user tells the email that the user has.
    let is_own = issue.related_row != 0 && !issue.message.contains(RENAMES);
    if issue.suggestion.is_empty() || is_own {
        return issue;
    }
    let message = format!(
        "{} is nobody's email; correct it, or add that user to the file.",
        named(&issue)
    );
    unnamed(issue, message)
}

/// The circle's path names users by their emails.
fn supervisor_cycle(issue: Issue) -> Issue {
    let message = format!(
        "{} closes a circle. Give another supervisor.",
        named(&issue)
    );
    unnamed(issue, message)
}

fn leading_zeros_lost(issue: Issue) -> Issue {
    let message = format!(
        "{} equals an existing one but for leading zeros; if a spreadsheet changed them, format \
         the column as text.",
        named(&issue)
    );
    unnamed(issue, message)
}

fn export_artifact(issue: Issue) -> Issue {
    let message = format!(
        "{} equals an existing one but for what a spreadsheet or a script has left on it; write the \
         column as text.",
        named(&issue)
    );
    unnamed(issue, message)
}

/// What is said of a row concerns its own user; what is said of the import, users who are missing
/// from the roster, how many they are included.
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
            "Users who are not listed were to be deactivated, and were left as they are: they had \
             been changed when their turn came."
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

/// The column and the row's own value, as messages begin.
fn named(issue: &Issue) -> String {
    format!("{} \"{}\"", issue.column, issue.value)
}

/// The issue with this message, and without the user that it was about.
fn unnamed(issue: Issue, message: String) -> Issue {
    Issue {
        message,
        suggestion: String::new(),
        related_external_id: String::new(),
        ..issue
    }
}
