//! The stored parts of an import: its record, the log of its encoded results, and the replay of that log.
//!
//! Results, refusals and warnings are recorded as encoded messages of the contract, once, and sent from there. So this
//! module makes messages from a planned import and works on them. The rest of the engine need not know them.

pub(crate) mod approval_needs;
pub(crate) mod audited;
pub(crate) mod changed_users;
pub(crate) mod encoding;
pub(crate) mod import_record;
mod recorded_progress;
mod replay;
pub(crate) mod result_log;
mod row_results;

pub(crate) use import_record::RecordedNotes;
pub(crate) use recorded_progress::RecordedProgress;
pub(crate) use replay::{POLL_INTERVAL, ResultReplay, WatchRequest};
pub(crate) use result_log::{
    EncodedResults, FinalResults, ResultBatches, ResultLog, SharedResults,
};
