//! Completes findings by what only the final state tells: which row gives a key to its holder, and which
//! email may have been meant (semantics §6). After that they can be put into words without it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::finding::{Finding, Findings};
use super::keys::Key;
use super::roster::{Person, Wish};
use super::state::State;
use super::supervisor_names::{SupervisorNames, renaming_row};
use super::text::{NearestIndex, SuggestionBudget};
use crate::domain::Column;

/// Completes `findings`, in the order of the rows, since there is an end to looking for what may have been meant.
pub(super) fn advise(state: &State<'_>, findings: &mut Findings, budget: &mut SuggestionBudget) {
    let mut not_found = Vec::new();
    findings.change(|row, finding| {
        if finding == Finding::SupervisorNotFound {
            not_found.push(row);
        }
        match finding {
            Finding::Taken { key, holder } => Finding::Taken {
                key,
                holder: state.row_of(holder).map_or(holder, Person::Row),
            },
            finding => finding,
        }
    });
    if !not_found.is_empty() {
        let names = SupervisorNames::find(state, not_found.into_iter());
        let emails = state.roster.emails();
        let mut nearest = NearestEmails::new(state, &emails);
        findings.change(|row, finding| match finding {
            Finding::SupervisorNotFound => nearest.advise(row, &names, budget),
            finding => finding,
        });
    }
    findings.close();
}

/// The emails of the final state, by nearness.
struct NearestEmails<'a> {
    state: &'a State<'a>,
    emails: NearestIndex<'a>,
    /// By email that nobody has: the nearest that somebody has.
    suggested: HashMap<u32, Option<u32>>,
}

impl<'a> NearestEmails<'a> {
    /// `emails` are those that may be suggested.
    fn new(state: &'a State<'a>, emails: &'a [(Cow<'a, str>, u32)]) -> Self {
        let emails = emails.iter().map(|(email, id)| (&**email, *id));
        let owned = emails.filter(|&(_, id)| state.owner(Key::Email, id).is_some());
        Self {
            state,
            emails: NearestIndex::new(owned.map(|(email, id)| (id, email))),
            suggested: HashMap::new(),
        }
    }

    /// What to say of a supervisor who is not found.
    fn advise(
        &mut self,
        row: u32,
        names: &SupervisorNames,
        budget: &mut SuggestionBudget,
    ) -> Finding {
        let state = self.state;
        if let Wish::Email(email) = state.roster.wish(row) {
            if let Some(row) = state.would_give(email) {
                return Finding::SupervisorRowRejected { row };
            }
            if let Some(renaming) = renaming_row(state, email) {
                return Finding::SupervisorRenamed { row: renaming };
            }
        }
        let meant = names.meant(&state.roster.rows[row as usize]);
        if let Some(person) = meant.filter(|&person| person != state.own_person(row)) {
            let email = state.email_source(person);
            return Finding::SupervisorNear { email };
        }
        match self.nearest(row, budget) {
            Some(email) => Finding::SupervisorNear { email },
            None => Finding::SupervisorNotFound,
        }
    }

    /// Who has the email nearest to the supervisor's that `row` names, its own apart.
    fn nearest(&mut self, row: u32, budget: &mut SuggestionBudget) -> Option<Person> {
        let state = self.state;
        let Wish::Email(named) = state.roster.wish(row) else {
            return None;
        };
        let emails = &mut self.emails;
        let near = self.suggested.entry(named).or_insert_with(|| {
            let email = state.roster.rows[row as usize].value(Column::SupervisorEmail)?;
            emails.nearest(&Key::Email.comparable(email), budget)
        });
        let near = state.owner(Key::Email, (*near)?)?;
        (near != state.own_person(row)).then(|| state.email_source(near))
    }
}
