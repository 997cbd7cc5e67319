//! The snapshot of an organisation's users that a plan is made against, and which rows are about them.

use hashbrown::HashMap;
use uuid::Uuid;

use super::keys::MatchBy;
use super::links::{Links, index, indices};
use super::matching::match_rows;
use super::parallel;
use crate::domain::{Row, User};

/// Users whose texts come to share allocations.
const SHARING: usize = 256;

/// All users of an organisation at one moment, as the rows of one file find them.
///
/// What a user has in common with its row lies in memory once (see [`User::share`]).
#[derive(Clone, Debug)]
pub struct Directory {
    users: Vec<User>,
    /// By user: its supervisor.
    supervisors: Links,
    /// By row: its user.
    matched: Links,
}

impl Directory {
    /// A snapshot of these users, to plan these rows on; rows find their users by external ID, and by
    /// `match_by` besides.
    #[must_use]
    pub fn new(mut users: Vec<User>, rows: &[Row], match_by: Option<MatchBy>) -> Self {
        let (matched, supervisors) = parallel::both(
            users.len(),
            || match_rows(&users, rows, match_by),
            || find_supervisors(&users),
        );
        share(&mut users, rows, &matched);
        Self {
            users,
            supervisors,
            matched,
        }
    }

    /// The users, in the order that indices refer to.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The index of the user that `row` (an index) matches.
    #[must_use]
    pub fn user_of(&self, row: u32) -> Option<u32> {
        self.matched.get(row)
    }

    /// The index of the user who supervises `user` (an index).
    #[must_use]
    pub fn supervisor_of(&self, user: u32) -> Option<u32> {
        self.supervisors.get(user)
    }
}

/// Lets users share their texts with the first of the rows that match them. Where the file is about few of
/// them there is little to be had.
fn share(users: &mut [User], rows: &[Row], matched: &Links) {
    let mut row_of = Links::none(users.len());
    let mut known = 0;
    for row in indices(rows) {
        if let Some(user) = matched.get(row) {
            known += 1;
            row_of.set_first(user, row);
        }
    }
    if known * 2 < users.len() {
        return;
    }
    parallel::change_chunks(users, SHARING, |first, users| {
        let users_of = first..first + index(users.len());
        let rows = users_of.map(|user| Some(&rows[row_of.get(user)? as usize]));
        User::share(users, rows);
    });
}

/// By user: its supervisor. Many have the same, so that only supervisors are kept by ID.
fn find_supervisors(users: &[User]) -> Links {
    let named = users.iter().filter_map(|user| user.supervisor);
    let mut known: HashMap<Uuid, Option<u32>> = named.map(|id| (id, None)).collect();
    for (user, at) in users.iter().zip(0..) {
        known.entry(user.id).and_modify(|found| *found = Some(at));
    }
    let supervisors = users
        .iter()
        .map(|user| known.get(&user.supervisor?).copied()?);
    supervisors.collect()
}

#[cfg(test)]
mod tests {
    use crate::plan::scenario::Scenario;

    /// The users that rows match, and the supervisors of users, by index.
    #[test]
    fn users_are_found_by_external_id_and_supervisors_by_id() {
        let users = "
            X1 a@x 1 ann > c@x
            X2 b@x 2 bob
            X3 c@x 3 cyd > c@x
        ";
        let rows = "
            X3 c@x 3 cyd
            - d@x 4 dan
            X1 n@x 1 ann
            x2 b@x 2 bob
            X3 o@x 3 cyd
        ";
        let directory = Scenario::parse(users, rows).directory;
        let matched: Vec<_> = (0..5).map(|row| directory.user_of(row)).collect();
        assert_eq!(matched, [Some(2), None, Some(0), None, Some(2)]);
        let supervisors: Vec<_> = (0..3).map(|user| directory.supervisor_of(user)).collect();
        assert_eq!(supervisors, [Some(2), None, Some(2)]);
    }
}
