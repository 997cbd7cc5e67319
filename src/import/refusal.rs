//! The reasons to refuse a whole import, and the errors that end one.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::{
    access::{AccessDenial, DisclosureScope},
    input::FileFault,
    limits::MemoryExhausted,
    store::{LeaseHolder, RunAnswer, StoreError, WriteError},
};

/// The kind of a refusal. It determines the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// A guard was hit, or a stated precondition does not hold.
    Precondition,
    /// The request or the file is not well formed.
    Invalid,
    /// A limit is exceeded.
    Limit,
}

/// One reason why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind, which determines the status.
    pub kind: RefusalKind,
    /// A stable upper-snake word.
    pub code: &'static str,
    /// The column, option, limit or line it is about.
    pub subject: String,
    /// A sentence that an administrator can act on.
    pub message: String,
}

impl Refusal {
    /// The request or the file is not well formed.
    #[must_use]
    pub fn invalid(code: &'static str, subject: &str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, code, subject, message.into())
    }

    /// A guard was hit, or a stated precondition does not hold.
    #[must_use]
    pub fn precondition(code: &'static str, subject: &str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Precondition, code, subject, message.into())
    }

    /// A limit is exceeded.
    #[must_use]
    pub fn limit(code: &'static str, subject: &str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Limit, code, subject, message.into())
    }

    fn new(kind: RefusalKind, code: &'static str, subject: &str, message: String) -> Self {
        Self {
            kind,
            code,
            subject: subject.to_owned(),
            message,
        }
    }
}

impl From<MemoryExhausted> for Refusal {
    fn from(MemoryExhausted(scope): MemoryExhausted) -> Self {
        let message = format!(
            "The memory that {} may use for requests is in use; try again in a moment.",
            scope.words()
        );
        Self::limit("MEMORY_IN_USE", scope.subject(), message)
    }
}

impl From<&FileFault> for Refusal {
    fn from(fault: &FileFault) -> Self {
        let kind = match fault.is_limit() {
            true => RefusalKind::Limit,
            false => RefusalKind::Invalid,
        };
        Self::new(kind, fault.code(), &fault.subject(), fault.message())
    }
}

/// Why an import did not complete.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Refused: nothing was written.
    #[error("the import is refused")]
    Refused(Vec<Refusal>),
    /// A guard refused the import, and it is held for review until this time.
    #[error("the import is held for review")]
    Held(Uuid, OffsetDateTime, Vec<Refusal>),
    /// The client's stream broke off, so no answer can be sent.
    #[error("the client's stream broke off")]
    ClientGone,
    /// The caller has no permission, or its credential is no longer valid.
    #[error(transparent)]
    Denied(AccessDenial),
    /// A limit on concurrent imports or memory is reached; the import may be tried again later.
    #[error("too many imports at a time")]
    Busy(Refusal),
    /// The client does not read its responses.
    #[error("the client does not read")]
    ClientStalled,
    /// The organisation is unknown.
    #[error("no such organisation")]
    UnknownOrganization(String),
    /// The import is unknown.
    #[error("no such import")]
    UnknownImport(String),
    /// The organisation has no mapping with this name.
    #[error("no such mapping")]
    UnknownMapping(String),
    /// Another import holds the organisation.
    #[error("another import holds the organisation")]
    OrganizationHeld(LeaseHolder),
    /// A part does not begin at the upload's end, which is this offset.
    #[error("the part does not begin where the upload ends")]
    OffsetDiffers(u64),
    /// The recorded answer of an earlier run of the same import, and what its reader may see.
    #[error("the import ended with status {}", .0.code)]
    Recorded(RunAnswer, DisclosureScope),
    /// The import ID is bound to other input or options.
    #[error("the import ID is bound to other input or options")]
    ImportIdBound(Uuid),
    /// The import ID is in use by another principal.
    #[error("the import ID is in use by another principal")]
    ImportIdInUse(Uuid),
    /// An interrupted import must not be resumed, since this import has begun applying after it.
    #[error("the import was overtaken by another")]
    OvertakenBy(Uuid),
    /// The import was stopped by `CancelImport`.
    #[error("the import was cancelled")]
    Cancelled,
    /// The server is shutting down. The same import sent again is resumed.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The server that ran the import has died. Another `FinishImport` resumes it.
    #[error("the server that ran the import has died")]
    ServerDied,
    /// The lease expired and another attempt took it. The same import sent again receives the remaining results.
    #[error("another attempt has taken the import over")]
    TakenOver,
    /// The database failed. The rows that the summary counts are written.
    #[error(transparent)]
    Store(StoreError),
    /// The directory or the record has changed since planning, and nothing is written yet: plan again.
    #[error("the directory or the record has changed since the import was planned")]
    PlanOutdated,
    /// A fault of this service.
    #[error("{0}")]
    Internal(String),
}

