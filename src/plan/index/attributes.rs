//! The attributes that are stored as text: the value that a user has, and the value that a row gives it. An absent cell
//! leaves the value, a blank cell clears it, and a value sets it (semantics §2). Knows one row and one user, no rule.

use crate::domain::{Column, ColumnSet, Row, User};

/// Returns the value that the user has in `column` after a standing row is written; `""` if blank. Covers the
/// attributes that [`User::value`] covers. A stored value that equals the row's text as written does not change, even
/// if values are normalised differently today.
pub(crate) fn resulting<'a>(row: &'a Row, user: Option<&'a User>, column: Column) -> &'a str {
    let stored = || user?.value(column);
    match row.written(column) {
        Some(written) if stored() == Some(written) => written,
        _ => row.value(column).or_else(stored).unwrap_or_default(),
    }
}

/// Returns the row's value in `column`, or `None` if it is absent or blank or the column is in `unsound`.
pub(crate) fn sound(row: &Row, unsound: ColumnSet, column: Column) -> Option<&str> {
    let value = row.value(column)?;
    (!value.is_empty() && !unsound.contains(column)).then_some(value)
}
