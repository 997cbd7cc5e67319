//! The forms that word processors give to a key: with other dashes, apostrophes and spaces. For look-ups of stored keys,
//! which compare exactly (semantics §2, Export artefacts). Sees one text.
//!
//! Each form of a key of a new user costs one more look-up in the database, so there are only the forms that occur in
//! practice.

use super::{artifact::as_typed, normalise};

/// The dashes that people have in place of `-`.
const DASHES: [char; 7] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
];

/// The apostrophes that people have in place of `'`.
const APOSTROPHES: [char; 5] = ['\u{2018}', '\u{2019}', '\u{2BC}', '\u{2032}', '\u{B4}'];

/// The spaces that people have in place of a plain one. Only earlier versions stored them.
const SPACES: [char; 2] = ['\u{A0}', '\u{202F}'];

/// Plain characters, and what word processors write for each of them.
const KINDS: [(char, &[char]); 3] = [('-', &DASHES), ('\'', &APOSTROPHES), (' ', &SPACES)];

/// If a key has at most this many characters of one kind, each of them is also replaced alone.
const ALONE: usize = 3;

/// Longest key that has forms, in bytes.
const LONGEST: usize = 64;

/// Returns the texts that look like `plain`, a key as keyboards write it, and hold typographic characters. In each, one
/// typographic character replaces all characters of a kind, or one of them alone; if the key has hyphens and
/// apostrophes, both kinds may be replaced. Returns no text for long keys.
pub(crate) fn in_typography(plain: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if plain.len() > LONGEST {
        return texts;
    }
    for (typed, written) in KINDS {
        let places: Vec<usize> = plain.match_indices(typed).map(|(at, _)| at).collect();
        if !places.is_empty() {
            texts.extend(written.iter().map(|c| plain.replace(typed, &c.to_string())));
        }
        if (2..=ALONE).contains(&places.len()) {
            let replaced = |at| written.iter().map(move |c| with_replaced(plain, at, *c));
            texts.extend(places.into_iter().flat_map(replaced));
        }
    }
    if plain.contains('-') && plain.contains('\'') {
        let both = |dash: &char| {
            let dashed = plain.replace('-', &dash.to_string());
            let marks = APOSTROPHES.iter();
            marks.map(move |mark| dashed.replace('\'', &mark.to_string()))
        };
        texts.extend(DASHES.iter().flat_map(both));
    }
    texts
}

/// Returns `plain` with its ASCII character at `at` replaced.
fn with_replaced(plain: &str, at: usize, c: char) -> String {
    let (before, after) = (&plain[..at], &plain[at + 1..]);
    format!("{before}{c}{after}")
}

/// Returns `stored`, the key of a user, as keyboards write it, or `None` if it holds no typographic character.
pub(crate) fn typed_form(stored: &str) -> Option<String> {
    if stored.is_ascii() {
        return None;
    }
    let spaced = normalise(stored).ok()?;
    let typed = as_typed(&spaced);
    (typed != stored).then(|| typed.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_typed_as_the_plain_text() {
        for plain in [
            "E-1001",
            "o'brien",
            "mary-jane.o'brien",
            "01 02",
            "A-1-2",
            "\u{C9}-1",
        ] {
            let forms = in_typography(plain);
            assert!(!forms.is_empty(), "{plain}");
            for form in forms {
                assert_eq!(typed_form(&form).as_deref(), Some(plain), "{form}");
            }
        }
    }

    #[test]
    fn the_forms_that_people_write_are_among_them() {
        for (plain, form) in [
            ("E-1001", "E\u{2013}1001"),
            ("K-9", "K\u{2212}9"),
            ("A-1-2", "A\u{2011}1\u{2011}2"),
            ("A-1-2", "A\u{2014}1-2"),
            ("A-1-2", "A-1\u{2014}2"),
            ("o'brien", "o\u{2019}brien"),
            ("mary-jane.o'brien", "mary\u{2011}jane.o\u{2019}brien"),
            ("mary-jane.o'brien", "mary\u{2010}jane.o\u{2BC}brien"),
            ("mary-jane.o'brien", "mary-jane.o\u{2BC}brien"),
            ("01 02", "01\u{A0}02"),
        ] {
            assert!(
                in_typography(plain).iter().any(|text| text == form),
                "{form}"
            );
        }
    }

    #[test]
    fn other_texts_have_none_and_no_text_has_many() {
        for plain in ["j.doe", "0421", "jos\u{E9}"] {
            assert_eq!(in_typography(plain), [""; 0], "{plain}");
        }
        for text in ["jos\u{E9}", "E-1001", "01 02"] {
            assert_eq!(typed_form(text), None, "{text}");
        }
        let most = ["-' -' -' ", &"-' ".repeat(21), &"-".repeat(64)];
        assert!(most.iter().all(|text| in_typography(text).len() < 100));
        assert_eq!(in_typography(&"-".repeat(65)), [""; 0]);
    }
}
