//! Every error to its status (`api.md`, Status codes).

mod bounded;

use std::{fmt, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, PreconditionViolation, QuotaViolation, StatusExt};
use tracing::error;
use uuid::Uuid;

use crate::{
    access::{AccessDenial, DisclosureScope},
    domain::Permission,
    import::{ImportError, Refusal, respond::disclosure},
    store::{CatalogError, DeceptiveName, RunAnswer, StoreError},
    telemetry::{metrics, request_id},
};

pub(super) use bounded::{refused, with_summary};

use bounded::{DETAIL_BYTES, cut};

/// `ErrorInfo.domain` of all our reasons.
const DOMAIN: &str = "userimport";

/// How long a client should wait before it sends the same import again.
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long a client should wait after a limit was reached.
const BUSY_DELAY: Duration = Duration::from_secs(5);

/// How long a client should wait after the database was away.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// The status that an import ends with.
#[must_use]
pub(super) fn from_import(error: &ImportError) -> Status {
    match error {
        ImportError::Refused(refusals) => refused(refusals),
        ImportError::Held(import, until, refusals) => {
            held(*import, *until, refusals, &error.explanation())
        }
        ImportError::ClientGone => Status::cancelled("the client's stream broke off"),
        ImportError::Denied(denial) => from_denial(denial),
        ImportError::Busy(refusal) => busy(refusal),
        ImportError::ClientStalled => refused(&[stalled()]),
        ImportError::UnknownOrganization(slug) => unknown_organization(slug),
        ImportError::UnknownImport(id) => {
            let message = format!("There is no import {:?} in this organisation.", cut(id));
            resource(Code::NotFound, "import", id, message)
        }
        ImportError::UnknownMapping(name) => unknown_mapping(name),
        ImportError::OrganizationHeld(holder) => {
            let mut details = about_import("IMPORT_RUNNING", holder.import);
            details.set_retry_info(Some(holder.retry_after()));
            Status::with_error_details(Code::Aborted, error.explanation(), details)
        }
        ImportError::OffsetDiffers(expected) => offset_differs(*expected, error.explanation()),
        ImportError::Recorded(answer, disclosure) => recorded_status(answer, *disclosure),
        ImportError::ImportIdBound(import) => id_taken("IMPORT_ID_BOUND", *import, error),
        ImportError::ImportIdInUse(import) => id_taken("IMPORT_ID_IN_USE", *import, error),
        ImportError::OvertakenBy(import) => {
            let subject = import.to_string();
            refused(&[Refusal::precondition(
                "OVERTAKEN",
                &subject,
                error.explanation(),
            )])
        }
        ImportError::Cancelled => {
            let details = info("IMPORT_CANCELLED", []);
            let message = "The import was cancelled; what its results report is written.";
            Status::with_error_details(Code::Cancelled, message, details)
        }
        ImportError::ShuttingDown => {
            again_soon("The server is shutting down; send the same import again, and it goes on.")
        }
        ImportError::ServerDied => again_soon(
            "The server that ran the import has died; send FinishImport again, and it goes on.",
        ),
        ImportError::TakenOver => again_soon(
            "The server did not respond for a while, and another server has taken the import over; \
             send the same import again to receive the remaining results.",
        ),
        ImportError::Store(error) => from_store(error, ""),
        ImportError::PlanOutdated => internal(error),
        ImportError::Internal(error) => internal(error),
    }
}

/// The status of an import that is held for review: its refusals, and until when.
fn held(import: Uuid, until: OffsetDateTime, refusals: &[Refusal], explanation: &str) -> Status {
    let until = until.format(&Rfc3339).unwrap_or_default();
    let metadata = [("import_id", import.to_string()), ("held_until", until)];
    let mut details = info("IMPORT_HELD", metadata);
    let mut room = DETAIL_BYTES;
    for refusal in refusals {
        metrics::refused(refusal.code);
        let bytes = refusal.code.len() + refusal.subject.len() + refusal.message.len();
        let Some(left) = room.checked_sub(bytes) else {
            break;
        };
        room = left;
        details.add_precondition_failure_violation(
            refusal.code,
            &refusal.subject,
            &refusal.message,
        );
    }
    let reasons = refusals.first().map(|first| format!(" {}", first.message));
    let message = format!("{explanation}{}", reasons.unwrap_or_default());
    Status::with_error_details(Code::FailedPrecondition, cut(&message), details)
}

