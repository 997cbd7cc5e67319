//! The supervisor rule on the final state (semantics §5 d): a user must have the email that a row names as supervisor.
//! Knows nothing of the other rules.

use super::finding::{Finding, Findings};
use super::judgement_state::JudgementState;
use super::rules::{DueRows, ReportsByEmail, Rule};
use crate::plan::index::{Key, RowIndex, SupervisorChange};

/// Rejects rows whose supervisor is not found.
pub(crate) struct SupervisorRule<'a> {
    due: DueRows,
    reports: &'a ReportsByEmail<'a>,
}

impl<'a> SupervisorRule<'a> {
    pub(crate) const fn new(reports: &'a ReportsByEmail<'a>) -> Self {
        Self {
            due: DueRows::all(),
            reports,
        }
    }
}

impl Rule for SupervisorRule<'_> {
    fn judge(&mut self, state: &JudgementState<'_>, findings: &mut Findings) -> Vec<RowIndex> {
        let mut rejected = self.due.take(state);
        rejected.retain(|&row| {
            let found = find_unknown_supervisor(state, row);
            let rejects = !found.is_empty();
            for finding in found {
                findings.push(row, finding);
            }
            rejects
        });
        rejected
    }

    /// A rejected row gives its email to nobody: rows that name it as supervisor must be judged again.
    fn note(&mut self, state: &JudgementState<'_>, rejected: &[RowIndex]) {
        for &row in rejected {
            if let Some(email) = state.roster.wanted(Key::Email, row) {
                self.due.add(self.reports.to(email).iter().copied());
            }
        }
    }
}

fn find_unknown_supervisor(state: &JudgementState<'_>, row: RowIndex) -> Vec<Finding> {
    let SupervisorChange::Email(email) = state.roster.supervisor_change(row) else {
        return Vec::new();
    };
    if state.owner(Key::Email, email).is_some() {
        return Vec::new();
    }
    let cause = state.would_give(email);
    let cause = cause.map(|row| Finding::SupervisorRejected { row });
    std::iter::once(Finding::SupervisorNotFound)
        .chain(cause)
        .collect()
}
