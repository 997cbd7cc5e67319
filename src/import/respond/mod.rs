//! Responses to the client: their order and flow control, progress, refusals, and the removal of data that the
//! reader may not see.

pub(crate) mod disclosure;
mod progress;
pub(crate) mod refusal;
mod response_sender;

/// A response of the contract.
pub(crate) use crate::proto::import_users_response::Message as Response;
pub(crate) use progress::ProgressCounters;
pub(crate) use refusal::RefusalKind;
pub use refusal::{ImportError, Refusal};
pub use response_sender::ResponseSender;
pub(crate) use response_sender::ResponseStream;
