//! Normalises every value before any check (semantics §2, Values). Sees one value; knows nothing about columns.

use std::{borrow::Cow, fmt::Write};

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointMapData, props::GeneralCategory};

/// Unicode normalisation form C. All values are stored and compared in this form.
pub(super) const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();

/// Returns `text` in the form in which it is judged and stored (semantics §2): trimmed of white space, zero-width
/// characters and bidirectional marks; each run of line breaks and tabs replaced by one space; every other Unicode
/// space replaced by a plain one; without soft hyphens and zero-width spaces; in NFC.
///
/// Borrows if nothing inside changes. Printable ASCII costs one scan.
///
/// # Errors
/// Fails if a control character, bidirectional embedding, override or isolate, or U+FFFD is left inside. The error
/// is the first such character.
pub fn normalise(text: &str) -> Result<Cow<'_, str>, char> {
    if is_plain(text) {
        return Ok(Cow::Borrowed(text.trim_ascii()));
    }
    let trimmed = text.trim_matches(is_trimmed);
    match trimmed.chars().find(|&c| is_forbidden(c)) {
        Some(forbidden) => Err(forbidden),
        None => Ok(tidied(trimmed)),
    }
}

/// Normalises a value that will only be quoted, not stored. Forbidden characters become U+FFFD, so that a message
/// never controls the terminal that shows it.
pub(super) fn normalise_lossy(text: &str) -> Cow<'_, str> {
    normalise(text).unwrap_or_else(|_| {
        let visible = text.replace(is_forbidden, "\u{FFFD}");
        Cow::Owned(tidied(visible.trim_matches(is_trimmed)).into_owned())
    })
}

/// Returns `text` in the form that earlier versions stored: other spaces and soft hyphens stay in it. Returns
/// `None` if those versions accepted no such text. An export of a user from such a version has the value in this
/// form.
#[must_use]
pub(crate) fn normalise_as_before(text: &str) -> Option<Cow<'_, str>> {
    let trimmed = text.trim_matches(is_trimmed);
    let is_taken = !trimmed.contains(|c| is_forbidden(c) && c != '\u{FFFD}');
    is_taken.then(|| match trimmed.contains(is_break) {
        true => Cow::Owned(NFC.normalize(&on_one_line(trimmed)).into_owned()),
        false => NFC.normalize(trimmed),
    })
}

/// Returns `trimmed` on one line, with plain spaces only, and composed.
fn tidied(trimmed: &str) -> Cow<'_, str> {
    if !trimmed.contains(|c| is_break(c) || is_other_space(c) || is_removed(c)) {
        return NFC.normalize(trimmed);
    }
    let spaced: String = trimmed
        .chars()
        .filter(|&c| !is_removed(c))
        .map(|c| if is_other_space(c) { ' ' } else { c })
        .collect();
    let line = on_one_line(spaced.trim_matches(is_trimmed));
    Cow::Owned(NFC.normalize(&line).into_owned())
}

/// Returns `true` if all of `text` is printable ASCII. Reads every byte, which is quicker than to stop at the first
/// other one.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Returns `true` for characters that are trimmed from the ends of a value: white space, NBSP, zero-width
/// characters, direction marks and the byte order mark (semantics §2).
#[must_use]
pub(crate) fn is_trimmed(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{200B}'..='\u{200F}' | '\u{061C}' | '\u{2060}' | '\u{FEFF}'
        )
}

