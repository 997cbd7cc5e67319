//! Finds names of the catalog as people type them: with a typographic apostrophe for `'`, or any dash for `-`
//! (semantics §2, Normalisation). Knows nothing about the things that have the names.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::{is_dash, normalise};

/// An index from names to the things that have them.
#[derive(Debug)]
pub(crate) struct NameIndex<'a, T> {
    comparable: fn(&str) -> Cow<'_, str>,
    exact: HashMap<Cow<'a, str>, T>,
    /// The things by their names with plain marks. `None` means that several names become the same, so that none of
    /// them is found.
    plain: HashMap<String, Option<T>>,
}

impl<'a, T: Copy> NameIndex<'a, T> {
    /// Builds an index in which two names are equal if `comparable` makes them equal.
    pub(crate) fn new(
        comparable: fn(&str) -> Cow<'_, str>,
        names: impl Iterator<Item = (&'a str, T)>,
    ) -> Self {
        let exact: HashMap<_, _> = names.map(|(name, t)| (comparable(name), t)).collect();
        let mut plain = HashMap::new();
        for (name, &t) in &exact {
            let entry = plain.entry(plain_form(comparable, name));
            entry.and_modify(|found| *found = None).or_insert(Some(t));
        }
        Self {
            comparable,
            exact,
            plain,
        }
    }

    /// Returns the thing with exactly this name.
    #[must_use]
    pub(crate) fn find_exact(&self, name: &str) -> Option<T> {
        self.exact.get(&*(self.comparable)(name)).copied()
    }

    /// Returns the thing with this name. Otherwise returns the one whose name differs only in apostrophes and dashes,
    /// if exactly one does.
    #[must_use]
    pub(crate) fn find(&self, name: &str) -> Option<T> {
        let plain = || self.plain.get(&plain_form(self.comparable, name));
        self.find_exact(name).or_else(|| *plain()?)
    }
}

fn plain_form(comparable: fn(&str) -> Cow<'_, str>, name: &str) -> String {
    // A name that an earlier version stored may have other spaces in it.
    let name = normalise(name).unwrap_or(Cow::Borrowed(name));
    comparable(&name).chars().map(plain_mark).collect()
}

/// Returns the first typographic apostrophe or dash of a text, and the form that keyboards have of it.
#[must_use]
pub(crate) fn first_typographic(text: &str) -> Option<(char, char)> {
    let marks = text.chars().map(|c| (c, plain_mark(c)));
    marks.into_iter().find(|(c, plain)| c != plain)
}

/// Returns an apostrophe or a dash in the form that keyboards have, and any other character unchanged.
pub(super) const fn plain_mark(c: char) -> char {
    match c {
        '\u{2019}' | '\u{2018}' | '\u{201B}' | '\u{2BC}' | '\u{2032}' | '\u{FF07}' | '\u{B4}' => {
            '\''
        }
        c if is_dash(c) => '-',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fold;

    fn index<'a>(names: &[&'a str]) -> NameIndex<'a, usize> {
        NameIndex::new(fold, names.iter().copied().zip(0..))
    }

    #[test]
    fn apostrophes_and_dashes_of_any_kind_are_one() {
        let names = index(&[
            "Co-Chief",
            "Chief's Aide",
            "K\u{2011}9 Handler",
            "D\u{E9}put\u{E9}\u{A0}Chef",
        ]);
        for (name, found) in [
            ("co\u{2010}chief", 0),
            ("Co\u{2011}Chief", 0),
            ("Co\u{2013}Chief", 0),
            ("Co\u{2014}Chief", 0),
            ("CO\u{2212}CHIEF", 0),
            ("Chief\u{2019}s aide", 1),
            ("Chief\u{2BC}s Aide", 1),
            ("K-9 handler", 2),
            ("d\u{E9}put\u{E9} chef", 3),
        ] {
            assert_eq!(names.find(name), Some(found), "{name}");
        }
        for name in ["Cochief", "Co Chief", "Chiefs Aide", ""] {
            assert_eq!(names.find(name), None, "{name}");
        }
    }

    #[test]
    fn the_exact_name_comes_first_and_of_several_none_is_meant() {
        let names = index(&["Co-Chief", "Co\u{2013}Chief"]);
        assert_eq!(names.find("Co-Chief"), Some(0));
        assert_eq!(names.find("co\u{2013}chief"), Some(1));
        assert_eq!(names.find("Co\u{2014}Chief"), None);
    }
}
