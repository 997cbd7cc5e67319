//! Gives the memory of large imports back to the system when they have ended.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{limits::MemoryBudget, store::Store};

/// Time between two checks of the budget.
const LOOK: Duration = Duration::from_secs(2);

/// Bytes that clients' data must have released before the allocator is asked to release memory too.
/// Allocating that memory again costs the next import some milliseconds.
const WORTHWHILE: usize = 32 * 1024 * 1024;

/// Checks the budget regularly, until `stop`.
pub(super) fn keep_releasing(budget: MemoryBudget, store: Store, stop: CancellationToken) {
    tokio::spawn(stop.run_until_cancelled_owned(release(budget, store)));
}

async fn release(budget: MemoryBudget, store: Store) {
    loop {
        sleep(LOOK).await;
        if budget.take_fall(WORTHWHILE) {
            // A reservation may end shortly before its memory is freed.
            sleep(LOOK).await;
            if let Err(error) = store.release_cache().await {
                warn!(%error, "the cache of the database could not be given back");
            }
            drop(tokio::task::spawn_blocking(
                user_import_allocator::release_free_memory,
            ));
        }
    }
}
