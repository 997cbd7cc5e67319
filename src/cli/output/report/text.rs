//! Text that is safe and pleasant to read on a terminal.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::proto::{DeactivatedUser, Timestamp};

/// The name of a deactivated user: the external ID and email, or our own ID for callers who may not see
/// them.
#[must_use]
pub(crate) fn deactivated_name(user: &DeactivatedUser) -> String {
    match user.external_id.is_empty() {
        true => printable(&user.user_id).into_owned(),
        false => format!(
            "{}  {}",
            printable(&user.external_id),
            printable(&user.email)
        ),
    }
}

/// `text` with every character that could steer a terminal or reorder a line made visible, as
/// `\u{1b}`. A roster may come from anybody.
#[must_use]
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and those that override the direction of text (semantics §2, Values).
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A time to the second; empty if the server sends an invalid time.
#[must_use]
pub(crate) fn time_text(timestamp: &Timestamp) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(timestamp.seconds) else {
        return String::new();
    };
    let (hour, minute, second) = at.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}", at.date())
}

/// A time to the minute; empty if there is no time, or the server sends an invalid one.
#[must_use]
pub(crate) fn minute_text(timestamp: Option<&Timestamp>) -> String {
    let text = timestamp.map(time_text).unwrap_or_default();
    text.rsplit_once(':')
        .map_or_else(String::new, |(minute, _)| minute.to_owned())
}

/// A time for programs, RFC 3339 in UTC; empty if there is no time.
#[must_use]
pub(crate) fn rfc3339(timestamp: Option<&Timestamp>) -> String {
    timestamp.and_then(Timestamp::rfc3339).unwrap_or_default()
}

/// A principal in few words: a token by its name, without the ID.
#[must_use]
pub(crate) fn principal_text(principal: &str) -> String {
    let token = principal.strip_prefix("token ");
    let name = token.and_then(|token| token.split_once(" (")?.1.strip_suffix(')'));
    name.map_or_else(|| principal.to_owned(), |name| format!("token {name}"))
}

/// The name of an enum's value without the enum's prefix.
#[must_use]
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_owned()
}

/// `1234567` as `1,234,567`.
#[must_use]
pub(super) fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a count with its noun: `1 row`, `2,000 rows`.
#[must_use]
pub(crate) fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Milliseconds between two times, or `None` if one is unknown or they are in the wrong order.
#[must_use]
pub(super) fn millis_between(start: Option<&Timestamp>, end: Option<&Timestamp>) -> Option<u64> {
    let (start, end) = (start?, end?);
    let millis = i64::from((end.nanos - start.nanos) / 1_000_000);
    u64::try_from((end.seconds - start.seconds) * 1000 + millis).ok()
}

/// `7 ms`, `1.5 s`.
#[must_use]
pub(super) fn duration(millis: u64) -> String {
    match millis {
        ..1000 => format!("{millis} ms"),
        _ => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_are_made_visible() {
        assert_eq!(printable("Muñoz 李"), "Muñoz 李");
        assert_eq!(printable("a\u{1b}[31m\r\n"), r"a\u{1b}[31m\u{d}\u{a}");
        assert_eq!(printable("\u{202e}cba\u{9b}"), r"\u{202e}cba\u{9b}");
    }

    #[test]
    fn a_token_is_known_by_its_name() {
        for (principal, text) in [
            (
                "token 018f4e9e-5c7b-7000-8000-000000000001 (nightly (CAD))",
                "token nightly (CAD)",
            ),
            ("certificate dns:cad.example", "certificate dns:cad.example"),
            ("local", "local"),
            ("token x", "token x"),
        ] {
            assert_eq!(principal_text(principal), text);
        }
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [
            (0_u64, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(count(1_u64, "row"), "1 row");
        assert_eq!(count(0_u64, "row"), "0 rows");
    }
}
