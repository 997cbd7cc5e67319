//! The changes of an earlier import that the rows of an undo reverse (semantics §11). Knows the users as that import left
//! them; decides nothing.

use hashbrown::HashMap;
use uuid::Uuid;

use super::numbers::{ByRow, ByUser, UserIndex};
use crate::domain::{Column, ColumnSet, Row, User};

/// The changes that an import made to one user.
#[derive(Clone, Debug)]
pub struct UndoneChange {
    /// The user as the import left it. Only the attributes in `changed` count.
    pub left: User,
    /// The attributes that the import changed; all of them if it created the user.
    pub changed: ColumnSet,
    /// ID of the supervisor that the user gets back.
    pub supervisor: Option<Uuid>,
}

/// The changes that an import made, one entry a user. Row number `n` of an undo reverses the `n`th change.
#[derive(Debug, Default)]
pub struct UndoneChanges(Vec<UndoneChange>);

impl UndoneChanges {
    /// Keeps these changes, in the order of the rows.
    #[must_use]
    pub const fn new(changes: Vec<UndoneChange>) -> Self {
        Self(changes)
    }

    /// Returns the change that a row of this number reverses.
    #[must_use]
    pub fn of(&self, row_number: u32) -> Option<&UndoneChange> {
        self.0
            .get(usize::try_from(row_number).ok()?.checked_sub(1)?)
    }

    /// Returns, by row, the user whose ID `id` returns for the row's change.
    pub(crate) fn users(
        &self,
        users: &ByUser<User>,
        rows: &ByRow<Row>,
        id: impl Fn(&UndoneChange) -> Option<Uuid>,
    ) -> ByRow<Option<UserIndex>> {
        let ids = rows.iter().map(|row| id(self.of(row.number)?));
        let ids: Vec<Option<Uuid>> = ids.collect();
        let mut found: HashMap<Uuid, Option<UserIndex>> =
            ids.iter().flatten().map(|id| (*id, None)).collect();
        for (at, user) in users.enumerate() {
            if let Some(found) = found.get_mut(&user.id) {
                *found = Some(at);
            }
        }
        ids.iter().map(|id| *found.get(id.as_ref()?)?).collect()
    }
}

impl UndoneChange {
    /// Returns the first attribute that the import changed and that has another value in `user` by now.
    #[must_use]
    pub fn edited(&self, user: &User) -> Option<Column> {
        let left = &self.left;
        let is_other = |&column: &Column| match column {
            Column::Role => user.role != left.role,
            Column::Rank => user.rank != left.rank,
            Column::EvidenceGroupExtId => user.group != left.group,
            Column::SupervisorEmail => user.supervisor != left.supervisor,
            _ => user.value(column) != left.value(column),
        };
        self.changed.iter().find(is_other)
    }
}
