//! External IDs that match no user but equal a user's external ID except for case (semantics §5). Such a row would
//! create a second account for that user.

use hashbrown::HashMap;

use super::keys::Key;
use super::numbers::{RowIndex, UserIndex};
use super::parallel;
use super::roster::Roster;
use crate::domain::fold;

/// By row: the user whose external ID the row has in another case.
#[derive(Default)]
pub(crate) struct OtherCase(HashMap<RowIndex, UserIndex>);

impl OtherCase {
    /// Looks at the rows that match no user. Looks at users only if such a row has a letter in its external ID.
    pub(crate) fn find(roster: &Roster<'_>) -> Self {
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
        let mut users: Vec<Option<UserIndex>> = vec![None; by_form.len()];
        let id = |user: UserIndex| roster.users[user].external_id();
        for (user, form) in forms.enumerate() {
            if let &Some(form) = form {
                let least = &mut users[form];
                *least = least.filter(|&known| id(known) < id(user)).or(Some(user));
            }
        }
        let found = rows.into_iter();
        Self(
            found
                .filter_map(|(row, form)| Some((row, users[form]?)))
                .collect(),
        )
    }

    /// Returns the user whose external ID `row` has in another case, or `None` if there is none. Of several users, it
    /// is the one with the least external ID.
    pub(crate) fn user(&self, row: RowIndex) -> Option<UserIndex> {
        self.0.get(&row).copied()
    }
}

/// Returns `false` for texts that are the same in any case, such as digits.
fn has_case(text: &str) -> bool {
    !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
