//! Which row is about which user of the directory: the one that has its external ID, or, if asked for, another
//! of its keys (semantics §4).

use super::keys::{Key, MatchBy, Numbering};
use super::links::{Links, indices};
use super::parallel;
use crate::domain::{Column, Row, User};

/// By row: the user that it matches.
pub(crate) fn match_rows(users: &[User], rows: &[Row], match_by: Option<MatchBy>) -> Links {
    let mut matched = match_by_id(users, rows);
    if let Some(by) = match_by {
        match_others(users, rows, by.into(), &mut matched);
    }
    matched
}

fn match_by_id(users: &[User], rows: &[Row]) -> Links {
    let mut matcher = Matcher {
        ids: Numbering::new(Key::ExternalId, users),
        likely: 0,
    };
    // A roster that has not changed has everybody in the same place.
    let same = parallel::map(rows, |at, row| {
        let user = users.get(at as usize)?;
        // Not one that was written otherwise: somebody may have it just so.
        let id = row
            .value(Column::ExternalId)
            .filter(|_| row.written(Column::ExternalId).is_none());
        (id? == user.external_id()).then_some(at)
    });
    let pairs = rows.iter().zip(same);
    pairs.map(|(row, same)| matcher.find(row, same)).collect()
}

/// Matches the rows that would create a user with the users whom no row matches by external ID. A row whose
/// external ID failed its check would not: nobody knows whose it is.
fn match_others(users: &[User], rows: &[Row], key: Key, matched: &mut Links) {
    let mut is_matched = vec![false; users.len()];
    for user in indices(rows).filter_map(|row| matched.get(row)) {
        is_matched[user as usize] = true;
    }
    let mut holders = Numbering::new(key, users);
    for (at, row) in indices(rows).zip(rows) {
        if matched.get(at).is_some() || row.is_unsound(Column::ExternalId) {
            continue;
        }
        let holder = row
            .sound(key.column())
            .and_then(|text| holders.holder(text));
        matched.set(at, holder.filter(|&user| !is_matched[user as usize]));
    }
}

/// Finds rows' users by external ID. Rosters tend to come in the directory's own order, so the user
/// after the one found last is tried first.
struct Matcher<'a> {
    ids: Numbering<'a>,
    likely: u32,
}

impl Matcher<'_> {
    /// The user that has the row's external ID. One that failed its check matches too: it stands,
    /// since its user has it already. `same`: who is known to.
    fn find(&mut self, row: &Row, same: Option<u32>) -> Option<u32> {
        let mut near = |id| self.ids.find_near(id, self.likely);
        let column = Column::ExternalId;
        // As an earlier version stored it, or as it is read today.
        let found = same
            .or_else(|| row.written(column).and_then(&mut near))
            .or_else(|| row.value(column).and_then(near))?;
        self.likely = found + 1;
        Some(found)
    }
}
