//! Recognises values that mean "nothing": databases, scripts and spreadsheets write them into a cell without a
//! value (semantics §2, Placeholders). Sees one normalised value.

/// Longest value that can be a placeholder, in bytes.
const LONGEST: usize = 32;

/// Words for "no value", in lower case, without the marks that may stand around them.
const WORDS: [&str; 46] = [
    "null",
    "nil",
    "none",
    "nan",
    "n/a",
    "n/d",
    "n/k",
    "n.a",
    "n.d",
    "n.v",
    "k.a",
    "n\\a",
    "na",
    "n-a",
    "n_a",
    "n a",
    "n / a",
    "tbd",
    "tba",
    "tbc",
    "t.b.d",
    "t.b.a",
    "to be determined",
    "to be assigned",
    "to be announced",
    "to be confirmed",
    "not available",
    "not applicable",
    "not assigned",
    "not set",
    "no value",
    "no data",
    "unknown",
    "unassigned",
    "undefined",
    "missing",
    "empty",
    "blank",
    "void",
    "dbnull",
    "system.dbnull",
    "\\n",
    "<na>",
    "undef",
    "nothing",
    "null value",
];

/// Spreadsheet errors that lack the usual shape: errors of other languages and other programs, and notices.
const ERRORS: [&str; 8] = [
    "#n/a",
    "#n/a n/a",
    "#nv",
    "#n/d",
    "#n/b",
    "#n/v",
    "#getting_data",
    "#n.d.",
];

/// Returns `true` if the whole value means "nothing".
#[must_use]
pub(crate) fn is_placeholder(value: &str) -> bool {
    if value.len() > LONGEST || !may_begin_placeholder(value) {
        return false;
    }
    has_no_letter(value) || is_word(value) || is_spreadsheet_error(value)
}

/// Returns `true` if the value is one that a spreadsheet shows if it cannot compute the cell, such as `#REF!`.
#[must_use]
pub(super) fn is_spreadsheet_error(value: &str) -> bool {
    let may_be_error = matches!(
        value.as_bytes(),
        [b'#', ..] | [b'E' | b'e', b'R' | b'r', b'R' | b'r', b':', ..]
    );
    if !may_be_error || value.len() > LONGEST {
        return false;
    }
    let folded = value.to_lowercase();
    let Some(name) = folded.strip_prefix('#') else {
        let number = folded.strip_prefix("err:");
        return number
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    };
    let is_name = |name: &str| {
        let allowed = |c: char| c.is_alphabetic() || matches!(c, '/' | '0' | '_' | '¡' | '¿' | ' ');
        name.chars().filter(|c| c.is_alphabetic()).count() >= 2 && name.chars().all(allowed)
    };
    ERRORS.contains(&&*folded)
        || name.strip_suffix(['!', '?']).is_some_and(is_name)
        || (name.len() >= 2 && name.bytes().all(|byte| byte == b'#'))
}

/// Returns `true` if a placeholder may begin as `value` does. Most values cost only this look at their first byte.
fn may_begin_placeholder(value: &str) -> bool {
    match value.as_bytes().first() {
        None => false,
        Some(byte) => {
            byte.is_ascii_punctuation()
                || !byte.is_ascii()
                || matches!(
                    byte.to_ascii_lowercase(),
                    b'n' | b't' | b'u' | b'm' | b'e' | b'b' | b'v' | b'd' | b's' | b'k'
                )
        }
    }
}

/// Returns `true` for values without letters and digits, such as `-`, `--`, `?` and `...`.
fn has_no_letter(value: &str) -> bool {
    let is_mark = |c: char| c.is_ascii_punctuation() || c == ' ' || is_dash(c) || c == '…';
    value.chars().all(is_mark)
}

fn is_word(value: &str) -> bool {
    // Most identifiers have a digit, and no word has one.
    if value.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let folded = value.to_lowercase();
    let around = |c: char| {
        matches!(
            c,
            '<' | '>'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '"'
                | '\''
                | '`'
                | '*'
                | '#'
                | '.'
                | '!'
                | '$'
                | '%'
                | '_'
                | '-'
        )
    };
    let word = folded.trim_matches(around).trim();
    WORDS.contains(&word) || WORDS.contains(&&*folded)
}

/// Returns `true` for the hyphens, dashes and minus signs that people write for `-`.
#[must_use]
pub(crate) const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{58A}' | '\u{5BE}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{301C}'
                | '\u{30A0}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_the_contract_lists(&["NULL", "(null)", "\\N", "NaN", "None", "nil", "N/A", "#N/A", "TBD", "-", "--"])]
    #[case::in_any_case(&["null", "Null", "n/a", "tBd", "\\n", "nan", "NONE", "#n/a", "#Ref!"])]
    #[case::around_words(&["<null>", "[NULL]", "(none)", "{null}", "\"NULL\"", "'null'", "<NA>", "**N/A**", "(blank)"])]
    #[case::of_other_programs(&["NA", "n.a.", "N.A", "t.b.d.", "TBA", "undefined", "unknown", "DBNull", "not available", "not applicable", "k.A."])]
    #[case::marks(&["---", "\u{2013}", "\u{2014}\u{2014}", "?", "???", "...", "\u{2026}", "*", "_", "- -", "."])]
    fn words_that_mean_nothing_are_placeholders(#[case] values: &[&str]) {
        for value in values {
            assert!(is_placeholder(value), "{value}");
        }
    }

    #[rstest]
    #[case::excel(&[
        "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA",
        "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#CONNECT!", "#BUSY!", "#PYTHON!", "#EXTERNAL!", "#TIMEOUT!",
    ])]
    #[case::other_languages(&["#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!", "#NOM?", "#VALEUR!", "#¡REF!", "#¿NOMBRE?", "#N/D", "#RIF!"])]
    #[case::other_programs(&["#ERROR!", "Err:502", "#####", "#N/A N/A"])]
    fn what_a_spreadsheet_could_not_compute_is_an_error(#[case] values: &[&str]) {
        for value in values {
            assert!(
                is_spreadsheet_error(value) && is_placeholder(value),
                "{value}"
            );
        }
    }

    #[rstest]
    #[case::badges(&["0", "000", "0421", "4E12", "N1", "NA1", "#12", "T-7", "K-9", "#A12"])]
    #[case::names(&["Null-Smith", "Nilsson", "Nancy", "Nunez", "Nullah", "Eric", "Tba\u{F1}ez", "#1!"])]
    #[case::usernames(&["nadia", "na.li", "none.smith", "unknownsoldier", "d.null", "tbd2", "-x-", "_a_", "e"])]
    #[case::ids(&["E-1001", "null1", "NULL-7", "err:", "Err:x", "", "#", "missing persons unit, district 4"])]
    fn other_values_are_not(#[case] values: &[&str]) {
        for value in values.iter().filter(|&&value| value != "#") {
            assert!(!is_placeholder(value), "{value}");
        }
        for value in values {
            assert!(!is_spreadsheet_error(value), "{value}");
        }
    }
}
