//! Finds and repairs garbled text, which a program decoded wrongly before the import. Such a program read UTF-8 as
//! another charset (`MuÃ±oz`), perhaps twice, or left HTML entities (`O&#039;Brien`) or the escapes of a script
//! (`O\'Brien`, `Mu\u00f1oz`) or link (`O%27Brien`). Sees one normalised value.

use std::borrow::Cow;

use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1250, WINDOWS_1252};
use percent_encoding::percent_decode_str;

use super::normalise;

/// Charsets that programs mistake UTF-8 for.
const MISTAKEN: [&Encoding; 2] = [WINDOWS_1252, MACINTOSH];

/// The characters of the bytes from 0x80 in code pages of a Windows console that UTF-8 is mistaken for: 437 and 850.
const CONSOLE_PAGES: [&str; 2] = [
    "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}",
    "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}",
];

/// Most times that one text can have been decoded wrongly.
const TIMES: usize = 3;

/// Longest text that is examined, in bytes. No name is longer.
const LONGEST: usize = 1024;

/// Longest HTML entity, in bytes, including `&` and `;`.
const LONGEST_ENTITY: usize = 10;

/// HTML's names of letters and marks that occur in people's names. The entity of a capital letter begins with a
/// capital.
const ENTITIES: [(&str, char); 40] = [
    ("amp", '&'),
    ("apos", '\''),
    ("quot", '"'),
    ("lt", '<'),
    ("gt", '>'),
    ("nbsp", ' '),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("szlig", 'ß'),
    ("aring", 'å'),
    ("Aring", 'Å'),
    ("aelig", 'æ'),
    ("AElig", 'Æ'),
    ("oslash", 'ø'),
    ("Oslash", 'Ø'),
    ("ccedil", 'ç'),
    ("Ccedil", 'Ç'),
    ("eth", 'ð'),
    ("ETH", 'Ð'),
    ("thorn", 'þ'),
    ("THORN", 'Þ'),
    ("oelig", 'œ'),
    ("OElig", 'Œ'),
    ("scaron", 'š'),
    ("Scaron", 'Š'),
    ("zcaron", 'ž'),
    ("Zcaron", 'Ž'),
    ("ccaron", 'č'),
    ("Ccaron", 'Č'),
    ("cacute", 'ć'),
    ("Cacute", 'Ć'),
    ("lstrok", 'ł'),
    ("Lstrok", 'Ł'),
    ("yuml", 'ÿ'),
    ("ecaron", 'ě'),
    ("rcaron", 'ř'),
    ("nacute", 'ń'),
    ("sacute", 'ś'),
];

/// Endings in HTML's names of letters with a mark, and the combining mark for each.
const MARKS: [(&str, char); 5] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circ", '\u{302}'),
    ("uml", '\u{308}'),
    ("tilde", '\u{303}'),
];

/// Returns `true` if the text may be garbled: it may have an HTML entity or an escape, or it has an `Ã` or two
/// characters in a row that are not ASCII. Every letter of UTF-8 that was decoded wrongly becomes one of the latter
/// two. Most texts cost one scan of every byte, which is quicker than to stop at the first match.
pub(super) fn may_be_garbled(text: &str) -> bool {
    let (has_entity, has_letter) = (text.bytes()).fold((false, false), |(entity, letter), byte| {
        (
            entity | matches!(byte, b'&' | b'%' | b'\\'),
            letter | matches!(byte, 0x80..),
        )
    });
    let may_be_decoded_wrongly = || {
        let mut pairs = text.as_bytes().windows(2);
        // A combining mark may turn the letter before it into `Ã`.
        pairs.any(|pair| matches!(pair, [0x80..=0xBF, 0xC0..=0xFF] | [0xC3, 0x83] | [0xCC, _]))
    };
    has_entity || (has_letter && may_be_decoded_wrongly())
}

