//! From the first message of a stream to a planned import: the session, the roster it receives, its options,
//! and the limits on concurrent imports. Nothing here writes users.

mod import_limiter;
mod kept_input;
mod options;
mod parallel_checks;
mod phone_memo;
mod read_ahead;
mod receiver;
mod saved_mapping;
mod session;
mod upload_buffer;
mod workbook_input;

/// A message of the contract that a client sends.
pub(crate) use crate::proto::import_users_request::Message as PlanRequest;
pub(super) use import_limiter::ImportLimiter;
pub(crate) use import_limiter::{UploadPermit, WriteTurn};
pub(crate) use kept_input::{CSV, KeptInput, ROWS, WORKBOOK};
pub use options::ImportOptions;
pub use options::ResultFilter;
pub(crate) use options::parse_filter;
pub(crate) use options::{expect_permitted, expect_permitted_held};
pub use phone_memo::read_phone;
pub use receiver::{ReceivedRoster, RosterReceiver};
pub(crate) use receiver::{both_kinds, refusals};
pub(crate) use saved_mapping::{expect_one_mapping, mapping_faults};
pub(crate) use session::RequestStream;
pub(crate) use session::{
    AttemptRecording, BegunImport, ImportSession, SESSION_BYTES, UndoRequest, receive_start,
};
pub(crate) use upload_buffer::UploadBuffer;
