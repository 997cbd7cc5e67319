//! Gives the memory of large imports back to the system when they have ended.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::limits::MemoryBudget;

/// From one look at the budget to the next.
const LOOK: Duration = Duration::from_secs(2);

/// Bytes that clients' data must have given back before the allocator is asked to do so too: what it then takes
/// again costs the next import some milliseconds.
const WORTHWHILE: usize = 32 * 1024 * 1024;

/// Looks at the budget now and then, until `stop`.
pub(super) fn keep_releasing(budget: MemoryBudget, stop: CancellationToken) {
    tokio::spawn(stop.run_until_cancelled_owned(release(budget)));
}

async fn release(budget: MemoryBudget) {
    loop {
        sleep(LOOK).await;
        if budget.take_fall(WORTHWHILE) {
            // A reservation may end shortly before what it was made for is freed.
            sleep(LOOK).await;
            drop(tokio::task::spawn_blocking(
                user_import_allocator::release_free_memory,
            ));
        }
    }
}