/// U+FFFD, which replaces a letter that was lost, as programs read it in the charsets that UTF-8 is mistaken for.
const LOST: [&str; 6] = ["ï¿½", "Ï¿½", "ÔøΩ", "∩┐╜", "´┐¢", "ďż˝"];

/// Returns `true` if a letter of the text was lost before a program decoded the text wrongly, or wrote it with HTML
/// entities.
pub(super) fn has_lost_letter(value: &str) -> bool {
    let is_lost = |text: &str| LOST.iter().any(|lost| text.contains(lost));
    let is_entity = |text: String| text.contains('\u{FFFD}') || is_lost(&text);
    is_lost(value) || without_entities(value).is_some_and(is_entity)
}

/// Returns the original text, or `None` if `value` is not garbled. `value` must still have its no-break spaces and
/// soft hyphens: they are bytes of letters, such as of `í`.
pub(super) fn repaired(value: &str) -> Option<String> {
    if value.len() > LONGEST {
        return None;
    }
    let mut text = Cow::Borrowed(value);
    for _ in 0..TIMES {
        let before = without_entities(&text).or_else(|| without_escapes(&text));
        let Some(before) = before.or_else(|| decoded_rightly(&text)) else {
            break;
        };
        text = Cow::Owned(before);
    }
    let Cow::Owned(text) = text else {
        return None;
    };
    let text = normalise(&text).ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// Repairs text as `repaired` does, after U+FFFD replaced its only control character, `control`. Some charsets have
/// no character for a byte of `Á`, `Í` and `Ý`.
pub(super) fn repaired_control(quoted: &str, control: char) -> Option<String> {
    let is_high = matches!(control, '\u{80}'..='\u{9F}');
    let (before, after) = quoted.split_once('\u{FFFD}').filter(|_| is_high)?;
    let is_alone = !after.contains('\u{FFFD}');
    repaired(&format!("{before}{control}{after}")).filter(|_| is_alone)
}

/// Returns `value` with the bytes that programs drop after `Ã`: the second byte of `à` is a no-break space, the
/// second byte of `í` a soft hyphen. A real `Ã` stands among capital letters, or begins a name.
fn with_lost_bytes(value: &str) -> Cow<'_, str> {
    if !value.contains('\u{C3}') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() + 2);
    let mut rest = value.chars();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        text.push(c);
        if c == '\u{C3}' && before.is_lowercase() {
            text.extend(lost_byte(rest.as_str()));
        }
        before = c;
    }
    Cow::Owned(text)
}

/// Returns the character that was lost between `Ã` and the text after it.
fn lost_byte(behind: &str) -> Option<char> {
    let mut behind = behind.chars();
    match (behind.next(), behind.next()) {
        (None, _) => Some('\u{A0}'),
        (Some(' '), Some(next)) if next.is_uppercase() => Some('\u{A0}'),
        // A program that writes JOÃO as "JoÃo" has changed the case of ASCII letters only.
        (Some('o' | 'e'), _) => None,
        (Some(next), _) if next.is_ascii_lowercase() => Some('\u{AD}'),
        _ => None,
    }
}

/// Returns the text that the bytes of `value` spell as UTF-8. The bytes are taken in a charset that UTF-8 is
/// mistaken for.
fn decoded_rightly(value: &str) -> Option<String> {
    if value.is_ascii() {
        return None;
    }
    let value = &*with_lost_bytes(value);
    let latin_1: Option<Vec<u8>> = value
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    let mistaken = MISTAKEN
        .into_iter()
        .filter_map(|charset| bytes_in(value, charset));
    let console = CONSOLE_PAGES
        .into_iter()
        .filter(|_| may_be_of_console(value))
        .filter_map(|page| bytes_in_page(value, page));
    // Without a small letter, Romanian names such as PĂŞCANU could be meant.
    let eastern = value
        .contains(char::is_lowercase)
        .then(|| bytes_in(value, WINDOWS_1250))
        .flatten();
    mistaken
        .chain(latin_1)
        .chain(console)
        .chain(eastern)
        .find_map(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            is_name(&text).then_some(text)
        })
}

