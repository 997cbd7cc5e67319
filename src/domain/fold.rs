//! Comparison without case: the key that two values share if and only if they differ only in case. Sees one value.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};

use super::normalise::NFC;

const CASES: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Returns `value` under full Unicode case folding, in NFC (semantics §2, Values). This is the key by which emails,
/// usernames and catalog names are compared and stored. Folding a key changes nothing.
#[must_use]
pub fn fold(value: &str) -> Cow<'_, str> {
    if !value.is_ascii() {
        let folded = CASES.fold_string(&NFC.normalize(value)).into_owned();
        return Cow::Owned(NFC.normalize(&folded).into_owned());
    }
    // A loop that always runs to the end handles many bytes at once.
    if (value.bytes()).fold(false, |found, byte| found | byte.is_ascii_uppercase()) {
        return Cow::Owned(value.to_ascii_lowercase());
    }
    Cow::Borrowed(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("jane@example.com", "jane@example.com")]
    #[case("JANE@Example.COM", "jane@example.com")]
    #[case("Stra\u{DF}e", "strasse")]
    #[case("\u{1E9E}", "ss")]
    #[case("\u{39F}\u{394}\u{39F}\u{3A3}", "\u{3BF}\u{3B4}\u{3BF}\u{3C3}")]
    #[case("\u{3C2}", "\u{3C3}")]
    #[case("I\u{130}", "ii\u{307}")]
    #[case("\u{131}", "\u{131}")]
    #[case("\u{C9}", "\u{E9}")]
    #[case("E\u{301}", "\u{E9}")]
    #[case("\u{FB01}n", "fin")]
    fn case_alone_makes_no_other_key(#[case] value: &str, #[case] key: &str) {
        assert_eq!(fold(value), key);
    }

    #[test]
    fn a_key_in_ascii_is_not_copied() {
        assert!(matches!(fold("jane@example.com"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(value in any::<String>()) {
            let once = fold(&value);
            prop_assert_eq!(fold(&once), once.clone());
        }

        #[test]
        fn folding_letters_with_marks_twice_is_folding_once(
            value in "[a-zA-Z\u{C0}-\u{17F}\u{370}-\u{3FF}\u{1E00}-\u{1FFF}\u{300}-\u{345}]{0,8}"
        ) {
            let once = fold(&value);
            prop_assert_eq!(fold(&once), once.clone());
        }

        #[test]
        fn upper_and_lower_case_share_a_key(value in "[a-z\u{E0}-\u{F6}\u{3B1}-\u{3C9}\u{430}-\u{44F}]{0,12}") {
            let upper = value.to_uppercase();
            prop_assert_eq!(fold(&upper), fold(&value));
        }
    }
}
