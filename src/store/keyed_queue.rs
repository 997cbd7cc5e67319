//! Permits for each key: a caller waits only for permits of the same key.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The permits of each key that is in use.
type KeyedSemaphores<K> = Arc<Mutex<HashMap<K, Arc<Semaphore>>>>;

/// A queue for each key. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct KeyedQueue<K> {
    permits: usize,
    semaphores: KeyedSemaphores<K>,
}

/// One permit of a key. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct QueuePermit<K: Eq + Hash> {
    // Dropped first: the key's entry is removed with its last permit.
    _permit: OwnedSemaphorePermit,
    _entry: QueueEntry<K>,
}

/// Keeps a key's semaphore while somebody has a permit of it or waits for one.
#[derive(Debug)]
struct QueueEntry<K: Eq + Hash> {
    semaphores: KeyedSemaphores<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> KeyedQueue<K> {
    /// Gives each key `permits` at a time.
    pub(super) fn new(permits: usize) -> Self {
        Self {
            permits,
            semaphores: Arc::default(),
        }
    }

    /// Waits for a permit of the key, in order of arrival.
    pub(super) async fn acquire(&self, key: K) -> QueuePermit<K> {
        // Declared before the semaphore, so that it is dropped after it if the wait is given up.
        let entry = QueueEntry {
            semaphores: Arc::clone(&self.semaphores),
            key: key.clone(),
        };
        let semaphore = {
            let mut semaphores = self.semaphores.lock();
            let found = semaphores.entry(key);
            Arc::clone(found.or_insert_with(|| Arc::new(Semaphore::new(self.permits))))
        };
        match semaphore.acquire_owned().await {
            Ok(permit) => QueuePermit {
                _permit: permit,
                _entry: entry,
            },
            // No semaphore is ever closed.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<K: Eq + Hash> Drop for QueueEntry<K> {
    fn drop(&mut self) {
        let mut semaphores = self.semaphores.lock();
        let unused = |semaphore: &Arc<Semaphore>| Arc::strong_count(semaphore) == 1;
        if semaphores.get(&self.key).is_some_and(unused) {
            semaphores.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn keys_do_not_wait_for_each_other() {
        let queue = KeyedQueue::new(2);
        let (first, second) = (queue.acquire("a").await, queue.acquire("a").await);
        let mut third = Box::pin(queue.acquire("a"));
        assert!(third.as_mut().now_or_never().is_none());
        assert!(queue.acquire("b").now_or_never().is_some());
        drop(first);
        assert!(third.as_mut().now_or_never().is_some());
        drop(second);
    }

    #[tokio::test]
    async fn a_key_that_nobody_uses_has_no_entry() {
        let queue = KeyedQueue::new(1);
        let first = queue.acquire("a").await;
        let mut given_up = Box::pin(queue.acquire("a"));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop(first);
        // The permit was meant for a caller that no longer waits.
        drop(given_up);
        assert!(queue.semaphores.lock().is_empty());
        assert!(queue.acquire("a").now_or_never().is_some());
    }
}
