//! Rows and users with every key replaced by a number: the holder of each key in the directory, the rows that want it,
//! and the supervisor that each row names. Does not change while rows are judged.

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

/// A user of the final state: a user of the directory, or the user that a row creates.
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

/// The user that a row is about: a user of the directory, a new user with an external ID, or a new user without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    User(u32),
    /// A number of [`Key::ExternalId`].
    NewId(u32),
    Row(u32),
}

/// The change that a row makes to its user's supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SupervisorChange {
    Keep,
    Clear,
    /// The user who has this email (a number of [`Key::Email`]).
    Email(u32),
}

/// The rows and users of one import, as the rules see them.
pub(crate) struct Roster<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) users: &'a [User],
    keys: [KeyUse; 4],
    directory: &'a Directory,
    mistaken: Mistaken,
    /// By user: the rows that matched it. Built on first use: only rules that reject rows need it.
    rows_of: OnceLock<Lists>,
    wishes: Links,
}

impl<'a> Roster<'a> {
    /// Numbers the keys of the rows and users of `request`. `mistaken` is part of the results of the field checks.
    pub(crate) fn new(request: &Request<'a>, checked: &Checked, mistaken: Mistaken) -> Self {
        let (rows, users) = (request.rows, request.directory.users());
        let directory = request.directory;
        let keys = |key: Key| {
            let known = checked.decisions.iter().zip(&checked.unsound);
            let given = move |(at, (decision, &unsound)): (u32, (&Decision, &ColumnSet))| {
                let (row, column) = (&rows[at as usize], key.column());
                let standing = sound(row, unsound, column).is_some();
                match directory.user_of(at) {
                    // Every user has every key, so an unchanged key is sound.
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
            // Most rows name the supervisor that their user has already; the others are looked up.
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
                    // First the value as an earlier version may have stored it, then the value as it is read today.
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

    /// Returns how many different keys there are.
    pub(crate) fn key_count(&self, key: Key) -> usize {
        self.keys[key as usize].count()
    }

    /// Returns the user who has key number `id` in the directory, or `None` if no user has it.
    pub(crate) fn holder(&self, key: Key, id: u32) -> Option<u32> {
        self.keys[key as usize].holder(id)
    }

    /// Returns the number of the key that `row` gives its user, or `None` if the row has no sound value for it.
    pub(crate) fn wanted(&self, key: Key, row: u32) -> Option<u32> {
        self.keys[key as usize].wanted(row)
    }

    /// Returns the keys that no other row may have beside `row`. The external ID of its user is among them: it says
    /// that the row is about that user.
    pub(crate) fn claimed_keys(&self, row: u32) -> impl Iterator<Item = (Key, u32)> {
        let wanted = Key::ALL.into_iter();
        let wanted = wanted.filter_map(move |key| Some((key, self.wanted(key, row)?)));
        let own = self.user(row).map(held);
        let own = own.filter(|_| own != self.wanted(Key::ExternalId, row));
        wanted.chain(own.map(|id| (Key::ExternalId, id)))
    }

    /// Returns the subject of `row`: it is the same for all rows about one user, and different for rows about another.
    pub(crate) fn subject(&self, row: u32) -> Subject {
        match (self.user(row), self.wanted(Key::ExternalId, row)) {
            (Some(user), _) => Subject::User(user),
            (None, Some(id)) => Subject::NewId(id),
            (None, None) => Subject::Row(row),
        }
    }

    /// Returns the text of the key that `row` gives its user, or `None` if the row has no sound value for it.
    pub(crate) fn wanted_text(&self, key: Key, row: u32) -> Option<&'a str> {
        self.wanted(key, row)?;
        self.rows[row as usize].value(key.column())
    }

    /// Returns `false` if the user that the row means is not known, because its external ID failed its check.
    pub(crate) fn tells_its_user(&self, row: u32) -> bool {
        let data = &self.rows[row as usize];
        !self.mistaken.ids.contains(&row)
            && (!data.is_unsound(Column::ExternalId) || self.user(row).is_some())
    }

    /// Returns the users that rows with rejected keys probably mean.
    pub(crate) const fn mistaken(&self) -> &Mistaken {
        &self.mistaken
    }

    /// Returns the user of the directory that `row` matched, or `None` if it matched no user.
    pub(crate) fn user(&self, row: u32) -> Option<u32> {
        self.directory.user_of(row)
    }

    /// Returns the rows that matched `user`, in order.
    pub(crate) fn rows_of(&self, user: u32) -> &[u32] {
        let rows_of = self.rows_of.get_or_init(|| {
            let matched = indices(self.rows).filter_map(|row| Some((self.user(row)?, row)));
            Lists::collect(self.users.len(), matched)
        });
        rows_of.get(user)
    }

    /// Returns the user that `row` matched, or the user that it creates.
    pub(crate) fn person(&self, row: u32) -> FinalUser {
        self.user(row).map_or(FinalUser::Row(row), FinalUser::User)
    }

    /// Returns the change that `row` makes to its user's supervisor. A row that names its own user clears the
    /// supervisor.
    pub(crate) fn wish(&self, row: u32) -> SupervisorChange {
        match self.written_wish(row) {
            // Many systems write the head of an organisation as its own supervisor (semantics §5).
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

    /// Returns the change as the row writes it: the supervisor may be its own user.
    pub(crate) fn written_wish(&self, row: u32) -> SupervisorChange {
        match self.wishes.get(row) {
            Some(email) => SupervisorChange::Email(email),
            None if self.rows[row as usize].has(Column::SupervisorEmail) => SupervisorChange::Clear,
            None => SupervisorChange::Keep,
        }
    }

    /// Returns the supervisor that `user` has in the directory.
    pub(crate) fn supervisor(&self, user: u32) -> Option<u32> {
        self.directory.supervisor_of(user)
    }

    /// Returns the rows that name a supervisor, listed by the number of that email.
    pub(crate) fn reports(&self) -> Lists {
        let rows = indices(self.rows);
        let named = rows.filter_map(|row| match self.wish(row) {
            SupervisorChange::Email(email) => Some((email, row)),
            _ => None,
        });
        Lists::collect(self.key_count(Key::Email), named)
    }

    /// Returns the number of users and rows together; every [`Roster::node`] is below it.
    pub(crate) fn nodes(&self) -> usize {
        self.users.len() + self.rows.len()
    }

    /// Returns the number of `person`, counted over users and rows together.
    pub(crate) fn node(&self, person: FinalUser) -> u32 {
        match person {
            FinalUser::User(user) => user,
            FinalUser::Row(row) => index(self.users.len()) + row,
        }
    }

    /// Returns the person with this number.
    pub(crate) fn at(&self, node: u32) -> FinalUser {
        match node.checked_sub(index(self.users.len())) {
            None => FinalUser::User(node),
            Some(row) => FinalUser::Row(row),
        }
    }
}
