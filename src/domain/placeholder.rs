//! Recognises values that mean "nothing": databases, scripts and spreadsheets write them into a cell without a
//! value (semantics §2, Placeholders). Sees one normalised value.

use std::borrow::Cow;

use icu_normalizer::DecomposingNormalizerBorrowed as Normalizer;

/// Longest value that can be a placeholder, in bytes.
const LONGEST: usize = 40;

/// Longest value that can be a placeholder before compatibility forms are folded. A full-width letter has 3 bytes.
const LONGEST_UNFOLDED: usize = 3 * LONGEST;

/// Words for "no value" in English, Dutch, French, German, Italian, Portuguese and Spanish, and of programs. They are
/// sorted, in lower case and without accents, and lack the marks that may stand around them.
const WORDS: [&str; 145] = [
    "\\n",
    "a definir",
    "array",
    "aucun",
    "aucune",
    "ausstehend",
    "blank",
    "da definire",
    "dbnull",
    "desconhecida",
    "desconhecido",
    "desconocida",
    "desconocido",
    "em branco",
    "empty",
    "en attente",
    "en blanco",
    "fehlt",
    "geen",
    "geen gegevens",
    "geen waarde",
    "in afwachting",
    "in attesa",
    "inconnu",
    "inconnue",
    "k. a",
    "k.a",
    "kein",
    "kein eintrag",
    "kein wert",
    "keine",
    "keine angabe",
    "keine daten",
    "keiner",
    "leeg",
    "leer",
    "mancante",
    "manquant",
    "missing",
    "n / a",
    "n a",
    "n-a",
    "n.a",
    "n.d",
    "n.t.b",
    "n.v",
    "n.v.t",
    "n/a",
    "n/c",
    "n/d",
    "n/k",
    "n\\a",
    "n_a",
    "na",
    "nan",
    "nao aplicavel",
    "nao disponivel",
    "nao informado",
    "nao se aplica",
    "nbsp",
    "neant",
    "nenhum",
    "nenhuma",
    "nessun dato",
    "nessun valore",
    "nessuna",
    "nessuno",
    "nicht gesetzt",
    "nicht verfugbar",
    "nicht vorhanden",
    "nicht zugewiesen",
    "nicht zutreffend",
    "niet beschikbaar",
    "niet toegewezen",
    "niet van toepassing",
    "nil",
    "ninguna",
    "ninguno",
    "no aplica",
    "no asignado",
    "no data",
    "no disponible",
    "no value",
    "nog te bepalen",
    "non applicabile",
    "non applicable",
    "non assegnato",
    "non attribue",
    "non disponible",
    "non renseigne",
    "none",
    "not applicable",
    "not assigned",
    "not available",
    "not set",
    "nothing",
    "nul",
    "nula",
    "null",
    "null value",
    "nullo",
    "nulo",
    "nvt",
    "object null",
    "object object",
    "object undefined",
    "onbekend",
    "ontbreekt",
    "pendente",
    "pendiente",
    "pending",
    "por definir",
    "s/d",
    "s/o",
    "sans valeur",
    "sconosciuto",
    "sem dados",
    "sem valor",
    "sin asignar",
    "sin datos",
    "sin valor",
    "system.dbnull",
    "system.object",
    "t.b.a",
    "t.b.d",
    "tba",
    "tbc",
    "tbd",
    "to be announced",
    "to be assigned",
    "to be confirmed",
    "to be determined",
    "unassigned",
    "unbekannt",
    "undef",
    "undefined",
    "unknown",
    "vacia",
    "vacio",
    "vazia",
    "vazio",
    "vide",
    "void",
    "vuota",
    "vuoto",
];

/// The second bytes of words, by the first letter: one bit for each letter, and [`OTHER`] for every other byte.
const BEGINNINGS: [u32; 26] = {
    let mut beginnings = [0; 26];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].as_bytes();
        if word[0].is_ascii_lowercase() {
            beginnings[(word[0] - b'a') as usize] |= bit(word[1]);
        }
        at += 1;
    }
    beginnings
};

/// The bit of a second byte that is no ASCII letter.
const OTHER: u32 = 1 << 26;

const fn bit(byte: u8) -> u32 {
    match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => 1 << (letter - b'a'),
        _ => OTHER,
    }
}

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
    if value.len() > LONGEST_UNFOLDED || !may_begin_placeholder(value) {
        return false;
    }
    let value = &*unmarked(value);
    value.len() <= LONGEST
        && (has_no_letter(value) || is_word(value) || is_spreadsheet_error(value))
}

