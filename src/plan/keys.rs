//! The four keys that are unique within an organisation (semantics §1), numbers in place of their
//! texts, so that a key is hashed once and compared for free ever after, and who uses them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::links::{Links, index, indices};
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

/// Numbers for texts, counted from 0.
#[derive(Debug, Default)]
pub(super) struct Numbering<'a>(HashMap<Cow<'a, str>, u32>);

impl<'a> Numbering<'a> {
    /// The number of `text`; a new one where it has none.
    pub(super) fn number(&mut self, text: Cow<'a, str>) -> u32 {
        let next = index(self.0.len());
        *self.0.entry(text).or_insert(next)
    }

    /// The number of `text`, where it has one.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.0.get(text).copied()
    }

    /// All texts and their numbers, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(text, &number)| (&**text, number))
    }

    /// How many have been given.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Who has and who wants the texts of one key, each by its number.
pub(super) struct KeyUse {
    /// By user: the key it has in the directory.
    held: Vec<u32>,
    /// By key: the user who has it in the directory.
    holder: Links,
    /// By row: the key it gives its user, where that value is sound.
    wanted: Links,
}

impl KeyUse {
    /// Numbers what `users` have and what the rows want (`values`, one a row).
    pub(super) fn new<'a>(
        key: Key,
        numbers: &mut Numbering<'a>,
        users: &'a [User],
        values: impl Iterator<Item = Option<&'a str>>,
    ) -> Self {
        let mut number = |text: &'a str| numbers.number(key.comparable(text));
        let held: Vec<u32> = users.iter().map(|user| number(key.of(user))).collect();
        let wanted = values.map(|value| value.map(&mut number)).collect();
        let mut holder = Links::none(numbers.len());
        for user in indices(users) {
            holder.set(held[user as usize], Some(user));
        }
        Self {
            held,
            holder,
            wanted,
        }
    }

    /// The same with room for keys that nobody holds or wants.
    pub(super) fn grown(mut self, len: usize) -> Self {
        self.holder.grow(len);
        self
    }

    /// How many different texts there are.
    pub(super) fn count(&self) -> usize {
        self.holder.len()
    }

    pub(super) fn held(&self, user: u32) -> u32 {
        self.held[user as usize]
    }

    pub(super) fn holder(&self, id: u32) -> Option<u32> {
        self.holder.get(id)
    }

    pub(super) fn wanted(&self, row: u32) -> Option<u32> {
        self.wanted.get(row)
    }
}
