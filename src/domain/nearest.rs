//! Finds the nearest of very many keys, such as the emails that a whole roster gives. Sees keys only, not the rows that
//! have them.

use std::{borrow::Cow, collections::BTreeMap};

use strsim::osa_distance;

use super::SuggestionBudget;

/// Finds the nearest key within two edits, among up to a million keys.
///
/// The candidates are read at the first question, so that an import without questions pays nothing. To compare all
/// candidates with each of many needles would make an import quadratic. Each question is therefore paid for from
/// the import's budget. The cost of a question does not depend on the order of the candidates.
///
/// The index keeps only the number of a candidate, and asks for its key again when it compares it.
pub(crate) struct NearestIndex<I: IntoIterator, K> {
    unread: Option<I>,
    key: K,
    /// Candidates by their length in characters.
    entries: BTreeMap<usize, Vec<NearestCandidate<I::Item>>>,
}

struct NearestCandidate<N> {
    letters: u64,
    id: N,
}

/// Most edits between a needle and its suggestion.
const REACH: usize = 2;

impl<'a, N: Copy + Ord, I: IntoIterator<Item = N>, K: Fn(N) -> Cow<'a, str>> NearestIndex<I, K> {
    /// Returns an index of `candidates`, which are numbers that the caller has chosen. `key` returns the key of a
    /// candidate, already [folded](fn@super::fold).
    #[must_use]
    pub(crate) const fn new(candidates: I, key: K) -> Self {
        Self {
            unread: Some(candidates),
            key,
            entries: BTreeMap::new(),
        }
    }

    /// Returns the candidate nearest to `needle` (a folded key): how many edits away it is, and its number. If several
    /// are equally near, it is the first in order of key. Returns `None` if no candidate is within two edits, or if the
    /// budget is used up.
    ///
    /// Ask once for each distinct needle.
    pub(crate) fn nearest(
        &mut self,
        needle: &str,
        budget: &mut SuggestionBudget,
    ) -> Option<(usize, N)> {
        self.read();
        let length = needle.chars().count();
        let lengths = length.saturating_sub(REACH)..=length + REACH;
        let groups = || self.entries.range(lengths.clone()).map(|(_, group)| group);
        budget.spend(groups().map(Vec::len).sum())?;
        let letters = letters(needle);
        let similar: Vec<N> = groups()
            .flatten()
            .filter(|entry| may_be_near(entry.letters, letters))
            .map(|entry| entry.id)
            .collect();
        let cells = |&id: &N| (self.key)(id).len().saturating_mul(needle.len());
        budget.spend(similar.iter().map(cells).sum())?;
        similar
            .into_iter()
            .map(|id| (id, (self.key)(id)))
            .map(|(id, key)| (osa_distance(needle, &key), key, id))
            .filter(|&(distance, ..)| distance <= REACH)
            .min()
            .map(|(distance, _, id)| (distance, id))
    }

    fn read(&mut self) {
        for id in self.unread.take().into_iter().flatten() {
            let key = (self.key)(id);
            let group = self.entries.entry(key.chars().count()).or_default();
            let letters = letters(&key);
            group.push(NearestCandidate { letters, id });
        }
    }
}

/// Returns the set of characters in `key`, one bit of 64 for each; several characters share a bit.
fn letters(key: &str) -> u64 {
    // Letters and digits are neighbouring code points; multiplying spreads them over the bits.
    let bit = |c: char| u32::from(c).wrapping_mul(0x9E37_79B1) >> 26;
    key.chars().fold(0, |letters, c| letters | 1 << bit(c))
}

/// Returns `false` if two keys cannot be within reach: one edit changes at most two of the characters present.
const fn may_be_near(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() as usize <= 2 * REACH
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

    /// Returns the index in `keys` of the key nearest to `needle`.
    fn nearest(keys: &[&str], needle: &str) -> Option<u32> {
        let budget = &mut SuggestionBudget::of_import();
        index(keys).nearest(needle, budget).map(|(_, id)| id)
    }

    fn index<'a>(
        keys: &'a [&'a str],
    ) -> NearestIndex<impl Iterator<Item = u32>, impl Fn(u32) -> Cow<'a, str>> {
        let numbers = (0..).take(keys.len());
        NearestIndex::new(numbers, |id| Cow::Borrowed(keys[id as usize]))
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
        assert_eq!(nearest(&EMAILS, needle), found);
    }

    #[test]
    fn of_two_as_near_the_first_in_order_of_key_wins() {
        let keys = ["jan.b@example.com", "jan.a@example.com"];
        assert_eq!(nearest(&keys, "jan.c@example.com"), Some(1));
    }

    #[test]
    fn nothing_is_read_before_the_first_question() {
        let unread = std::iter::from_fn(|| -> Option<u32> { panic!("read too early") });
        drop(NearestIndex::new(unread, |_| Cow::Borrowed("")));
    }

    #[test]
    fn a_candidate_takes_no_more_than_it_has_to() {
        assert_eq!(size_of::<NearestCandidate<u32>>(), 16);
    }

    #[test]
    fn when_the_budget_is_used_up_there_are_no_more_answers() {
        let mut index = index(&["chief@example.com"]);
        let one_question = 1 + 17 * 17;
        let mut budget = SuggestionBudget::of(2 * one_question - 1);
        let answers = [(); 3].map(|()| index.nearest("cheif@example.com", &mut budget));
        assert_eq!(answers, [Some((1, 0)), None, None]);
    }

    proptest! {
        #[test]
        fn the_filters_never_hide_a_near_key(
            needle in "[a-d1@.é]{0,6}",
            keys in proptest::collection::vec("[a-d1@.é]{0,6}", 0..20),
        ) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let candidates = (0..).zip(&keys);
            let near = candidates.map(|(id, &key)| (osa_distance(&needle, key), key, id));
            let expected = near.filter(|&(distance, ..)| distance <= 2).min().map(|(.., id)| id);
            prop_assert_eq!(nearest(&keys, &needle), expected);
        }
    }
}
