//! The gRPC services: wire ↔ domain, every error to its status, and who may call what, in one place each.

mod audit;
mod call_limiter;
mod caller;
mod catalog;
mod denials;
mod directory;
mod export;
mod guard;
mod import;
mod oversight;
mod paging;
mod policy;
mod staged;
mod status;
mod stream_body;
mod transport;
mod upload;
mod wire;

pub use audit::Audit;
pub use denials::Denials;
pub use directory::Directory;
pub use guard::Guard;
pub use import::Imports;
pub use policy::{Rpc, rpc};
pub use transport::{
    SMALL_REQUEST_BYTES, bad_timeout, deadline_exceeded, memory_exhausted, message_too_large,
    origin_refused, request_too_slow, too_many_health_watches, undecodable, unreadable,
};
pub use upload::WireBytes;

use std::future::Future;

use tonic::Status;
use tracing::Instrument;

use crate::telemetry::request;

/// Runs database work in a task of its own, so that a client who hangs up does not leave a pooled
/// connection inside a transaction (sqlx issues 4385 and 4393).
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    let work = request::serving(request::id(), work.in_current_span());
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(status::internal(&error)),
    }
}

/// Computes something that may take longer than a thread of the runtime is to be kept.
async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let computed = tokio::task::spawn_blocking(work).await;
    computed.map_err(|error| status::internal(&error))
}
