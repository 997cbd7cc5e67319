//! Keys that are equal but for leading zeros, which spreadsheets drop (semantics §2).

use super::keys::{Key, Numbering};
use super::links::{Links, Lists, index, indices};
use super::roster::Roster;
use super::text::strip_leading_zeros;

/// For one key: the users whose key equals a row's but for leading zeros. Keys are unique and of
/// bounded length, so there are at most as many of them as a key has characters.
pub(super) struct Zeros {
    class_of_row: Links,
    members: Lists,
    classes: usize,
}

impl Zeros {
    pub(super) fn new(roster: &Roster<'_>, key: Key) -> Self {
        let held = roster.users.iter().map(|user| key.of(user));
        let rows = indices(roster.rows).map(|row| roster.wanted_text(key, row));
        // Where no text begins with a zero nothing is alike: most files cost one look at each.
        let mut classes = Numbering::default();
        let padded = held.clone().chain(rows.clone().flatten());
        for text in padded.filter(|text| text.starts_with('0')) {
            classes.number(strip_leading_zeros(text).into());
        }
        let class_of = |text: &str| classes.find(strip_leading_zeros(text));
        let pairs = held.enumerate();
        let pairs = pairs.filter_map(|(user, text)| Some((class_of(text)?, index(user))));
        Self {
            class_of_row: rows.map(|text| class_of(text?)).collect(),
            members: Lists::collect(classes.len(), pairs),
            classes: classes.len(),
        }
    }

    /// The class of keys that has the key of `row`; none where nothing can be alike.
    pub(super) fn class_of(&self, row: u32) -> Option<u32> {
        self.class_of_row.get(row)
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
