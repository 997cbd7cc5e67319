//! Finds the valid value that is nearest to an invalid one (semantics §6), and limits the cost of the search. Sees
//! texts only; knows nothing about columns.

use std::borrow::Cow;

use strsim::osa_distance;

use super::fold;

/// Longest value that suggestions are searched for, in characters.
pub(crate) const MAX_COMPARED: usize = 128;

/// The remaining budget for suggestions. The budget counts cells: comparing two texts fills a table of cells,
/// length times length. A candidate that is looked at but not compared costs one cell.
///
/// Each import has one budget, and so has each call. A question that costs more than the remaining budget gets no
/// answer, and neither do later ones. The same questions in the same order always get the same answers.
#[derive(Debug)]
pub(crate) struct SuggestionBudget(usize);

impl SuggestionBudget {
    /// The budget of an import: about one second of work.
    #[must_use]
    pub(crate) const fn of_import() -> Self {
        Self(500_000_000)
    }

    /// The budget of one call, or of one header: a few milliseconds of work.
    #[must_use]
    pub(crate) const fn of_call() -> Self {
        Self(2_000_000)
    }

    /// The budget for one value with a handful of candidates.
    #[must_use]
    pub(crate) const fn of_value() -> Self {
        Self(5_000)
    }

    /// Takes `cells` from the budget. If fewer are left, takes all of them and returns `None`.
    pub(crate) fn spend(&mut self, cells: usize) -> Option<()> {
        let left = self.0.checked_sub(cells);
        self.0 = left.unwrap_or(0);
        left.map(|_| ())
    }

    #[cfg(test)]
    pub(super) const fn of(cells: usize) -> Self {
        Self(cells)
    }
}

/// Names that are searched many times for the nearest one.
#[derive(Debug, Default)]
pub(crate) struct SearchedNames<'a>(Vec<SearchedName<'a>>);

#[derive(Debug)]
struct SearchedName<'a> {
    name: &'a str,
    key: Cow<'a, str>,
    /// Length of the key, in characters.
    length: usize,
}

impl<'a> SearchedNames<'a> {
    /// Returns an index of these names.
    #[must_use]
    pub(crate) fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let searched = |name| {
            let key = fold(name);
            let length = key.chars().count();
            SearchedName { name, key, length }
        };
        Self(names.into_iter().map(searched).collect())
    }

    /// Returns the index of the name that `needle` was most probably meant to be, compared without case. Returns
    /// `None` if no name is near, or if the budget is used up.
    ///
    /// A name is near if it is within one edit (insertion, deletion, substitution or swap of neighbours). For needles
    /// of four characters or more the limit is two edits, or a third of the needle's length if that is more. If no
    /// name is near, the result is the name that begins with the needle, if there is exactly one. If several names are
    /// equally near, the result is the first in order of code points. For a million names see
    /// [`NearestIndex`](super::NearestIndex).
    #[must_use]
    pub(crate) fn nearest(&self, needle: &str, budget: &mut SuggestionBudget) -> Option<usize> {
        let needle = bounded(needle)?;
        let length = needle.chars().count();
        let reach = if length < 4 { 1 } else { 2.max(length / 3) };
        budget.spend(self.0.len())?;
        // A distance is costly to compute, and never less than the difference in length.
        let names = || self.0.iter().enumerate();
        let similar =
            || names().filter(|(_, candidate)| candidate.length.abs_diff(length) <= reach);
        budget.spend(
            similar()
                .map(|(_, candidate)| candidate.length * length)
                .sum(),
        )?;
        let distances = similar()
            .map(|(at, candidate)| (osa_distance(&needle, &candidate.key), candidate.name, at));
        let nearest = distances.filter(|&(distance, ..)| distance <= reach).min();
        if let Some((.., at)) = nearest {
            return Some(at);
        }
        let mut begun = names().filter(|(_, candidate)| candidate.key.starts_with(&*needle));
        match (length, begun.next(), begun.next()) {
            (1.., Some((only, _)), None) => Some(only),
            _ => None,
        }
    }
}

