//! Permits that each key has its own of: whoever wants one more waits behind the same key alone.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A queue for each key. Cheap to clone.
#[derive(Debug)]
pub(super) struct KeyedQueue<K> {
    permits: usize,
    queues: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

/// One of a key's permits, given back when dropped.
#[derive(Debug)]
pub(super) struct KeyedPermit<K: Eq + Hash> {
    // Dropped first: what is kept of the key goes with its last permit.
    _permit: OwnedSemaphorePermit,
    _place: Place<K>,
}

/// Keeps a key's queue while somebody has a permit of it or waits for one.
#[derive(Debug)]
struct Place<K: Eq + Hash> {
    queues: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
    key: K,
}

impl<K> Clone for KeyedQueue<K> {
    fn clone(&self) -> Self {
        Self {
            permits: self.permits,
            queues: Arc::clone(&self.queues),
        }
    }
}

impl<K: Clone + Eq + Hash> KeyedQueue<K> {
    /// `permits` for each key at a time.
    pub(super) fn new(permits: usize) -> Self {
        Self {
            permits,
            queues: Arc::default(),
        }
    }

    /// Waits for one of the key's permits, in order of arrival.
    pub(super) async fn acquire(&self, key: K) -> KeyedPermit<K> {
        // Declared before the semaphore, so that it goes after it when the wait is given up.
        let place = Place {
            queues: Arc::clone(&self.queues),
            key: key.clone(),
        };
        let queue = {
            let mut queues = lock(&self.queues);
            let queue = queues.entry(key);
            Arc::clone(queue.or_insert_with(|| Arc::new(Semaphore::new(self.permits))))
        };
        match queue.acquire_owned().await {
            Ok(permit) => KeyedPermit {
                _permit: permit,
                _place: place,
            },
            // Nobody closes one.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut queues = lock(&self.queues);
        let unused = |queue: &Arc<Semaphore>| Arc::strong_count(queue) == 1;
        if queues.get(&self.key).is_some_and(unused) {
            queues.remove(&self.key);
        }
    }
}

/// Nothing that is done under the lock can leave it half done.
fn lock<K>(
    queues: &Mutex<HashMap<K, Arc<Semaphore>>>,
) -> MutexGuard<'_, HashMap<K, Arc<Semaphore>>> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_key_waits_for_itself_alone() {
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
    async fn nothing_is_kept_of_a_key_that_nobody_uses() {
        let queue = KeyedQueue::new(1);
        let first = queue.acquire("a").await;
        let mut given_up = Box::pin(queue.acquire("a"));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop(first);
        // The permit is on its way to one who no longer wants it.
        drop(given_up);
        assert!(lock(&queue.queues).is_empty());
        assert!(queue.acquire("a").now_or_never().is_some());
    }
}
