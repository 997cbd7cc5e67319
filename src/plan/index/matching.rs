//! Matches rows with users of the directory: by external ID, and by one other key if the request asks for it (semantics
//! §4). The rows of an undo are each about a user that is known (§11). Knows no rule.

use std::sync::Arc;

use super::keys::{Key, KeyNumbering, MatchBy};
use super::numbers::{ByRow, ByUser, DenseIndex, UserIndex};
use super::parallel;
use super::undone::UndoneChanges;
use crate::domain::{Column, Row, User};

/// How rows find their users.
#[derive(Clone, Debug)]
pub enum RowMatching {
    /// By external ID, and also by this key.
    ByKeys(Option<MatchBy>),
    /// The rows reverse these changes, each the change of its number.
    Undone(Arc<UndoneChanges>),
}

impl RowMatching {
    /// Returns the changes that the rows reverse, or `None` if the rows are those of a roster.
    #[must_use]
    pub const fn undone(&self) -> Option<&Arc<UndoneChanges>> {
        match self {
            Self::ByKeys(_) => None,
            Self::Undone(undone) => Some(undone),
        }
    }

    /// Returns the key by which rows find their users besides the external ID.
    #[must_use]
    pub const fn key(&self) -> Option<MatchBy> {
        match self {
            Self::ByKeys(key) => *key,
            Self::Undone(_) => None,
        }
    }
}

/// Returns, by row, the user that it matches.
pub(crate) fn match_rows(
    users: &ByUser<User>,
    rows: &ByRow<Row>,
    matching: &RowMatching,
) -> ByRow<Option<UserIndex>> {
    match matching {
        RowMatching::ByKeys(None) => match_by_id(users, rows),
        RowMatching::ByKeys(Some(key)) => {
            let mut matched = match_by_id(users, rows);
            match_others(users, rows, (*key).into(), &mut matched);
            matched
        }
        RowMatching::Undone(undone) => undone.users(users, rows, |change| Some(change.left.id)),
    }
}

fn match_by_id(users: &ByUser<User>, rows: &ByRow<Row>) -> ByRow<Option<UserIndex>> {
    let mut matcher = UserMatcher {
        ids: KeyNumbering::new(Key::ExternalId, users),
        likely: UserIndex::new(0),
    };
    // In a roster that has not changed, each row has the position of its user.
    let same = parallel::map(rows, |at, row| {
        let at = UserIndex::new(at.position());
        let user = users.get(at)?;
        // A value that was normalised takes the slow way: another user may have it exactly as the row writes it.
        let id = row
            .value(Column::ExternalId)
            .filter(|_| row.written(Column::ExternalId).is_none());
        (id? == user.external_id()).then_some(at)
    });
    let pairs = rows.iter().zip(same.iter());
    pairs.map(|(row, &same)| matcher.find(row, same)).collect()
}

/// Matches the rows that would create a user with the users that no row matches by external ID. Skips rows whose
/// external ID failed its check. They create nobody, because it is not known which user they mean.
fn match_others(
    users: &ByUser<User>,
    rows: &ByRow<Row>,
    key: Key,
    matched: &mut ByRow<Option<UserIndex>>,
) {
    let mut is_matched: ByUser<bool> = ByUser::repeat(false, users.len());
    for &user in matched.iter().flatten() {
        is_matched[user] = true;
    }
    let mut holders = KeyNumbering::new(key, users);
    for (at, row) in rows.enumerate() {
        if matched[at].is_some() || row.is_unsound(Column::ExternalId) {
            continue;
        }
        let text = row.sound(key.column());
        let holder = text.and_then(|text| holders.holder(text, None));
        matched[at] = holder.filter(|&user| !is_matched[user]);
    }
}

/// Finds the users of rows by external ID. Rosters tend to come in the directory's order, so the user after the last
/// match is tried first.
struct UserMatcher<'a> {
    ids: KeyNumbering<'a>,
    likely: UserIndex,
}

impl UserMatcher<'_> {
    /// Returns the user that has the row's external ID, or `None` if no user has it. An external ID that failed its
    /// check matches too, because its user has it already. `same` is the user if it is known already.
    fn find(&mut self, row: &Row, same: Option<UserIndex>) -> Option<UserIndex> {
        let mut holder = |id| self.ids.holder(id, Some(self.likely));
        let column = Column::ExternalId;
        // First the value as an earlier version may have stored it, then the value as it is read today.
        let found = same
            .or_else(|| row.written(column).and_then(&mut holder))
            .or_else(|| row.value(column).and_then(holder))?;
        self.likely = UserIndex::new(found.position() + 1);
        Some(found)
    }
}
