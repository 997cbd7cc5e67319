//! Rows and users with every key replaced by a number: who holds a key in the directory, who wants
//! it, whom a row names as supervisor. Never changes while rows are judged.

use std::sync::OnceLock;

use super::attributes::sound;
use super::keys::{Key, KeySource, KeyUse, Numbering, held};
use super::links::{Links, Lists, index, indices};
use super::parallel;
use super::snapshot::Directory;
use crate::domain::{Column, ColumnSet, Row, User};
use crate::plan::Request;
use crate::plan::judge::Checked;
use crate::plan::judge::Mistaken;
use crate::plan::report::{Decision, Supervisor};

/// Somebody of the final state: a user of the directory, or the user that a row creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinalUser {
    User(u32),
    Row(u32),
}

impl From<Option<FinalUser>> for Supervisor {
    fn from(person: Option<FinalUser>) -> Self {
        match person {
            None => Self::None,
            Some(FinalUser::User(user)) => Self::User(user),
            Some(FinalUser::Row(row)) => Self::Row(row),
        }
    }
}

/// The user that a row is about: one of the directory, a new one with an external ID, or one without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    User(u32),
    /// A number of [`Key::ExternalId`].
    NewId(u32),
    Row(u32),
}

/// What a row does to its user's supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SupervisorChange {
    Keep,
    Clear,
    /// The user who has this email (a number of [`Key::Email`]).
    Email(u32),
}

/// The import as judging sees it.
pub(crate) struct Roster<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) users: &'a [User],
    keys: [KeyUse; 4],
    directory: &'a Directory,
    mistaken: Mistaken,
    /// By user: the rows that matched it. Made when first asked for: only what rejects rows does.
    rows_of: OnceLock<Lists>,
    wishes: Links,
}

impl<'a> Roster<'a> {
    /// The rows and users of `request`, with what the field checks found; `mistaken` is part of that.
    pub(crate) fn new(request: &Request<'a>, checked: &Checked, mistaken: Mistaken) -> Self {
        let (rows, users) = (request.rows, request.directory.users());
        let directory = request.directory;
        let keys = |key: Key| {
            let known = checked.decisions.iter().zip(&checked.unsound);
            let given = move |(at, (decision, &unsound)): (u32, (&Decision, &ColumnSet))| {
                let (row, column) = (&rows[at as usize], key.column());
                let standing = sound(row, unsound, column).is_some();
                match directory.user_of(at) {
                    // No user is without a key, so that the same is sound.
                    Some(user) if standing && !decision.changes.contains(column) => {
                        KeySource::Held(user)
                    }
                    _ => sound(row, unsound, column).map_or(KeySource::Nothing, KeySource::Text),
                }
            };
            indices(rows).zip(known).map(given)
        };
        let emails = || {
            let mut emails = Numbering::new(Key::Email, users);
            let by_email = KeyUse::new(&mut emails, keys(Key::Email));
            // Most name the supervisor whom their user has; the others are looked up.
            let email = |row: u32| {
                let (row, unsound) = (&rows[row as usize], checked.unsound[row as usize]);
                sound(row, unsound, Column::SupervisorEmail)
            };
            let same = parallel::map(rows, |row, _| {
                let supervisor = directory.supervisor_of(directory.user_of(row)?)?;
                let is_same = Key::Email.of(&users[supervisor as usize]) == email(row)?;
                is_same.then_some(held(supervisor))
            });
            let wish = |(row, same): (u32, Option<u32>)| {
                let written = || rows[row as usize].written(Column::SupervisorEmail);
                same.or_else(|| {
                    let email = email(row)?;
                    // As an earlier version stored it, or as it is read today.
                    let stored = written().and_then(|written| emails.find_near(written, u32::MAX));
                    Some(stored.unwrap_or_else(|| emails.number(email)))
                })
            };
            let wishes: Links = indices(rows).zip(same).map(wish).collect();
            (by_email.grown(emails.len()), wishes)
        };
        let other = |key: Key| KeyUse::new(&mut Numbering::new(key, users), keys(key));
        let others = || [Key::ExternalId, Key::BadgeNumber, Key::Username].map(other);
        let ((by_email, wishes), [by_id, by_badge, by_username]) =
            parallel::both(rows.len(), emails, others);
        Self {
            rows,
            users,
            directory,
            mistaken,
            rows_of: OnceLock::new(),
            keys: [by_id, by_email, by_badge, by_username],
            wishes,
        }
    }

    /// How many different keys there are.
    pub(crate) fn key_count(&self, key: Key) -> usize {
        self.keys[key as usize].count()
    }

    /// The user who has key number `id` in the directory.
    pub(crate) fn holder(&self, key: Key, id: u32) -> Option<u32> {
        self.keys[key as usize].holder(id)
    }

