//! The nearest valid value to one that is not valid (semantics §6).

use strsim::osa_distance;

use super::fold;

/// The candidate that `needle` was most probably meant to be, without regard to case; `None` where
/// none is near.
///
/// Near is within one edit (insertion, deletion, substitution or swap of neighbours); from four
/// characters on within two, or a third of the needle's length if that is more. Where none is, the one
/// candidate that begins with the needle. Of several as near, the first in order of code points. For
/// thousands of candidates and needles see [`NearestIndex`](super::NearestIndex).
#[must_use]
pub fn nearest<'a>(needle: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let needle = fold(needle);
    let length = needle.chars().count();
    let reach = if length < 4 { 1 } else { 2.max(length / 3) };
    let mut best: Option<(usize, &str)> = None;
    let mut completions = Vec::new();
    for candidate in candidates {
        let key = fold(candidate);
        // A distance is costly, and never below the difference in length.
        if key.chars().count().abs_diff(length) <= reach {
            let found = (osa_distance(&needle, &key), candidate);
            if found.0 <= reach && best.is_none_or(|best| found < best) {
                best = Some(found);
            }
        }
        if length > 0 && key.starts_with(&*needle) {
            completions.push(candidate);
        }
    }
    match (best, &*completions) {
        (Some((_, near)), _) => Some(near),
        (None, [only]) => Some(only),
        _ => None,
    }
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
        assert_eq!(nearest(needle, RANKS), rank);
    }

    #[test]
    fn of_two_as_near_the_first_in_order_wins_wherever_it_stands() {
        assert_eq!(nearest("Unit X", ["Unit B", "Unit A"]), Some("Unit A"));
        assert_eq!(nearest("Unit X", ["Unit A", "Unit B"]), Some("Unit A"));
    }

    #[test]
    fn a_short_needle_has_to_be_nearer() {
        assert_eq!(nearest("X", ["IT"]), None);
        assert_eq!(nearest("TI", ["IT"]), Some("IT"));
    }

    #[test]
    fn nearness_is_caseless_beyond_ascii() {
        assert_eq!(nearest("STRASSEN", ["Stra\u{DF}e"]), Some("Stra\u{DF}e"));
        assert_eq!(nearest("\u{C9}QUIPE", ["\u{E9}quipe"]), Some("\u{E9}quipe"));
    }
}
