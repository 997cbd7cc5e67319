//! The text that an administrator reads when a command fails: the problem, then what to do next.

mod unreachable;

use std::{
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, ErrorInfo, StatusExt};

use super::output::{for_people, printable};
use crate::client::{ClientError, connection_lost};
use unreachable::unreachable;

/// A command was used wrongly; the text says how to use it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(String);

impl UsageError {
    /// With a sentence that says what to do.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A file that cannot be read, with what to do about it.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let next = match error.kind() {
            ErrorKind::NotFound => " Check its name and the folder you are in.",
            ErrorKind::PermissionDenied => " Ask its owner for permission to read it.",
            ErrorKind::IsADirectory => " Give a file in it.",
            _ => "",
        };
        Self(format!("{} cannot be read: {error}.{next}", path.display()))
    }
}

/// The lines to print for a command that failed.
#[must_use]
pub(super) fn describe(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(ClientError::Status(status)) => describe_status(status),
        Some(error @ ClientError::Unreachable { address, reason }) => {
            format!("error: {error}.\n{}", unreachable(address, reason))
        }
        Some(error @ ClientError::Output(why)) if why.kind() == ErrorKind::StorageFull => {
            format!("error: {error}.\nMake room there, or write to another place.")
        }
        Some(error) => format!("error: {error}."),
        None => format!("error: {error:#}"),
    }
}

/// The lines to print for a request that ended with `status`.
#[must_use]
pub(super) fn describe_status(status: &Status) -> String {
    if connection_lost(status) {
        return "error: the connection to the server was lost. Try again; if that does not help, see \
            whether the server runs, and whether its endpoint begins with https://."
            .to_owned();
    }
    let details = status.get_error_details();
    let message = for_people(status.message());
    let message = printable(&message);
    let faults = listed(&details)
        .iter()
        // If there is one fault, the server's message and its detail may be the same.
        .filter(|line| !status.message().contains(&line.text))
        .map(|line| format!("\n  - {}", printable(&line.to_string())))
        .collect::<Vec<_>>()
        .concat();
    let advice = advice(status.code(), &details)
        .map(|advice| format!("\n{advice}"))
        .unwrap_or_default();
    format!("error: {message}{faults}{advice}")
}

/// One fault: what it is about, and a sentence.
struct FailureLine {
    subject: String,
    text: String,
}

impl FailureLine {
    fn new(subject: &str, text: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            text: text.to_owned(),
        }
    }
}

impl std::fmt::Display for FailureLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A subject such as `roles/officer` adds nothing to a sentence about the role "officer".
        let name = self.subject.rsplit('/').next().unwrap_or_default();
        let (text, subject) = (for_people(&self.text), for_people(&self.subject));
        if self.text.contains(name) || text.contains(&*subject) {
            f.write_str(&text)
        } else {
            write!(f, "{subject}: {text}")
        }
    }
}

/// Returns all faults that the details name, the most informative ones first.
fn listed(details: &ErrorDetails) -> Vec<FailureLine> {
    let bad = details.bad_request().map(|bad| &bad.field_violations);
    let failed = details.precondition_failure().map(|f| &f.violations);
    let quota = details.quota_failure().map(|quota| &quota.violations);
    let bad = bad.into_iter().flatten();
    let failed = failed.into_iter().flatten();
    let quota = quota.into_iter().flatten();
    bad.map(|fault| FailureLine::new(&fault.field, &fault.description))
        .chain(failed.map(|fault| FailureLine::new(&fault.subject, &fault.description)))
        .chain(quota.map(|fault| FailureLine::new(&fault.subject, &fault.description)))
        .chain(details.resource_info().map(|resource| {
            let subject = format!("{} {}", resource.resource_type, resource.resource_name);
            FailureLine::new(&subject, &resource.description)
        }))
        .filter(|line| !line.text.is_empty())
        .chain(details.error_info().and_then(metadata))
        .collect()
}

/// The metadata of the error, which support may ask an administrator for.
fn metadata(info: &ErrorInfo) -> Option<FailureLine> {
    let mut pairs: Vec<_> = info.metadata.iter().collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{} {value}", known_as(key)))
        .collect();
    (!pairs.is_empty()).then(|| FailureLine::new("", &pairs.join(", ")))
}

/// Returns the name that people have for a key of the metadata.
fn known_as(key: &str) -> String {
    key.trim_end_matches("_id").replace('_', " ")
}

/// Returns what to do next, or `None` if there is nothing more to say than "correct that".
fn advice(code: Code, details: &ErrorDetails) -> Option<String> {
    let wait = details.retry_info().and_then(|retry| retry.retry_delay);
    match code {
        Code::NotFound => missing(details),
        Code::Aborted | Code::Unavailable => Some(retry(wait)),
        Code::Unauthenticated => {
            Some(
                "Give a valid token with --token-file or USER_IMPORT_TOKEN. An operator of the \
                 server creates one with `user-import token create`."
                    .to_owned(),
            )
        }
        Code::PermissionDenied => Some(
            "Use a token that may do this here; `user-import token list` on the server's side shows \
             what each permits."
                .to_owned(),
        ),
        Code::Internal | Code::Unknown => Some(
            "This is a fault of the server. Its log has more; give this message to its operator."
                .to_owned(),
        ),
        _ => None,
    }
}