/// Returns `value` with compatibility forms folded, such as `ＮＵＬＬ`, and without accents.
fn unmarked(value: &str) -> Cow<'_, str> {
    if value.is_ascii() {
        return Cow::Borrowed(value);
    }
    let is_accent = |c: &char| matches!(c, '\u{300}'..='\u{36F}');
    let decomposed = Normalizer::new_nfkd().normalize(value);
    Cow::Owned(decomposed.chars().filter(|c| !is_accent(c)).collect())
}

/// Returns `true` if the value is one that a spreadsheet shows if it cannot compute the cell, such as `#REF!`.
#[must_use]
pub(super) fn is_spreadsheet_error(value: &str) -> bool {
    let may_be_error = value.starts_with('#') || is_error_number(value);
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

/// Returns `true` if a placeholder may begin like `value`. Most values cost only this look at their first two bytes.
fn may_begin_placeholder(value: &str) -> bool {
    match *value.as_bytes() {
        [] => false,
        [first, ref rest @ ..] if first.is_ascii_alphabetic() => {
            let second = rest.first().map_or(0, |&byte| bit(byte));
            let place = first.to_ascii_lowercase() - b'a';
            BEGINNINGS[usize::from(place)] & second != 0 || is_error_number(value)
        }
        [first, ..] => !first.is_ascii_alphanumeric(),
    }
}

/// Returns `true` if `value` begins like the numbered errors of a spreadsheet.
fn is_error_number(value: &str) -> bool {
    matches!(
        value.as_bytes(),
        [b'E' | b'e', b'R' | b'r', b'R' | b'r', b':', ..]
    )
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
    let word = value.trim_matches(is_around);
    let folded = word.to_ascii_lowercase();
    WORDS.binary_search(&&*folded).is_ok()
        || WORDS.binary_search(&&*value.to_ascii_lowercase()).is_ok()
        // Only this spelling: Nat is a first name.
        || word == "NaT"
        // PowerShell writes this for a list.
        || (folded.starts_with("system.") && value.ends_with("[]"))
}

/// Returns `true` for the marks that programs and people write around a word, and for separators behind it.
const fn is_around(c: char) -> bool {
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
            | ','
            | ';'
            | ':'
            | '|'
            | '!'
            | '?'
            | '&'
            | '='
            | '$'
            | '%'
            | '_'
            | '-'
            | ' '
    )
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
    #[case::of_scripts(&["NaT", "(NaT)", "System.Object[]", "System.String[]", "[object Object]", "[object Null]", "Array", "&nbsp;", "$null"])]
    #[case::with_a_separator(&["NULL,", "null;", "N/A,", "none |", "=NULL", "unknown?", "- NULL -"])]
    #[case::full_width(&["\u{FF2E}\u{FF35}\u{FF2C}\u{FF2C}", "\u{FF4E}\u{FF0F}\u{FF41}", "\u{FF0D}", "\u{FF08}null\u{FF09}", "\u{FF03}N/A"])]
    #[case::german(&["(leer)", "leer", "Leer", "unbekannt", "k. A.", "keine", "nicht verf\u{FC}gbar", "keine Angabe"])]
    #[case::french(&["(vide)", "vide", "inconnu", "n\u{E9}ant", "aucun", "non renseign\u{E9}", "\u{E0} d\u{E9}finir"])]
    #[case::spanish(&["(vac\u{ED}o)", "VAC\u{CD}O", "vacio", "vaci\u{301}o", "desconocido", "(en blanco)", "ninguno", "pendiente"])]
    #[case::portuguese(&["(vazio)", "n\u{E3}o dispon\u{ED}vel", "nenhum", "desconhecido"])]
    #[case::italian_and_dutch(&["(vuoto)", "vuoto", "sconosciuto", "(leeg)", "onbekend", "n.v.t.", "geen"])]
    #[case::not_yet(&["pending", "PENDING", "to be assigned"])]
    fn words_that_mean_nothing_are_placeholders(#[case] values: &[&str]) {
        for value in values {
            assert!(is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn words_are_sorted_and_plain() {
        assert!(WORDS.is_sorted());
        for word in WORDS {
            assert!(word.is_ascii() && word.len() > 1 && word.len() <= LONGEST);
            assert_eq!(word, word.to_ascii_lowercase());
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
    #[case::badges(&["0", "000", "0421", "0.1", "00-1", "0-O", "10", "100", "4E12", "N1", "NA1", "#12", "T-7", "K-9", "#A12"])]
    #[case::names(&["Null-Smith", "Nilsson", "Nancy", "Nunez", "Nullah", "Eric", "Tba\u{F1}ez", "#1!"])]
    #[case::usernames(&["nadia", "na.li", "none.smith", "unknownsoldier", "d.null", "tbd2", "-x-", "_a_", "e", "nat", "Nat", "leerman", "system.admin", "videl", "\u{FF2E}\u{FF11}", "geena"])]
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
