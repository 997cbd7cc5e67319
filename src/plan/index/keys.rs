//! The four keys that are unique within an organisation (semantics §1), and who holds and who wants them. Each key text
//! gets a number, so that it is hashed once and then compared as an integer. Knows no rule.

use std::{borrow::Cow, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::links::{Links, index, indices};
use super::text::{email_key, fold};
use crate::domain::{Column, IssueCode, User};

/// A key that is unique within an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    ExternalId,
    Email,
    BadgeNumber,
    Username,
}

/// The key by which a row finds its user besides the external ID (semantics §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// The email, ignoring case.
    Email,
    /// The badge number, exactly.
    BadgeNumber,
    /// The username, ignoring case.
    Username,
}

impl From<MatchBy> for Key {
    fn from(by: MatchBy) -> Self {
        match by {
            MatchBy::Email => Self::Email,
            MatchBy::BadgeNumber => Self::BadgeNumber,
            MatchBy::Username => Self::Username,
        }
    }
}

impl Key {
    /// All four; `ALL[k as usize] == k`.
    pub(crate) const ALL: [Self; 4] = [
        Self::ExternalId,
        Self::Email,
        Self::BadgeNumber,
        Self::Username,
    ];

    /// The keys that a user can change, and so free for another user. Every standing row sets all three.
    pub(crate) const MOVABLE: [Self; 3] = [Self::Email, Self::BadgeNumber, Self::Username];

    pub(crate) const fn column(self) -> Column {
        match self {
            Self::ExternalId => Column::ExternalId,
            Self::Email => Column::Email,
            Self::BadgeNumber => Column::BadgeNumber,
            Self::Username => Column::Username,
        }
    }

    /// The code for a key that another user has.
    pub(crate) const fn taken(self) -> IssueCode {
        match self {
            Self::ExternalId => IssueCode::ExternalIdTaken,
            Self::Email => IssueCode::EmailTaken,
            Self::BadgeNumber => IssueCode::BadgeNumberTaken,
            Self::Username => IssueCode::UsernameTaken,
        }
    }

    /// The key's name in messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::ExternalId => "external ID",
            Self::Email => "email",
            Self::BadgeNumber => "badge number",
            Self::Username => "username",
        }
    }

    /// Returns the key that `user` has in the directory.
    pub(crate) fn of(self, user: &User) -> &str {
        match self {
            Self::ExternalId => user.external_id(),
            Self::Email => user.email(),
            Self::BadgeNumber => user.badge_number(),
            Self::Username => user.username(),
        }
    }

    /// Returns the form in which two texts are equal if and only if they are the same key.
    pub(crate) fn comparable(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::ExternalId | Self::BadgeNumber => Cow::Borrowed(text),
            Self::Email => email_key(text),
            Self::Username => fold(text),
        }
    }
}

/// Returns the number of the key that `user` has in the directory. It is the same for each of the four keys.
pub(crate) const fn held(user: u32) -> u32 {
    user
}

/// Numbers for the texts of one key, counted from 0. The keys of the directory's users come first, in the users' order,
/// so that a user and its key have the same number.
pub(crate) struct Numbering<'a> {
    key: Key,
    users: &'a [User],
    /// The texts that no user of the directory has, in the order of their numbers.
    others: Vec<&'a str>,
    /// Numbers by text. Built on the first look-up: most rows have the same key as their user, and the number of such a
    /// key is known without a look-up.
    numbers: Option<HashTable<u32>>,
    hashing: DefaultHashBuilder,
}

impl<'a> Numbering<'a> {
    /// Numbers the keys of `users`.
    pub(crate) fn new(key: Key, users: &'a [User]) -> Self {
        Self {
            key,
            users,
            others: Vec::new(),
            numbers: None,
            hashing: DefaultHashBuilder::default(),
        }
    }

    /// Returns the text of a number as its first user or row writes it.
    fn text(&self, number: u32) -> &'a str {
        let number = number as usize;
        match self.users.get(number) {
            Some(user) => self.key.of(user),
            None => self.others[number - self.users.len()],
        }
    }

    fn hash(&self, number: u32) -> u64 {
        self.hashing
            .hash_one(&*self.key.comparable(self.text(number)))
    }

    /// Returns the number of a text in its comparable form, or `None` if it has none, and its hash.
    fn find(&mut self, comparable: &str) -> (Option<u32>, u64) {
        let numbers = self.numbers.take().unwrap_or_else(|| {
            let mut numbers = HashTable::with_capacity(self.users.len());
            for number in indices(self.users) {
                numbers.insert_unique(self.hash(number), number, |&known| self.hash(known));
            }
            numbers
        });
        let hash = self.hashing.hash_one(comparable);
        let is_same = |&known: &u32| self.key.comparable(self.text(known)) == comparable;
        let found = numbers.find(hash, is_same).copied();
        self.numbers = Some(numbers);
        (found, hash)
    }

    /// Returns the number of `text`. Gives it a new one if it has none.
    pub(crate) fn number(&mut self, text: &'a str) -> u32 {
        let (found, hash) = self.find(&self.key.comparable(text));
        if let Some(found) = found {
            return found;
        }
        let number = index(self.len());
        self.others.push(text);
        if let Some(mut numbers) = self.numbers.take() {
            numbers.insert_unique(hash, number, |&known| self.hash(known));
            self.numbers = Some(numbers);
        }
        number
    }

    /// Returns the user who has `text`. Tries `user` first, who is likely to have it.
    pub(crate) fn find_near(&mut self, text: &str, user: u32) -> Option<u32> {
        match self.users.get(user as usize) {
            Some(near) if self.key.of(near) == text => Some(user),
            _ => self.find(&self.key.comparable(text)).0,
        }
    }

    /// Returns the user who has `text`, or `None` if no user has it.
    pub(crate) fn holder(&mut self, text: &str) -> Option<u32> {
        self.find(&self.key.comparable(text)).0
    }

    /// Returns how many numbers have been given.
    pub(crate) fn len(&self) -> usize {
        self.users.len() + self.others.len()
    }
}

/// The key that a row gives its user.
pub(crate) enum KeySource<'a> {
    /// The row has no sound value.
    Nothing,
    /// The key that this user of the directory has.
    Held(u32),
    /// This value; its holder is not known.
    Text(&'a str),
}

/// The holders of the texts of one key, and the rows that want them, by the texts' numbers. A user's key has the user's
/// number.
pub(crate) struct KeyUse {
    users: u32,
    /// How many different texts there are.
    count: usize,
    /// By row: the number of the key that it gives its user, if that value is sound.
    wanted: Links,
}

impl KeyUse {
    /// Numbers the keys that the rows want.
    pub(crate) fn new<'a>(
        numbers: &mut Numbering<'a>,
        given: impl Iterator<Item = KeySource<'a>>,
    ) -> Self {
        let number = |given| match given {
            KeySource::Nothing => None,
            KeySource::Held(user) => Some(held(user)),
            KeySource::Text(text) => Some(numbers.number(text)),
        };
        let wanted = given.map(number).collect();
        Self {
            users: index(numbers.users.len()),
            count: numbers.len(),
            wanted,
        }
    }

    /// Returns the same with room for `count` keys; nobody holds or wants the new ones.
    pub(crate) const fn grown(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// How many different texts there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Returns the user who has key number `id` in the directory, or `None` if no user has it.
    pub(crate) fn holder(&self, id: u32) -> Option<u32> {
        (id < self.users).then_some(id)
    }

    pub(crate) fn wanted(&self, row: u32) -> Option<u32> {
        self.wanted.get(row)
    }
}
