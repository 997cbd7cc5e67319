//! The nearest valid value to one that is not valid (semantics §6), and what looking for it may cost.

use std::borrow::Cow;

use strsim::osa_distance;

use super::fold;

/// Characters of the longest value that a suggestion is looked for.
pub const MAX_COMPARED: usize = 128;

/// What looking for suggestions may still cost. Comparing two texts fills a table of cells, length times length,
/// so it is cells that are counted; a look at a candidate that is not compared counts as one.
///
/// One import has one budget, and so has one call. A question that would cost more than is left has no answer, nor
/// have those after it; the same questions in the same order always get the same answers.
#[derive(Debug)]
pub struct SuggestionBudget(usize);

impl SuggestionBudget {
    /// For all of an import: about a second's work.
    #[must_use]
    pub const fn of_import() -> Self {
        Self(500_000_000)
    }

    /// For one call, or one header: a few milliseconds' work.
    #[must_use]
    pub const fn of_call() -> Self {
        Self(2_000_000)
    }

    /// For one value among a handful.
    #[must_use]
    pub const fn of_value() -> Self {
        Self(5_000)
    }

    /// Takes `cells`; where that is more than is left, takes all and gives `None`.
    pub fn spend(&mut self, cells: usize) -> Option<()> {
        let left = self.0.checked_sub(cells);
        self.0 = left.unwrap_or(0);
        left.map(|_| ())
    }

    #[cfg(test)]
    pub(super) const fn of(cells: usize) -> Self {
        Self(cells)
    }
}

/// Names of which the nearest is asked for again and again.
#[derive(Debug, Default)]
pub struct Offers<'a>(Vec<Offer<'a>>);

#[derive(Debug)]
struct Offer<'a> {
    name: &'a str,
    key: Cow<'a, str>,
    /// Characters of the key.
    length: usize,
}

impl<'a> Offers<'a> {
    /// These names.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let offer = |name| {
            let key = fold(name);
            let length = key.chars().count();
            Offer { name, key, length }
        };
        Self(names.into_iter().map(offer).collect())
    }

    /// The index of the name that `needle` was most probably meant to be, without regard to case; `None` where
    /// none is near, or the budget is used up.
    ///
    /// Near is within one edit (insertion, deletion, substitution or swap of neighbours); from four
    /// characters on within two, or a third of the needle's length if that is more. Where none is, the one
    /// name that begins with the needle. Of several as near, the first in order of code points. For
    /// a million names see [`NearestIndex`](super::NearestIndex).
    #[must_use]
    pub fn nearest(&self, needle: &str, budget: &mut SuggestionBudget) -> Option<usize> {
        let needle = bounded(needle)?;
        let length = needle.chars().count();
        let reach = if length < 4 { 1 } else { 2.max(length / 3) };
        budget.spend(self.0.len())?;
        // A distance is costly, and never below the difference in length.
        let offers = || self.0.iter().enumerate();
        let similar = || offers().filter(|(_, offer)| offer.length.abs_diff(length) <= reach);
        budget.spend(similar().map(|(_, offer)| offer.length * length).sum())?;
        let distances =
            similar().map(|(at, offer)| (osa_distance(&needle, &offer.key), offer.name, at));
        let nearest = distances.filter(|&(distance, ..)| distance <= reach).min();
        if let Some((.., at)) = nearest {
            return Some(at);
        }
        let mut begun = offers().filter(|(_, offer)| offer.key.starts_with(&*needle));
        match (length, begun.next(), begun.next()) {
            (1.., Some((only, _)), None) => Some(only),
            _ => None,
        }
    }
}

/// The nearest of `candidates` to `needle`, as [`Offers::nearest`] has it.
#[must_use]
pub fn nearest<'a>(
    needle: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    budget: &mut SuggestionBudget,
) -> Option<&'a str> {
    bounded(needle)?;
    let offers = Offers::new(candidates);
    let at = offers.nearest(needle, budget)?;
    offers.0.get(at).map(|offer| offer.name)
}

/// The key of a value that is not too long to be compared.
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
        let offers = Offers::new(names);
        // A look at both, and the table of the one that is near in length.
        let mut budget = SuggestionBudget::of(2 + 6 * 7);
        assert_eq!(offers.nearest("Captin", &mut budget), Some(0));
        assert_eq!(budget.0, 0);
        assert_eq!(offers.nearest("Captin", &mut budget), None);
        let mut budget = SuggestionBudget::of(2 + 6 * 7 - 1);
        assert_eq!(offers.nearest("Captin", &mut budget), None);
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
        let offers = Offers::new(names.iter().map(String::as_str));
        let each = 500 + 500 * 125 * 128;
        let mut budget = SuggestionBudget::of(2 * each + each / 2);
        let needles = (0..4_000).map(|n| format!("{n:x>128}"));
        let left: Vec<_> = needles
            .map(|needle| {
                let _ = offers.nearest(&needle, &mut budget);
                budget.0
            })
            .collect();
        assert_eq!(left[..3], [each + each / 2, each / 2, 0]);
        assert!(left[3..].iter().all(|&left| left == 0));
    }
}
