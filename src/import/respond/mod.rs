//! What a client is told: responses in their order, progress, refusals, and what is taken out of an answer
//! because its reader may not see it.

pub(crate) mod disclosure;
mod progress;
pub(crate) mod refusal;
mod response_sender;

pub use progress::Progress;
pub use refusal::{ImportError, Refusal, RefusalKind};
pub use response_sender::{Outlet, Replies};
