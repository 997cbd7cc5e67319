//! Remembers phone numbers that were read before. The result depends only on the number's writing, so all imports of a
//! process share this memo. It knows nothing about organisations and users.
//!
//! Be advised: reading a number takes microseconds, and a roster repeats the same numbers every night. The plain version
//! is [`PhoneNumber::read`], with which the tests compare. Before changing this, run the benchmark `validate`
//! (`benches/micro.rs`).

use std::{
    borrow::Cow,
    hint::black_box,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::domain::{PhoneNumber, ValueFault, has_digits, strip_plus};

/// Numbers kept, eight bytes each: 4 MiB in all. This is also the number of different hashes.
const KEPT: usize = 1 << 19;

/// Numbers that share a place. They fill one line of the processor's cache, which is read at once.
const SHARING: usize = 8;

/// Longest writing, in characters without the `+`. This is also the most digits that a number can have.
const LONGEST: usize = 15;

/// The bit that is set if a number is assigned.
const ASSIGNED: u64 = 1 << 63;

static SEEN: LazyLock<PhoneMemo> = LazyLock::new(|| PhoneMemo::new(KEPT));

/// Reads a number that begins with its `+`. The memo keeps only the writing, so it has only numbers that follow from
/// the writing's digits.
///
/// # Errors
/// Fails as [`PhoneNumber::parse`] does.
pub fn read_phone(international: Cow<'_, str>) -> Result<PhoneNumber<'_>, ValueFault> {
    let writing = PackedNumber::of(&international);
    if let Some(assigned) = writing.and_then(|writing| SEEN.find(writing)) {
        return Ok(PhoneNumber::of_digits(international, assigned));
    }
    let number = PhoneNumber::read(&international)?;
    if let Some(writing) = writing.filter(|_| has_digits(&international, number.as_e164())) {
        SEEN.keep(writing, number.is_assigned());
    }
    Ok(number)
}

/// Prepares to read these texts soon, by making the processor fetch the memory for them. Nearly every number lies in a
/// different part of memory, and the processor fetches several parts at once if no fetch waits for the previous one.
pub(super) fn anticipate<'t>(texts: impl Iterator<Item = &'t str>) {
    let written = texts.map(|text| strip_plus(text.trim_ascii()));
    let numbers = written.filter_map(PackedNumber::without_plus);
    let look = |sum, number| sum ^ SEEN.place(number).0[0].load(Relaxed);
    // The result is not used; `black_box` keeps the compiler from removing the reads.
    black_box(numbers.fold(0, look));
}

/// The characters of an international number, four bits each. Only short and plain numbers have this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PackedNumber(u64);

impl PackedNumber {
    /// Returns the writing of a number that begins with `+` and has only digits, spaces, hyphens, dots and round
    /// brackets after it. Returns `None` for other numbers.
    fn of(international: &str) -> Option<Self> {
        Self::without_plus(international.strip_prefix('+')?)
    }

    /// Returns the writing of a number from the characters after its `+`.
    fn without_plus(written: &str) -> Option<Self> {
        let written = written.as_bytes();
        if written.is_empty() || written.len() > LONGEST {
            return None;
        }
        let add = |sum: u64, &byte: &u8| Some(sum << 4 | symbol(byte)?);
        written.iter().try_fold(0, add).map(Self)
    }

    /// Returns a hash of 19 bits. The hash multiplies, so only the upper bits depend on the whole writing.
    const fn hash(self) -> usize {
        (self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - 19)) as usize
    }
}

/// Returns one of fifteen codes, none of them 0, so that no writing equals the beginning of another one.
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

/// A table of places, found by hash, with a few slots each. If all slots of a place are taken, the hash chooses the
/// slot to overwrite. Each slot is written and read in one step, so no lock is needed: in the worst case a race
/// keeps a number twice, or not at all.
struct PhoneMemo {
    places: Box<[PhoneSlots]>,
}

/// Each slot holds a writing and [`ASSIGNED`]; 0 means empty.
#[derive(Default)]
#[repr(align(64))]
struct PhoneSlots([AtomicU64; SHARING]);

impl PhoneMemo {
    /// Makes room for `slots` numbers; `slots` is a power of two.
    fn new(slots: usize) -> Self {
        Self {
            places: (0..slots / SHARING)
                .map(|_| PhoneSlots::default())
                .collect(),
        }
    }

    fn place(&self, number: PackedNumber) -> &PhoneSlots {
        &self.places[(number.hash() / SHARING) & (self.places.len() - 1)]
    }

    fn find(&self, number: PackedNumber) -> Option<bool> {
        let mut slots = self.place(number).0.iter().map(|slot| slot.load(Relaxed));
        let found = slots.find(|slot| slot & !ASSIGNED == number.0)?;
        Some(found & ASSIGNED != 0)
    }

    fn keep(&self, number: PackedNumber, assigned: bool) {
        let slots = &self.place(number).0;
        let empty = slots.iter().find(|slot| slot.load(Relaxed) == 0);
        let slot = empty.unwrap_or(&slots[number.hash() % SHARING]);
        slot.store(number.0 | if assigned { ASSIGNED } else { 0 }, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the number twice, so that the second time uses the memo of the first.
    fn assert_remembered_as_read(text: &str) {
        let read = PhoneNumber::read(text);
        assert_eq!(read_phone(text.into()), read, "{text}");
        assert_eq!(read_phone(text.into()), read, "{text}");
    }

    #[test]
    fn a_number_read_before_is_what_it_was() {
        let recall = |text| SEEN.find(PackedNumber::of(text).unwrap());
        assert_remembered_as_read("+12025550143");
        assert_eq!(recall("+12025550143"), Some(true));
        assert_remembered_as_read("+1 555 555 0143");
        assert_eq!(recall("+1 555 555 0143"), Some(false));
        // Some of these digits are not part of the number.
        assert_remembered_as_read("+44(0)2079460018");
        assert_eq!(recall("+44(0)2079460018"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_remembered_is_what_was_read(
            text in r"\+(1|44|49|52|54|7|39|225|999) ?[0-9 .()-]{3,13}"
        ) {
            assert_remembered_as_read(text.trim_end());
        }
    }

    #[test]
    fn different_spellings_are_distinguished() {
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
        let writings = texts.map(|text| PackedNumber::of(text).unwrap());
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
            assert_eq!(PackedNumber::of(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_found_until_there_is_no_room() {
        let memo = PhoneMemo::new(1024);
        let numbers = || (1_000_000_u64..1_001_000).map(PackedNumber);
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
        let memo = PhoneMemo::new(2048);
        let numbers = || (1_000_000_u64..1_000_680).map(PackedNumber);
        numbers().for_each(|number| memo.keep(number, true));
        let known = numbers().filter(|&number| memo.find(number).is_some());
        assert!(known.count() > 670);
    }
}
