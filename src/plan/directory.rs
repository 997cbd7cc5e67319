//! The snapshot of an organisation's users that a plan is made against.

use crate::domain::User;

/// All users of an organisation at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: Vec<User>,
}

impl Directory {
    /// A snapshot of these users.
    #[must_use]
    pub fn new(users: Vec<User>) -> Self {
        Self { users }
    }

    /// The users, in the order that indices refer to.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }
}
