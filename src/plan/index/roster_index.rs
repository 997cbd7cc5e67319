//! Rows and users with every key replaced by a number: the holder of each key in the directory, the rows that want it,
//! and the supervisor that each row names. Does not change while rows are judged.

use std::sync::OnceLock;

use super::attributes::sound;
use super::damaged_keys::DamagedKeyMatches;
use super::keys::{Key, KeyNumbering, held, holder};
use super::lists_by_index::ListsByIndex;
use super::numbers::{ByRow, ByUser, DenseIndex, KeyId, RowIndex, UserIndex, number};
use super::parallel;
use crate::domain::{Column, ColumnSet, Row, User};
use crate::plan::PlanRequest;

/// A user of the final state: a user of the directory, or the user that a row creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinalUser {
    /// A user of the directory.
    User(UserIndex),
    /// The user that this row creates.
    Row(RowIndex),
}

number! {
    /// The number of a user of the final state, counted over users and rows together.
    pub(crate) Node
}

/// The user that a row is about: a user of the directory, a new user with an external ID, or a new user without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowSubject {
    User(UserIndex),
    /// A number of [`Key::ExternalId`].
    NewId(KeyId),
    Row(RowIndex),
}

/// The change that a row makes to its user's supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SupervisorChange {
    Keep,
    Clear,
    /// The user who has this email (a number of [`Key::Email`]).
    Email(KeyId),
    /// This user, whatever emails the import gives.
    User(UserIndex),
}

/// The texts of one key, by number, and the rows that want them.
struct KeyUse {
    /// How many different texts there are.
    count: usize,
    /// The key that each row gives its user, if that value is sound.
    wanted: ByRow<Option<KeyId>>,
}

/// The rows and users of one import, as the rules see them.
pub(crate) struct RosterIndex<'a> {
    pub(crate) request: &'a PlanRequest,
    pub(crate) rows: &'a ByRow<Row>,
    pub(crate) users: &'a ByUser<User>,
    keys: [KeyUse; 4],
    mistaken: DamagedKeyMatches,
    /// The rows that matched each user. Built on first use: only rules that reject rows need it.
    rows_of: OnceLock<ListsByIndex<UserIndex, RowIndex>>,
    /// The email that each row names as supervisor.
    named_supervisors: ByRow<Option<KeyId>>,
}

impl<'a> RosterIndex<'a> {
    /// Numbers the keys of the rows and users of `request`. `unsound` has the columns whose value failed a check, and
    /// `changes` returns those that differ from the user's.
    pub(crate) fn new(
        request: &'a PlanRequest,
        unsound: &ByRow<ColumnSet>,
        changes: impl Fn(RowIndex) -> ColumnSet + Sync,
        mistaken: DamagedKeyMatches,
    ) -> Self {
        let snapshot = &request.snapshot;
        let (rows, users) = (&*request.rows, snapshot.users());
        let sound = |row, column| sound(&rows[row], unsound[row], column);
        let number = |key: Key| {
            let mut numbers = KeyNumbering::new(key, users);
            let wanted = rows.indices().map(|row| {
                let value = sound(row, key.column())?;
                // Every user has every key, so an unchanged key is sound.
                let is_held = !changes(row).contains(key.column());
                let user = snapshot.user_of(row).filter(|_| is_held);
                Some(user.map_or_else(|| numbers.number(value), held))
            });
            let wanted = wanted.collect();
            (numbers, wanted)
        };
        let emails = || {
            let (mut emails, wanted) = number(Key::Email);
            // Most rows name the supervisor that their user has already; the others are looked up.
            let same = parallel::map(rows, |row, _| {
                let supervisor = snapshot.supervisor_of(snapshot.user_of(row)?)?;
                let email = sound(row, Column::SupervisorEmail)?;
                (users[supervisor].email() == email).then_some(held(supervisor))
            });
            let named_supervisors = same.enumerate().map(|(row, &same)| {
                same.or_else(|| {
                    let email = sound(row, Column::SupervisorEmail)?;
                    // First the value as an earlier version may have stored it, then the value as it is read today.
                    let written = rows[row].written(Column::SupervisorEmail);
                    let stored = written.and_then(|written| emails.find(written));
                    Some(stored.unwrap_or_else(|| emails.number(email)))
                })
            });
            let (named_supervisors, count) = (named_supervisors.collect(), emails.len());
            (KeyUse { count, wanted }, named_supervisors)
        };
        let others = || {
            [Key::ExternalId, Key::BadgeNumber, Key::Username].map(|key| {
                let (numbers, wanted) = number(key);
                let count = numbers.len();
                KeyUse { count, wanted }
            })
        };
        let ((by_email, named_supervisors), [by_id, by_badge, by_username]) =
            parallel::both(rows.len(), emails, others);
        Self {
            request,
            rows,
            users,
            mistaken,
            rows_of: OnceLock::new(),
            keys: [by_id, by_email, by_badge, by_username],
            named_supervisors,
        }
    }

    /// Returns how many different keys there are.
    pub(crate) fn key_count(&self, key: Key) -> usize {
        self.keys[key as usize].count
    }

    /// Returns the user who has the key of number `id` in the directory, or `None` if no user has it.
    pub(crate) fn holder(&self, id: KeyId) -> Option<UserIndex> {
        holder(id, self.users)
    }

