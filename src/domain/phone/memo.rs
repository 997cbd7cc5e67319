//! Phone numbers read before. To read one takes microseconds, and a roster brings the same ones every
//! night. What a number is depends on nothing but its writing, so all imports of a process share this.

use std::sync::{Mutex, PoisonError};

/// Parts that are locked by themselves; a power of two.
const SHARDS: usize = 64;

/// Most slots of a shard, of eight bytes each: 4 MiB in all. A power of two.
const MOST: usize = 8 * 1024;

/// Longest writing, in characters without the `+`; as many digits as a number can have.
const LONGEST: u32 = 15;

/// Where the bit lies that tells whether a number is assigned.
const ASSIGNED: u64 = 1 << 63;

static SEEN: [Mutex<Shard>; SHARDS] = [const { Mutex::new(Shard::NEW) }; SHARDS];

/// How an international number is written, where it is short and plain: four bits a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Writing(u64);

impl Writing {
    /// The writing of a number that begins with `+`: digits, spaces, hyphens, dots and round brackets.
    pub(super) fn of(international: &str) -> Option<Self> {
        let written = international.strip_prefix('+')?.as_bytes();
        if written.is_empty() || written.len() > LONGEST as usize {
            return None;
        }
        let add = |sum: u64, &byte: &u8| Some(sum << 4 | symbol(byte)?);
        written.iter().try_fold(0, add).map(Self)
    }

    /// Whether the number is assigned, where it has been read before.
    pub(super) fn recall(self) -> Option<bool> {
        let (shard, hash) = self.place();
        let shard = SEEN[shard].lock().unwrap_or_else(PoisonError::into_inner);
        shard.find(self, hash)
    }

    /// Keeps what was read; something else may have to go for it.
    pub(super) fn note(self, assigned: bool) {
        let (shard, hash) = self.place();
        let mut shard = SEEN[shard].lock().unwrap_or_else(PoisonError::into_inner);
        shard.keep(self, hash, assigned);
    }

    /// Its shard, and what its slot there is found by.
    fn place(self) -> (usize, usize) {
        let hash = self.hash();
        (hash % SHARDS, hash / SHARDS)
    }

    /// Multiplicative hashing: its upper bits depend on all of the writing.
    const fn hash(self) -> usize {
        (self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
    }
}

/// One of fifteen, so that no writing is the beginning of another.
const fn symbol(byte: u8) -> Option<u64> {
    Some(match byte {
        b'0'..=b'9' => (byte - b'0') as u64 + 1,
        b' ' => 11,
        b'-' => 12,
        b'.' => 13,
        b'(' => 14,
        b')' => 15,
        _ => return None,
    })
}

/// A table with one slot for each hash, which grows to [`MOST`]; then newer numbers take the place of
/// older ones.
struct Shard {
    /// A writing, and [`ASSIGNED`]; 0: empty.
    slots: Vec<u64>,
    filled: usize,
}

impl Shard {
    const NEW: Self = Self {
        slots: Vec::new(),
        filled: 0,
    };

    fn find(&self, number: Writing, hash: usize) -> Option<bool> {
        let slot = *self.slots.get(hash & self.slots.len().wrapping_sub(1))?;
        (slot & !ASSIGNED == number.0).then_some(slot & ASSIGNED != 0)
    }

    fn keep(&mut self, number: Writing, hash: usize, assigned: bool) {
        if self.filled * 2 >= self.slots.len() && self.slots.len() < MOST {
            self.grow();
        }
        self.put(number.0 | if assigned { ASSIGNED } else { 0 }, hash);
    }

    fn put(&mut self, slot: u64, hash: usize) {
        let at = hash & (self.slots.len() - 1);
        self.filled += usize::from(self.slots[at] == 0);
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let larger = vec![0; (self.slots.len() * 2).max(16)];
        let old = std::mem::replace(&mut self.slots, larger);
        self.filled = 0;
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let (_, hash) = Writing(slot & !ASSIGNED).place();
            self.put(slot, hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings_that_differ_are_told_apart() {
        let texts = [
            "+1",
            "+10",
            "+01",
            "+1 ",
            "+ 1",
            "+1-",
            "+1.",
            "+(1",
            "+1)",
            "+999999999999999",
        ];
        let writings = texts.map(|text| Writing::of(text).unwrap());
        for (index, writing) in writings.iter().enumerate() {
            assert!(!writings[..index].contains(writing), "{}", texts[index]);
            assert_eq!(writing.0 & ASSIGNED, 0);
        }
    }

    #[test]
    fn what_is_long_or_strange_has_no_writing() {
        for text in [
            "",
            "+",
            "1",
            "++1",
            "+1x",
            "+\u{661}",
            "+1234567890123456",
            "(+1)",
        ] {
            assert_eq!(Writing::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_shard_finds_what_it_keeps_and_stays_bounded() {
        let mut shard = Shard::NEW;
        let numbers = || (1_000_000_u64..1_100_000).map(Writing);
        for (number, assigned) in numbers().zip([true, false].into_iter().cycle()) {
            let (_, hash) = number.place();
            assert_eq!(shard.find(number, hash), None);
            shard.keep(number, hash, assigned);
            assert_eq!(shard.find(number, hash), Some(assigned));
        }
        let found = numbers().filter(|number| shard.find(*number, number.place().1).is_some());
        assert_eq!((shard.slots.len(), found.count()), (MOST, shard.filled));
        assert!(shard.filled > MOST / 2);
    }
}