impl ImportError {
    /// The error as a refusal, if another import is in the way or the caller may not write.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let (code, subject) = match self {
            Self::OrganizationHeld(holder) => ("IMPORT_RUNNING", holder.import.to_string()),
            Self::ImportIdBound(import) => ("IMPORT_ID_BOUND", import.to_string()),
            Self::ImportIdInUse(import) => ("IMPORT_ID_IN_USE", import.to_string()),
            Self::OvertakenBy(import) => ("OVERTAKEN", import.to_string()),
            Self::Denied(denial) => (denial.reason(), "credential".to_owned()),
            _ => ("REFUSED", String::new()),
        };
        Refusal::precondition(code, &subject, self.explanation())
    }

    /// A sentence that an administrator can act on.
    #[must_use]
    pub fn explanation(&self) -> String {
        match self {
            Self::OrganizationHeld(holder) => format!(
                "Import {} has been running for {} s and holds the organisation; try again when it \
                 has ended.",
                holder.import,
                holder.running.as_secs()
            ),
            Self::ImportIdBound(import) => format!(
                "Import ID {import} belongs to an import with other input or options; choose \
                 another ID, or send what was sent before."
            ),
            Self::ImportIdInUse(import) => format!(
                "Import ID {import} is in use by another credential; choose another ID, or send it \
                 with the credential that used it first."
            ),
            Self::OvertakenBy(import) => format!(
                "This import was interrupted, and import {import} has begun applying since; \
                 continuing this one would overwrite newer data. Import the roster again under a \
                 new ID."
            ),
            Self::Held(import, until, _) => format!(
                "Import {import} is held for review until {}, since a guard refused it; nothing was written. It can be \
                 reviewed and approved, or discarded.",
                until.format(&Rfc3339).unwrap_or_default()
            ),
            Self::OffsetDiffers(expected) => {
                format!("The upload ends at {expected}; go on from there.")
            }
            other => other.to_string(),
        }
    }
}

impl From<MemoryExhausted> for ImportError {
    fn from(exhausted: MemoryExhausted) -> Self {
        Self::Busy(exhausted.into())
    }
}

impl From<AccessDenial> for ImportError {
    fn from(denial: AccessDenial) -> Self {
        match denial {
            AccessDenial::Store(error) => Self::Store(error),
            denial => Self::Denied(denial),
        }
    }
}

impl From<Vec<Refusal>> for ImportError {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Refused(refusals)
    }
}

impl From<Refusal> for ImportError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<tokio::task::JoinError> for ImportError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<WriteError> for ImportError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Store(error) => Self::Store(error),
            WriteError::Cancelled => Self::Cancelled,
            WriteError::Stopped => Self::ShuttingDown,
            WriteError::LeaseLost => Self::TakenOver,
            WriteError::Bound | WriteError::Stale => Self::PlanOutdated,
            WriteError::Conflict | WriteError::Task(_) => Self::Internal(error.to_string()),
        }
    }
}
