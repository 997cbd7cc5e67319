//! Keys that users have with typographic characters, such as `K–9` (semantics §2, Export artefacts). A row that gives
//! the same key as keyboards write it, or with other such characters, would make a second key of one person. Only forms
//! that look-ups can find count: see [`in_typography`].

use hashbrown::HashMap;

use crate::domain::{ColumnSet, in_typography, typed_form};
use crate::plan::PlanRequest;
use crate::plan::index::{Key, RowIndex, UserIndex, parallel, sound};

/// Users who have keys with typographic characters. In most directories there are none, which costs one look at each
/// user.
pub(crate) struct TypographicKeys<'a> {
    request: &'a PlanRequest,
    /// By `Key as usize`: the users by the key as keyboards write it, in its comparable form.
    by_form: [HashMap<String, Vec<UserIndex>>; Key::ALL.len()],
}

impl<'a> TypographicKeys<'a> {
    /// Looks for users with such a character in one of `keys`.
    pub(crate) fn new<const KEYS: usize>(request: &'a PlanRequest, keys: [Key; KEYS]) -> Self {
        let mut by_form: [HashMap<String, Vec<UserIndex>>; Key::ALL.len()] = Default::default();
        let users = request.snapshot.users();
        let candidates = parallel::map(users, |_, user| {
            keys.iter().any(|key| !key.of(user).is_ascii())
        });
        for (user, _) in candidates.enumerate().filter(|(_, is_one)| **is_one) {
            for key in keys {
                if let Some(form) = typed_form(key.of(&users[user])) {
                    let form = key.comparable(&form).into_owned();
                    by_form[key as usize].entry(form).or_default().push(user);
                }
            }
        }
        Self { request, by_form }
    }

    /// Returns the user other than the row's own whose key the row gives with other dashes, apostrophes or spaces. Of
    /// several users, it is the one with the least key. `unsound` are the columns of the row that failed a check.
    pub(crate) fn user(&self, row: RowIndex, key: Key, unsound: ColumnSet) -> Option<UserIndex> {
        let by_form = &self.by_form[key as usize];
        if by_form.is_empty() {
            return None;
        }
        let (data, column) = (&self.request.rows[row], key.column());
        let value = sound(data, unsound, column)?;
        let held = |user: UserIndex| key.of(&self.request.snapshot.users()[user]);
        let own = self.request.snapshot.user_of(row);
        if own.is_some_and(|own| data.says(column, held(own))) {
            return None;
        }
        let plain = data.as_typed(column);
        let plain = plain.as_deref().into_iter().chain([value]);
        let similar = plain.flat_map(|plain| {
            let users = by_form.get(&*key.comparable(plain)).into_iter().flatten();
            let forms = in_typography(&key.comparable(plain));
            users.copied().filter(move |&user| {
                let held = key.comparable(held(user));
                forms.iter().any(|form| *form == held)
            })
        });
        similar
            .filter(|&user| Some(user) != own)
            .min_by_key(|&user| held(user))
    }
}
