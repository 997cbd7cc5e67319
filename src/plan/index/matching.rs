//! Matches rows with users of the directory: by external ID, and by one other key if the request asks for it (semantics
//! §4). Knows no rule.

use super::keys::{Key, MatchBy, Numbering};
use super::links::{Links, indices};
use super::parallel;
use crate::domain::{Column, Row, User};

/// Returns, by row, the user that it matches.
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
    // In a roster that has not changed, each row has the index of its user.
    let same = parallel::map(rows, |at, row| {
        let user = users.get(at as usize)?;
        // A value that was normalised takes the slow way: another user may have it exactly as the row writes it.
        let id = row
            .value(Column::ExternalId)
            .filter(|_| row.written(Column::ExternalId).is_none());
        (id? == user.external_id()).then_some(at)
    });
    let pairs = rows.iter().zip(same);
    pairs.map(|(row, same)| matcher.find(row, same)).collect()
}

/// Matches the rows that would create a user with the users that no row matches by external ID. Skips rows whose
/// external ID failed its check: they create nobody, since the user that they mean is not known.
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

/// Finds the users of rows by external ID. Rosters tend to come in the directory's order, so the user after the last
/// match is tried first.
struct Matcher<'a> {
    ids: Numbering<'a>,
    likely: u32,
}

impl Matcher<'_> {
    /// Returns the user that has the row's external ID, or `None` if no user has it. An external ID that failed its
    /// check matches too: it stands, since its user has it already. `same` is the user if it is known already.
    fn find(&mut self, row: &Row, same: Option<u32>) -> Option<u32> {
        let mut near = |id| self.ids.find_near(id, self.likely);
        let column = Column::ExternalId;
        // First the value as an earlier version may have stored it, then the value as it is read today.
        let found = same
            .or_else(|| row.written(column).and_then(&mut near))
            .or_else(|| row.value(column).and_then(near))?;
        self.likely = found + 1;
        Some(found)
    }
}
