//! The snapshot of an organisation's users that a plan is made on, and the user that each row matches. Knows no rule.

use hashbrown::HashMap;
use uuid::Uuid;

use super::keys::MatchBy;
use super::links::{Links, index, indices};
use super::matching::match_rows;
use super::parallel;
use crate::domain::{Row, User};

/// The number of users in a chunk; the users of a chunk share allocations for their texts.
const SHARING: usize = 256;

/// The users of an organisation at one moment, and the user that each row of one file matches.
///
/// Texts that a user has in common with its row are kept in memory once (see [`User::share`]).
#[derive(Clone, Debug)]
pub struct Directory {
    users: Vec<User>,
    /// By user: its supervisor.
    supervisors: Links,
    /// By row: its user.
    matched: Links,
}

impl Directory {
    /// Makes a snapshot of `users` on which to plan `rows`. Rows find their users by external ID, and also by
    /// `match_by` if it is given.
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

    /// Returns the users, in the order that indices refer to.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Returns the index of the user that `row` (an index) matches, or `None` if it matches no user.
    #[must_use]
    pub fn user_of(&self, row: u32) -> Option<u32> {
        self.matched.get(row)
    }

    /// Returns the index of the user who supervises `user` (an index), or `None` if there is none.
    #[must_use]
    pub fn supervisor_of(&self, user: u32) -> Option<u32> {
        self.supervisors.get(user)
    }
}

/// Lets each user share its texts with the first row that matches it. Does nothing if the file matches fewer than half
/// of the users, since that saves little memory.
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

/// Returns, by user, its supervisor. Many users have the same supervisor, so the map holds only the IDs of supervisors.
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
