//! Turns the values of cells into texts: numbers into their digits, and days and times into ISO 8601 (semantics §10).

use std::fmt::Write;

use time::{Date, Month};

/// Digits that spreadsheet programs keep of a number.
const SIGNIFICANT: usize = 15;

/// The number of the day after the last one that a spreadsheet knows, 9999-12-31.
const LAST_SERIAL: f64 = 2_958_466.0;

const MILLISECONDS_OF_DAY: f64 = 86_400_000.0;

/// How a number is shown, as far as it changes its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// By its digits.
    #[default]
    Plain,
    /// A day, a time, or both.
    Date,
    /// A span of time.
    Duration,
    /// A whole number with at least this number of digits.
    Digits(u8),
}

/// Adds the text of a number that is written as `raw` in the file.
pub(super) fn push_number(raw: &str, format: NumberFormat, is_1904: bool, text: &mut String) {
    let raw = raw.trim();
    let Some(number) = raw.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        text.push_str(raw);
        return;
    };
    match format {
        NumberFormat::Date if push_serial(number, is_1904, text) => {}
        NumberFormat::Duration if (0.0..LAST_SERIAL).contains(&number) => {
            push_duration(number, text);
        }
        NumberFormat::Digits(width) => {
            let mut digits = String::new();
            push_digits(raw, number, &mut digits);
            let missing = usize::from(width).saturating_sub(digits.len());
            if digits.bytes().all(|byte| byte.is_ascii_digit()) {
                text.extend(std::iter::repeat_n('0', missing));
            }
            text.push_str(&digits);
        }
        _ => push_digits(raw, number, text),
    }
}

/// Adds the digits of a number: no exponent, no more digits than spreadsheet programs keep, no zeros at the end of a
/// fraction.
fn push_digits(raw: &str, number: f64, text: &mut String) {
    let whole = raw.strip_prefix('-').unwrap_or(raw);
    let is_whole = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole && (!whole.starts_with('0') || raw == "0") {
        text.push_str(raw);
        return;
    }
    let rounded: f64 = format!("{number:.*e}", SIGNIFICANT - 1)
        .parse()
        .unwrap_or(number);
    // Minus zero is zero.
    let _ = write!(text, "{}", if rounded == 0.0 { 0.0 } else { rounded });
}

/// Adds a day, a time or both. Returns `false`, and adds nothing, if the number is no day that a spreadsheet knows.
fn push_serial(serial: f64, is_1904: bool, text: &mut String) -> bool {
    if !(0.0..LAST_SERIAL).contains(&serial) {
        return false;
    }
    let total = (serial * MILLISECONDS_OF_DAY / 1_000.0).round();
    let (days, seconds) = split_days(total);
    if serial >= 1.0 || is_1904 && seconds == 0 {
        // Day 60 is the 29 February that 1900 did not have.
        let before_1970 = match (is_1904, days) {
            (true, _) => 24_107,
            (false, ..60) => 25_568,
            (false, _) => 25_569,
        };
        let Ok(day) = Date::from_julian_day(2_440_588 + days - before_1970) else {
            return false;
        };
        push_day(day, text);
        if seconds == 0 {
            return true;
        }
        text.push('T');
    }
    push_clock(seconds / 3_600, seconds % 3_600, text);
    true
}

fn push_duration(days: f64, text: &mut String) {
    let (days, seconds) = split_days((days * MILLISECONDS_OF_DAY / 1_000.0).round());
    push_clock(days * 24 + seconds / 3_600, seconds % 3_600, text);
}

/// Splits seconds, of no more days than a spreadsheet knows, into days and the seconds of the last one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has checked the range"
)]
fn split_days(seconds: f64) -> (i32, i32) {
    let seconds = seconds as i64;
    ((seconds / 86_400) as i32, (seconds % 86_400) as i32)
}

fn push_day(day: Date, text: &mut String) {
    let _ = write!(
        text,
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    );
}

fn push_clock(hours: i32, seconds: i32, text: &mut String) {
    let _ = write!(text, "{hours:02}:{:02}:{:02}", seconds / 60, seconds % 60);
}

/// Adds a date as XML writes it: a day, and its time to the second unless that is midnight.
pub(super) fn push_iso_date(date: &str, text: &mut String) {
    let date = date.trim().trim_end_matches('Z');
    let is_day = |day: &str| {
        let mut parts = day.splitn(3, '-');
        let mut part = || parts.next()?.parse::<u16>().ok();
        let (year, month, day) = (part()?, part()?, part()?);
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()
    };
    let (day, clock) = date.split_once('T').unwrap_or((date, ""));
    let Some(known) = is_day(day) else {
        text.push_str(date);
        return;
    };
    push_day(known, text);
    let clock = clock.split(['.', ',']).next().unwrap_or_default();
    if !clock.is_empty() && clock != "00:00:00" {
        text.push('T');
        text.push_str(clock);
    }
}

/// Adds a span of time as XML writes it, such as `PT08H30M00S`, as hours, minutes and seconds.
pub(super) fn push_iso_duration(duration: &str, text: &mut String) {
    match parse_duration(duration.trim()) {
        Some((hours, seconds)) => push_clock(hours, seconds, text),
        None => text.push_str(duration.trim()),
    }
}