/// Returns the bytes of `value` in `charset`. Control characters stand for bytes without a character in the
/// charset, as in browsers.
fn bytes_in(value: &str, charset: &'static Encoding) -> Option<Vec<u8>> {
    let mut buffer = [0; 4];
    let byte = |c: char| {
        let (encoded, _, is_lossy) = charset.encode(c.encode_utf8(&mut buffer));
        match (encoded.as_ref(), is_lossy) {
            ([byte], false) => Some(*byte),
            _ => u8::try_from(u32::from(c))
                .ok()
                .filter(|byte| matches!(byte, 0x80..=0x9F)),
        }
    };
    value.chars().map(byte).collect()
}

/// Returns `true` if `value` may be UTF-8 that was read in a console's code page. It then has, for each letter with an
/// accent, a character that programs draw boxes with, or it has the beginning of a typographic mark. No name has
/// either.
fn may_be_of_console(value: &str) -> bool {
    value.contains(|c| matches!(c, '\u{2500}'..='\u{259F}'))
        || value.contains("\u{393}\u{C7}")
        || value.contains("\u{D4}\u{C7}")
}

/// Returns the bytes of `value` in one of [`CONSOLE_PAGES`].
fn bytes_in_page(value: &str, page: &str) -> Option<Vec<u8>> {
    let byte = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => Some(byte),
        _ => {
            let place = page.chars().position(|known| known == c)?;
            u8::try_from(place + 0x80).ok()
        }
    };
    value.chars().map(byte).collect()
}

/// Returns `true` if the text can be a name: all of it is Latin, or all of it is another script. Bytes that are
/// UTF-8 by chance give something else: `RÓŻYCKI` would have one Cyrillic letter.
fn is_name(text: &str) -> bool {
    let is_latin = |c: char| c.is_ascii() || matches!(c, '\u{80}'..='\u{17F}') || is_mark(c);
    if text.chars().all(is_latin) {
        return !text.is_ascii();
    }
    let letters = text.chars().filter(|c| c.is_alphabetic());
    letters.clone().count() > 1
        && letters.clone().all(|c| !is_latin(c))
        && text.chars().all(is_of_names)
}

/// Returns `true` for marks that word processors put into names.
const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{192}' | '\u{2C6}' | '\u{2DC}' | '\u{2010}'..='\u{2026}' | '\u{2030}' | '\u{2039}' | '\u{203A}'
            | '\u{20AC}' | '\u{2122}' | '\u{300}'..='\u{36F}'
    )
}

fn is_of_names(c: char) -> bool {
    c.is_alphanumeric() || c.is_ascii_graphic() || c.is_whitespace() || is_mark(c)
}

/// Returns the text with its HTML entities decoded, or `None` if it has none.
pub(super) fn without_entities(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let (mut rest, mut found) = (value, false);
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (read, length) = entity(from).unwrap_or_default();
        found |= length > 0;
        // A mark that begins no entity stays as it is.
        text.push_str(if length > 0 { &read } else { "&" });
        rest = &from[length.max(1)..];
    }
    text.push_str(rest);
    found.then_some(text)
}

/// Returns the text without the escapes of links and scripts, or `None` if it has none.
fn without_escapes(value: &str) -> Option<String> {
    let linked = percent_decode_str(value).decode_utf8().ok()?;
    let mut text = String::with_capacity(linked.len());
    let mut rest = &*linked;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (c, length) = escaped(&from[1..]).unwrap_or(('\\', 0));
        text.push(c);
        rest = &from[1 + length..];
    }
    text.push_str(rest);
    (text != value).then_some(text)
}

