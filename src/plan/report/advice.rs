//! Completes findings with facts that only the final state shows: the row that gives a key to its holder, and the email
//! that may have been meant (semantics §6). After that, findings can be put into words without the final state.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use crate::domain::{Column, NearestIndex, SuggestionBudget, one_edit_away};
use crate::plan::index::{
    FinalUser, Key, KeyHolders, KeyId, RowIndex, SupervisorChange, held, unknown_emails,
};
use crate::plan::judge::{
    Finding, Findings, JudgementState, MeantSupervisor, SupervisorNames, renaming_row,
};

/// Completes `findings` in the order of the rows, since the search for emails that may have been meant has a limit.
pub(crate) fn complete_findings(
    state: &JudgementState<'_>,
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
        let given = state.standing().into_iter();
        let given = given.filter_map(|row| state.roster.wanted(Key::Email, row));
        let mut users = KeyHolders::new(state.roster.users);
        let has_holder = |email: &str| users.find(Key::Email, email).is_some();
        let unknown = unknown_emails(state.roster.rows, has_holder);
        let mut nearest = NearestEmails {
            state,
            given: NearestIndex::new(given, |id| email_key(state, id)),
            users,
            unknown: unknown.into_iter().collect(),
            suggested: HashMap::new(),
            names,
        };
        findings.change(|row, finding| match finding {
            Finding::SupervisorNotFound => nearest.advise(row, budget),
            finding => finding,
        });
    }
    findings.close();
}

/// Returns the email of this number in its comparable form.
fn email_key<'a>(state: &JudgementState<'a>, id: KeyId) -> Cow<'a, str> {
    Key::Email.comparable(state.email(id).unwrap_or_default())
}

/// Finds the emails of the final state that are near to an email that nobody has. Those that rows give are compared with
/// it. Those of other users are looked up: the directory may be far larger than the file.
struct NearestEmails<'a, I: Iterator, K> {
    state: &'a JudgementState<'a>,
    /// The emails that standing rows give.
    given: NearestIndex<I, K>,
    users: KeyHolders<'a>,
    /// Emails that nobody has, and for which the addresses one edit away are looked up.
    unknown: HashSet<String>,
    /// By email that no user has: its nearest email, once it has been looked for.
    suggested: HashMap<KeyId, Option<KeyId>>,
    /// The persons that cells without a plain email name.
    names: SupervisorNames,
}

impl<'a, I, K> NearestEmails<'a, I, K>
where
    I: Iterator<Item = KeyId>,
    K: Fn(KeyId) -> Cow<'a, str>,
{
    /// Returns the finding about a supervisor who is not found.
    fn advise(&mut self, row: RowIndex, budget: &mut SuggestionBudget) -> Finding {
        let state = self.state;
        if let SupervisorChange::Email(email) = state.roster.supervisor_change(row) {
            if let Some(row) = state.would_give(email) {
                return Finding::SupervisorRowRejected { row };
            }
            if let Some(renaming) = renaming_row(state, email) {
                return Finding::SupervisorRenamed { row: renaming };
            }
        }
        match self.names.meant(state, row, &mut self.users) {
            Some(MeantSupervisor::Person(person)) => {
                let email = state.email_source(person).into();
                return Finding::SupervisorNear { email };
            }
            Some(MeantSupervisor::Itself) => return Finding::SupervisorNamesSelf,
            None => {}
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
        let SupervisorChange::Email(named) = state.roster.supervisor_change(row) else {
            return None;
        };
        let near = match self.suggested.get(&named) {
            Some(&known) => known,
            None => self.search(row, named, budget),
        };
        let near = state.owner(Key::Email, near?)?;
        (near != state.own_person(row)).then(|| state.email_source(near))
    }

    /// Looks for the email nearest to the supervisor email of `row`, which has the number `named`. Of several that are
    /// equally near, it is the first in order of key.
    fn search(
        &mut self,
        row: RowIndex,
        named: KeyId,
        budget: &mut SuggestionBudget,
    ) -> Option<KeyId> {
        let state = self.state;
        let email = state.roster.rows[row].value(Column::SupervisorEmail);
        let email = Key::Email.comparable(email.unwrap_or_default());
        let given = self.given.nearest(&email, budget);
        let held = self.look_up(&email).map(|id| (1, id));
        let found = [given, held].into_iter().flatten();
        let near = found.min_by_key(|&(edits, id)| (edits, email_key(state, id)));
        let near = near.map(|(_, id)| id);
        self.suggested.insert(named, near);
        near
    }

    /// Returns the email one edit away from `email` of a user that no standing row is about.
    fn look_up(&mut self, email: &str) -> Option<KeyId> {
        if !self.unknown.contains(email) {
            return None;
        }
        let users = &mut self.users;
        let held = one_edit_away(email).filter_map(|near| {
            let id = held(users.find(Key::Email, &near)?);
            self.state.keeper(Key::Email, id)?;
            Some((near, id))
        });
        held.min().map(|(_, id)| id)
    }
}
