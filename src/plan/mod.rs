//! Decides every row of an import against one snapshot of the directory.
//!
//! Pure: rows, directory and catalog in, a [`Plan`] out; no IO, no clock, no randomness.

mod decision;
mod directory;
mod order;

pub use decision::{Decision, Outcome, Supervisor};
pub use directory::Directory;
pub use order::WriteOrder;
