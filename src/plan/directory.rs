//! The snapshot of an organisation's users that a plan is made against.

use hashbrown::HashMap;
use uuid::Uuid;

use super::links::indices;
use crate::domain::User;

/// All users of an organisation at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: Vec<User>,
    by_id: HashMap<Uuid, u32>,
}

impl Directory {
    /// A snapshot of these users.
    #[must_use]
    pub fn new(users: Vec<User>) -> Self {
        let by_id = users.iter().map(|user| user.id);
        let by_id = by_id.zip(indices(&users)).collect();
        Self { users, by_id }
    }

    /// The users, in the order that indices refer to.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The index of the user with this ID.
    #[must_use]
    pub fn index_of(&self, id: Uuid) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The user with this ID.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<&User> {
        Some(&self.users[self.index_of(id)? as usize])
    }
}
