//! What an operator can set, with safe defaults.

use std::time::Duration;

use crate::{
    input::Limits,
    limits::{DatabaseLimits, ServerLimits},
};

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rows and bytes that one import may have.
    pub limits: Limits,
    /// What clients may take up of the server.
    pub server: ServerLimits,
    /// How long the database may take for what.
    pub database: DatabaseLimits,
    /// When an import deactivates too many users to be believed.
    pub mass_deactivation: MassDeactivation,
    /// Rows that one transaction writes, groups that must stay together apart.
    pub transaction_rows: usize,
    /// How long after `finish` the server waits for the client to half-close its stream.
    pub half_close_grace: Duration,
    /// How long a transaction is tried again while the database is away.
    pub database_patience: Duration,
    /// How long an organisation stays held after the last sign of life of the import that holds it.
    pub lease: Duration,
    /// How long after an import's end its results are kept; its record and counts stay.
    pub result_retention: Duration,
    /// Time between two looks for results to remove.
    pub cleaning_interval: Duration,
    /// How long an orderly shutdown waits for clients to go.
    pub shutdown_grace: Duration,
    /// Time between two progress messages.
    pub progress_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            server: ServerLimits::default(),
            database: DatabaseLimits::default(),
            mass_deactivation: MassDeactivation::default(),
            transaction_rows: 1_000,
            half_close_grace: Duration::from_secs(2),
            database_patience: Duration::from_secs(20),
            lease: Duration::from_secs(15),
            result_retention: Duration::from_hours(90 * 24),
            cleaning_interval: Duration::from_hours(1),
            shutdown_grace: Duration::from_secs(5),
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
