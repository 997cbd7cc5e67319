//! Texts that differ from a text in case alone, for look-ups of keys that compare exactly. Sees one text.
//!
//! A database finds an external ID in small ASCII letters, by an index on them. Any other key and letter is looked up in
//! the cases that a person is likely to write.

use super::fold;

/// Most letters of a text whose every mixture of cases is looked up.
const MIXED: u32 = 6;

/// Returns the texts that equal `text` except for case and that a person is likely to write: all in small letters, all
/// in capitals, and with a capital at the start of each word. If `text` has few letters, each mixture of cases is among
/// them. `text` itself is left out. There are at most 64.
pub(crate) fn in_other_case(text: &str) -> Vec<String> {
    let (small, capitals) = (text.to_lowercase(), text.to_uppercase());
    if small == capitals {
        return Vec::new();
    }
    let mut texts = vec![words_capitalised(&small), small, capitals];
    add_mixtures(&mut texts, text, |_| true);
    texts.retain(|other| other != text && fold(other) == fold(text));
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Returns the forms for looking up a text that equals `text` except for case. Their ASCII letters are small. Their
/// other letters are as in `text`, all small, all capitals, or capitals at the start of words; if they are few, each
/// mixture of cases is there too. Empty if `text` has no letters with a case. There are at most 67.
pub(crate) fn small_forms(text: &str) -> Vec<String> {
    let (small, capitals) = (text.to_lowercase(), text.to_uppercase());
    if small == capitals {
        return Vec::new();
    }
    let mut forms = vec![text.to_owned(), words_capitalised(&small), small, capitals];
    add_mixtures(&mut forms, text, |c| !c.is_ascii());
    for form in &mut forms {
        form.make_ascii_lowercase();
    }
    forms.retain(|form| fold(form) == fold(text));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Adds each mixture of cases of the letters that `counts` accepts, if they are few.
fn add_mixtures(texts: &mut Vec<String>, text: &str, counts: fn(char) -> bool) {
    let is_letter = |&c: &char| counts(c) && swapped(c) != c;
    let letters = u32::try_from(text.chars().filter(is_letter).count()).unwrap_or(u32::MAX);
    if letters <= MIXED {
        texts.extend((0..1_u32 << letters).map(|choice| mixture(text, is_letter, choice)));
    }
}

/// Returns `text` with the letters swapped whose bits are set in `choice`.
fn mixture(text: &str, is_letter: impl Fn(&char) -> bool, choice: u32) -> String {
    let mut bit = 0;
    let letter = |c: char| {
        if !is_letter(&c) {
            return c;
        }
        bit += 1;
        match choice >> (bit - 1) & 1 {
            1 => swapped(c),
            _ => c,
        }
    };
    text.chars().map(letter).collect()
}

/// Returns the letter in its other case, or the character itself if it has no single one.
fn swapped(c: char) -> char {
    let (mut small, mut capital) = (c.to_lowercase(), c.to_uppercase());
    match (small.next(), small.next(), capital.next(), capital.next()) {
        (Some(small), None, ..) if small != c => small,
        (_, _, Some(capital), None) => capital,
        _ => c,
    }
}

fn words_capitalised(small: &str) -> String {
    let mut is_start = true;
    let mut text = String::with_capacity(small.len());
    for c in small.chars() {
        match is_start {
            true => text.extend(c.to_uppercase()),
            false => text.push(c),
        }
        is_start = !c.is_alphanumeric();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_few_letters_have_every_mixture_and_longer_ones_the_likely_ones() {
        let of = |text: &str| in_other_case(text);
        assert_eq!(of("e-1001"), ["E-1001"]);
        assert_eq!(of("Ab1"), ["AB1", "aB1", "ab1"]);
        assert_eq!(of("\u{E9}1"), ["\u{C9}1"]);
        assert_eq!(of("ada.lovelace"), ["ADA.LOVELACE", "Ada.Lovelace"]);
        assert_eq!(of("1001"), [""; 0]);
        assert_eq!(of("ABCDEF").len(), 63);
    }

    #[test]
    fn ascii_letters_are_looked_up_small_and_few_others_in_every_mixture() {
        let of = |text: &str| small_forms(text);
        assert_eq!(of("McDonald-7"), ["mcdonald-7"]);
        assert_eq!(of("1001"), [""; 0]);
        assert_eq!(of("\u{C9}A1"), ["\u{C9}a1", "\u{E9}a1"]);
        // Seven letters that are not ASCII.
        let (small, capitals) = ("\u{E9}".repeat(7), "\u{C9}".repeat(7));
        let initial = format!("\u{C9}{}", "\u{E9}".repeat(6));
        assert_eq!(of(&capitals), [&*capitals, &initial, &small]);
        // A sharp s has two capitals.
        assert_eq!(of("Stra\u{DF}e"), ["strasse", "stra\u{DF}e"]);
    }
}
