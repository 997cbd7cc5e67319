//! What an operator can set, with safe defaults.

use std::time::Duration;

use crate::input::Limits;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rows and bytes that one import may have.
    pub limits: Limits,
    /// When an import deactivates too many users to be believed.
    pub mass_deactivation: MassDeactivation,
    /// Rows that one transaction writes, groups that must stay together apart.
    pub transaction_rows: usize,
    /// How long after `finish` the server waits for the client to half-close its stream.
    pub half_close_grace: Duration,
    /// Time between two progress messages.
    pub progress_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            mass_deactivation: MassDeactivation::default(),
            transaction_rows: 1_000,
            half_close_grace: Duration::from_secs(2),
            progress_interval: Duration::from_secs(1),
        }
    }
}

/// The mass-deactivation guard (semantics §7): an import is refused that would deactivate more than
/// `percent` of the active users and more than `users` of them, or more than half of them.
#[derive(Clone, Copy, Debug)]
pub struct MassDeactivation {
    /// Per cent of the organisation's active users.
    pub percent: u32,
    /// Number of users.
    pub users: u32,
    /// Per cent of the organisation's active users, whatever their number.
    pub percent_always: u32,
}

impl Default for MassDeactivation {
    fn default() -> Self {
        Self {
            percent: 5,
            users: 10,
            percent_always: 50,
        }
    }
}
