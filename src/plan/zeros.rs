//! Keys that are equal but for leading zeros, which spreadsheets drop (semantics §2).

use hashbrown::HashMap;

use super::keys::Key;
use super::links::{Links, Lists, index, indices};
use super::roster::Roster;
use super::text::strip_leading_zeros;

/// For one key: the users whose key equals a row's but for leading zeros. Keys are unique and of
/// bounded length, so there are at most as many of them as a key has characters.
#[derive(Default)]
pub(super) struct Zeros {
    /// Empty where there are no classes.
    class_of_row: Links,
    members: Lists,
    classes: usize,
}

impl Zeros {
    /// The same for the rows that `of_interest` names; the others have no class.
    pub(super) fn new(roster: &Roster<'_>, key: Key, of_interest: impl Fn(u32) -> bool) -> Self {
        let held = roster.users.iter().map(|user| key.of(user));
        let wanted = |row: u32| match of_interest(row) {
            true => roster.wanted_text(key, row),
            false => None,
        };
        let rows = || indices(roster.rows).map(wanted);
        let mut classes = Classes::default();
        if !roster.users.is_empty() && rows().any(|text| text.is_some()) {
            // Where no text begins with a zero nothing is alike: most files cost one look at each.
            let padded = held.clone().chain(rows().flatten());
            padded
                .filter(|text| text.starts_with('0'))
                .for_each(|text| classes.add(text));
        }
        if classes.is_empty() {
            return Self::default();
        }
        let pairs = held.enumerate();
        let pairs = pairs.filter_map(|(user, text)| Some((classes.find(text)?, index(user))));
        Self {
            class_of_row: rows().map(|text| classes.find(text?)).collect(),
            members: Lists::collect(classes.len(), pairs),
            classes: classes.len(),
        }
    }

    /// The class of keys that has the key of `row`; none where nothing can be alike.
    pub(super) fn class_of(&self, row: u32) -> Option<u32> {
        match self.classes {
            0 => None,
            _ => self.class_of_row.get(row),
        }
    }

    /// The users of a class; those with the very same key are among them.
    pub(super) fn members(&self, class: u32) -> &[u32] {
        self.members.get(class)
    }

    /// The users whose key equals that of `row`, leading zeros apart.
    pub(super) fn alike(&self, row: u32) -> &[u32] {
        self.class_of(row).map_or(&[], |class| self.members(class))
    }

    /// How many classes there are.
    pub(super) fn len(&self) -> usize {
        self.classes
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