    /// Returns the number of the key that `row` gives its user, or `None` if the row has no sound value for it.
    pub(crate) fn wanted(&self, key: Key, row: RowIndex) -> Option<KeyId> {
        self.keys[key as usize].wanted[row]
    }

    /// Returns the keys that no other row may have beside `row`. The external ID of its user is among them: it says
    /// that the row is about that user.
    pub(crate) fn claimed_keys(&self, row: RowIndex) -> impl Iterator<Item = (Key, KeyId)> {
        let wanted = Key::ALL.into_iter();
        let wanted = wanted.filter_map(move |key| Some((key, self.wanted(key, row)?)));
        let own = self.user(row).map(held);
        let own = own.filter(|_| own != self.wanted(Key::ExternalId, row));
        wanted.chain(own.map(|id| (Key::ExternalId, id)))
    }

    /// Returns the subject of `row`: it is the same for all rows about one user, and different for rows about another.
    pub(crate) fn subject(&self, row: RowIndex) -> RowSubject {
        match (self.user(row), self.wanted(Key::ExternalId, row)) {
            (Some(user), _) => RowSubject::User(user),
            (None, Some(id)) => RowSubject::NewId(id),
            (None, None) => RowSubject::Row(row),
        }
    }

    /// Returns the text of the key that `row` gives its user, or `None` if the row has no sound value for it.
    pub(crate) fn wanted_text(&self, key: Key, row: RowIndex) -> Option<&'a str> {
        self.wanted(key, row)?;
        self.rows[row].value(key.column())
    }

    /// Returns `false` if the user that the row means is not known, because its external ID failed its check.
    pub(crate) fn tells_its_user(&self, row: RowIndex) -> bool {
        let data = &self.rows[row];
        !self.mistaken.ids.contains(&row)
            && (!data.is_unsound(Column::ExternalId) || self.user(row).is_some())
    }

    /// Returns the users that rows with rejected keys probably mean.
    pub(crate) const fn mistaken(&self) -> &DamagedKeyMatches {
        &self.mistaken
    }

    /// Returns the user of the directory that `row` matched, or `None` if it matched no user.
    pub(crate) fn user(&self, row: RowIndex) -> Option<UserIndex> {
        self.request.snapshot.user_of(row)
    }

    /// Returns the rows that matched `user`, in order.
    pub(crate) fn rows_of(&self, user: UserIndex) -> &[RowIndex] {
        let rows_of = self.rows_of.get_or_init(|| {
            let matched = self
                .rows
                .indices()
                .filter_map(|row| Some((self.user(row)?, row)));
            ListsByIndex::collect(self.users.len(), matched)
        });
        rows_of.get(user)
    }

    /// Returns the user that `row` matched, or the user that it creates.
    pub(crate) fn person(&self, row: RowIndex) -> FinalUser {
        self.user(row).map_or(FinalUser::Row(row), FinalUser::User)
    }

    /// Returns the change that `row` makes to its user's supervisor. A row that names its own user clears the
    /// supervisor.
    pub(crate) fn supervisor_change(&self, row: RowIndex) -> SupervisorChange {
        match self.written_supervisor_change(row) {
            // Many systems write the head of an organisation as its own supervisor (semantics §5).
            SupervisorChange::Email(email) if self.wanted(Key::Email, row) == Some(email) => {
                SupervisorChange::Clear
            }
            change => change,
        }
    }

    /// Returns `true` if `row` names its own user as supervisor.
    pub(crate) fn names_itself(&self, row: RowIndex) -> bool {
        self.supervisor_change(row) != self.written_supervisor_change(row)
    }

    /// Returns the change as the row writes it: the supervisor may be its own user.
    pub(crate) fn written_supervisor_change(&self, row: RowIndex) -> SupervisorChange {
        if let Some(supervisor) = self.request.snapshot.restored_supervisor(row) {
            return SupervisorChange::User(supervisor);
        }
        match self.named_supervisors[row] {
            Some(email) => SupervisorChange::Email(email),
            None if self.rows[row].has(Column::SupervisorEmail) => SupervisorChange::Clear,
            None => SupervisorChange::Keep,
        }
    }

    /// Returns the supervisor that `user` has in the directory.
    pub(crate) fn supervisor(&self, user: UserIndex) -> Option<UserIndex> {
        self.request.snapshot.supervisor_of(user)
    }

    /// Returns the rows that name a supervisor, listed by the number of that email.
    pub(crate) fn reports(&self) -> ListsByIndex<KeyId, RowIndex> {
        let named = self
            .rows
            .indices()
            .filter_map(|row| match self.supervisor_change(row) {
                SupervisorChange::Email(email) => Some((email, row)),
                _ => None,
            });
        ListsByIndex::collect(self.key_count(Key::Email), named)
    }

    /// Returns the number of users and rows together.
    pub(crate) fn node_count(&self) -> usize {
        self.users.len() + self.rows.len()
    }

    /// Returns the number of `person`.
    pub(crate) fn node(&self, person: FinalUser) -> Node {
        Node::new(match person {
            FinalUser::User(user) => user.position(),
            FinalUser::Row(row) => self.users.len() + row.position(),
        })
    }

    /// Returns the person with this number.
    pub(crate) fn at(&self, node: Node) -> FinalUser {
        match node.position().checked_sub(self.users.len()) {
            None => FinalUser::User(UserIndex::new(node.position())),
            Some(row) => FinalUser::Row(RowIndex::new(row)),
        }
    }
}
