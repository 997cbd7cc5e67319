//! The stored parts of an import: its record, the log of its encoded results, and the replay of that log.

pub(crate) mod audited;
pub(crate) mod encoding;
pub(crate) mod import_record;
mod replay;
pub(crate) mod result_log;

pub(crate) use replay::{POLL_INTERVAL, ResultReplay, WatchRequest};
pub(crate) use result_log::{EncodedResults, FinalResults, ResultLog, SharedResults};
