//! Responses to the client: their order and flow control, progress, refusals, and the removal of data that the
//! reader may not see.

pub(crate) mod disclosure;
mod progress;
pub(crate) mod refusal;
mod response_sender;

pub use progress::ProgressCounters;
pub use refusal::{ImportError, Refusal, RefusalKind};
pub use response_sender::{ResponseSender, ResponseStream};
