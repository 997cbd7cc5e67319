//! Decides whether a failed import is sent again, and when (api.md, Command line).
//!
//! Pure: the caller waits and sends.

use std::{fmt, time::Duration};

use crate::cli::output::printable;
use crate::client::{ImportEnd, connection_lost};

/// First wait if the server does not give one; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait if the server does not give one.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Longest sum of all waits.
const LONGEST_IN_ALL: Duration = Duration::from_mins(15);

/// How often an import may be sent again.
pub(super) struct RetryBudget {
    allowed: u32,
    made: u32,
    waited: Duration,
}

/// The next attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlannedRetry {
    /// How long to wait before it.
    pub wait: Duration,
    what: String,
    number: u32,
    of: u32,
}

impl RetryBudget {
    /// At most `allowed` times; 0: never.
    #[must_use]
    pub(super) const fn new(allowed: u32) -> Self {
        Self {
            allowed,
            made: 0,
            waited: Duration::ZERO,
        }
    }

    /// Returns the next attempt after this end, or `None` if the import is not sent again.
    pub(super) fn after(&mut self, ended: &ImportEnd) -> Option<PlannedRetry> {
        if !ended.is_transient() || self.made == self.allowed {
            return None;
        }
        let wait = self.wait(ended);
        self.waited += wait;
        if self.waited > LONGEST_IN_ALL {
            return None;
        }
        self.made += 1;
        Some(PlannedRetry {
            wait,
            what: what_happened(ended),
            number: self.made,
            of: self.allowed,
        })
    }

    /// The server's wait, but at least our own, since a server may give the same wait every time.
    fn wait(&self, ended: &ImportEnd) -> Duration {
        let own = (FIRST_WAIT * 2_u32.pow(self.made.min(8))).min(LONGEST_WAIT);
        match (ended.retry_delay(), &ended.status) {
            (Some(delay), Some(status)) if status.code() == tonic::Code::Aborted => delay,
            (delay, _) => own.max(delay.unwrap_or_default()),
        }
    }
}

fn what_happened(ended: &ImportEnd) -> String {
    match &ended.status {
        Some(status) if connection_lost(status) || status.message().is_empty() => {
            "The connection to the server was lost.".to_owned()
        }
        Some(status) => printable(status.message()).into_owned(),
        None => "The server ended the import without a summary.".to_owned(),
    }
}

impl fmt::Display for PlannedRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.wait.as_millis().div_ceil(1000);
        write!(
            f,
            "{} Retrying in {seconds} s with the same import ID ({} of {}).",
            self.what, self.number, self.of
        )
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn ended(code: Code, message: &str, delay: Option<u64>) -> ImportEnd {
        let status = match delay.map(Duration::from_secs) {
            None => Status::new(code, message),
            delay => {
                let details = ErrorDetails::with_retry_info(delay);
                Status::with_error_details(code, message, details)
            }
        };
        ImportEnd {
            status: Some(status),
            ..ImportEnd::default()
        }
    }

    fn waits(retries: u32, ended: &ImportEnd) -> Vec<u64> {
        let mut retries = RetryBudget::new(retries);
        let waits = std::iter::from_fn(|| retries.after(ended));
        waits.map(|retry| retry.wait.as_secs()).collect()
    }

    #[test]
    fn an_absent_server_is_asked_less_and_less_often() {
        let away = ended(Code::Unavailable, "away", None);
        assert_eq!(waits(8, &away), [1, 2, 4, 8, 16, 30, 30, 30]);
        let knows = ended(Code::Unavailable, "away", Some(5));
        assert_eq!(waits(4, &knows), [5, 5, 5, 8]);
        assert!(waits(0, &away).is_empty());
    }

    #[test]
    fn a_running_import_is_waited_for_as_long_as_the_server_says() {
        let running = ended(Code::Aborted, "Another import runs.", Some(3));
        assert_eq!(waits(6, &running), [3; 6]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let away = ended(Code::Unavailable, "away", None);
        let waited: u64 = waits(u32::MAX, &away).iter().sum();
        assert!(
            (600..=LONGEST_IN_ALL.as_secs()).contains(&waited),
            "{waited}"
        );
        let tomorrow = ended(Code::Aborted, "busy", Some(86_400));
        assert!(waits(8, &tomorrow).is_empty());
    }

    #[test]
    fn what_is_final_is_not_tried_again() {
        let refused = ended(Code::FailedPrecondition, "41 of 60 users", None);
        assert!(waits(8, &refused).is_empty());
    }

    #[test]
    fn a_retry_says_what_happened_and_what_comes() {
        let mut retries = RetryBudget::new(3);
        let away = ended(Code::Unavailable, "The server is shutting down.", Some(1));
        assert_snapshot!(retries.after(&away).unwrap(), @"The server is shutting down. Retrying in 1 s with the same import ID (1 of 3).");
        assert_snapshot!(retries.after(&ImportEnd::default()).unwrap(), @"The server ended the import without a summary. Retrying in 2 s with the same import ID (2 of 3).");
    }
}
