//! Which row is about which user of the directory: the one that has its external ID (semantics §4).

use super::keys::{Key, Numbering};
use super::links::Links;
use crate::domain::{Column, Row, User};

/// By row: the user that it matches.
pub(super) fn match_rows(users: &[User], rows: &[Row]) -> Links {
    let mut matcher = Matcher {
        ids: Numbering::new(Key::ExternalId, users),
        likely: 0,
    };
    rows.iter().map(|row| matcher.find(row)).collect()
}

/// Finds rows' users by external ID. Rosters tend to come in the directory's own order, so the user
/// after the one found last is tried first.
struct Matcher<'a> {
    ids: Numbering<'a>,
    likely: u32,
}

impl Matcher<'_> {
    /// The user that has the row's external ID. One that failed its check matches too: it stands,
    /// since its user has it already.
    fn find(&mut self, row: &Row) -> Option<u32> {
        let found = self
            .ids
            .find_near(row.value(Column::ExternalId)?, self.likely)?;
        self.likely = found + 1;
        Some(found)
    }
}
