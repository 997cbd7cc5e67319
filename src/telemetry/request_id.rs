//! The ID of the request that is being served. All its log lines have it, and the response to an internal
//! error.

use uuid::Uuid;

tokio::task_local! {
    static ID: Uuid;
}

/// Returns the ID of the request that is being served, or a new one outside of any.
#[must_use]
pub(crate) fn current() -> Uuid {
    ID.try_with(|id| *id).unwrap_or_else(|_| Uuid::now_v7())
}

/// Runs `work` as part of the request `id`.
pub(crate) async fn serving<T>(id: Uuid, work: impl Future<Output = T>) -> T {
    ID.scope(id, work).await
}

/// The same for synchronous work.
pub(crate) fn during<T>(id: Uuid, work: impl FnOnce() -> T) -> T {
    ID.sync_scope(id, work)
}
