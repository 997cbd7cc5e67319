//! The one concurrency bound: a limit for the server, and a limit for each key, such as an address or an
//! organisation.
//!
//! Callers may wait, and are served in order of arrival. Does not know what it counts.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};

/// Counts the permits in use, in all and for each key. Cheap to clone.
#[derive(Debug)]
pub struct KeyedLimiter<K: Eq + Hash + Clone>(Arc<KeyedLimiterState<K>>);

#[derive(Debug)]
struct KeyedLimiterState<K: Eq + Hash + Clone> {
    bounds: ConcurrencyBounds,
    held: Mutex<PermitCounts<K>>,
}

#[derive(Debug)]
struct PermitCounts<K: Eq + Hash + Clone> {
    total: usize,
    of_keys: HashMap<K, usize>,
    /// In order of arrival. No waiter has room.
    waiting: VecDeque<PermitWaiter<K>>,
}

/// A caller that waits for a permit.
#[derive(Debug)]
struct PermitWaiter<K: Eq + Hash + Clone> {
    key: K,
    granted: oneshot::Sender<KeyedPermit<K>>,
}

/// How many permits there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyBounds {
    /// On the server.
    pub server: usize,
    /// Permits of one key.
    pub key: usize,
}

/// The bound that is reached, and how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// That of the whole server.
    Server(usize),
    /// That of the key.
    Key(usize),
}

/// A permit in use; given back when dropped.
#[derive(Debug)]
pub struct KeyedPermit<K: Eq + Hash + Clone> {
    limiter: KeyedLimiter<K>,
    key: K,
}

impl<K: Eq + Hash + Clone> KeyedLimiter<K> {
    /// A limiter with nothing under way.
    #[must_use]
    pub fn new(bounds: ConcurrencyBounds) -> Self {
        let held = PermitCounts {
            total: 0,
            of_keys: HashMap::new(),
            waiting: VecDeque::new(),
        };
        Self(Arc::new(KeyedLimiterState {
            bounds,
            held: Mutex::new(held),
        }))
    }

    /// Takes a permit for `key`.
    ///
    /// # Errors
    /// Fails with the bound that is reached. The bound of the key is checked first, so that a busy key
    /// learns of its own.
    pub fn try_acquire(&self, key: K) -> Result<KeyedPermit<K>, LimitReached> {
        self.0.held.lock().count(&key, self.0.bounds)?;
        Ok(self.permit(key))
    }

    /// Takes a permit for `key`, or waits for one after those who already wait for the same key.
    ///
    /// # Errors
    /// Fails with the bound that is still reached after `patience`.
    pub async fn acquire(
        &self,
        key: K,
        patience: Duration,
    ) -> Result<KeyedPermit<K>, LimitReached> {
        let granted = {
            let mut held = self.0.held.lock();
            held.forget_gone();
            if held.count(&key, self.0.bounds).is_ok() {
                drop(held);
                return Ok(self.permit(key));
            }
            let (grant, granted) = oneshot::channel();
            held.waiting.push_back(PermitWaiter {
                key: key.clone(),
                granted: grant,
            });
            granted
        };
        if let Ok(Ok(permit)) = timeout(patience, granted).await {
            return Ok(permit);
        }
        self.0.held.lock().forget_gone();
        self.try_acquire(key)
    }

    fn permit(&self, key: K) -> KeyedPermit<K> {
        KeyedPermit {
            limiter: self.clone(),
            key,
        }
    }

    /// Grants permits to the waiters that have room now.
    fn grant(&self) {
        let mut granted = Vec::new();
        {
            let mut held = self.0.held.lock();
            let mut waiting = std::mem::take(&mut held.waiting);
            waiting.retain(|waiter| !waiter.granted.is_closed());
            while let Some(waiter) = waiting.pop_front() {
                match held.count(&waiter.key, self.0.bounds) {
                    Ok(()) => granted.push(waiter),
                    Err(LimitReached::Key(_)) => held.waiting.push_back(waiter),
                    Err(LimitReached::Server(_)) => {
                        held.waiting.push_back(waiter);
                        held.waiting.append(&mut waiting);
                    }
                }
            }
        }
        for PermitWaiter { key, granted } in granted {
            // A waiter that has gone gives its permit back at once.
            drop(granted.send(self.permit(key)));
        }
    }
}

