//! Completes findings with facts that only the final state shows: the row that gives a key to its holder, and the email
//! that may have been meant (semantics §6). After that, findings can be put into words without the final state.

use std::borrow::Cow;

use crate::domain::Column;
use crate::plan::index::Key;
use crate::plan::index::{FinalUser, SupervisorChange};
use crate::plan::index::{Links, index};
use crate::plan::index::{NearestIndex, SuggestionBudget};
use crate::plan::judge::State;
use crate::plan::judge::{Finding, Findings};
use crate::plan::judge::{SupervisorNames, renaming_row};

/// Completes `findings` in the order of the rows, since the search for emails that may have been meant has a limit.
pub(crate) fn complete_findings(
    state: &State<'_>,
    findings: &mut Findings,
    budget: &mut SuggestionBudget,
) {
    let mut not_found = Vec::new();
    findings.change(|row, finding| {
        if finding == Finding::SupervisorNotFound {
            not_found.push(row);
        }
        match finding {
            Finding::Taken { key, holder } => Finding::Taken {
                key,
                holder: state
                    .row_of(holder.into())
                    .map_or(holder, |row| FinalUser::Row(row).into()),
            },
            finding => finding,
        }
    });
    if !not_found.is_empty() {
        let names = SupervisorNames::find(state, not_found.into_iter());
        let count = state.roster.key_count(Key::Email);
        let owned = (0..index(count)).filter(|&id| state.owner(Key::Email, id).is_some());
        let key = |id| Key::Email.comparable(state.email(id).unwrap_or_default());
        let mut nearest = NearestEmails {
            state,
            emails: NearestIndex::new(owned, key),
            is_known: vec![false; count],
            suggested: Links::none(count),
        };
        findings.change(|row, finding| match finding {
            Finding::SupervisorNotFound => nearest.advise(row, &names, budget),
            finding => finding,
        });
    }
    findings.close();
}

/// The emails of the final state, indexed by similarity.
struct NearestEmails<'a, I, K> {
    state: &'a State<'a>,
    /// The emails that may be suggested.
    emails: NearestIndex<I, K>,
    /// By email that no user has: whether its nearest email has been looked for, and the nearest email found.
    is_known: Vec<bool>,
    suggested: Links,
}

impl<'a, I, K> NearestEmails<'a, I, K>
where
    I: Iterator<Item = u32>,
    K: Fn(u32) -> Cow<'a, str>,
{
    /// Returns the finding about a supervisor who is not found.
    fn advise(
        &mut self,
        row: u32,
        names: &SupervisorNames,
        budget: &mut SuggestionBudget,
    ) -> Finding {
        let state = self.state;
        if let SupervisorChange::Email(email) = state.roster.wish(row) {
            if let Some(row) = state.would_give(email) {
                return Finding::SupervisorRowRejected { row };
            }
            if let Some(renaming) = renaming_row(state, email) {
                return Finding::SupervisorRenamed { row: renaming };
            }
        }
        let meant = names.meant(&state.roster.rows[row as usize]);
        if let Some(person) = meant.filter(|&person| person != state.own_person(row)) {
            let email = state.email_source(person).into();
            return Finding::SupervisorNear { email };
        }
        match self.nearest(row, budget) {
            Some(email) => Finding::SupervisorNear {
                email: email.into(),
            },
            None => Finding::SupervisorNotFound,
        }
    }

    /// Returns the source of the email nearest to the supervisor email of `row`. Returns `None` if no email is near, or
    /// if the nearest is that of the row's own user.
    fn nearest(&mut self, row: u32, budget: &mut SuggestionBudget) -> Option<FinalUser> {
        let state = self.state;
        let SupervisorChange::Email(named) = state.roster.wish(row) else {
            return None;
        };
        if !std::mem::replace(&mut self.is_known[named as usize], true) {
            let email = state.roster.rows[row as usize].value(Column::SupervisorEmail)?;
            let near = self.emails.nearest(&Key::Email.comparable(email), budget);
            self.suggested.set(named, near);
        }
        let near = state.owner(Key::Email, self.suggested.get(named)?)?;
        (near != state.own_person(row)).then(|| state.email_source(near))
    }
}
