//! Finds the address in a cell that holds more than an address (semantics §2, Emails). Used only to word the
//! message about a faulty email.

use icu_normalizer::ComposingNormalizerBorrowed as Normalizer;

use super::garbled::without_entities;
use super::{Email, email_key};

/// The probable meaning of a faulty email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MeantEmail {
    /// This address.
    Address(String),
    /// One of several addresses.
    Several,
    /// No address can be identified.
    Unknown,
}

/// Returns the only address that `value` holds, such as the one in `mailto:ada@pd.example` or
/// `Ada <ada@pd.example>`.
#[must_use]
pub(crate) fn address_meant(value: &str) -> Option<String> {
    match meant(value) {
        MeantEmail::Address(address) => Some(address),
        MeantEmail::Several | MeantEmail::Unknown => None,
    }
}

/// Looks for an address in `value`, which is not an address itself.
pub(super) fn meant(value: &str) -> MeantEmail {
    let plain = plain(value);
    let mut found: Vec<String> = Vec::new();
    let mut is_whole = false;
    for word in plain.split(is_between) {
        let Some(address) = address_in(word) else {
            continue;
        };
        is_whole |= is_apart(&plain, word);
        let is_same = |known: &String| email_key(known) == email_key(&address);
        if !found.iter().any(is_same) {
            found.push(address);
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(address), true) if is_whole => MeantEmail::Address(address),
        // In `ada lovelace@pd.example` the blank may be a slip, and `lovelace@pd.example` another person.
        (Some(_), true) => MeantEmail::Unknown,
        (Some(_), false) => MeantEmail::Several,
        (None, _) => repaired(&plain).map_or(MeantEmail::Unknown, MeantEmail::Address),
    }
}

/// Returns `true` if the text before `word`, a part of `text`, does not belong to the address: no letter or digit stands
/// between `word` and the last bracket, quotation mark or colon before it.
fn is_apart(text: &str, word: &str) -> bool {
    let start = word.as_ptr().addr() - text.as_ptr().addr();
    let is_edge = |c: char| matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | ':');
    let before = text[..start].rsplit(is_edge).next().unwrap_or_default();
    let is_quoted = word.starts_with('\'') && word.ends_with('\'');
    is_quoted || word.contains(':') || !before.contains(char::is_alphanumeric)
}

/// Returns `true` for a typographic apostrophe or quotation mark. People type it in place of another character, and
/// no address contains it.
pub(super) const fn is_typographic(c: char) -> bool {
    matches!(
        c,
        '\u{2018}'
            ..='\u{201F}'
                | '\u{B4}'
                | '\u{2BC}'
                | '\u{2032}'
                | '\u{2033}'
                | '\u{AB}'
                | '\u{BB}'
                | '\u{2039}'
                | '\u{203A}'
    )
}

/// Returns `value` with ordinary marks, letters and digits.
fn plain(value: &str) -> String {
    let ordinary = |c: char| match c {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{B4}' | '\u{2BC}' | '\u{2032}' => '\'',
        c if is_typographic(c) => '"',
        c => c,
    };
    let value: String = value.chars().map(ordinary).collect();
    let value = without_entities(&value).unwrap_or(value);
    let value = decoded(&value);
    match value.chars().any(is_full_width) {
        true => Normalizer::new_nfkc().normalize(&value).into_owned(),
        false => value,
    }
}

/// Returns `value` with the marks that a link has in place of others, and with blanks around the parts of a link as
/// Access writes it: `ada@pd.example#mailto:ada@pd.example#`.
fn decoded(value: &str) -> String {
    let value = match value.contains('@') {
        true => value.to_owned(),
        false => value.replace("%40", "@").replace("%20", " "),
    };
    match value.to_ascii_lowercase().contains("#mailto:") {
        true => value.replace('#', " "),
        false => value,
    }
}

const fn is_full_width(c: char) -> bool {
    matches!(c, '\u{FF01}'..='\u{FF5E}' | '\u{FE6B}')
}

/// Returns `true` for a character that separates an address from the text around it.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '|' | '"' | '='
        )
}

/// Returns the address if `word` consists of it, with or without a scheme and marks around it.
fn address_in(word: &str) -> Option<String> {
    let mut word = word;
    for scheme in [
        "http:", "https:", "mailto:", "smtp:", "email:", "e-mail:", "mail:", "sip:",
    ] {
        match word.get(..scheme.len()) {
            Some(start) if start.eq_ignore_ascii_case(scheme) => word = &word[scheme.len()..],
            _ => {}
        }
    }
    let word = word.split('?').next()?;
    let word = word
        .trim_matches(|c: char| matches!(c, '.' | ':' | '\'' | '`' | '*' | '!' | '/' | '\\' | '_'));
    Email::parse(word)
        .ok()
        .map(|email| email.as_str().to_owned())
}

