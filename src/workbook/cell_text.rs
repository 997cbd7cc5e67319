//! The text of a cell: within Excel's limits, and as its XML.

use std::{borrow::Cow, fmt::Write};

/// Most UTF-16 units that Excel takes in a cell.
const MAX_UNITS: usize = 32_767;

/// Ends a text that was cut.
const CUT: char = '…';

/// Returns a text that a cell can hold. A longer one is cut: an import rejects fields far below that length, cut or
/// not. A character that XML cannot hold becomes U+FFFD, which an import rejects in the same way.
pub(super) fn bounded(text: &str) -> Cow<'_, str> {
    let is_foreign = |c: char| matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let is_long = text.len() > MAX_UNITS && text.encode_utf16().count() > MAX_UNITS;
    if !is_long && !text.contains(is_foreign) {
        return Cow::Borrowed(text);
    }
    let mut units = 0;
    let most = if is_long { MAX_UNITS - 1 } else { MAX_UNITS };
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= most
    });
    let clean = |c| match is_foreign(c) {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    let kept = kept.map(clean).chain(is_long.then_some(CUT));
    Cow::Owned(kept.collect())
}

/// Appends `text` as the content of an element of a sheet. A character that XML cannot hold is written as `_xHHHH_`, as
/// Excel does. The first letter of a text that looks like this form is written so too.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut letters = rest.chars();
        let Some(letter) = letters.next() else { break };
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '_' if !begins_as_escape(rest) => out.push('_'),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "_x{:04X}_", u32::from(letter))),
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
}

fn is_special(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '_' | '\u{FFFE}' | '\u{FFFF}')
        || (c < ' ' && c != '\t' && c != '\n')
}

/// Returns `true` if a spreadsheet would read the beginning of `text` as another character.
fn begins_as_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes[1] == b'x'
        && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
        && bytes[6] == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push_escaped(&mut out, text);
        out
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        for (text, expected) in [
            ("", ""),
            ("O'Brien \"Dee\" ñ", "O'Brien \"Dee\" ñ"),
            ("<A & B>", "&lt;A &amp; B&gt;"),
            ("a\u{1}\r\u{FFFE}b", "a_x0001__x000D__xFFFE_b"),
            ("a\tb\nc", "a\tb\nc"),
            ("_x0041_", "_x005F_x0041_"),
            ("ada_x004_ _x_ _", "ada_x004_ _x_ _"),
            ("_x00e9_é", "_x005F_x00e9_é"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn a_text_beyond_the_limit_is_cut_and_any_other_stays() {
        let fits = "é".repeat(MAX_UNITS);
        assert!(matches!(bounded(&fits), Cow::Borrowed(same) if same == fits));
        let long = format!("{fits}e");
        let cut = bounded(&long);
        assert_eq!(cut.chars().count(), MAX_UNITS);
        assert!(cut.ends_with("éé…"));
        let pairs = "😀".repeat(MAX_UNITS);
        assert_eq!(bounded(&pairs).encode_utf16().count(), MAX_UNITS);
        assert_eq!(bounded("a\u{FFFF}b"), "a\u{FFFD}b");
    }
}