/// The status of a request that names a mapping that the organisation does not have.
#[must_use]
pub(super) fn unknown_mapping(name: &str) -> Status {
    let message = format!("This organisation has no mapping {:?}.", cut(name));
    resource(Code::NotFound, "mapping", name, message)
}

/// The status of a request that exceeds a limit on what is under way. A later try may succeed.
#[must_use]
pub(super) fn busy(refusal: &Refusal) -> Status {
    metrics::refused(refusal.code);
    let mut details =
        ErrorDetails::with_quota_failure([QuotaViolation::new(&refusal.subject, &refusal.message)]);
    details.set_retry_info(Some(BUSY_DELAY));
    Status::with_error_details(Code::ResourceExhausted, &refusal.message, details)
}

fn offset_differs(expected: u64, message: String) -> Status {
    const REASON: &str = "OFFSET_DIFFERS";
    metrics::refused(REASON);
    let mut details = info(REASON, [("expected_offset", expected.to_string())]);
    details.add_precondition_failure_violation(REASON, "offset", &message);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// Returns the status that an import ended with, to be recorded and replayed.
#[must_use]
pub(super) fn answer(error: &ImportError) -> RunAnswer {
    let status = from_import(error);
    RunAnswer {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
    }
}

fn recorded_status(answer: &RunAnswer, disclosure: DisclosureScope) -> Status {
    let details = answer.details.clone().into();
    let status = Status::with_details(Code::from_i32(answer.code), &answer.message, details);
    match disclosure {
        DisclosureScope::AllUsers => status,
        DisclosureScope::OwnRoster => without_others(&status),
    }
}

/// Returns the status without what it says about other users.
fn without_others(status: &Status) -> Status {
    let mut details = status.get_error_details();
    if let Some(failure) = details.precondition_failure() {
        let without = |violation: &PreconditionViolation| PreconditionViolation {
            description: disclosure::text_without_others(&violation.description),
            ..violation.clone()
        };
        let violations: Vec<_> = failure.violations.iter().map(without).collect();
        details.set_precondition_failure(violations);
    }
    let message = disclosure::text_without_others(status.message());
    Status::with_error_details(status.code(), message, details)
}

/// The written rows stay written; only the client is given up.
#[must_use]
pub(super) fn stalled() -> Refusal {
    let message = "The answers were not read for too long, so no more are sent; the import itself \
        goes on. Ask WatchImport for its results.";
    Refusal::limit("NOT_READ", "idle", message)
}

fn again_soon(message: &str) -> Status {
    let details = ErrorDetails::with_retry_info(Some(MIN_RETRY_DELAY));
    Status::with_error_details(Code::Unavailable, message, details)
}

fn about_import(reason: &'static str, import: Uuid) -> ErrorDetails {
    metrics::refused(reason);
    info(reason, [("import_id", import.to_string())])
}

fn id_taken(reason: &'static str, import: Uuid, error: &ImportError) -> Status {
    let details = about_import(reason, import);
    Status::with_error_details(Code::AlreadyExists, error.explanation(), details)
}

/// Returns details with one of this service's reasons and its metadata.
pub(super) fn info<const N: usize>(reason: &str, metadata: [(&str, String); N]) -> ErrorDetails {
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    ErrorDetails::with_error_info(reason, DOMAIN, metadata)
}

/// The status of a call that is not admitted.
#[must_use]
pub(super) fn from_denial(denial: &AccessDenial) -> Status {
    match denial {
        AccessDenial::Store(error) => from_store(error, ""),
        denial => denied(denial, denial.to_string()),
    }
}

fn denied(denial: &AccessDenial, message: String) -> Status {
    let code = match denial {
        denial if denial.is_known_caller() => Code::PermissionDenied,
        _ => Code::Unauthenticated,
    };
    metrics::refused(denial.reason());
    let details = match denial {
        AccessDenial::Permission(permission) => {
            info(denial.reason(), [("permission", permission.to_string())])
        }
        _ => info(denial.reason(), []),
    };
    Status::with_error_details(code, message, details)
}

/// The status of a failed read or write; `name` is the name that the request had.
#[must_use]
pub(super) fn from_store(error: &StoreError, name: &str) -> Status {
    match error {
        StoreError::UnknownOrganization => unknown_organization(name),
        StoreError::UnknownUser => {
            // An email is personal data, and statuses are logged on the way.
            let message = "There is no such user in this organisation.".to_owned();
            resource(Code::NotFound, "user", "", message)
        }
        StoreError::PrivilegedUser => {
            let permission = Permission::UsersGrantPrivileged;
            let message = format!(
                "The user has a privileged role: to protect such a user or to end that needs the \
                 permission {permission}, which this credential does not have."
            );
            denied(&AccessDenial::Permission(permission), message)
        }
        StoreError::OrganizationExists => {
            let message = format!("There is an organisation {name:?} already.");
            resource(Code::AlreadyExists, "organization", name, message)
        }
        StoreError::Busy => busy(&too_much_under_way()),
        StoreError::Abandoned => Status::cancelled("The caller has disconnected."),
        error if error.is_transient() => unavailable(error),
        error => internal(error),
    }
}

fn too_much_under_way() -> Refusal {
    let message = "This organisation has too many calls under way; try again when some have ended.";
    Refusal::limit("TOO_MUCH_UNDER_WAY", "database_per_organization", message)
}

/// The status of a catalog that was not replaced.
#[must_use]
pub(super) fn from_catalog(error: &CatalogError, organization: &str) -> Status {
    match error {
        CatalogError::Store(error) => from_store(error, organization),
        CatalogError::InUse(entries) => {
            let refusals: Vec<Refusal> = entries.iter().map(in_use).collect();
            refused(&refusals)
        }
        CatalogError::DeceptiveNames(faults) => {
            let refusals: Vec<Refusal> = faults.iter().map(bad_name).collect();
            refused(&refusals)
        }
        CatalogError::OtherPrivileges => {
            let permission = Permission::UsersGrantPrivileged;
            let message = format!(
                "Other roles would be privileged than before: to add, rename, remove, mark or \
                 unmark a privileged role needs the permission {permission}, which this \
                 credential does not have."
            );
            denied(&AccessDenial::Permission(permission), message)
        }
        CatalogError::NothingToRename(kind, name) => {
            let message = format!(
                "The catalog has no other {kind} to become \"{name}\": previous_name must name an \
                 existing {kind}, and each only once."
            );
            invalid("NOTHING_TO_RENAME", &format!("catalog.{kind}s"), message)
        }
    }
}

fn bad_name(bad: &DeceptiveName) -> Refusal {
    let DeceptiveName { field, name, fault } = bad;
    Refusal::invalid("BAD_NAME", field, format!("{field}: \"{name}\" {fault}"))
}

fn in_use((kind, name, users): &(&'static str, String, u64)) -> Refusal {
    let have = match users {
        1 => "1 user has it".to_owned(),
        _ => format!("{users} users have it"),
    };
    let message = format!(
        "The {kind} \"{name}\" cannot be removed: {have}. Give them another first, or rename it \
         with previous_name."
    );
    Refusal::precondition("IN_USE", &format!("{kind}s/{name}"), message)
}

/// The status of a request with one field that is not valid.
#[must_use]
pub(super) fn invalid(code: &'static str, field: &str, message: impl Into<String>) -> Status {
    refused(&[Refusal::invalid(code, field, message)])
}

/// The status of a request that has no `start`.
#[must_use]
pub(super) fn no_start() -> Status {
    let message = "start is missing: it says what to import into, and how.";
    invalid("NO_START", "start", message)
}

/// The organisation is unknown.
#[must_use]
pub(super) fn unknown_organization(slug: &str) -> Status {
    let message = format!("There is no organisation {:?}.", cut(slug));
    resource(Code::NotFound, "organization", slug, message)
}

fn resource(code: Code, kind: &str, name: &str, message: String) -> Status {
    metrics::refused(match code {
        Code::AlreadyExists => "ALREADY_EXISTS",
        _ => "NOT_FOUND",
    });
    let details = ErrorDetails::with_resource_info(kind, cut(name), "", "");
    Status::with_error_details(code, message, details)
}

fn unavailable(error: &StoreError) -> Status {
    metrics::refused("DATABASE_AWAY");
    error!(%error, "the database is away");
    let message = "The database cannot be reached; try again soon.";
    let details = ErrorDetails::with_retry_info(Some(RETRY_DELAY));
    Status::with_error_details(Code::Unavailable, message, details)
}

/// The status of an internal error. The caller gets nothing but the number under which the log has the
/// details.
#[must_use]
pub(super) fn internal(error: &impl fmt::Display) -> Status {
    metrics::refused("INTERNAL");
    let request_id = request_id::current();
    error!(%error, %request_id, "internal error");
    let details = info("INTERNAL", [("request_id", request_id.to_string())]);
    let message = format!("Internal error; the server's log has more under {request_id}.");
    Status::with_error_details(Code::Internal, message, details)
}

#[cfg(test)]
mod tests;
