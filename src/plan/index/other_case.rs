//! External IDs that match no user but equal a user's external ID except for case (semantics §5). Such a row would
//! create a second account for that user. Only mixtures of cases that look-ups can find count: see [`small_forms`].

use hashbrown::HashMap;

use super::keys::Key;
use super::lists_by_index::ListsByIndex;
use super::numbers::{DenseIndex, RowIndex, UserIndex, number};
use super::parallel;
use super::roster_index::RosterIndex;
use crate::domain::{fold, small_forms};

number! {
    /// The number of an external ID without case.
    FormId
}

/// By row: the user whose external ID the row has in another case.
#[derive(Default)]
pub(crate) struct OtherCaseMatches(HashMap<RowIndex, UserIndex>);

impl OtherCaseMatches {
    /// Looks at the rows that match no user. Looks at users only if such a row has a letter in its external ID.
    pub(crate) fn find(roster: &RosterIndex<'_>) -> Self {
        let mut by_form: HashMap<String, usize> = HashMap::new();
        let mut rows = Vec::new();
        let strangers = roster
            .rows
            .indices()
            .filter(|&row| roster.user(row).is_none());
        for row in strangers.filter(|_| !roster.users.is_empty()) {
            let id = roster.wanted_text(Key::ExternalId, row);
            if let Some(id) = id.filter(|id| has_case(id)) {
                let next = by_form.len();
                rows.push((row, *by_form.entry(fold(id).into_owned()).or_insert(next)));
            }
        }
        if rows.is_empty() {
            return Self::default();
        }
        let forms = parallel::map(roster.users, |_, user| {
            let id = user.external_id();
            by_form.get(&*fold(id)).filter(|_| has_case(id)).copied()
        });
        let users = forms.enumerate();
        let users = users.filter_map(|(user, &form)| Some((FormId::new(form?), user)));
        let users = ListsByIndex::collect(by_form.len(), users);
        let found = rows.into_iter().filter_map(|(row, form)| {
            let user = likely_user(roster, row, users.get(FormId::new(form)))?;
            Some((row, user))
        });
        Self(found.collect())
    }

    /// Returns the user whose external ID `row` has in another case, or `None` if there is none. Of several users, it
    /// is the one with the least external ID.
    pub(crate) fn user(&self, row: RowIndex) -> Option<UserIndex> {
        self.0.get(&row).copied()
    }
}

/// Returns the user that look-ups find among `users`, whose external IDs equal that of `row` except for case. Of
/// several, it is the one with the least external ID.
fn likely_user(roster: &RosterIndex<'_>, row: RowIndex, users: &[UserIndex]) -> Option<UserIndex> {
    let id = |user: UserIndex| roster.users[user].external_id();
    let likely = match users {
        [] => return None,
        _ => small_forms(roster.wanted_text(Key::ExternalId, row)?),
    };
    let found = users.iter().copied();
    let found = found.filter(|&user| likely.contains(&id(user).to_ascii_lowercase()));
    found.min_by_key(|&user| id(user))
}

/// Returns `false` for texts that are the same in any case, such as digits.
fn has_case(text: &str) -> bool {
    !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
