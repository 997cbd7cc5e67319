//! The snapshot of an organisation's users that a plan is made against.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use uuid::Uuid;

use super::links::indices;
use crate::domain::User;

/// All users of an organisation at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: Vec<User>,
    /// Indices, found by the user's ID.
    by_id: HashTable<u32>,
    hashing: DefaultHashBuilder,
}

impl Directory {
    /// A snapshot of these users.
    #[must_use]
    pub fn new(users: Vec<User>) -> Self {
        let hashing = DefaultHashBuilder::default();
        let hash = |&user: &u32| hashing.hash_one(users[user as usize].id);
        let mut by_id = HashTable::with_capacity(users.len());
        for user in indices(&users) {
            by_id.insert_unique(hash(&user), user, hash);
        }
        Self {
            users,
            by_id,
            hashing,
        }
    }

    /// The users, in the order that indices refer to.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The index of the user with this ID.
    #[must_use]
    pub fn index_of(&self, id: Uuid) -> Option<u32> {
        let has_id = |&user: &u32| self.users[user as usize].id == id;
        self.by_id.find(self.hashing.hash_one(id), has_id).copied()
    }

    /// The user with this ID.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<&User> {
        Some(&self.users[self.index_of(id)? as usize])
    }
}
