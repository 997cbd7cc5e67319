//! Blank characters: the characters that a person does not see at the ends of a cell.

pub(super) use crate::domain::is_trimmed as is_blank_char;

/// Returns `text` without the blank characters at its ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank_char)
}

/// Returns `true` if a field holds nothing but blank characters. Malformed bytes are not blank.
pub(super) fn is_blank(field: &[u8]) -> bool {
    // The first byte decides nearly every field.
    match field.first() {
        None => true,
        Some(byte) if byte.is_ascii_graphic() => false,
        Some(_) => str::from_utf8(field).is_ok_and(|text| text.chars().all(is_blank_char)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_trimmed_at_both_ends_only() {
        for (text, trimmed) in [
            (" a b ", "a b"),
            ("\u{FEFF}\u{200B}EMAIL\u{A0}\t", "EMAIL"),
            ("\u{2060}\u{200E}x\u{200D}y\u{202F}", "x\u{200D}y"),
            (" \u{3000} ", ""),
        ] {
            assert_eq!(trim(text), trimmed, "{text:?}");
        }
    }

    #[test]
    fn a_field_is_blank_unless_something_in_it_shows() {
        for (field, blank) in [
            (&b""[..], true),
            (b" \t", true),
            ("\u{A0}\u{FEFF}".as_bytes(), true),
            (b"0", false),
            (b"  -", false),
            (b"\xA0", false),
            (b"\0", false),
        ] {
            assert_eq!(is_blank(field), blank, "{field:?}");
        }
    }
}
