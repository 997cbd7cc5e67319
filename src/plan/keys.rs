//! The four keys that are unique within an organisation (semantics §1), numbers in place of their
//! texts, so that a key is hashed once and compared for free ever after, and who uses them.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::links::{Links, index};
use super::text::fold;
use crate::domain::{Column, IssueCode, User};

/// A key that is unique within an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    ExternalId,
    Email,
    BadgeNumber,
    Username,
}

impl Key {
    /// All four; `ALL[k as usize] == k`.
    pub(super) const ALL: [Self; 4] = [
        Self::ExternalId,
        Self::Email,
        Self::BadgeNumber,
        Self::Username,
    ];

    /// Those that a user can change, and so free for another; every row that stands sets all three.
    pub(super) const MOVABLE: [Self; 3] = [Self::Email, Self::BadgeNumber, Self::Username];

    pub(super) const fn column(self) -> Column {
        match self {
            Self::ExternalId => Column::ExternalId,
            Self::Email => Column::Email,
            Self::BadgeNumber => Column::BadgeNumber,
            Self::Username => Column::Username,
        }
    }

    /// The code that says another user has it.
    pub(super) const fn taken(self) -> IssueCode {
        match self {
            Self::ExternalId => IssueCode::ExternalIdTaken,
            Self::Email => IssueCode::EmailTaken,
            Self::BadgeNumber => IssueCode::BadgeNumberTaken,
            Self::Username => IssueCode::UsernameTaken,
        }
    }

    /// What an administrator calls it.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::ExternalId => "external ID",
            Self::Email => "email",
            Self::BadgeNumber => "badge number",
            Self::Username => "username",
        }
    }

    /// The key as `user` has it in the directory.
    pub(super) fn of(self, user: &User) -> &str {
        match self {
            Self::ExternalId => user.external_id(),
            Self::Email => user.email(),
            Self::BadgeNumber => user.badge_number(),
            Self::Username => user.username(),
        }
    }

    /// The form in which two texts compare equal exactly when they are the same key.
    pub(super) fn comparable(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::ExternalId | Self::BadgeNumber => Cow::Borrowed(text),
            Self::Email | Self::Username => fold(text),
        }
    }
}

/// The number of the key, whichever of the four, that `user` has in the directory.
pub(super) const fn held(user: u32) -> u32 {
    user
}

/// Numbers for the texts of one key, counted from 0. What the users of the directory have comes
/// first, in their order, so that a text and its user have the same number.
pub(super) struct Numbering<'a> {
    key: Key,
    users: &'a [User],
    /// Made when a text is first looked for: most rows have what their user has, and of such a text
    /// the number is known.
    numbers: Option<HashMap<Cow<'a, str>, u32>>,
}

impl<'a> Numbering<'a> {
    /// The numbers of what `users` have.
    pub(super) const fn new(key: Key, users: &'a [User]) -> Self {
        Self {
            key,
            users,
            numbers: None,
        }
    }

    fn numbers(&mut self) -> &mut HashMap<Cow<'a, str>, u32> {
        let (key, users) = (self.key, self.users);
        self.numbers.get_or_insert_with(|| {
            let texts = users.iter().map(|user| key.comparable(key.of(user)));
            texts.zip(0..).collect()
        })
    }

    /// The number of `text`; a new one where it has none.
    pub(super) fn number(&mut self, text: &'a str) -> u32 {
        let text = self.key.comparable(text);
        let numbers = self.numbers();
        let next = index(numbers.len());
        *numbers.entry(text).or_insert(next)
    }

    /// The same, where it is likely to be what `user` has.
    pub(super) fn number_near(&mut self, text: &'a str, user: Option<u32>) -> u32 {
        match user {
            Some(user) if self.key.of(&self.users[user as usize]) == text => user,
            _ => self.number(text),
        }
    }

    /// The user who has `text`, which is likely to be `user`.
    pub(super) fn find_near(&mut self, text: &str, user: u32) -> Option<u32> {
        match self.users.get(user as usize) {
            Some(near) if self.key.of(near) == text => Some(user),
            _ => {
                let text = self.key.comparable(text);
                self.numbers().get(&*text).copied()
            }
        }
    }

    /// All texts and their numbers, where there are others than the users'.
    pub(super) fn into_texts(self) -> Option<HashMap<Cow<'a, str>, u32>> {
        self.numbers
    }

    /// How many have been given.
    pub(super) fn len(&self) -> usize {
        let numbers = self.numbers.as_ref();
        numbers.map_or(self.users.len(), HashMap::len)
    }
}

/// Who has and who wants the texts of one key, each by its number. What a user of the directory
/// has, has that user's number.
pub(super) struct KeyUse {
    users: u32,
    /// How many different texts there are.
    count: usize,
    /// By row: the key it gives its user, where that value is sound.
    wanted: Links,
}

impl KeyUse {
    /// Numbers what the rows want: `values`, one a row, each with the user whom the row matched.
    pub(super) fn new<'a>(
        numbers: &mut Numbering<'a>,
        values: impl Iterator<Item = (Option<&'a str>, Option<u32>)>,
    ) -> Self {
        let number = |(value, user): (Option<&'a str>, Option<u32>)| {
            value.map(|value| numbers.number_near(value, user))
        };
        let wanted = values.map(number).collect();
        Self {
            users: index(numbers.users.len()),
            count: numbers.len(),
            wanted,
        }
    }

    /// The same with room for keys that nobody holds or wants.
    pub(super) const fn grown(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// How many different texts there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The user who has key number `id` in the directory.
    pub(super) fn holder(&self, id: u32) -> Option<u32> {
        (id < self.users).then_some(id)
    }

    pub(super) fn wanted(&self, row: u32) -> Option<u32> {
        self.wanted.get(row)
    }
}
