//! The texts that a user has, and those that a row gives it: absent leaves, blank clears, a value
//! sets (semantics §2).

use crate::domain::{Column, ColumnSet, Row, User};

/// What `user` has in `column`, for the attributes that are stored as the roster writes them; `None`
/// for those that refer to something else (role, supervisor, rank, group).
pub(crate) fn stored(user: &User, column: Column) -> Option<&str> {
    match column {
        Column::ExternalId => Some(user.external_id()),
        Column::Email => Some(user.email()),
        Column::BadgeNumber => Some(user.badge_number()),
        Column::FirstName => Some(user.first_name()),
        Column::LastName => Some(user.last_name()),
        Column::Status => Some(user.status.as_str()),
        Column::Username => Some(user.username()),
        Column::Phone => Some(user.phone()),
        Column::Role
        | Column::SupervisorEmail
        | Column::Location
        | Column::Rank
        | Column::EvidenceGroupExtId => None,
    }
}

/// What a standing row leaves its user with in `column`, for the same attributes; `""` for blank. What the user
/// has just as the row writes it stays so, even if values are stored otherwise today.
pub(crate) fn resulting<'a>(row: &'a Row, user: Option<&'a User>, column: Column) -> &'a str {
    let stored = || stored(user?, column);
    match row.written(column) {
        Some(written) if stored() == Some(written) => written,
        _ => row.value(column).or_else(stored).unwrap_or_default(),
    }
}

/// The row's value in `column`, where it has one and `unsound` does not hold the column.
pub(crate) fn sound(row: &Row, unsound: ColumnSet, column: Column) -> Option<&str> {
    let value = row.value(column)?;
    (!value.is_empty() && !unsound.contains(column)).then_some(value)
}