fn is_break(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Returns the first character of `written` that reading a value removes or replaces by a plain space.
#[must_use]
pub(crate) fn first_invisible(written: &str) -> Option<char> {
    written
        .chars()
        .find(|&c| is_removed(c) || is_other_space(c))
}

/// Returns `value` for a message to quote, with each invisible character named, such as `[U+00A0]`.
#[must_use]
pub(crate) fn shown(value: &str) -> Cow<'_, str> {
    if value.is_ascii() || !value.chars().any(is_unseen) {
        return Cow::Borrowed(value);
    }
    let mut shown = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match is_unseen(c) {
            // Writing to a `String` cannot fail.
            true => drop(write!(shown, "[U+{:04X}]", u32::from(c))),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Returns the normalised text without its typographic spaces, or `None` if there is none inside.
pub(super) fn without_other_spaces(text: &str) -> Option<String> {
    let text = text.trim_matches(is_trimmed);
    if !text.contains(is_other_space) {
        return None;
    }
    let closed: String = text.chars().filter(|&c| !is_other_space(c)).collect();
    Some(normalise(&closed).ok()?.into_owned())
}

fn is_unseen(c: char) -> bool {
    is_other_space(c) || is_format(c)
}

/// Returns `true` for characters of the general category Cf.
pub(super) fn is_format(c: char) -> bool {
    CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

/// Returns `true` for a space, other than the plain one, that looks like it.
fn is_other_space(c: char) -> bool {
    !c.is_ascii() && c.is_whitespace() && !is_break(c)
}

/// Returns `true` for an invisible character without meaning within a value.
pub(super) const fn is_removed(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// Returns `true` for a forbidden character. U+FFFD is one: it replaces a letter that was lost before the import.
fn is_forbidden(c: char) -> bool {
    let reorders = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    reorders || c == '\u{FFFD}' || (c.is_control() && !is_break(c))
}

/// Returns `text` with each run of line breaks and tabs replaced by one space.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut in_break = false;
    for c in text.chars() {
        let breaks = is_break(c);
        if !breaks {
            line.push(c);
        } else if !in_break {
            line.push(' ');
        }
        in_break = breaks;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("O'Neil Jr.", "O'Neil Jr.")]
    #[case::empty("", "")]
    #[case::spaces("  a  b  ", "a  b")]
    #[case::nbsp("\u{A0}a\u{A0}", "a")]
    #[case::zero_width_only("\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}\u{A0}", "")]
    #[case::bidi_marks("\u{200E}\u{200F}a\u{61C}", "a")]
    #[case::ideographic_space("\u{3000}a", "a")]
    #[case::trailing_line_break("a\r\n", "a")]
    #[case::inner_crlf("a\r\nb", "a b")]
    #[case::inner_run("a\t\n\u{B}\u{C}\r\u{85}\u{2028}\u{2029}b", "a b")]
    #[case::runs_apart("a\n \nb", "a   b")]
    #[case::inner_nbsp("a\u{A0}b", "a b")]
    #[case::inner_thin_space("a\u{2009}b", "a b")]
    #[case::inner_narrow_and_ideographic("a\u{202F}b\u{3000}c", "a b c")]
    #[case::inner_soft_hyphen("Whit\u{AD}lock", "Whitlock")]
    #[case::inner_zero_width_space("a\u{200B}b", "ab")]
    #[case::inner_word_joiner_and_bom("a\u{2060}b\u{FEFF}c", "abc")]
    #[case::removed_beside_a_space("a \u{AD}", "a")]
    #[case::removed_alone("\u{AD}\u{200B}", "")]
    #[case::composed_over_what_is_removed("e\u{200B}\u{301}", "\u{E9}")]
    #[case::inner_zero_width_stays("a\u{200D}b", "a\u{200D}b")]
    #[case::decomposed("Ame\u{301}lie", "Am\u{E9}lie")]
    #[case::decomposed_over_lines("e\u{301}\ne\u{301}", "\u{E9} \u{E9}")]
    #[case::angstrom("\u{212B}", "\u{C5}")]
    fn values_are_trimmed_put_on_one_line_and_composed(#[case] text: &str, #[case] value: &str) {
        assert_eq!(normalise(text).as_deref(), Ok(value));
    }

    #[rstest]
    #[case::nul("a\0b", '\0')]
    #[case::escape("\u{1B}[31mred", '\u{1B}')]
    #[case::delete("a\u{7F}", '\u{7F}')]
    #[case::c1("a\u{9B}b", '\u{9B}')]
    #[case::unit_separator_at_the_end("a\u{1F}", '\u{1F}')]
    #[case::embedding("\u{202A}a", '\u{202A}')]
    #[case::override_("a\u{202E}b", '\u{202E}')]
    #[case::isolate("a\u{2066}b", '\u{2066}')]
    #[case::pop_isolate("a\u{2069}", '\u{2069}')]
    #[case::a_lost_letter("Mu\u{FFFD}oz", '\u{FFFD}')]
    #[case::the_first_of_two("a\u{7}b\u{202E}", '\u{7}')]
    fn control_and_override_characters_are_named(#[case] text: &str, #[case] forbidden: char) {
        assert_eq!(normalise(text), Err(forbidden));
    }

    #[test]
    fn what_nobody_sees_is_named_in_a_quote() {
        assert_eq!(
            shown("01\u{A0}0\u{200D}1 \u{E9}"),
            "01[U+00A0]0[U+200D]1 \u{E9}"
        );
        assert!(matches!(shown("Mu\u{F1}oz"), Cow::Borrowed(_)));
        assert_eq!(first_invisible("a\u{E9}\u{AD}b\u{A0}"), Some('\u{AD}'));
        assert_eq!(first_invisible("a b\u{E9}"), None);
    }

    #[test]
    fn plain_text_is_not_copied() {
        for text in [
            " Smith ",
            "\u{200B}M\u{FC}ller\u{A0}",
            "Jos\u{E9} Mu\u{F1}oz",
        ] {
            assert!(matches!(normalise(text), Ok(Cow::Borrowed(_))), "{text:?}");
        }
    }

    #[test]
    fn a_quoted_value_shows_where_a_forbidden_character_was() {
        assert_eq!(normalise_lossy(" a\u{1B}[2Jb\n"), "a\u{FFFD}[2Jb");
        assert_eq!(normalise_lossy(" plain "), "plain");
    }

    #[rstest]
    #[case::spaces_stay("a\u{A0}b\u{2009}c", Some("a\u{A0}b\u{2009}c"))]
    #[case::soft_hyphens_stay("\u{AD}a\u{200B}b", Some("\u{AD}a\u{200B}b"))]
    #[case::breaks("a\r\nb\u{A0}", Some("a b"))]
    #[case::a_lost_letter("Mu\u{FFFD}oz", Some("Mu\u{FFFD}oz"))]
    #[case::an_escape("a\u{1B}b", None)]
    fn what_releases_before_stored_is_known(#[case] text: &str, #[case] stored: Option<&str>) {
        assert_eq!(normalise_as_before(text).as_deref(), stored);
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in any::<String>()) {
            let once = normalise_lossy(&text.replace('\u{FFFD}', "")).into_owned();
            prop_assert_eq!(normalise_lossy(&once), Cow::Borrowed(&*once));
            if !once.contains('\u{FFFD}') {
                prop_assert_eq!(normalise(&once), Ok(Cow::Borrowed(&*once)));
            }
        }

        #[test]
        fn marks_and_spaces_in_any_order_normalise_to_a_fixed_point(
            text in "[a-c \t\u{300}-\u{330}\u{345}\u{85}\u{AD}\u{A0}\u{200B}\u{2000}\u{1FEF}\u{AC00}\u{1100}\u{1161}]{0,12}"
        ) {
            let once = normalise_lossy(&text);
            prop_assert_eq!(normalise(&once), Ok(Cow::Borrowed(&*once)));
        }
    }
}
