//! From the first message of a stream to a planned import: the session, what it receives, its options, and
//! the limits on how many run at once. Nothing here writes users.

mod import_limiter;
mod options;
mod receiver;
pub(crate) mod session;
mod upload_buffer;

pub use import_limiter::ImportLimiter;
pub use options::{CONFIRMATION, Options, parse_filter};
pub use receiver::{Received, Receiver};
pub(crate) use receiver::{both_kinds, values};
pub use session::Inbound;
pub(crate) use session::{Session, expect_permitted, run};
pub use upload_buffer::Reservoir;
