//! What is kept of an import: its record, the log of its results as they are encoded, and sending them
//! again.

pub(crate) mod audited;
pub(crate) mod encoding;
pub(crate) mod import_record;
mod replay;
pub(crate) mod result_log;

pub use replay::Follower;
pub(crate) use replay::{LOOK, Selection};
pub(crate) use result_log::{EncodedResults, Journal, Part, Settled};
