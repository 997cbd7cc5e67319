//! Completes findings with facts that only the final state shows: the row that gives a key to its holder, and the email
//! that may have been meant (semantics §6). After that, findings can be put into words without the final state.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::domain::{Column, NearestIndex, SuggestionBudget};
use crate::plan::index::{FinalUser, Key, KeyId, Number, RowIndex, SupervisorChange};
use crate::plan::judge::{Finding, Findings, State, SupervisorNames, renaming_row};

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
        let owned = (0..count).map(KeyId::new);
        let owned = owned.filter(|&id| state.owner(Key::Email, id).is_some());
        let key = |id| Key::Email.comparable(state.email(id).unwrap_or_default());
        let mut nearest = NearestEmails {
            state,
            emails: NearestIndex::new(owned, key),
            suggested: HashMap::new(),
        };
        findings.change(|row, finding| match finding {
            Finding::SupervisorNotFound => nearest.advise(row, &names, budget),
            finding => finding,
        });
    }
    findings.close();
}

/// The emails of the final state, indexed by similarity.
struct NearestEmails<'a, I: Iterator, K> {
    state: &'a State<'a>,
    /// The emails that may be suggested.
    emails: NearestIndex<I, K>,
    /// By email that no user has: its nearest email, once it has been looked for.
    suggested: HashMap<KeyId, Option<KeyId>>,
}

impl<'a, I, K> NearestEmails<'a, I, K>
where
    I: Iterator<Item = KeyId>,
    K: Fn(KeyId) -> Cow<'a, str>,
{
    /// Returns the finding about a supervisor who is not found.
    fn advise(
        &mut self,
        row: RowIndex,
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
        let meant = names.meant(&state.roster.rows[row]);
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
    fn nearest(&mut self, row: RowIndex, budget: &mut SuggestionBudget) -> Option<FinalUser> {
        let state = self.state;
        let SupervisorChange::Email(named) = state.roster.wish(row) else {
            return None;
        };
        let near = *self.suggested.entry(named).or_insert_with(|| {
            let email = state.roster.rows[row].value(Column::SupervisorEmail)?;
            self.emails.nearest(&Key::Email.comparable(email), budget)
        });
        let near = state.owner(Key::Email, near?)?;
        (near != state.own_person(row)).then(|| state.email_source(near))
    }
}
