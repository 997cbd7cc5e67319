//! The gRPC services: wire ↔ domain, and every error to its status, in one place each.

mod actor;
mod audit;
mod catalog;
mod directory;
mod export;
mod import;
mod paging;
mod status;
mod wire;

pub use audit::Audit;
pub use directory::Directory;
pub use import::Imports;

use std::future::Future;

use tonic::Status;

/// Runs database work in a task of its own, so that a client who hangs up does not leave a pooled
/// connection inside a transaction (sqlx issues 4385 and 4393).
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(status::internal(&error)),
    }
}
