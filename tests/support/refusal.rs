//! The refusal of an import, in its status and in its summary, which must agree.

use std::fmt::Write;

use tonic::Code;
use tonic_types::StatusExt;
use user_import::proto::{ImportState, Refusal};

use super::ImportResponses;

/// Most bytes of a status with its details (`api.md`, Status codes).
const STATUS_BYTES: usize = 4 * 1024;

impl ImportResponses {
    /// Returns the status code, then a line `CODE subject: sentence` for each refusal of the summary.
    ///
    /// Panics unless the import was refused as a whole, and status, details and summary agree.
    pub fn refusal(&self) -> String {
        let summary = self.summary();
        assert_eq!(summary.state(), ImportState::Refused, "{self}");
        let changed = summary.created + summary.updated + summary.deactivated;
        assert!(self.results.is_empty() && changed == 0, "{self}");
        self.check_details(&summary.refusals);
        let mut told = format!("{:?}\n", self.code());
        for refusal in &summary.refusals {
            let about = [refusal.code.as_str(), refusal.subject.as_str()].join(" ");
            writeln!(told, "{}: {}", about.trim_end(), refusal.message).expect("text grows");
        }
        told
    }

    /// Checks that the status has one violation for each refusal, in the same words, up to the size limit.
    fn check_details(&self, refusals: &[Refusal]) {
        let violations = self.violations();
        assert!(!violations.is_empty(), "no violation:\n{self}");
        let told = refusals
            .iter()
            .map(|r| (r.subject.clone(), r.message.clone()));
        let told: Vec<_> = told.take(violations.len()).collect();
        assert_eq!(violations, told);
        // Details are sent as base64, which adds a third to their size.
        let encoded = self.status.details().len() * 4 / 3 + self.status.message().len();
        assert!(encoded < STATUS_BYTES, "{encoded} bytes");
        let hidden = refusals.len() - violations.len();
        let counted = format!("{hidden} that do not fit");
        let is_counted = self.status.message().contains(&counted);
        assert_eq!(is_counted, hidden > 0, "{}", self.status.message());
    }

    /// Returns the subject and sentence of each violation, from the detail that belongs to the status code.
    pub fn violations(&self) -> Vec<(String, String)> {
        let details = self.status.get_error_details();
        let pairs = match self.code() {
            Code::InvalidArgument => details.bad_request().map(|found| {
                let faults = found.field_violations.iter();
                faults
                    .map(|v| (v.field.clone(), v.description.clone()))
                    .collect()
            }),
            Code::ResourceExhausted => details.quota_failure().map(|found| {
                let faults = found.violations.iter();
                faults
                    .map(|v| (v.subject.clone(), v.description.clone()))
                    .collect()
            }),
            Code::FailedPrecondition => details.precondition_failure().map(|found| {
                let faults = found.violations.iter();
                faults
                    .map(|v| (v.subject.clone(), v.description.clone()))
                    .collect()
            }),
            _ => None,
        };
        pairs.unwrap_or_default()
    }
}
