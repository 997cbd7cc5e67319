//! The values that an import writes to users, one list for each column.

use uuid::Uuid;

use super::row_set::{ColumnValues, RowSet, TextColumn};
use crate::domain::{Column, ColumnSet};

/// Users to create or to update: for each its ID and the same attributes, one entry a user in each list. The lists of
/// other attributes stay empty.
#[derive(Debug, Default)]
pub struct UserValues {
    attributes: ColumnSet,
    /// User IDs.
    pub id: Vec<Uuid>,
    /// External IDs.
    pub external_id: TextColumn,
    /// Emails as written.
    pub email: TextColumn,
    /// Case-folded emails.
    pub email_key: TextColumn,
    /// Badge numbers.
    pub badge_number: TextColumn,
    /// Given names.
    pub first_name: TextColumn,
    /// Family names.
    pub last_name: TextColumn,
    /// Whether active.
    pub active: Vec<bool>,
    /// Usernames as written.
    pub username: TextColumn,
    /// Case-folded usernames.
    pub username_key: TextColumn,
    /// Roles.
    pub role_id: Vec<i32>,
    /// Supervisors; nil means none.
    pub supervisor_id: Vec<Uuid>,
    /// Ranks; 0 means none.
    pub rank_id: Vec<i32>,
    /// Groups; 0 means none.
    pub group_id: Vec<i32>,
    /// Phones; empty means none.
    pub phone: TextColumn,
}

impl UserValues {
    /// No users yet. Each user that is added must have these attributes.
    #[must_use]
    pub fn new(attributes: ColumnSet) -> Self {
        Self {
            attributes,
            ..Self::default()
        }
    }

    /// The attributes of each user.
    #[must_use]
    pub const fn attributes(&self) -> ColumnSet {
        self.attributes
    }

    /// The users with the columns of the table in which the attributes are stored, the ID first.
    pub(super) fn row_set(&self) -> RowSet<'_> {
        let stored = self.attributes.iter().flat_map(|a| self.columns(a));
        let columns = std::iter::once(("id", ColumnValues::Uuid(&self.id))).chain(stored);
        RowSet::new(columns.collect())
    }

    fn columns(&self, attribute: Column) -> Vec<(&'static str, ColumnValues<'_>)> {
        match attribute {
            Column::ExternalId => vec![("external_id", ColumnValues::Text(&self.external_id))],
            Column::Email => vec![
                ("email", ColumnValues::Text(&self.email)),
                ("email_key", ColumnValues::Key(&self.email_key, &self.email)),
            ],
            Column::BadgeNumber => vec![("badge_number", ColumnValues::Text(&self.badge_number))],
            Column::FirstName => vec![("first_name", ColumnValues::Text(&self.first_name))],
            Column::LastName => vec![("last_name", ColumnValues::Text(&self.last_name))],
            Column::Status => vec![("active", ColumnValues::Boolean(&self.active))],
            Column::Username => vec![
                ("username", ColumnValues::Text(&self.username)),
                (
                    "username_key",
                    ColumnValues::Key(&self.username_key, &self.username),
                ),
            ],
            Column::Role => vec![("role_id", ColumnValues::Integer(&self.role_id))],
            Column::SupervisorEmail => {
                vec![(
                    "supervisor_id",
                    ColumnValues::NullableUuid(&self.supervisor_id),
                )]
            }
            Column::Rank => vec![("rank_id", ColumnValues::NullableInteger(&self.rank_id))],
            Column::EvidenceGroupExtId => {
                vec![("group_id", ColumnValues::NullableInteger(&self.group_id))]
            }
            Column::Phone => vec![("phone", ColumnValues::NullableText(&self.phone))],
            // It is not stored.
            Column::Location => Vec::new(),
        }
    }
}
