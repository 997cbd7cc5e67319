//! Keys that are equal except for leading zeros, which spreadsheets drop (semantics §2). Finds them; does not judge
//! them.

use hashbrown::HashMap;

use super::keys::Key;
use super::lists_by_index::ListsByIndex;
use super::numbers::{ByRow, DenseIndex, IndexVec, RowIndex, UserIndex, number};
use super::roster_index::RosterIndex;
use crate::domain::strip_leading_zeros;

number! {
    /// The number of a class of keys.
    pub(crate) ZeroClass
}

/// For one key: the users and the rows whose key equals a row's key except for leading zeros. Such keys form a class.
/// Keys are unique and of bounded length, so a class has at most as many users as a key has characters.
#[derive(Default)]
pub(crate) struct ZeroPaddedKeys {
    /// Empty if there are no classes.
    class_of_row: ByRow<Option<ZeroClass>>,
    members: ListsByIndex<ZeroClass, UserIndex>,
    rows: IndexVec<ZeroClass, RowPair>,
}

/// The lowest row of a class, and the lowest row with a different number of zeros.
#[derive(Clone, Copy, Default)]
struct RowPair {
    first: Option<RowIndex>,
    second: Option<RowIndex>,
}

impl ZeroPaddedKeys {
    /// Compares the rows for which `of_interest` returns `true` with all users and with each other. Other rows have no
    /// class.
    pub(crate) fn new(
        roster: &RosterIndex<'_>,
        key: Key,
        of_interest: impl Fn(RowIndex) -> bool,
    ) -> Self {
        let held = || roster.users.iter().map(|user| key.of(user));
        let wanted = |row| match of_interest(row) {
            true => roster.wanted_text(key, row),
            false => None,
        };
        let rows = || roster.rows.indices().map(wanted);
        let mut classes = ZeroClasses::default();
        if rows().any(|text| text.is_some()) {
            // If no text begins with a zero, no two keys are alike. Most files cost only this one look at each text.
            let padded = held().chain(rows().flatten());
            padded
                .filter(|text| text.starts_with('0'))
                .for_each(|text| classes.add(text));
        }
        let count = classes.0.len();
        if count == 0 {
            return Self::default();
        }
        let pairs = roster.users.indices().zip(held());
        let pairs = pairs.filter_map(|(user, text)| Some((classes.find(text)?, user)));
        let class_of_row = rows().map(|text| classes.find(text?)).collect();
        let mut zeros = Self {
            members: ListsByIndex::collect(count, pairs),
            rows: IndexVec::repeat(RowPair::default(), count),
            class_of_row,
        };
        zeros.pair_rows(|row| roster.wanted_text(key, row).map(str::len));
        zeros
    }

    /// Finds the rows of each class that a message can name to the other rows. Texts of one class differ only in
    /// length.
    fn pair_rows(&mut self, length: impl Fn(RowIndex) -> Option<usize>) {
        for (row, class) in self.class_of_row.enumerate() {
            let &Some(class) = class else {
                continue;
            };
            let pair = &mut self.rows[class];
            let first = *pair.first.get_or_insert(row);
            if pair.second.is_none() && length(first) != length(row) {
                pair.second = Some(row);
            }
        }
    }

    /// Returns the class of the key of `row`, or `None` if no key is alike.
    pub(crate) fn class_of(&self, row: RowIndex) -> Option<ZeroClass> {
        self.class_of_row.find(row)
    }

    /// Returns the users of a class. Users with exactly the same key are among them.
    pub(crate) fn members(&self, class: ZeroClass) -> &[UserIndex] {
        self.members.get(class)
    }

    /// Returns the users whose key equals that of `row` except for leading zeros.
    pub(crate) fn alike(&self, row: RowIndex) -> &[UserIndex] {
        self.class_of(row).map_or(&[], |class| self.members(class))
    }

    /// Returns two rows whose keys equal that of `row` except for leading zeros and differ from each other, the lower
    /// row first. Returns `None` if no two rows of the class differ.
    pub(crate) fn alike_rows(&self, row: RowIndex) -> Option<[RowIndex; 2]> {
        let pair = self.rows[self.class_of(row)?];
        Some([pair.first?, pair.second?])
    }

    /// Returns how many classes there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Numbers for texts that are the same without their leading zeros.
#[derive(Default)]
struct ZeroClasses<'a>(HashMap<&'a str, ZeroClass>);

impl<'a> ZeroClasses<'a> {
    fn add(&mut self, text: &'a str) {
        let next = ZeroClass::new(self.0.len());
        self.0.entry(strip_leading_zeros(text)).or_insert(next);
    }

    fn find(&self, text: &str) -> Option<ZeroClass> {
        self.0.get(strip_leading_zeros(text)).copied()
    }
}
