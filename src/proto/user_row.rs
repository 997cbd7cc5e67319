//! The fields of a typed row, by column.

use super::UserRow;
use crate::domain::Column;

macro_rules! fields {
    ($($column:ident => $field:ident,)*) => {
        impl UserRow {
            /// Returns the value of a column, or `None` if the row does not have the column.
            #[must_use]
            pub fn value(&self, column: Column) -> Option<&str> {
                match column {
                    $(Column::$column => self.$field.as_deref(),)*
                }
            }

            /// Returns the field of a column.
            pub const fn field_mut(&mut self, column: Column) -> &mut Option<String> {
                match column {
                    $(Column::$column => &mut self.$field,)*
                }
            }
        }
    };
}

fields! {
    ExternalId => external_id,
    Email => email,
    BadgeNumber => badge_number,
    FirstName => first_name,
    LastName => last_name,
    Status => status,
    Username => username,
    Role => role,
    SupervisorEmail => supervisor_email,
    Location => location,
    Rank => rank,
    EvidenceGroupExtId => evidence_group_external_id,
    Phone => phone,
}
