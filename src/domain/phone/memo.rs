//! Phone numbers read before. To read one takes microseconds, and a roster brings the same ones every
//! night. What a number is depends on nothing but its writing, so all imports of a process share this.

use std::{
    hint::black_box,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Numbers kept, in eight bytes each: 4 MiB in all. As many as a hash can be.
const KEPT: usize = 1 << 19;

/// Numbers that share a place: as many as a line of the processor's cache holds, which is read at once.
const SHARING: usize = 8;

/// Longest writing, in characters without the `+`; as many digits as a number can have.
const LONGEST: usize = 15;

/// Where the bit lies that tells whether a number is assigned.
const ASSIGNED: u64 = 1 << 63;

static SEEN: LazyLock<Memo> = LazyLock::new(|| Memo::new(KEPT));

/// How an international number is written, where it is short and plain: four bits a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Writing(u64);

impl Writing {
    /// The writing of a number that begins with `+`: digits, spaces, hyphens, dots and round brackets.
    pub(super) fn of(international: &str) -> Option<Self> {
        Self::without_plus(international.strip_prefix('+')?)
    }

    /// The same of what is behind the `+`.
    pub(super) fn without_plus(written: &str) -> Option<Self> {
        let written = written.as_bytes();
        if written.is_empty() || written.len() > LONGEST {
            return None;
        }
        let add = |sum: u64, &byte: &u8| Some(sum << 4 | symbol(byte)?);
        written.iter().try_fold(0, add).map(Self)
    }

    /// Whether the number is assigned, where it has been read before.
    pub(super) fn recall(self) -> Option<bool> {
        SEEN.find(self)
    }

    /// Keeps what was read; something else may have to go for it.
    pub(super) fn note(self, assigned: bool) {
        SEEN.keep(self, assigned);
    }

    /// 19 bits. Multiplicative hashing: only the upper ones depend on all of the writing.
    const fn hash(self) -> usize {
        (self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - 19)) as usize
    }
}

/// Has the processor fetch what is known of numbers that are about to be recalled. Nearly each lies somewhere
/// else in memory, and it fetches several at once where none waits for the one before.
pub(super) fn fetch(numbers: impl Iterator<Item = Writing>) {
    let look = |sum, number| sum ^ SEEN.place(number).0[0].load(Relaxed);
    // Used for nothing, and not left out for that.
    black_box(numbers.fold(0, look));
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

/// Places, found by hash, with a few slots each. Where all are taken, one that the hash chooses lets go of what it
/// has. A slot is written and read whole, so that no lock is needed: at worst something is kept twice, or not at
/// all.
struct Memo {
    places: Box<[Place]>,
}

/// In each slot a writing, and [`ASSIGNED`]; 0: empty.
#[derive(Default)]
#[repr(align(64))]
struct Place([AtomicU64; SHARING]);

impl Memo {
    /// Room for `slots` numbers, a power of two.
    fn new(slots: usize) -> Self {
        Self {
            places: (0..slots / SHARING).map(|_| Place::default()).collect(),
        }
    }

    fn place(&self, number: Writing) -> &Place {
        &self.places[(number.hash() / SHARING) & (self.places.len() - 1)]
    }

    fn find(&self, number: Writing) -> Option<bool> {
        let mut slots = self.place(number).0.iter().map(|slot| slot.load(Relaxed));
        let found = slots.find(|slot| slot & !ASSIGNED == number.0)?;
        Some(found & ASSIGNED != 0)
    }

    fn keep(&self, number: Writing, assigned: bool) {
        let slots = &self.place(number).0;
        let empty = slots.iter().find(|slot| slot.load(Relaxed) == 0);
        let slot = empty.unwrap_or(&slots[number.hash() % SHARING]);
        slot.store(number.0 | if assigned { ASSIGNED } else { 0 }, Relaxed);
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
    fn what_is_kept_is_found_until_there_is_no_room() {
        let memo = Memo::new(1024);
        let numbers = || (1_000_000_u64..1_001_000).map(Writing);
        let known = || numbers().filter(|&number| memo.find(number).is_some());
        assert_eq!(known().count(), 0);
        for (number, assigned) in numbers().zip([true, false].into_iter().cycle()) {
            memo.keep(number, assigned);
            assert_eq!(memo.find(number), Some(assigned));
        }
        let all = numbers().zip([true, false].into_iter().cycle());
        let wrong = all.filter(|&(number, is)| memo.find(number).is_some_and(|found| found != is));
        assert_eq!(wrong.count(), 0);
        assert!((500..1_000).contains(&known().count()));
    }

    #[test]
    fn nearly_all_that_come_are_kept_where_there_is_room_for_thrice_as_many() {
        let memo = Memo::new(2048);
        let numbers = || (1_000_000_u64..1_000_680).map(Writing);
        numbers().for_each(|number| memo.keep(number, true));
        let known = numbers().filter(|&number| memo.find(number).is_some());
        assert!(known.count() > 670);
    }
}