/// Returns the one of `candidates` that is nearest to `needle`, by the rules of [`SearchedNames::nearest`].
#[must_use]
pub(crate) fn nearest<'a>(
    needle: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    budget: &mut SuggestionBudget,
) -> Option<&'a str> {
    bounded(needle)?;
    let names = SearchedNames::new(candidates);
    let at = names.nearest(needle, budget)?;
    names.0.get(at).map(|candidate| candidate.name)
}

/// Returns the key of a value, or `None` if the value is too long to be compared.
fn bounded(needle: &str) -> Option<Cow<'_, str>> {
    let is_bounded = |text: &str| text.chars().nth(MAX_COMPARED).is_none();
    Some(needle).filter(|needle| is_bounded(needle)).map(fold)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const RANKS: [&str; 5] = [
        "Captain",
        "Lieutenant",
        "Officer",
        "Sergeant",
        "Sergeant Major",
    ];

    fn near<'a>(needle: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        nearest(needle, names, &mut SuggestionBudget::of_value())
    }

    #[rstest]
    #[case::typing_error("Offcier", Some("Officer"))]
    #[case::case_alone("SERGEANT", Some("Sergeant"))]
    #[case::a_third("Lieftenent", Some("Lieutenant"))]
    #[case::prefix("Lieu", Some("Lieutenant"))]
    #[case::one_letter("c", Some("Captain"))]
    #[case::ambiguous_prefix("Serg", None)]
    #[case::far("Detective", None)]
    #[case::blank("", None)]
    fn the_nearest_rank_is_found(#[case] needle: &str, #[case] rank: Option<&str>) {
        assert_eq!(near(needle, RANKS), rank);
    }

    #[test]
    fn of_two_as_near_the_first_in_order_wins_wherever_it_stands() {
        assert_eq!(near("Unit X", ["Unit B", "Unit A"]), Some("Unit A"));
        assert_eq!(near("Unit X", ["Unit A", "Unit B"]), Some("Unit A"));
    }

    #[test]
    fn a_short_needle_has_to_be_nearer() {
        assert_eq!(near("X", ["IT"]), None);
        assert_eq!(near("TI", ["IT"]), Some("IT"));
    }

    #[test]
    fn nearness_is_caseless_beyond_ascii() {
        assert_eq!(near("STRASSEN", ["Stra\u{DF}e"]), Some("Stra\u{DF}e"));
        assert_eq!(near("\u{C9}QUIPE", ["\u{E9}quipe"]), Some("\u{E9}quipe"));
    }
    #[test]
    fn a_question_costs_the_cells_of_what_is_compared() {
        let names = ["Captain", "Lieutenant Commander"];
        let names = SearchedNames::new(names);
        // The budget covers a look at both candidates, and the table of the one with a similar length.
        let mut budget = SuggestionBudget::of(2 + 6 * 7);
        assert_eq!(names.nearest("Captin", &mut budget), Some(0));
        assert_eq!(budget.0, 0);
        assert_eq!(names.nearest("Captin", &mut budget), None);
        let mut budget = SuggestionBudget::of(2 + 6 * 7 - 1);
        assert_eq!(names.nearest("Captin", &mut budget), None);
    }

    #[test]
    fn a_value_that_is_too_long_is_not_looked_for() {
        let long = "x".repeat(MAX_COMPARED);
        let longer = format!("{long}x");
        let mut budget = SuggestionBudget::of_call();
        assert_eq!(nearest(&long, [&*longer], &mut budget), Some(&*longer));
        let left = budget.0;
        assert_eq!(nearest(&longer, [&*long], &mut budget), None);
        assert_eq!(budget.0, left);
    }
    #[test]
    fn thousands_of_long_unknown_names_cost_no_more_than_the_budget() {
        let names: Vec<_> = (0..500).map(|n| format!("{n:0>125}")).collect();
        let names = SearchedNames::new(names.iter().map(String::as_str));
        let each = 500 + 500 * 125 * 128;
        let mut budget = SuggestionBudget::of(2 * each + each / 2);
        let needles = (0..4_000).map(|n| format!("{n:x>128}"));
        let left: Vec<_> = needles
            .map(|needle| {
                let _ = names.nearest(&needle, &mut budget);
                budget.0
            })
            .collect();
        assert_eq!(left[..3], [each + each / 2, each / 2, 0]);
        assert!(left[3..].iter().all(|&left| left == 0));
    }
}
