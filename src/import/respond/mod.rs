//! Responses to the client: their order and flow control, progress, and the removal of data that the reader may not
//! see.

pub(crate) mod disclosure;
mod progress;
mod response_sender;

/// A response of the contract.
pub(crate) use crate::proto::import_users_response::Message as Response;
pub(crate) use progress::ProgressCounters;
pub use response_sender::ResponseSender;
pub(crate) use response_sender::ResponseStream;
