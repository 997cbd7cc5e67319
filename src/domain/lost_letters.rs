//! Finds letters that a program has lost: it had no character for them, and wrote `?` or another mark (semantics §2).
//! Sees two values.

use icu_normalizer::DecomposingNormalizerBorrowed;

const NFD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfd();

/// Returns `true` if `value` is `stored` except for case, and except that a mark stands where `stored` has letters that are
/// not ASCII: `Mu?oz` or `Mu_oz` for `Muñoz`. Some programs write a `?` for each byte of a letter, others one for its
/// accent alone.
pub(crate) fn has_lost_letters(value: &str, stored: &str) -> bool {
    if stored.is_ascii() {
        return false;
    }
    let value: Vec<char> = value.chars().collect();
    // The places in `value` that the letters of `stored` reach so far, each with `true` if one of the letters was lost.
    let mut reached = vec![(0, false)];
    for letter in stored.chars() {
        let ends = |(at, is_lost)| {
            let ends = ends(&value, at, letter).into_iter();
            ends.map(move |(end, loses)| (end, is_lost || loses))
        };
        let mut next: Vec<_> = reached.into_iter().flat_map(ends).collect();
        next.sort_unstable();
        next.dedup();
        reached = next;
    }
    reached.contains(&(value.len(), true))
}

/// Looks for `letter`, or a mark that stands for it, at place `at` of `value`. Returns the places behind what was
/// found, each with `true` if it was a mark.
fn ends(value: &[char], at: usize, letter: char) -> Vec<(usize, bool)> {
    let rest = &value[at..];
    let mut ends = Vec::new();
    if rest.first().is_some_and(|&c| is_same(c, letter)) {
        ends.push((at + 1, false));
    }
    if letter.is_ascii() {
        return ends;
    }
    let marks = rest.iter().take_while(|&&c| c == '?').count();
    ends.extend((1..=marks.min(letter.len_utf8())).map(|marks| (at + marks, true)));
    if rest.first().is_some_and(|&c| stands_for(c, letter)) {
        ends.push((at + 1, true));
    }
    let base = NFD
        .normalize(letter.encode_utf8(&mut [0; 4]))
        .chars()
        .next();
    if let (Some(base), [first, '?', ..]) = (base.filter(|&base| base != letter), rest)
        && is_same(*first, base)
    {
        ends.push((at + 2, true));
    }
    ends
}

/// Returns `true` if a program may have written `c` for a letter: it is a mark that names do not have.
fn stands_for(c: char, letter: char) -> bool {
    let is_of_names =
        c.is_alphanumeric() || c.is_whitespace() || matches!(c, '-' | '\'' | '\u{2019}' | '.');
    letter.is_alphabetic() && !is_of_names
}

fn is_same(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Mu?oz", "Mu\u{F1}oz", true)]
    #[case("MU?OZ", "Mu\u{F1}oz", true)]
    #[case("Mu??oz", "Mu\u{F1}oz", true)]
    #[case("Mun?oz", "Mu\u{F1}oz", true)]
    #[case("?lvaro", "\u{C1}lvaro", true)]
    #[case("Jos?", "Jos\u{E9}", true)]
    #[case("Dvo??k", "Dvo\u{159}\u{E1}k", true)]
    #[case("O???Brien", "O\u{2019}Brien", true)]
    #[case("????", "\u{418}\u{432}\u{430}\u{43D}", true)]
    #[case("????????", "\u{418}\u{432}\u{430}\u{43D}", true)]
    #[case("Jos? Garc?a", "Jos\u{E9} Garc\u{ED}a", true)]
    #[case("Jos\u{E9} Garc?a", "Jos\u{E9} Garc\u{ED}a", true)]
    #[case("Mu_oz", "Mu\u{F1}oz", true)]
    #[case("Mu\u{BF}oz", "Mu\u{F1}oz", true)]
    #[case("Mu\u{25A1}oz", "Mu\u{F1}oz", true)]
    #[case("O'Brien", "O\u{2019}Brien", false)]
    #[case("O\u{2019}Brien", "O'Brien", false)]
    #[case("O_Brien", "O\u{2019}Brien", false)]
    #[case("Mu-oz", "Mu\u{F1}oz", false)]
    #[case("Muxoz", "Mu\u{F1}oz", false)]
    #[case("Mu\u{F1}oz", "Mu\u{F1}oz", false)]
    #[case("MU\u{D1}OZ", "Mu\u{F1}oz", false)]
    #[case("Munoz", "Mu\u{F1}oz", false)]
    #[case("Mu?oz", "Munoz", false)]
    #[case("Mu?os", "Mu\u{F1}oz", false)]
    #[case("Mu???oz", "Mu\u{F1}oz", false)]
    #[case("Mu?oz?", "Mu\u{F1}oz", false)]
    #[case("L?pez", "Mu\u{F1}oz", false)]
    #[case("?", "Mu\u{F1}oz", false)]
    #[case("", "Mu\u{F1}oz", false)]
    fn a_mark_may_stand_for_a_letter(
        #[case] value: &str,
        #[case] stored: &str,
        #[case] is_lost: bool,
    ) {
        assert_eq!(has_lost_letters(value, stored), is_lost);
    }

    #[test]
    fn many_question_marks_are_compared_in_little_time() {
        let letters = "\u{4E2D}".repeat(128);
        assert!(has_lost_letters(&"?".repeat(250), &letters));
        assert!(!has_lost_letters(&"?".repeat(500), &letters));
    }
}
