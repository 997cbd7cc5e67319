//! The one concurrency bound: so many at a time on the server, and so many of these for each key (an
//! address, an organisation).
//!
//! Never waits. Knows nothing of what it counts.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts what is under way, in all and for each key. Cheap to clone.
#[derive(Debug)]
pub struct KeyedLimiter<K: Eq + Hash>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K> {
    bounds: Bounds,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    total: usize,
    of_keys: HashMap<K, usize>,
}

/// How many there may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// On the server.
    pub server: usize,
    /// Of these, for one key.
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

/// The right to be one of those under way; given back when dropped.
#[derive(Debug)]
pub struct Permit<K: Eq + Hash> {
    limiter: KeyedLimiter<K>,
    key: K,
}

impl<K: Eq + Hash + Clone> KeyedLimiter<K> {
    /// A limiter with nothing under way.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let held = Held {
            total: 0,
            of_keys: HashMap::new(),
        };
        Self(Arc::new(Inner {
            bounds,
            held: Mutex::new(held),
        }))
    }

    /// Takes a permit for `key`.
    ///
    /// # Errors
    /// The bound that is reached; that of the key comes first, so that a busy key is told of its own.
    pub fn try_acquire(&self, key: K) -> Result<Permit<K>, LimitReached> {
        let Bounds { server, key: each } = self.0.bounds;
        let mut held = self.held();
        let of_key = held.of_keys.get(&key).copied().unwrap_or_default();
        if of_key >= each {
            return Err(LimitReached::Key(each));
        }
        if held.total >= server {
            return Err(LimitReached::Server(server));
        }
        held.total += 1;
        held.of_keys.insert(key.clone(), of_key + 1);
        drop(held);
        Ok(Permit {
            limiter: self.clone(),
            key,
        })
    }
}

impl<K: Eq + Hash> KeyedLimiter<K> {
    /// How many are under way.
    #[must_use]
    pub fn total(&self) -> usize {
        self.held().total
    }

    fn held(&self) -> MutexGuard<'_, Held<K>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Clone for KeyedLimiter<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut held = self.limiter.held();
        held.total -= 1;
        match held.of_keys.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.of_keys.remove(&self.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> KeyedLimiter<&'static str> {
        KeyedLimiter::new(Bounds { server: 3, key: 2 })
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

    #[test]
    fn nothing_is_held_of_a_key_with_nothing_under_way() {
        let limiter = limiter();
        drop([limiter.try_acquire("a"), limiter.try_acquire("a")]);
        assert_eq!(limiter.total(), 0);
        assert!(limiter.held().of_keys.is_empty());
    }
}
