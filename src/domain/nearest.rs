//! The nearest of very many keys: supervisor emails of a whole directory.

use std::collections::BTreeMap;

use strsim::osa_distance;

use super::SuggestionBudget;

/// Finds, among up to a million keys, the one within two edits of another key.
///
/// The candidates are read at the first question, so that an import without one pays nothing. Looking
/// at all of them for each of many needles would make an import quadratic, so each question is paid for from
/// the import's budget. What one costs does not depend on the order of the candidates.
pub struct NearestIndex<'a> {
    unread: Option<Box<dyn Iterator<Item = (u32, &'a str)> + 'a>>,
    entries: Entries<'a>,
}

/// Candidates by their length in characters.
type Entries<'a> = BTreeMap<usize, Vec<Entry<'a>>>;

struct Entry<'a> {
    letters: u64,
    key: &'a str,
    id: u32,
}

impl<'a> NearestIndex<'a> {
    /// Most edits between a needle and what is suggested for it.
    const REACH: usize = 2;

    /// An index of `candidates`: a number of the caller's, and a key already [folded](super::fold).
    #[must_use]
    pub fn new(candidates: impl IntoIterator<Item = (u32, &'a str), IntoIter: 'a>) -> Self {
        Self {
            unread: Some(Box::new(candidates.into_iter())),
            entries: BTreeMap::new(),
        }
    }

    /// The number of the candidate nearest to `needle` (a folded key), where one is within two edits;
    /// of several as near, the first in order of key. `None` also where the work allowed is used up.
    ///
    /// Ask once for each distinct needle.
    pub fn nearest(&mut self, needle: &str, budget: &mut SuggestionBudget) -> Option<u32> {
        self.read();
        let length = needle.chars().count();
        let lengths = length.saturating_sub(Self::REACH)..=length + Self::REACH;
        let groups = || self.entries.range(lengths.clone()).map(|(_, group)| group);
        budget.spend(groups().map(Vec::len).sum())?;
        let letters = letters(needle);
        let similar: Vec<_> = groups()
            .flatten()
            .filter(|entry| may_be_near(entry.letters, letters))
            .collect();
        let cells = |entry: &&Entry<'_>| entry.key.len().saturating_mul(needle.len());
        budget.spend(similar.iter().map(cells).sum())?;
        similar
            .into_iter()
            .map(|entry| (osa_distance(needle, entry.key), entry.key, entry.id))
            .filter(|&(distance, ..)| distance <= Self::REACH)
            .min()
            .map(|(_, _, id)| id)
    }

    fn read(&mut self) {
        for (id, key) in self.unread.take().into_iter().flatten() {
            let group = self.entries.entry(key.chars().count()).or_default();
            let letters = letters(key);
            group.push(Entry { letters, key, id });
        }
    }
}

/// Which characters `key` has, each as one of 64 bits; several share a bit.
fn letters(key: &str) -> u64 {
    // Multiplying spreads neighbouring code points, which letters and digits are, over the bits.
    let bit = |c: char| u32::from(c).wrapping_mul(0x9E37_79B1) >> 26;
    key.chars().fold(0, |letters, c| letters | 1 << bit(c))
}

/// False where two keys cannot be within reach: an edit changes at most two of the characters present.
const fn may_be_near(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() as usize <= 2 * NearestIndex::REACH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const EMAILS: [&str; 4] = [
        "anna@example.com",
        "hanna@example.com",
        "chief@example.com",
        "j\u{F6}rg@example.com",
    ];

    fn nearest<'a>(keys: impl Iterator<Item = (u32, &'a str)> + 'a, needle: &str) -> Option<u32> {
        let budget = &mut SuggestionBudget::of_import();
        NearestIndex::new(keys).nearest(needle, budget)
    }

    fn numbered<'a>(keys: &'a [&'a str]) -> impl Iterator<Item = (u32, &'a str)> + 'a {
        (0..).zip(keys.iter().copied())
    }

    #[rstest]
    #[case::exact("chief@example.com", Some(2))]
    #[case::swapped("cheif@example.com", Some(2))]
    #[case::two_edits("chef@exemple.com", Some(2))]
    #[case::three_edits("chef@exempel.con", None)]
    #[case::other_letter("jorg@example.com", Some(3))]
    #[case::nearer_of_two("hannah@example.com", Some(1))]
    #[case::far("captain@example.com", None)]
    #[case::blank("", None)]
    fn the_nearest_email_is_found(#[case] needle: &str, #[case] found: Option<u32>) {
        assert_eq!(nearest(numbered(&EMAILS), needle), found);
    }

    #[test]
    fn of_two_as_near_the_first_in_order_of_key_wins() {
        let keys = [(5, "jan.b@example.com"), (9, "jan.a@example.com")];
        assert_eq!(nearest(keys.into_iter(), "jan.c@example.com"), Some(9));
    }

    #[test]
    fn nothing_is_read_before_the_first_question() {
        let unread = std::iter::from_fn(|| -> Option<(u32, &str)> { panic!("read too early") });
        drop(NearestIndex::new(unread));
    }

    #[test]
    fn when_the_budget_is_used_up_there_are_no_more_answers() {
        let mut index = NearestIndex::new([(2, "chief@example.com")]);
        let one_question = 1 + 17 * 17;
        let mut budget = SuggestionBudget::of(2 * one_question - 1);
        let answers = [(); 3].map(|()| index.nearest("cheif@example.com", &mut budget));
        assert_eq!(answers, [Some(2), None, None]);
    }

    proptest! {
        #[test]
        fn the_filters_never_hide_a_near_key(
            needle in "[a-d1@.é]{0,6}",
            keys in proptest::collection::vec("[a-d1@.é]{0,6}", 0..20),
        ) {
            let candidates = (0..).zip(keys.iter().map(String::as_str));
            let near = candidates.clone().map(|(id, key)| (osa_distance(&needle, key), key, id));
            let expected = near.filter(|&(distance, ..)| distance <= 2).min().map(|(.., id)| id);
            prop_assert_eq!(nearest(candidates, &needle), expected);
        }
    }
}
