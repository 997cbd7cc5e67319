//! The four keys that are unique within an organisation (semantics §1), and who holds and who wants them. Each key text
//! gets a number, so that it is hashed once and then compared as an integer. Knows no rule.

use std::{borrow::Cow, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

use super::numbers::{ByUser, DenseIndex, KeyId, UserIndex};
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
        user.value(self.column()).unwrap_or_default()
    }

    /// Returns the form in which two texts are equal if and only if they are the same key.
    pub(crate) fn comparable(self, text: &str) -> Cow<'_, str> {
        self.column().comparable(text)
    }
}

/// Returns the number of the key that `user` has in the directory. It is the same for each of the four keys.
pub(crate) fn held(user: UserIndex) -> KeyId {
    KeyId::new(user.position())
}

/// Returns the user who has the key of this number in the directory, which has `users`, or `None` if no user has it.
pub(crate) fn holder(key: KeyId, users: &ByUser<User>) -> Option<UserIndex> {
    (key.position() < users.len()).then(|| UserIndex::new(key.position()))
}

/// Numbers for the texts of one key, counted from 0. The keys of the directory's users come first, in the users' order,
/// so that a user and its key have the same number.
pub(crate) struct KeyNumbering<'a> {
    texts: KeyTexts<'a>,
    /// Numbers by text. Built on the first look-up: most rows have the same key as their user, and the number of such a
    /// key is known without a look-up.
    numbers: Option<HashTable<KeyId>>,
}

/// The texts of one key, by their numbers.
struct KeyTexts<'a> {
    key: Key,
    users: &'a ByUser<User>,
    /// The texts that no user of the directory has, in the order of their numbers.
    others: Vec<&'a str>,
    hashing: DefaultHashBuilder,
}

impl<'a> KeyTexts<'a> {
    /// Returns the text of a number in its comparable form, as its first user or row writes it.
    fn comparable(&self, number: KeyId) -> Cow<'a, str> {
        self.key.comparable(match holder(number, self.users) {
            Some(user) => self.key.of(&self.users[user]),
            None => self.others[number.position() - self.users.len()],
        })
    }

    fn hash(&self, number: KeyId) -> u64 {
        self.hashing.hash_one(&*self.comparable(number))
    }

    fn len(&self) -> usize {
        self.users.len() + self.others.len()
    }
}

impl<'a> KeyNumbering<'a> {
    /// Numbers the keys of `users`.
    pub(crate) fn new(key: Key, users: &'a ByUser<User>) -> Self {
        let texts = KeyTexts {
            key,
            users,
            others: Vec::new(),
            hashing: DefaultHashBuilder::default(),
        };
        let numbers = None;
        Self { texts, numbers }
    }

    fn tables(&mut self) -> (&mut KeyTexts<'a>, &mut HashTable<KeyId>) {
        let Self { texts, numbers } = self;
        let numbers = numbers.get_or_insert_with(|| {
            let mut numbers = HashTable::with_capacity(texts.users.len());
            for number in texts.users.indices().map(held) {
                numbers.insert_unique(texts.hash(number), number, |&known| texts.hash(known));
            }
            numbers
        });
        (texts, numbers)
    }

    /// Returns the number of `text`, or `None` if it has none.
    pub(crate) fn find(&mut self, text: &str) -> Option<KeyId> {
        let key = self.texts.key;
        self.find_form(&key.comparable(text))
    }

    /// Returns the number of the text whose comparable form is `text`, or `None` if it has none.
    fn find_form(&mut self, text: &str) -> Option<KeyId> {
        let (texts, numbers) = self.tables();
        let hash = texts.hashing.hash_one(text);
        let is_same = |&known: &KeyId| texts.comparable(known) == text;
        numbers.find(hash, is_same).copied()
    }

    /// Returns the number of `text`. Gives it a new one if it has none.
    pub(crate) fn number(&mut self, text: &'a str) -> KeyId {
        let (texts, numbers) = self.tables();
        let comparable = texts.key.comparable(text);
        let hash = texts.hashing.hash_one(&*comparable);
        let is_same = |&known: &KeyId| texts.comparable(known) == comparable;
        match numbers.entry(hash, is_same, |&known| texts.hash(known)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(entry) => {
                let number = KeyId::new(texts.len());
                texts.others.push(text);
                *entry.insert(number).get()
            }
        }
    }

    /// Returns the user who has `text`, or `None` if no user has it. Tries `likely` first.
    pub(crate) fn holder(&mut self, text: &str, likely: Option<UserIndex>) -> Option<UserIndex> {
        let KeyTexts { key, users, .. } = self.texts;
        let likely =
            likely.filter(|&user| users.get(user).is_some_and(|user| key.of(user) == text));
        likely.or_else(|| holder(self.find(text)?, users))
    }

    /// Returns how many numbers have been given.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// Finds users of the directory by their keys. The table of a key is built on its first use.
pub(crate) struct KeyHolders<'a> {
    by_key: [KeyNumbering<'a>; Key::ALL.len()],
}

impl<'a> KeyHolders<'a> {
    pub(crate) fn new(users: &'a ByUser<User>) -> Self {
        Self {
            by_key: Key::ALL.map(|key| KeyNumbering::new(key, users)),
        }
    }

    /// Returns the user whose key has this comparable form, or `None` if no user has it.
    pub(crate) fn find(&mut self, key: Key, form: &str) -> Option<UserIndex> {
        let numbers = &mut self.by_key[key as usize];
        holder(numbers.find_form(form)?, numbers.texts.users)
    }
}
