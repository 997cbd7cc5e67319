//! The exit codes of commands (api.md, Command line).

use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::failure::UsageError;
use crate::{
    client::{ClientError, ImportEnd, connection_lost},
    proto::ImportState,
};

/// How a command ended. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done; for an import, all rows were accepted.
    Done = 0,
    /// Failed on this machine, in a way that has no number of its own.
    Failed = 1,
    /// Wrong use: a bad option, a file that cannot be read.
    Usage = 2,
    /// The import ran to its end, and rejected rows.
    RowsRejected = 3,
    /// The server refused; nothing was written.
    Refused = 4,
    /// The server cannot be reached, or the import was interrupted; some of it may be written.
    Interrupted = 5,
    /// The import was cancelled; what was written stays written.
    Cancelled = 6,
    /// A guard refused the import, and it is held for review; nothing was written.
    Held = 7,
}

impl ExitStatus {
    /// Returns the exit status of an import.
    ///
    /// If the state is known, it says better than the status whether anything was written.
    #[must_use]
    pub fn of_import(ended: &ImportEnd) -> Self {
        if ended.is_transient() {
            return Self::Interrupted;
        }
        match (ended.state(), &ended.status) {
            (Some(ImportState::Refused), _) => Self::Refused,
            (Some(ImportState::Interrupted), _) => Self::Interrupted,
            (Some(ImportState::Cancelled), _) => Self::Cancelled,
            (Some(ImportState::Held), None) => Self::Held,
            (_, Some(status)) => Self::of_status(status),
            (Some(ImportState::Completed), None) => Self::of_rejected(ended),
            (_, None) => Self::Interrupted,
        }
    }

    fn of_rejected(ended: &ImportEnd) -> Self {
        match &ended.summary {
            Some(summary) if summary.rejected > 0 => Self::RowsRejected,
            _ => Self::Done,
        }
    }

    /// Returns the exit status of a request that ended with `status`.
    #[must_use]
    pub fn of_status(status: &Status) -> Self {
        if connection_lost(status) {
            return Self::Interrupted;
        }
        match status.code() {
            Code::Ok => Self::Done,
            Code::FailedPrecondition if is_held(status) => Self::Held,
            // Our server gives a reason when it cancels; without one it was the connection.
            Code::Cancelled if status.get_details_error_info().is_some() => Self::Cancelled,
            Code::Cancelled
            | Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unknown
            | Code::DataLoss => Self::Interrupted,
            _ => Self::Refused,
        }
    }

    /// Returns the exit status of a command that failed.
    #[must_use]
    pub fn of_error(error: &anyhow::Error) -> Self {
        if error.is::<UsageError>() {
            return Self::Usage;
        }
        match error.downcast_ref() {
            Some(ClientError::Unreachable { .. } | ClientError::Output(_)) => Self::Interrupted,
            Some(ClientError::Input(_)) => Self::Usage,
            Some(ClientError::Status(status)) => Self::of_status(status),
            Some(ClientError::NoWorkbooks) | None => Self::Failed,
        }
    }
}

/// Returns `true` if the import that ended so is held for review.
fn is_held(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.reason == "IMPORT_HELD")
}

impl From<ExitStatus> for ExitCode {
    fn from(exit: ExitStatus) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc, time::Duration};

    use rstest::rstest;
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::proto::ImportSummary;

    fn ended(state: Option<ImportState>, rejected: u32, status: Option<Status>) -> ImportEnd {
        ImportEnd {
            summary: state.map(|state| ImportSummary {
                state: state.into(),
                rejected,
                ..ImportSummary::default()
            }),
            status,
            ..ImportEnd::default()
        }
    }

    #[rstest]
    #[case::all_rows_stand(Some(ImportState::Completed), 0, None, 0)]
    #[case::rows_rejected(Some(ImportState::Completed), 1, None, 3)]
    #[case::refused(Some(ImportState::Refused), 9, Some(Code::FailedPrecondition), 4)]
    #[case::refused_whatever_the_status(Some(ImportState::Refused), 0, None, 4)]
    #[case::interrupted(Some(ImportState::Interrupted), 0, Some(Code::Unavailable), 5)]
    #[case::overtaken(Some(ImportState::Interrupted), 0, Some(Code::FailedPrecondition), 5)]
    #[case::cancelled(Some(ImportState::Cancelled), 0, Some(Code::Cancelled), 6)]
    #[case::file_fault(None, 0, Some(Code::InvalidArgument), 4)]
    #[case::no_organization(None, 0, Some(Code::NotFound), 4)]
    #[case::too_large(None, 0, Some(Code::ResourceExhausted), 4)]
    #[case::shutting_down(None, 0, Some(Code::Unavailable), 5)]
    #[case::server_fault(None, 0, Some(Code::Internal), 5)]
    #[case::broke_off(Some(ImportState::Completed), 0, Some(Code::Unavailable), 5)]
    #[case::no_summary(None, 0, None, 5)]
    fn an_import_exits_with(
        #[case] state: Option<ImportState>,
        #[case] rejected: u32,
        #[case] code: Option<Code>,
        #[case] exit: u8,
    ) {
        let status = code.map(|code| Status::new(code, "why"));
        assert_eq!(
            ExitStatus::of_import(&ended(state, rejected, status)) as u8,
            exit
        );
    }

    #[test]
    fn an_import_that_is_held_is_no_refused_one_unless_its_approval_is_refused() {
        let details = ErrorDetails::with_error_info("IMPORT_HELD", "userimport", []);
        let held = Status::with_error_details(Code::FailedPrecondition, "held", details);
        let refused = Status::failed_precondition("the plan differs");
        for (status, exit) in [(Some(held), 7), (None, 7), (Some(refused), 4)] {
            let ended = ended(Some(ImportState::Held), 0, status);
            assert_eq!(ExitStatus::of_import(&ended) as u8, exit);
        }
    }

    #[test]
    fn only_a_server_that_says_why_has_cancelled() {
        let details = ErrorDetails::with_error_info("CANCELLED", "userimport", []);
        let told = Status::with_error_details(Code::Cancelled, "cancelled", details);
        assert_eq!(ExitStatus::of_status(&told), ExitStatus::Cancelled);
        let reset = Status::cancelled("stream reset");
        assert_eq!(ExitStatus::of_status(&reset), ExitStatus::Interrupted);
    }

    #[test]
    fn an_import_that_only_has_to_wait_is_not_refused() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
        let running = Status::with_error_details(Code::Aborted, "running", details);
        let held = ended(Some(ImportState::Refused), 0, Some(running));
        assert_eq!(ExitStatus::of_import(&held), ExitStatus::Interrupted);
    }

    #[test]
    fn a_lost_connection_is_an_interruption_whatever_its_code() {
        let mut lost = Status::invalid_argument("h2");
        lost.set_source(Arc::new(io::Error::other("reset")));
        assert_eq!(ExitStatus::of_status(&lost), ExitStatus::Interrupted);
    }

    #[test]
    fn context_around_an_error_does_not_hide_what_it_is() {
        let usage = anyhow::Error::from(UsageError::new("no such file")).context("import");
        assert_eq!(ExitStatus::of_error(&usage), ExitStatus::Usage);
        let status = ClientError::from(Status::already_exists("there"));
        let refused = anyhow::Error::from(status).context("org create");
        assert_eq!(ExitStatus::of_error(&refused), ExitStatus::Refused);
        assert_eq!(
            ExitStatus::of_error(&anyhow::anyhow!("disk full")),
            ExitStatus::Failed
        );
    }
}
