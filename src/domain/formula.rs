//! Makes values harmless that a spreadsheet would run as a formula. Sees one value.

use std::borrow::Cow;

/// Makes a spreadsheet treat a cell as text. It is a zero-width character, which is trimmed when a value is read
/// (semantics §2). A neutralised value therefore reads as before, and no other value changes its meaning.
const MARK: char = '\u{200B}';

/// Returns `value` in a form that no spreadsheet computes: unchanged, or with an invisible character in front.
#[must_use]
pub(crate) fn neutralise(value: &str) -> Cow<'_, str> {
    if value.starts_with(is_formula_start) || value.trim_start().starts_with(is_formula_start) {
        return Cow::Owned(format!("{MARK}{value}"));
    }
    Cow::Borrowed(value)
}

/// Returns `true` if a formula can begin with `c`. This includes full-width forms, which some spreadsheets treat as
/// the plain ones.
const fn is_formula_start(c: char) -> bool {
    matches!(
        c,
        '=' | '+'
            | '-'
            | '@'
            | '|'
            | '%'
            | '\t'
            | '\r'
            | '\n'
            | '\u{FF1D}'
            | '\u{FF0B}'
            | '\u{FF0D}'
            | '\u{FF20}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::normalise;

    proptest! {
        #[test]
        fn what_is_neutralised_is_read_as_it_was(text in "[ =+@|%a-z0-9\u{300}\u{338}\u{FF1D}\u{200B}-]{0,8}") {
            let value = normalise(&text).unwrap();
            let harmless = neutralise(&value);
            prop_assert!(!harmless.trim_start().starts_with(is_formula_start));
            prop_assert_eq!(normalise(&harmless).unwrap(), &*value);
        }
    }

    #[test]
    fn an_ordinary_value_stays_as_it_is() {
        for value in ["", "Smith", "a=b", "'=x", "00421"] {
            assert!(matches!(neutralise(value), Cow::Borrowed(same) if same == value));
        }
    }
}
