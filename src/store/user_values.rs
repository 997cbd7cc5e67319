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
    /// Whether active.
    pub active: Vec<bool>,
    /// Roles.
    pub role_id: Vec<i32>,
    /// Supervisors; nil means none.
    pub supervisor_id: Vec<Uuid>,
    /// Ranks; 0 means none.
    pub rank_id: Vec<i32>,
    /// Groups; 0 means none.
    pub group_id: Vec<i32>,
    /// By `Column as usize`.
    texts: Box<[TextValues; Column::COUNT]>,
}

/// The values of a column that users have as text.
#[derive(Debug, Default)]
struct TextValues {
    /// As they are written; `""` means none.
    written: TextColumn,
    /// In the form that is compared, if that is stored too.
    key: TextColumn,
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

    /// Adds a user's value of a column that users have as text.
    pub fn push_text(&mut self, column: Column, text: &str) {
        let texts = &mut self.texts[column as usize];
        texts.written.push(text);
        if column.stored_as().len() > 1 {
            texts.key.push(&column.comparable(text));
        }
    }

    /// The users with the columns of the table in which the attributes are stored, the ID first.
    pub(super) fn row_set(&self) -> RowSet<'_> {
        let mut columns = vec![("id", ColumnValues::Uuid(&self.id))];
        for attribute in self.attributes.iter() {
            let names = attribute.stored_as();
            columns.extend(names.iter().copied().zip(self.values(attribute)));
        }
        RowSet::new(columns)
    }

    /// The values of the columns in which `attribute` is stored.
    fn values(&self, attribute: Column) -> [ColumnValues<'_>; 2] {
        let TextValues { written, key } = &self.texts[attribute as usize];
        let values = match attribute {
            Column::Status => ColumnValues::Boolean(&self.active),
            Column::Role => ColumnValues::Integer(&self.role_id),
            Column::SupervisorEmail => ColumnValues::NullableUuid(&self.supervisor_id),
            Column::Rank => ColumnValues::NullableInteger(&self.rank_id),
            Column::EvidenceGroupExtId => ColumnValues::NullableInteger(&self.group_id),
            _ if attribute.is_optional_text() => ColumnValues::NullableText(written),
            _ => ColumnValues::Text(written),
        };
        [values, ColumnValues::Key(key, written)]
    }
}
