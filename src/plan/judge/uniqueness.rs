//! The uniqueness rule on the final state (semantics §5 c): no row takes a key that another user keeps. Knows nothing
//! of the other rules.

use super::finding::{Finding, Findings};
use super::judgement_state::JudgementState;
use super::rules::{DueRows, Rule};
use crate::plan::index::{FinalUser, Key, RowIndex, held};

/// Rejects rows that take a key of a user that no standing row is about.
pub(crate) struct UniquenessRule {
    due: DueRows,
}

impl UniquenessRule {
    pub(crate) const fn new() -> Self {
        Self {
            due: DueRows::all(),
        }
    }
}

impl Rule for UniquenessRule {
    fn judge(&mut self, state: &JudgementState<'_>, findings: &mut Findings) -> Vec<RowIndex> {
        let mut rejected = self.due.take(state);
        rejected.retain(|&row| {
            let taken = Key::MOVABLE.map(|key| find_taken(state, row, key, findings));
            taken.contains(&true)
        });
        rejected
    }

    /// The user of a rejected row keeps its keys: rows that want one of them must be judged again.
    fn note(&mut self, state: &JudgementState<'_>, rejected: &[RowIndex]) {
        let users = rejected.iter().filter_map(|&row| state.roster.user(row));
        for user in users {
            let kept = Key::MOVABLE.map(|key| state.taker(key, held(user)));
            self.due.add(kept.into_iter().flatten());
        }
    }
}

/// Returns `true` if a user that no standing row is about has the key that `row` wants, and adds the finding.
fn find_taken(
    state: &JudgementState<'_>,
    row: RowIndex,
    key: Key,
    findings: &mut Findings,
) -> bool {
    let own = state.roster.user(row).map(held);
    let wanted = state.roster.wanted(key, row);
    // The row may take the key that its own user has.
    let wanted = wanted.filter(|_| wanted != own);
    let Some(user) = wanted.and_then(|id| state.keeper(key, id)) else {
        return false;
    };
    let holder = FinalUser::User(user).into();
    findings.push(row, Finding::Taken { key, holder });
    if let Some(cause) = state.would_free(key, user) {
        findings.push(row, Finding::KeptByRejection { key, row: cause });
    }
    true
}