/// Returns the address that results when one typing error is corrected.
fn repaired(value: &str) -> Option<String> {
    let compact: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = value.to_lowercase();
    let local = lower.split('@').next().unwrap_or_default();
    let local = local.split(" at ").next().unwrap_or_default().trim();
    if local.contains(char::is_whitespace) {
        return None;
    }
    let slips = [
        compact.clone(),
        compact.replace("@@", "@"),
        compact.replace("..", "."),
        compact.replace(',', "."),
        compact.replace(".@", "@").replace("@.", "@"),
        lower
            .replace(" at ", "@")
            .replace(" dot ", ".")
            .replace(' ', ""),
        lower
            .replace("(at)", "@")
            .replace("[at]", "@")
            .replace("(dot)", ".")
            .replace("[dot]", "."),
        compact.replace(['<', '>', '"', ';'], ""),
    ];
    slips.iter().find_map(|slip| address_in(slip))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_dot("dana@harbor.example.", "dana@harbor.example")]
    #[case::a_semicolon("dana@harbor.example;", "dana@harbor.example")]
    #[case::a_comma("dana@harbor.example,", "dana@harbor.example")]
    #[case::a_scheme("mailto:dana@harbor.example", "dana@harbor.example")]
    #[case::a_link("http://dana@harbor.example", "dana@harbor.example")]
    #[case::a_scheme_in_capitals("MAILTO:dana@harbor.example?subject=Hi", "dana@harbor.example")]
    #[case::exchange("smtp:dana@harbor.example", "dana@harbor.example")]
    #[case::outlook("Whitlock, Dana <dana@harbor.example>", "dana@harbor.example")]
    #[case::brackets_alone("<jonas@harbor.example>", "jonas@harbor.example")]
    #[case::in_parentheses("Whitlock, Dana (dana@harbor.example)", "dana@harbor.example")]
    #[case::before_the_name("dana@harbor.example (Dana Whitlock)", "dana@harbor.example")]
    #[case::in_quotes("\"dana@harbor.example\"", "dana@harbor.example")]
    #[case::in_apostrophes("'dana@harbor.example'", "dana@harbor.example")]
    #[case::in_typographic_quotes("\u{201C}dana@harbor.example\u{201D}", "dana@harbor.example")]
    #[case::an_apostrophe("o\u{2019}brien2@harbor.example", "o'brien2@harbor.example")]
    #[case::an_acute("o\u{B4}brien2@harbor.example", "o'brien2@harbor.example")]
    #[case::a_blank("ruth @harbor.example", "ruth@harbor.example")]
    #[case::two_at_signs("tomas@@harbor.example", "tomas@harbor.example")]
    #[case::a_comma_for_a_dot("aoife@harbor,example", "aoife@harbor.example")]
    #[case::a_dot_before(".lee@harbor.example", "lee@harbor.example")]
    #[case::two_dots("lee..x@harbor.example", "lee.x@harbor.example")]
    #[case::full_width(
        "\u{FF2E}\u{FF21}\u{FF2E}\u{FF21}\u{FF20}harbor.example",
        "NANA@harbor.example"
    )]
    #[case::html(
        "<a href=\"mailto:z@harbor.example\">z@harbor.example</a>",
        "z@harbor.example"
    )]
    #[case::twice("dana@harbor.example; DANA@harbor.example", "dana@harbor.example")]
    #[case::spelled("dana at harbor dot example", "dana@harbor.example")]
    #[case::spelled_in_brackets("dana(at)harbor.example", "dana@harbor.example")]
    #[case::a_trailing_slash("dana@harbor.example/", "dana@harbor.example")]
    #[case::behind_a_label("E-mail of Dana: dana@harbor.example", "dana@harbor.example")]
    #[case::a_quoted_name("\"Dana Whitlock\" dana@harbor.example", "dana@harbor.example")]
    #[case::in_apostrophes_behind_a_name("Dana 'dana@harbor.example'", "dana@harbor.example")]
    #[case::of_a_link("dana%40harbor.example", "dana@harbor.example")]
    #[case::a_link_with_its_scheme("mailto:dana%40harbor.example", "dana@harbor.example")]
    #[case::a_blank_of_html("&nbsp;dana@harbor.example", "dana@harbor.example")]
    #[case::brackets_of_html("Dana &lt;dana@harbor.example&gt;", "dana@harbor.example")]
    #[case::access(
        "dana@harbor.example#mailto:dana@harbor.example#",
        "dana@harbor.example"
    )]
    #[case::access_with_a_name("Dana Whitlock#mailto:dana@harbor.example#", "dana@harbor.example")]
    #[case::access_capitals(
        "Dana@harbor.example#MAILTO:Dana@harbor.example#",
        "Dana@harbor.example"
    )]
    fn the_address_is_found(#[case] value: &str, #[case] address: &str) {
        assert!(Email::parse(value).is_err(), "{value}");
        // If two addresses differ only in case, either may be meant.
        let MeantEmail::Address(found) = meant(value) else {
            panic!("{value}: {:?}", meant(value));
        };
        assert_eq!(found, address);
    }

    #[rstest]
    #[case("dana@harbor.example; luis@harbor.example")]
    #[case("a@harbor.example b@harbor.example")]
    #[case("dana@harbor.example/luis@harbor.example, mei@harbor.example, x@y.example")]
    fn of_several_addresses_none_is_suggested(#[case] value: &str) {
        assert_eq!(meant(value), MeantEmail::Several);
    }

    #[rstest]
    #[case("none")]
    #[case("sam@harbor")]
    #[case("pat@[192.0.2.1]")]
    #[case("kim@harbor_pd.example")]
    #[case("Dana Whitlock")]
    #[case("@harbor.example")]
    #[case("@")]
    #[case::a_blank_for_a_dot("samuel okoro@harbor.example")]
    #[case::a_blank_behind_a_dot("samuel. okoro@harbor.example")]
    #[case::a_comma_for_a_dot("samuel,okoro@harbor.example")]
    #[case::a_no_break_space("samuel\u{A0}okoro@harbor.example")]
    #[case::two_blanks("samuel okoro @harbor.example")]
    #[case::spelled("samuel okoro at harbor dot example")]
    #[case::a_name("Samuel Okoro - okoro@harbor.example")]
    fn nothing_is_made_up(#[case] value: &str) {
        assert_eq!(meant(value), MeantEmail::Unknown);
    }
}