fn parse_duration(duration: &str) -> Option<(i32, i32)> {
    let (days, clock) = duration.strip_prefix('P')?.split_once('T')?;
    let days: i32 = match days {
        "" => 0,
        days => days.strip_suffix('D')?.parse().ok()?,
    };
    let (mut hours, mut seconds) = (days.checked_mul(24)?, 0);
    let mut rest = clock;
    while let Some(end) = rest.find(['H', 'M', 'S']) {
        let number = rest[..end].split(['.', ',']).next()?;
        let number: i32 = number.parse().ok().filter(|number| *number >= 0)?;
        match &rest[end..=end] {
            "H" => hours = hours.checked_add(number)?,
            "M" => seconds = number.checked_mul(60)?.checked_add(seconds)?,
            _ => seconds = number.checked_add(seconds)?,
        }
        rest = &rest[end + 1..];
    }
    (rest.is_empty() && !clock.is_empty()).then_some((hours, seconds))
}

/// Adds a text in which Excel writes characters as `_x000D_`.
pub(super) fn push_escaped(escaped: &str, text: &mut String) {
    let mut rest = escaped;
    while let Some(at) = rest.find("_x") {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(first) = unit(rest) else {
            text.push_str("_x");
            rest = &rest[2..];
            continue;
        };
        rest = &rest[7..];
        let second = unit(rest).filter(|second| (0xDC00..0xE000).contains(second));
        let units = match second {
            Some(second) if (0xD800..0xDC00).contains(&first) => {
                rest = &rest[7..];
                vec![first, second]
            }
            _ => vec![first],
        };
        text.push_str(&String::from_utf16_lossy(&units));
    }
    text.push_str(rest);
}

/// The UTF-16 unit that the text begins with, as Excel writes it.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("_x")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && text.as_bytes().get(6) == Some(&b'_'))
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(raw: &str) -> String {
        formatted(raw, NumberFormat::Plain)
    }

    fn formatted(raw: &str, format: NumberFormat) -> String {
        let mut text = String::new();
        push_number(raw, format, false, &mut text);
        text
    }

    #[test]
    fn a_number_is_its_digits() {
        for (raw, text) in [
            ("0", "0"),
            ("-0", "0"),
            ("429", "429"),
            ("15551234567", "15551234567"),
            ("1.5551234567E10", "15551234567"),
            ("15551234567.0", "15551234567"),
            ("999999999999999", "999999999999999"),
            ("12345678901234567890", "12345678901234567890"),
            ("1.5", "1.5"),
            ("-1.50", "-1.5"),
            ("0.30000000000000004", "0.3"),
            ("1E-7", "0.0000001"),
            ("1e21", "1000000000000000000000"),
            ("007", "7"),
            (" 12 ", "12"),
            ("NaN", "NaN"),
            ("x", "x"),
        ] {
            assert_eq!(number(raw), text, "{raw}");
        }
    }

    #[test]
    fn a_format_of_zeros_keeps_them() {
        for (raw, width, text) in [
            ("429", 4, "0429"),
            ("12345", 4, "12345"),
            ("4.5", 4, "4.5"),
            ("-3", 4, "-3"),
        ] {
            assert_eq!(formatted(raw, NumberFormat::Digits(width)), text);
        }
    }

    #[test]
    fn a_day_is_iso_8601() {
        for (raw, text) in [
            ("45296", "2024-01-05"),
            ("45296.354166666664", "2024-01-05T08:30:00"),
            ("0.354166666666667", "08:30:00"),
            ("0", "00:00:00"),
            ("1", "1900-01-01"),
            ("59", "1900-02-28"),
            ("61", "1900-03-01"),
            ("2958465", "9999-12-31"),
            ("2958466", "2958466"),
            ("-1", "-1"),
            ("45296.999999999", "2024-01-06"),
        ] {
            assert_eq!(formatted(raw, NumberFormat::Date), text, "{raw}");
        }
        let mut text = String::new();
        push_number("43834", NumberFormat::Date, true, &mut text);
        assert_eq!(text, "2024-01-05");
        assert_eq!(formatted("1.5", NumberFormat::Duration), "36:00:00");
    }

    #[test]
    fn the_dates_of_xml_are_cut_at_seconds() {
        let date = |date: &str| {
            let mut text = String::new();
            push_iso_date(date, &mut text);
            text
        };
        assert_eq!(date("2024-01-05"), "2024-01-05");
        assert_eq!(date("2024-01-05T00:00:00"), "2024-01-05");
        assert_eq!(date("2024-01-05T08:30:00.000000000"), "2024-01-05T08:30:00");
        assert_eq!(date("2024-01-05T08:30:00Z"), "2024-01-05T08:30:00");
        assert_eq!(date("2024-13-05"), "2024-13-05");
        let duration = |duration: &str| {
            let mut text = String::new();
            push_iso_duration(duration, &mut text);
            text
        };
        assert_eq!(duration("PT08H30M05S"), "08:30:05");
        assert_eq!(duration("P1DT1H"), "25:00:00");
        assert_eq!(duration("PT8H30M5.25S"), "08:30:05");
        assert_eq!(duration("soon"), "soon");
    }

    #[test]
    fn characters_that_excel_escapes_are_read() {
        let escaped = |escaped: &str| {
            let mut text = String::new();
            push_escaped(escaped, &mut text);
            text
        };
        assert_eq!(escaped("a_x000D_b"), "a\rb");
        assert_eq!(escaped("_x005F_x000D_"), "_x000D_");
        assert_eq!(escaped("_xD83D__xDE00_"), "😀");
        assert_eq!(escaped("_xD83D_"), "\u{FFFD}");
        assert_eq!(escaped("_x00é_, _xZZZZ_, _x"), "_x00é_, _xZZZZ_, _x");
    }
}