impl<K: Eq + Hash + Clone> PermitCounts<K> {
    /// Counts one more for `key`.
    fn count(&mut self, key: &K, bounds: ConcurrencyBounds) -> Result<(), LimitReached> {
        let of_key = self.of_keys.get(key).copied().unwrap_or_default();
        if of_key >= bounds.key {
            return Err(LimitReached::Key(bounds.key));
        }
        if self.total >= bounds.server {
            return Err(LimitReached::Server(bounds.server));
        }
        self.total += 1;
        self.of_keys.insert(key.clone(), of_key + 1);
        Ok(())
    }

    fn forget_gone(&mut self) {
        self.waiting.retain(|waiter| !waiter.granted.is_closed());
    }
}

#[cfg(test)]
impl<K: Eq + Hash + Clone> KeyedLimiter<K> {
    /// How many are under way.
    pub(crate) fn total(&self) -> usize {
        self.0.held.lock().total
    }
}

impl<K: Eq + Hash + Clone> Clone for KeyedLimiter<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let mut held = self.limiter.0.held.lock();
        held.total -= 1;
        match held.of_keys.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.of_keys.remove(&self.key)),
        }
        let somebody_waits = !held.waiting.is_empty();
        drop(held);
        if somebody_waits {
            self.limiter.grant();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> KeyedLimiter<&'static str> {
        KeyedLimiter::new(ConcurrencyBounds { server: 3, key: 2 })
    }

    #[test]
    fn a_busy_key_leaves_room_to_the_others() {
        let limiter = limiter();
        let (first, _second) = (limiter.try_acquire("a"), limiter.try_acquire("a"));
        assert_eq!(limiter.try_acquire("a").unwrap_err(), LimitReached::Key(2));
        let _third = limiter.try_acquire("b").unwrap();
        assert_eq!(
            limiter.try_acquire("c").unwrap_err(),
            LimitReached::Server(3)
        );
        drop(first);
        assert!(limiter.try_acquire("c").is_ok());
    }

    /// Permits are granted in order of arrival, but a waiter never waits for another key.
    #[tokio::test(start_paused = true)]
    async fn who_waits_comes_in_order_of_arrival() {
        let limiter = limiter();
        let held = [
            limiter.try_acquire("a").unwrap(),
            limiter.try_acquire("a").unwrap(),
        ];
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        let wait = |key, name| {
            let (limiter, told) = (limiter.clone(), told.clone());
            tokio::spawn(async move {
                let permit = limiter.acquire(key, Duration::from_secs(9)).await;
                told.send((name, permit.is_ok())).unwrap();
                std::future::pending::<()>().await;
                drop(permit);
            })
        };
        let first = wait("a", "first");
        tokio::task::yield_now().await;
        wait("a", "second");
        wait("b", "other");
        assert_eq!(order.recv().await, Some(("other", true)));
        drop(held);
        assert_eq!(order.recv().await, Some(("first", true)));
        // The server is full; the second gets what the first gives back.
        first.abort();
        assert_eq!(order.recv().await, Some(("second", true)));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_nor_after_going_away() {
        let limiter = limiter();
        let held = [
            limiter.try_acquire("a").unwrap(),
            limiter.try_acquire("a").unwrap(),
        ];
        let reached = limiter.acquire("a", Duration::from_secs(9)).await;
        assert_eq!(reached.unwrap_err(), LimitReached::Key(2));
        let gone = limiter.acquire("a", Duration::MAX);
        assert!(timeout(Duration::from_secs(1), gone).await.is_err());
        drop(held);
        assert_eq!(limiter.total(), 0);
        assert!(limiter.0.held.lock().waiting.is_empty());
    }

    #[test]
    fn nothing_is_held_of_a_key_with_nothing_under_way() {
        let limiter = limiter();
        drop([limiter.try_acquire("a"), limiter.try_acquire("a")]);
        assert_eq!(limiter.total(), 0);
        assert!(limiter.0.held.lock().of_keys.is_empty());
    }
}