fn missing(details: &ErrorDetails) -> Option<String> {
    let resource = details.resource_info()?;
    match resource.resource_type.as_str() {
        "organization" => Some(format!(
            "Check --organization, or create it: user-import org create {}",
            printable(&resource.resource_name)
        )),
        "import" => Some("To see which imports there are: user-import imports".to_owned()),
        _ => None,
    }
}

fn retry(wait: Option<Duration>) -> String {
    match wait {
        None => "Try again later.".to_owned(),
        // Rounded up: a retry that is too early would be refused again.
        Some(wait) => format!("Try again in {} s.", wait.as_millis().div_ceil(1000).max(1)),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn described(code: Code, message: &str, details: ErrorDetails) -> String {
        describe_status(&Status::with_error_details(code, message, details))
    }

    #[test]
    fn every_fault_of_a_file_is_listed() {
        let mut details = ErrorDetails::with_bad_request_violation(
            "EMAIL",
            "The required column EMAIL is missing; add it.",
        );
        details.add_bad_request_violation("EMIAL", "Unknown column \"EMIAL\": did you mean EMAIL?");
        assert_snapshot!(
            described(Code::InvalidArgument, "The file has 2 faults; nothing was written.", details),
            @r#"
        error: The file has 2 faults; nothing was written.
          - The required column EMAIL is missing; add it.
          - Unknown column "EMIAL": did you mean EMAIL?
        "#
        );
    }

    #[test]
    fn one_fault_is_not_shown_twice() {
        let details = ErrorDetails::with_precondition_failure_violation(
            "MASS_DEACTIVATION",
            "max_deactivations",
            "41 of 60 active users would be deactivated.",
        );
        assert_snapshot!(
            described(
                Code::FailedPrecondition,
                "41 of 60 active users would be deactivated.",
                details
            ),
            @"error: 41 of 60 active users would be deactivated."
        );
    }

    #[test]
    fn a_limit_says_which() {
        let details = ErrorDetails::with_quota_failure_violation("rows", "At most 1000000 rows.");
        assert_snapshot!(described(Code::ResourceExhausted, "The file is too large.", details), @r"
        error: The file is too large.
          - At most 1000000 rows.
        ");
    }

    #[test]
    fn a_second_import_gets_the_id_of_the_running_one_and_a_time_to_retry() {
        let mut details = ErrorDetails::with_error_info(
            "IMPORT_RUNNING",
            "userimport",
            [("import_id".to_owned(), "0198-aa".to_owned())],
        );
        details.set_retry_info(Some(Duration::from_millis(1200)));
        assert_snapshot!(
            described(Code::Aborted, "Another import has been running since 12:00.", details), @r"
        error: Another import has been running since 12:00.
          - import 0198-aa
        Try again in 2 s.
        ");
    }

    #[test]
    fn an_unknown_organization_comes_with_the_command_that_makes_it() {
        let details = ErrorDetails::with_resource_info("organization", "pd", "", "");
        assert_snapshot!(
            described(Code::NotFound, "There is no organization \"pd\".", details), @r#"
        error: There is no organization "pd".
        Check --organization, or create it: user-import org create pd
        "#);
    }

    #[test]
    fn credentials_and_server_faults_come_with_advice() {
        let none = ErrorDetails::new;
        assert_snapshot!(described(Code::Unauthenticated, "No credentials.", none()), @"
        error: No credentials.
        Give a valid token with --token-file or USER_IMPORT_TOKEN. An operator of the server creates one with `user-import token create`.
        ");
        assert_snapshot!(described(Code::Internal, "Request 0198-bb failed.", none()), @r"
        error: Request 0198-bb failed.
        This is a fault of the server. Its log has more; give this message to its operator.
        ");
    }

    #[test]
    fn an_unreachable_server_is_named_with_how_to_start_one() {
        let error = ClientError::Unreachable {
            address: "http://127.0.0.1:50051".parse().unwrap(),
            reason: "Connection refused (os error 111)".to_owned(),
        };
        assert_snapshot!(describe(&error.into()), @r"
        error: cannot reach http://127.0.0.1:50051: Connection refused (os error 111).
        Start a server with `user-import serve`, or give its address with --endpoint.
        ");
    }

    #[test]
    fn what_a_server_sends_cannot_steer_the_terminal() {
        let text = described(Code::NotFound, "no \u{1b}[2Jsuch", ErrorDetails::new());
        assert_snapshot!(text, @r"error: no \u{1b}[2Jsuch");
    }
}
