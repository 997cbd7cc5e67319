//! Records of imports, and their encoded results (semantics §8): how an attempt begins and ends, what is recorded in
//! between, the list of imports, and what is removed later. How a record changes while rows are written is known to
//! [`import_transaction`](super::import_transaction) alone.

mod batches;
mod ending;
mod expiry;
mod history;
mod opening;

pub(crate) use batches::{BatchKind, RecordedBatch};
pub(crate) use opening::AttemptOpening;

use super::entity::import::Model;
use crate::domain::ImportState;

/// The record of an import, as stored.
pub(crate) type ImportRecord = Model;

impl Model {
    /// Returns the recorded state.
    #[must_use]
    pub const fn state(&self) -> ImportState {
        ImportState::from_number(self.state)
    }
}
