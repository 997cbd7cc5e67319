//! What happens to every value before any check (semantics §2, Values).

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Unicode normalisation form C, the one form that values are stored and compared in.
pub(super) const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();

/// `text` as it is judged and stored (semantics §2): trimmed of white space, zero-width characters and
/// bidirectional marks, each run of line breaks and tabs made one space, in NFC.
///
/// Borrows wherever nothing inside changes; printable ASCII costs one scan.
///
/// # Errors
/// The first control character, or bidirectional embedding, override or isolate, that is left inside.
pub fn normalise(text: &str) -> Result<Cow<'_, str>, char> {
    if is_plain(text) {
        return Ok(Cow::Borrowed(text.trim_ascii()));
    }
    let trimmed = text.trim_matches(is_trimmed);
    if let Some(forbidden) = trimmed.chars().find(|&c| is_forbidden(c)) {
        return Err(forbidden);
    }
    if !trimmed.contains(is_break) {
        return Ok(NFC.normalize(trimmed));
    }
    let line = on_one_line(trimmed);
    Ok(Cow::Owned(NFC.normalize(&line).into_owned()))
}

/// The same for a value that will not be stored, only quoted: forbidden characters become U+FFFD, so
/// that a message never steers the terminal it is shown on.
pub(super) fn normalise_lossy(text: &str) -> Cow<'_, str> {
    normalise(text).unwrap_or_else(|_| {
        let visible = text.replace(is_forbidden, "\u{FFFD}");
        Cow::Owned(normalise(&visible).unwrap_or_default().into_owned())
    })
}

/// True where all is printable ASCII. Looks at every byte, which is quicker than to look for the first that is not.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// True for what is trimmed from the ends of a value: white space, NBSP, zero-width characters,
/// direction marks and the byte order mark (semantics §2).
#[must_use]
pub fn is_trimmed(c: char) -> bool {
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

fn is_forbidden(c: char) -> bool {
    let reorders = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    reorders || (c.is_control() && !is_break(c))
}

/// `text` with each run of line breaks and tabs made one space.
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
    #[case::inner_nbsp_stays("a\u{A0}b", "a\u{A0}b")]
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
    #[case::the_first_of_two("a\u{7}b\u{202E}", '\u{7}')]
    fn control_and_override_characters_are_named(#[case] text: &str, #[case] forbidden: char) {
        assert_eq!(normalise(text), Err(forbidden));
    }

    #[test]
    fn plain_text_is_not_copied() {
        for text in [" Smith ", "\u{200B}M\u{FC}ller\u{A0}"] {
            assert!(matches!(normalise(text), Ok(Cow::Borrowed(_))), "{text:?}");
        }
    }

    #[test]
    fn a_quoted_value_shows_where_a_forbidden_character_was() {
        assert_eq!(normalise_lossy(" a\u{1B}[2Jb\n"), "a\u{FFFD}[2Jb");
        assert_eq!(normalise_lossy(" plain "), "plain");
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in any::<String>()) {
            let once = normalise_lossy(&text);
            prop_assert_eq!(normalise(&once), Ok(Cow::Borrowed(&*once)));
        }

        #[test]
        fn marks_and_spaces_in_any_order_normalise_to_a_fixed_point(
            text in "[a-c \t\u{300}-\u{330}\u{345}\u{85}\u{200B}\u{2000}\u{1FEF}\u{AC00}\u{1100}\u{1161}]{0,12}"
        ) {
            let once = normalise_lossy(&text);
            prop_assert_eq!(normalise(&once), Ok(Cow::Borrowed(&*once)));
        }
    }
}
