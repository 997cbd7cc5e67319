//! The texts that are one edit away from a key. If the email of a supervisor is mistyped, the address that was meant
//! may be among them. They can be looked up in a directory of any size (semantics §14). Sees one key; knows no
//! directory.

use std::ops::RangeInclusive;

use super::{fold, name_search::MAX_COMPARED};

/// Look-ups that an import may cost. They take a fraction of a second on either database.
const OF_IMPORT: usize = 100_000;

/// The characters of addresses, besides letters beyond ASCII.
const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789.-_+'&@";

/// Latin letters with marks, both cases.
const LATIN: RangeInclusive<u32> = 0xDF..=0x17F;

/// Characters of a block of code points: neighbours that belong to one script.
const BLOCK: u32 = 128;

/// The look-ups that an import may still make. A key costs one look-up for each text that is one edit away from it, so
/// a longer key costs more. If a key costs more look-ups than are left, neither that key nor any later one is looked
/// up.
#[derive(Debug)]
pub(crate) struct LookUpBudget(usize);

impl LookUpBudget {
    pub(crate) const fn of_import() -> Self {
        Self(OF_IMPORT)
    }

    /// Returns `true` if none are left.
    pub(crate) const fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Takes the cost of the look-ups of `key`. Returns `false` if too few are left, or if the key is too long.
    pub(crate) fn affords(&mut self, key: &str) -> bool {
        if key.chars().nth(MAX_COMPARED).is_some() {
            return false;
        }
        let left = self.0.checked_sub(OneEdit::of(key).count());
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Returns the texts that are one edit away from `key`, a folded key. One edit means that a character is wrong, missing
/// or extra, or that two neighbours are swapped. The other characters are those of addresses, Latin letters with marks,
/// and letters of the scripts that `key` has. Letters beyond ASCII are tried only before the last `@`: the key of a
/// domain has none.
pub(crate) fn one_edit_away(key: &str) -> impl Iterator<Item = String> {
    let edit = OneEdit::of(key);
    (0..=edit.key.len()).flat_map(move |at| edit.at(at))
}

struct OneEdit {
    key: Vec<char>,
    /// Number of characters before the last `@`; all if there is none.
    local: usize,
    /// Letters beyond ASCII.
    letters: Vec<char>,
}

impl OneEdit {
    fn of(key: &str) -> Self {
        let key: Vec<char> = key.chars().collect();
        let local = key.iter().rposition(|&c| c == '@').unwrap_or(key.len());
        let block = |c: &char| u32::from(*c) / BLOCK * BLOCK;
        let foreign = |c: &&char| !c.is_ascii() && !LATIN.contains(&u32::from(**c));
        let mut blocks: Vec<u32> = key[..local].iter().filter(foreign).map(block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let others = blocks.into_iter().flat_map(|first| first..first + BLOCK);
        let letters = LATIN.chain(others).filter_map(char::from_u32);
        let letters = letters.filter(|c| c.is_alphabetic()).filter(|c| {
            let text = c.to_string();
            fold(&text) == text
        });
        Self {
            letters: letters.collect(),
            key,
            local,
        }
    }

    /// How many texts [`one_edit_away`] returns.
    fn count(&self) -> usize {
        let (all, local) = (self.key.len(), self.local);
        let written = PLAIN.len() * (2 * all + 1);
        let marked = self.letters.len() * (2 * local + 1);
        written + marked + all + all.saturating_sub(1)
    }

    /// Returns the texts that differ from the key first at position `at`.
    fn at(&self, at: usize) -> Vec<String> {
        let Self { key, local, .. } = self;
        let (before, after) = key.split_at(at);
        let with = |inserted: &[char], rest: &[char]| -> String {
            before.iter().chain(inserted).chain(rest).collect()
        };
        let mut texts = Vec::new();
        let marked = self.letters.iter().copied();
        for c in PLAIN.chars().chain(marked.clone().filter(|_| at <= *local)) {
            texts.push(with(&[c], after));
        }
        let Some((_, rest)) = after.split_first() else {
            return texts;
        };
        for c in PLAIN.chars().chain(marked.filter(|_| at < *local)) {
            texts.push(with(&[c], rest));
        }
        texts.push(with(&[], rest));
        if let [one, other, rest @ ..] = after {
            texts.push(with(&[*other, *one], rest));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use strsim::osa_distance;

    use super::*;

    proptest! {
        /// An address of small letters, digits and marks, and another that is one edit away from it.
        #[test]
        fn every_address_one_edit_away_is_among_the_texts(
            key in "[a-c1.é]{1,8}@[a-c.]{1,6}",
            at in any::<prop::sample::Index>(),
            c in "[a-z0-9.ßéžü@_-]".prop_map(|c| fold(&c).chars().next().unwrap()),
            kind in 0..4,
        ) {
            let mut other: Vec<char> = key.chars().collect();
            let at = at.index(other.len());
            let local = key.chars().count() - key.rsplit('@').next().unwrap().chars().count() - 1;
            let c = if at < local || c.is_ascii() { c } else { 'x' };
            match kind {
                0 => other.insert(at, c),
                1 => other[at] = c,
                2 => drop(other.remove(at)),
                _ => other.swap(at, at.saturating_sub(1)),
            }
            let other: String = other.into_iter().collect();
            let near: HashSet<String> = one_edit_away(&key).collect();
            prop_assert!(near.contains(&other), "{key} {other}");
            prop_assert!(near.iter().all(|text| osa_distance(text, &key) <= 1));
        }

        #[test]
        fn a_key_costs_as_many_look_ups_as_it_has_texts(key in "[a-cé.@ я]{0,9}") {
            prop_assert_eq!(OneEdit::of(&key).count(), one_edit_away(&key).count());
        }
    }

    #[test]
    fn a_letter_of_the_keys_own_script_is_tried() {
        let near = |key, other: &str| one_edit_away(key).any(|text| text == other);
        assert!(near("иванв@x.example", "иванов@x.example"));
        assert!(near("mller@x.example", "m\u{FC}ller@x.example"));
        assert!(near("jorg@x.example", "j\u{F6}rg@x.example"));
        assert!(near("adax.example", "ada@x.example"));
    }

    #[test]
    fn once_a_key_cannot_be_afforded_no_later_one_is() {
        let mut budget = LookUpBudget::of_import();
        let keys = (0..100).map(|n| format!("person.{n:03}@harbor.example"));
        let afforded: Vec<bool> = keys.map(|key| budget.affords(&key)).collect();
        let count = afforded.iter().filter(|&&afforded| afforded).count();
        assert!((10..40).contains(&count), "{count}");
        assert!(afforded.is_sorted_by(|one, other| one >= other));
        assert!(!LookUpBudget::of_import().affords(&"x".repeat(MAX_COMPARED + 1)));
    }
}
