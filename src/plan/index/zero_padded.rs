//! Keys that are equal except for leading zeros, which spreadsheets drop (semantics §2). Finds them; does not judge
//! them.

use hashbrown::HashMap;

use super::keys::Key;
use super::links::{Links, Lists, index, indices};
use super::roster::Roster;
use super::text::strip_leading_zeros;

/// For one key: the users and the rows whose key equals a row's key except for leading zeros. Such keys form a class.
/// Keys are unique and of bounded length, so a class has at most as many users as a key has characters.
#[derive(Default)]
pub(crate) struct Zeros {
    /// Empty if there are no classes.
    class_of_row: Links,
    members: Lists,
    rows: Vec<Pair>,
}

/// The lowest row of a class, and the lowest row with a different number of zeros.
#[derive(Clone, Copy, Default)]
struct Pair {
    first: Option<u32>,
    second: Option<u32>,
}

impl Zeros {
    /// Compares the rows for which `of_interest` returns `true` with all users and with each other. Other rows have no
    /// class.
    pub(crate) fn new(roster: &Roster<'_>, key: Key, of_interest: impl Fn(u32) -> bool) -> Self {
        let held = || roster.users.iter().map(|user| key.of(user));
        let wanted = |row: u32| match of_interest(row) {
            true => roster.wanted_text(key, row),
            false => None,
        };
        let rows = || indices(roster.rows).map(wanted);
        let mut classes = Classes::default();
        if rows().any(|text| text.is_some()) {
            // If no text begins with a zero, no two keys are alike. Most files cost only this one look at each text.
            let padded = held().chain(rows().flatten());
            padded
                .filter(|text| text.starts_with('0'))
                .for_each(|text| classes.add(text));
        }
        if classes.is_empty() {
            return Self::default();
        }
        let pairs = held().enumerate();
        let pairs = pairs.filter_map(|(user, text)| Some((classes.find(text)?, index(user))));
        let class_of_row: Links = rows().map(|text| classes.find(text?)).collect();
        let mut zeros = Self {
            members: Lists::collect(classes.len(), pairs),
            rows: vec![Pair::default(); classes.len()],
            class_of_row,
        };
        zeros.pair_rows(|row| roster.wanted_text(key, row).map(str::len));
        zeros
    }

    /// Finds the rows of each class that a message can name to the other rows. Texts of one class differ only in
    /// length.
    fn pair_rows(&mut self, length: impl Fn(u32) -> Option<usize>) {
        for row in 0..index(self.class_of_row.len()) {
            let Some(class) = self.class_of_row.get(row) else {
                continue;
            };
            let pair = &mut self.rows[class as usize];
            let first = *pair.first.get_or_insert(row);
            if pair.second.is_none() && length(first) != length(row) {
                pair.second = Some(row);
            }
        }
    }

    /// Returns the class of the key of `row`, or `None` if no key is alike.
    pub(crate) fn class_of(&self, row: u32) -> Option<u32> {
        match self.len() {
            0 => None,
            _ => self.class_of_row.get(row),
        }
    }

    /// Returns the users of a class. Users with exactly the same key are among them.
    pub(crate) fn members(&self, class: u32) -> &[u32] {
        self.members.get(class)
    }

    /// Returns the users whose key equals that of `row` except for leading zeros.
    pub(crate) fn alike(&self, row: u32) -> &[u32] {
        self.class_of(row).map_or(&[], |class| self.members(class))
    }

    /// Returns two rows whose keys equal that of `row` except for leading zeros and differ from each other, the lower
    /// row first. Returns `None` if no two rows of the class differ.
    pub(crate) fn alike_rows(&self, row: u32) -> Option<[u32; 2]> {
        let pair = self.rows[self.class_of(row)? as usize];
        Some([pair.first?, pair.second?])
    }

    /// Returns how many classes there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Numbers for texts that are the same without their leading zeros.
#[derive(Default)]
struct Classes<'a>(HashMap<&'a str, u32>);

impl<'a> Classes<'a> {
    fn add(&mut self, text: &'a str) {
        let next = index(self.0.len());
        self.0.entry(strip_leading_zeros(text)).or_insert(next);
    }

    fn find(&self, text: &str) -> Option<u32> {
        self.0.get(strip_leading_zeros(text)).copied()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