    /// The key that `row` gives its user, where that value is sound.
    pub(crate) fn wanted(&self, key: Key, row: u32) -> Option<u32> {
        self.keys[key as usize].wanted(row)
    }

    /// The keys that no other row may have beside `row`, and the external ID of its user, which says that the
    /// row is about that user.
    pub(crate) fn claimed_keys(&self, row: u32) -> impl Iterator<Item = (Key, u32)> {
        let wanted = Key::ALL.into_iter();
        let wanted = wanted.filter_map(move |key| Some((key, self.wanted(key, row)?)));
        let own = self.user(row).map(held);
        let own = own.filter(|_| own != self.wanted(Key::ExternalId, row));
        wanted.chain(own.map(|id| (Key::ExternalId, id)))
    }

    /// What tells rows about one user from rows about another.
    pub(crate) fn subject(&self, row: u32) -> Subject {
        match (self.user(row), self.wanted(Key::ExternalId, row)) {
            (Some(user), _) => Subject::User(user),
            (None, Some(id)) => Subject::NewId(id),
            (None, None) => Subject::Row(row),
        }
    }

    /// The same as the row writes it.
    pub(crate) fn wanted_text(&self, key: Key, row: u32) -> Option<&'a str> {
        self.wanted(key, row)?;
        self.rows[row as usize].value(key.column())
    }

    /// False where the row has an external ID that failed its check: nobody knows whose it is.
    pub(crate) fn tells_its_user(&self, row: u32) -> bool {
        let data = &self.rows[row as usize];
        !self.mistaken.ids.contains(&row)
            && (!data.is_unsound(Column::ExternalId) || self.user(row).is_some())
    }

    /// What rejected keys were probably meant to be.
    pub(crate) const fn mistaken(&self) -> &Mistaken {
        &self.mistaken
    }

    /// The user of the directory that `row` matched.
    pub(crate) fn user(&self, row: u32) -> Option<u32> {
        self.directory.user_of(row)
    }

    /// The rows that matched `user`, in order.
    pub(crate) fn rows_of(&self, user: u32) -> &[u32] {
        let rows_of = self.rows_of.get_or_init(|| {
            let matched = indices(self.rows).filter_map(|row| Some((self.user(row)?, row)));
            Lists::collect(self.users.len(), matched)
        });
        rows_of.get(user)
    }

    /// Whom `row` is about.
    pub(crate) fn person(&self, row: u32) -> FinalUser {
        self.user(row).map_or(FinalUser::Row(row), FinalUser::User)
    }

    /// What `row` does to its user's supervisor.
    pub(crate) fn wish(&self, row: u32) -> SupervisorChange {
        match self.written_wish(row) {
            // Many systems give the head of an organisation so (semantics §5).
            SupervisorChange::Email(email) if self.wanted(Key::Email, row) == Some(email) => {
                SupervisorChange::Clear
            }
            wish => wish,
        }
    }

    /// Returns `true` if `row` names its own user as supervisor.
    pub(crate) fn names_itself(&self, row: u32) -> bool {
        self.wish(row) != self.written_wish(row)
    }

    /// The same as the row writes it: its own user may be the supervisor.
    pub(crate) fn written_wish(&self, row: u32) -> SupervisorChange {
        match self.wishes.get(row) {
            Some(email) => SupervisorChange::Email(email),
            None if self.rows[row as usize].has(Column::SupervisorEmail) => SupervisorChange::Clear,
            None => SupervisorChange::Keep,
        }
    }

    /// The supervisor that `user` has in the directory.
    pub(crate) fn supervisor(&self, user: u32) -> Option<u32> {
        self.directory.supervisor_of(user)
    }

    /// The rows that name a supervisor, listed by that email's number.
    pub(crate) fn reports(&self) -> Lists {
        let rows = indices(self.rows);
        let named = rows.filter_map(|row| match self.wish(row) {
            SupervisorChange::Email(email) => Some((email, row)),
            _ => None,
        });
        Lists::collect(self.key_count(Key::Email), named)
    }

    /// How many persons there may be; [`Roster::node`] is below it.
    pub(crate) fn nodes(&self) -> usize {
        self.users.len() + self.rows.len()
    }

    /// The number of `person`, among users and rows together.
    pub(crate) fn node(&self, person: FinalUser) -> u32 {
        match person {
            FinalUser::User(user) => user,
            FinalUser::Row(row) => index(self.users.len()) + row,
        }
    }

    /// The person with this number.
    pub(crate) fn at(&self, node: u32) -> FinalUser {
        match node.checked_sub(index(self.users.len())) {
            None => FinalUser::User(node),
            Some(row) => FinalUser::Row(row),
        }
    }
}