/// Returns the character that is escaped by a backslash before `text`, and the length of its escape. Usernames have
/// backslashes too, behind a domain, so this is only a quotation mark, or a letter of a name by its number.
fn escaped(text: &str) -> Option<(char, usize)> {
    if let Some(mark) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        return Some((mark, 1));
    }
    let digits = text.strip_prefix('u')?.get(..4)?;
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    let is_of_names = matches!(c, '\'' | '\u{C0}'..='\u{17F}') || is_mark(c);
    is_of_names.then_some((c, 5))
}

/// Returns the text that the entity at the beginning of `text` stands for, and the entity's length.
fn entity(text: &str) -> Option<(String, usize)> {
    let end = text
        .bytes()
        .take(LONGEST_ENTITY)
        .position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(
                || number.parse().ok(),
                |hex| u32::from_str_radix(hex, 16).ok(),
            )?;
            let c = char::from_u32(code).filter(|c| !c.is_control())?;
            c.to_string()
        }
        None => named(name)?,
    };
    Some((c, end + 1))
}

fn named(name: &str) -> Option<String> {
    if let Some((_, c)) = ENTITIES.iter().find(|(known, _)| *known == name) {
        return Some(c.to_string());
    }
    let (letter, rest) = name
        .split_at_checked(1)
        .filter(|(letter, _)| letter.is_ascii())?;
    let is_letter = letter.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (_, mark) = MARKS.iter().find(|(known, _)| *known == rest)?;
    is_letter.then(|| format!("{letter}{mark}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::windows("Mu\u{C3}\u{B1}oz", "Mu\u{F1}oz")]
    #[case::an_apostrophe("O\u{E2}\u{20AC}\u{2122}Brien", "O\u{2019}Brien")]
    #[case::tomas("Tom\u{C3}\u{A1}s", "Tom\u{E1}s")]
    #[case::capital_with_a_hole("\u{C3}\u{81}lvaro", "\u{C1}lvaro")]
    #[case::polish("\u{141}ukasz \u{C5}\u{81}", "")]
    #[case::czech("Dvo\u{C5}\u{2122}\u{C3}\u{A1}k", "Dvo\u{159}\u{E1}k")]
    #[case::latin_1("Fran\u{C3}\u{A7}ois", "Fran\u{E7}ois")]
    #[case::sharp_s("Gro\u{C3}\u{178}", "Gro\u{DF}")]
    #[case::twice("Mu\u{C3}\u{192}\u{C2}\u{B1}oz", "Mu\u{F1}oz")]
    #[case::mac_roman("Mu\u{221A}\u{B1}oz", "Mu\u{F1}oz")]
    #[case::mac_roman_umlaut("J\u{221A}\u{2202}rg", "J\u{F6}rg")]
    #[case::a_soft_hyphen("Garc\u{C3}\u{AD}a", "Garc\u{ED}a")]
    #[case::a_no_break_space("Nicol\u{C3}\u{A0} Rossi", "Nicol\u{E0} Rossi")]
    #[case::a_space_that_was_trimmed("Nicol\u{C3}", "Nicol\u{E0}")]
    #[case::a_space_that_was_made_plain("Nicol\u{C3} Rossi", "Nicol\u{E0} Rossi")]
    #[case::a_soft_hyphen_that_was_removed("Garc\u{C3}a", "Garc\u{ED}a")]
    #[case::one_of_two_was_removed("Garc\u{C3}a Mu\u{C3}\u{B1}oz", "Garc\u{ED}a Mu\u{F1}oz")]
    #[case::trimmed_beside_another("Jos\u{C3}\u{A9} Nicol\u{C3}", "Jos\u{E9} Nicol\u{E0}")]
    #[case::console("Mu\u{251C}\u{2592}oz", "Mu\u{F1}oz")]
    #[case::console_capital("\u{251C}\u{FC}lvaro", "\u{C1}lvaro")]
    #[case::console_umlaut("M\u{251C}\u{255D}ller", "M\u{FC}ller")]
    #[case::console_soft_hyphen("Garc\u{251C}\u{A1}a", "Garc\u{ED}a")]
    #[case::console_polish("\u{253C}\u{FC}ukasz", "\u{141}ukasz")]
    #[case::console_apostrophe("O\u{393}\u{C7}\u{D6}Brien", "O\u{2019}Brien")]
    #[case::console_850_apostrophe("O\u{D4}\u{C7}\u{D6}Brien", "O\u{2019}Brien")]
    #[case::eastern("Mu\u{102}\u{B1}oz", "Mu\u{F1}oz")]
    #[case::eastern_umlaut("M\u{102}\u{13D}ller", "M\u{FC}ller")]
    #[case::eastern_acute("Ren\u{102}\u{A9}", "Ren\u{E9}")]
    #[case::eastern_czech("Dvo\u{139}\u{2122}\u{102}\u{2C7}k", "Dvo\u{159}\u{E1}k")]
    #[case::eastern_soft_hyphen("Garc\u{102}\u{AD}a", "Garc\u{ED}a")]
    #[case::cyrillic(
        "\u{D0}\u{98}\u{D0}\u{B2}\u{D0}\u{B0}\u{D0}\u{BD}",
        "\u{418}\u{432}\u{430}\u{43D}"
    )]
    fn text_that_was_decoded_twice_is_repaired(#[case] value: &str, #[case] before: &str) {
        let expected = (!before.is_empty()).then(|| before.to_owned());
        assert_eq!(repaired(value), expected, "{value}");
        assert!(expected.is_none() || may_be_garbled(value), "{value}");
    }

    #[rstest]
    #[case("Mu\u{EF}\u{BF}\u{BD}oz", true)]
    #[case("MU\u{CF}\u{BF}\u{BD}OZ", true)]
    #[case("Mu\u{D4}\u{F8}\u{3A9}oz", true)]
    #[case("Mu\u{2229}\u{2510}\u{255C}oz", true)]
    #[case("Mu\u{10F}\u{17C}\u{2DD}oz", true)]
    #[case("Mu&#65533;oz", true)]
    #[case("Mu&#xFFFD;oz", true)]
    #[case("Mu\u{F1}oz", false)]
    #[case("\u{BF}Qu\u{E9}?", false)]
    #[case("Na\u{EF}ve", false)]
    fn a_lost_letter_is_seen_in_garbled_text(#[case] value: &str, #[case] is_lost: bool) {
        assert_eq!(has_lost_letter(value), is_lost, "{value}");
        assert!(!is_lost || may_be_garbled(value), "{value}");
    }

    #[test]
    fn a_lost_letter_is_known_in_each_charset_that_is_mistaken() {
        for charset in [WINDOWS_1252, MACINTOSH, WINDOWS_1250] {
            let (read, _) = charset.decode_without_bom_handling("\u{FFFD}".as_bytes());
            assert!(has_lost_letter(&read), "{read}");
        }
    }

    #[rstest]
    #[case("\u{C3}\u{FFFD}lvaro", '\u{81}', Some("\u{C1}lvaro"))]
    #[case("\u{C3}\u{FFFD}ris", '\u{8D}', Some("\u{CD}ris"))]
    #[case("\u{C3}\u{FFFD}r", '\u{9D}', Some("\u{DD}r"))]
    #[case("A\u{FFFD}b", '\u{81}', None)]
    #[case("\u{C3}\u{FFFD}lvaro", '\u{7}', None)]
    #[case("\u{C3}\u{FFFD}l\u{C3}\u{FFFD}", '\u{81}', None)]
    fn a_control_character_may_be_a_byte_of_a_letter(
        #[case] quoted: &str,
        #[case] control: char,
        #[case] before: Option<&str>,
    ) {
        assert_eq!(repaired_control(quoted, control).as_deref(), before);
    }

    #[rstest]
    #[case("O&#039;Brien", "O'Brien")]
    #[case("O&#39;Brien", "O'Brien")]
    #[case("O&#x27;Brien", "O'Brien")]
    #[case("O&apos;Brien", "O'Brien")]
    #[case("O&rsquo;Brien", "O\u{2019}Brien")]
    #[case("Ren&eacute;e", "Ren\u{E9}e")]
    #[case("Mu&ntilde;oz", "Mu\u{F1}oz")]
    #[case("M&uuml;ller", "M\u{FC}ller")]
    #[case("&Aring;se", "\u{C5}se")]
    #[case("Smith &amp; Sons", "Smith & Sons")]
    #[case("O&amp;#039;Brien", "O'Brien")]
    #[case("Dana&nbsp;Lee", "Dana Lee")]
    #[case("O\\'Brien", "O'Brien")]
    #[case("O\\u0027Brien", "O'Brien")]
    #[case("O\\u2019Brien", "O\u{2019}Brien")]
    #[case("Mu\\u00f1oz", "Mu\u{F1}oz")]
    #[case("O%27Brien", "O'Brien")]
    #[case("Mu%C3%B1oz", "Mu\u{F1}oz")]
    fn html_entities_and_escapes_are_read(#[case] value: &str, #[case] before: &str) {
        assert_eq!(repaired(value).as_deref(), Some(before));
        assert!(may_be_garbled(value));
    }

    #[rstest]
    #[case::unknown(&["Ana Mar\u{C3} a", "\u{C3}ngela", "\u{C3}s", "Jo\u{C3}o", "Guimar\u{C3}es"])]
    #[case::portuguese(&["JO\u{C3}O", "S\u{E3}o", "CONCEI\u{C7}\u{C3}O", "GUIMAR\u{C3}ES", "ASSUN\u{C7}\u{C3}O", "IRM\u{C3} DULCE", "\u{C2}ngela", "\u{C3}"])]
    #[case::others(&["Mu\u{F1}oz", "M\u{FC}ller", "Ren\u{E9}e", "Bj\u{F6}rn", "\u{C5}se", "\u{D0}or\u{F0}e", "Na\u{EF}m", "No\u{EB}l", "D\u{2019}Angelo", "D\u{2019}\u{C9}vreux", "R\u{D3}\u{17B}YCKI"])]
    #[case::scripts(&["\u{418}\u{432}\u{430}\u{43D}", "\u{393}\u{3B9}\u{3CE}\u{3C1}\u{3B3}\u{3BF}\u{3C2}", "\u{7530}\u{4E2D}", "\u{645}\u{62D}\u{645}\u{62F}"])]
    #[case::eastern(&["P\u{102}\u{15E}CANU", "P\u{103}\u{15F}canu", "\u{15E}tef\u{103}nescu", "\u{141}\u{F3}d\u{17A}", "S\u{142}awomir \u{15A}wi\u{119}\u{107}", "\u{10C}ern\u{FD}", "Kov\u{E1}\u{10D}", "\u{10E}uri\u{161}", "\u{11E}\u{FC}ler", "Gy\u{151}z\u{151}", "B\u{E2}rl\u{103}deanu", "\u{13D}ubom\u{ED}r"])]
    #[case::vietnamese(&["Nguy\u{1EC5}n", "Tr\u{1EA7}n \u{110}\u{1EE9}c"])]
    #[case::marks(&["R&D", "AT&T", "Smith & Sons", "A&B;", "&", "&;", "&#;", "&#0;", "&unknown;", "Fish &chips; more"])]
    #[case::escapes(&["PD\\nina", "PD\\u1234", "PD\\ubner", "PD\\", "100%", "5%F1", "%"])]
    #[case::plain(&["O'Brien", "Whitlock, Jr.", ""])]
    fn true_names_are_left_alone(#[case] values: &[&str]) {
        for value in values {
            assert_eq!(repaired(value), None, "{value}");
        }
    }
}
