//! The snapshot of an organisation's users that a plan is made on, and the user that each row matches. Knows no rule.

use hashbrown::HashMap;
use uuid::Uuid;

use super::matching::{RowMatching, match_rows};
use super::numbers::{ByRow, ByUser, RowIndex, UserIndex, to_u32};
use super::parallel;
use crate::domain::{Row, SnapshotExtent, Status, User};

/// The number of users in a chunk; the users of a chunk share allocations for their texts.
const SHARING: usize = 256;

/// The users of an organisation at one moment, and the user that each row of one file matches. Either all users, or only
/// those that the rows can concern (see [`UserSelection`](super::UserSelection)); the plan is the same.
///
/// Texts that a user has in common with its row are kept in memory once (see [`User::share`]).
#[derive(Clone, Debug)]
pub struct MatchedSnapshot {
    extent: SnapshotExtent,
    users: ByUser<User>,
    supervisors: ByUser<Option<UserIndex>>,
    matched: ByRow<Option<UserIndex>>,
    /// By row of an undo: the supervisor that its user gets back. Otherwise empty.
    restored: ByRow<Option<UserIndex>>,
    /// The last import that changed a user, for users that an undo leaves alone.
    last_imports: std::collections::HashMap<Uuid, Uuid>,
}

impl MatchedSnapshot {
    /// Makes a snapshot of `users` on which to plan `rows`, which find their users in this way.
    pub(crate) fn new(
        users: Vec<User>,
        extent: SnapshotExtent,
        rows: &ByRow<Row>,
        matching: &RowMatching,
    ) -> Self {
        let mut users = ByUser::from(users);
        let (matched, supervisors) = parallel::both(
            users.len(),
            || match_rows(&users, rows, matching),
            || find_supervisors(&users),
        );
        share(&mut users, rows, &matched);
        let restored = matching.undone();
        let restored =
            restored.map(|undone| undone.users(&users, rows, |change| change.supervisor));
        Self {
            extent,
            users,
            supervisors,
            matched,
            restored: restored.unwrap_or_default(),
            last_imports: std::collections::HashMap::new(),
        }
    }

    /// Adds the last import that changed each of these users.
    #[must_use]
    pub(crate) fn with_last_imports(
        self,
        last_imports: std::collections::HashMap<Uuid, Uuid>,
    ) -> Self {
        Self {
            last_imports,
            ..self
        }
    }

    /// Returns the last import that changed a user that an undo leaves alone.
    pub(crate) fn last_import(&self, user: Uuid) -> Option<Uuid> {
        self.last_imports.get(&user).copied()
    }

    /// Returns the supervisor that the user of `row` gets back by an undo.
    pub(crate) fn restored_supervisor(&self, row: RowIndex) -> Option<UserIndex> {
        *self.restored.get(row)?
    }

    /// Returns `true` if these are all users.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.extent == SnapshotExtent::Complete
    }

    /// Returns the number of active users, or as many of them as the guard asks for.
    #[must_use]
    pub fn active_users(&self) -> u32 {
        let is_active = |user: &&User| user.status == Status::Active;
        match self.extent {
            SnapshotExtent::Complete => to_u32(self.users.iter().filter(is_active).count()),
            SnapshotExtent::Partial { active_users } => active_users,
        }
    }

    /// Returns the users.
    #[must_use]
    pub fn users(&self) -> &ByUser<User> {
        &self.users
    }

    /// Returns the user that `row` matches, or `None` if it matches no user.
    #[must_use]
    pub fn user_of(&self, row: RowIndex) -> Option<UserIndex> {
        self.matched[row]
    }

    /// Returns the user who supervises `user`, or `None` if there is none.
    #[must_use]
    pub fn supervisor_of(&self, user: UserIndex) -> Option<UserIndex> {
        self.supervisors[user]
    }
}

/// Lets each user share its texts with the first row that matches it. Does nothing if the file matches fewer than half
/// of the users, since that saves little memory.
fn share(users: &mut ByUser<User>, rows: &ByRow<Row>, matched: &ByRow<Option<UserIndex>>) {
    let mut row_of: ByUser<Option<RowIndex>> = ByUser::repeat(None, users.len());
    let mut known = 0;
    for (row, user) in matched.enumerate() {
        if let &Some(user) = user {
            known += 1;
            row_of[user].get_or_insert(row);
        }
    }
    if known * 2 < users.len() {
        return;
    }
    parallel::change_chunks(users, SHARING, |numbers, users| {
        User::share(users, numbers.map(|user| Some(&rows[row_of[user]?])));
    });
}

/// Returns, by user, its supervisor. Many users have the same supervisor, so the map holds only the IDs of supervisors.
fn find_supervisors(users: &ByUser<User>) -> ByUser<Option<UserIndex>> {
    let named = users.iter().filter_map(|user| user.supervisor);
    let mut known: HashMap<Uuid, Option<UserIndex>> = named.map(|id| (id, None)).collect();
    for (at, user) in users.enumerate() {
        known.entry(user.id).and_modify(|found| *found = Some(at));
    }
    let supervisors = users
        .iter()
        .map(|user| known.get(&user.supervisor?).copied()?);
    supervisors.collect()
}

#[cfg(test)]
mod tests {
    use super::UserIndex;
    use crate::plan::DenseIndex;
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
        let snapshot = Scenario::parse(users, rows).request.snapshot;
        let user = |position: Option<usize>| position.map(UserIndex::new);
        let matched = [Some(2), None, Some(0), None, Some(2)].map(user);
        assert_eq!(snapshot.matched.to_vec(), matched);
        assert_eq!(
            snapshot.supervisors.to_vec(),
            [Some(2), None, Some(2)].map(user)
        );
    }
}
