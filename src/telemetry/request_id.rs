//! The ID of the request that is being served: in every log line of it, and in the answer to one that
//! ended by a fault of ours.

use uuid::Uuid;

tokio::task_local! {
    static ID: Uuid;
}

/// The ID of the request that is being served; a new one outside of any.
#[must_use]
pub fn current() -> Uuid {
    ID.try_with(|id| *id).unwrap_or_else(|_| Uuid::now_v7())
}

/// Does `work` for the request `id`.
pub async fn serving<T>(id: Uuid, work: impl Future<Output = T>) -> T {
    ID.scope(id, work).await
}

/// The same for work that is done at once.
pub fn during<T>(id: Uuid, work: impl FnOnce() -> T) -> T {
    ID.sync_scope(id, work)
}
