//! Finds and removes export artefacts: marks that spreadsheets and scripts add to a value when they write it
//! (semantics §2, Export artefacts). Examples are `="0101"`, `'0101`, `421.0`, `1,421` and `1-Mar`. Word processors do the
//! same: they write typographic apostrophes, dashes and spaces. Sees one value. The planner decides whether the directory
//! has the value without its artefact.

use std::borrow::Cow;

use super::{is_trimmed, name_index::plain_mark, normalise, normalise::without_other_spaces};

/// Month names, in full and as spreadsheets shorten them, in lower case and sorted: Dutch, English, French, German,
/// Italian, Portuguese and Spanish.
const MONTHS: [&str; 104] = [
    "abr",
    "abril",
    "ago",
    "agosto",
    "août",
    "apr",
    "april",
    "aprile",
    "aug",
    "august",
    "augustus",
    "avr",
    "avril",
    "dec",
    "december",
    "dez",
    "dezember",
    "dezembro",
    "dic",
    "dicembre",
    "diciembre",
    "déc",
    "décembre",
    "ene",
    "enero",
    "feb",
    "febbraio",
    "febrero",
    "februar",
    "februari",
    "february",
    "fev",
    "fevereiro",
    "fév",
    "févr",
    "février",
    "gen",
    "gennaio",
    "giu",
    "giugno",
    "jan",
    "janeiro",
    "januar",
    "januari",
    "january",
    "janv",
    "janvier",
    "juil",
    "juillet",
    "juin",
    "jul",
    "julho",
    "juli",
    "julio",
    "july",
    "jun",
    "june",
    "junho",
    "juni",
    "junio",
    "jänner",
    "lug",
    "luglio",
    "maa",
    "maart",
    "mag",
    "maggio",
    "mai",
    "maio",
    "mar",
    "march",
    "mars",
    "marzo",
    "março",
    "may",
    "mayo",
    "mei",
    "mrt",
    "mrz",
    "mär",
    "märz",
    "nov",
    "november",
    "novembre",
    "novembro",
    "noviembre",
    "oct",
    "october",
    "octobre",
    "octubre",
    "okt",
    "oktober",
    "ott",
    "ottobre",
    "out",
    "outubro",
    "sep",
    "sept",
    "september",
    "septembre",
    "septiembre",
    "set",
    "setembro",
    "settembre",
];

/// Longest month name, in bytes.
const LONGEST_MONTH: usize = 12;

/// Returns the value inside a cell that is exactly `="x"`, or `None` if the cell has another form. Exporters write
/// this form so that a spreadsheet keeps leading zeros.
pub(super) fn formula_text(text: &str) -> Option<Cow<'_, str>> {
    if text
        .as_bytes()
        .first()
        .is_none_or(u8::is_ascii_alphanumeric)
    {
        return None;
    }
    let inner = text
        .trim_matches(is_trimmed)
        .strip_prefix("=\"")?
        .strip_suffix('"')?;
    if !inner.contains('"') {
        return Some(Cow::Borrowed(inner));
    }
    // A quote inside the quotes is written twice.
    let single = inner.replace("\"\"", "");
    (!single.contains('"')).then(|| Cow::Owned(inner.replace("\"\"", "\"")))
}

/// Returns the text of a cell as its checks read it: without the marks `="…"` around it, and normalised. A text with a
/// forbidden character is only trimmed.
pub(crate) fn cell_text(text: &str) -> Cow<'_, str> {
    match formula_text(text) {
        None => normalised(text),
        Some(Cow::Borrowed(inner)) => normalised(inner),
        Some(Cow::Owned(inner)) => Cow::Owned(normalised(&inner).into_owned()),
    }
}

fn normalised(text: &str) -> Cow<'_, str> {
    normalise(text).unwrap_or_else(|_| Cow::Borrowed(text.trim_matches(is_trimmed)))
}

/// Returns `true` if the value has an export artefact. For ASCII values this mostly looks at the last characters only.
#[must_use]
pub(crate) fn has_artifact(value: &str) -> bool {
    let bytes = value.as_bytes();
    let [.., before, _] = bytes else {
        return false;
    };
    // The value ends in zero, or in a group of three digits after a separator.
    let may_be_number = bytes[bytes.len() - 1].is_ascii_digit()
        && (!before.is_ascii_digit()
            || bytes[bytes.len() - 1] == b'0'
            || (bytes.len() > 4 && !bytes[bytes.len() - 4].is_ascii_alphanumeric()));
    let last = value.len() - 1;
    let may_be_decimal = bytes[last] == b'.' && before.is_ascii_digit();
    (may_be_number || may_be_decimal || is_quote(bytes[0]) || !value.is_ascii())
        && !without_artifacts(value).is_empty()
}

/// Returns `true` for a byte with which a value in quotation marks begins, or one that is marked as text or as a formula.
const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`' | b'=')
}

/// Returns the value as a keyboard writes it: full-width characters as ordinary ones, such as `421` for `４２１`, any
/// apostrophe as `'` and any dash as `-`.
pub(super) fn as_typed(value: &str) -> Cow<'_, str> {
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => plain_mark(c),
    };
    if value.is_ascii() || value.chars().all(|c| plain(c) == c) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.chars().map(plain).collect())
}

/// Returns the value of a cell without its typographic spaces, such as `0102` for `01<U+00A0>02`, or `None` if it has
/// none. `written` is the cell as it was written.
pub(super) fn without_typographic_spaces(written: &str) -> Option<String> {
    if written.is_ascii() {
        return None;
    }
    let inner = formula_text(written);
    without_other_spaces(inner.as_deref().unwrap_or(written))
}

/// Returns `true` for an apostrophe, also as word processors write it, and for a backtick.
const fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}'
    )
}

/// Returns the value without the quotation marks around it, or without the `'` or `=` in front of it.
fn without_quotes(value: &str) -> &str {
    let pairs = [
        ('"', '"'),
        ('`', '`'),
        ('\u{2018}', '\u{2019}'),
        ('\u{201C}', '\u{201D}'),
    ];
    let inside = |(open, close)| value.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = pairs.into_iter().find_map(inside) {
        return inner.trim();
    }
    match value.trim_start_matches(is_apostrophe) {
        plain if plain.len() < value.len() => plain.trim_end_matches(is_apostrophe),
        plain => plain.strip_prefix('=').map_or(plain, str::trim_start),
    }
}

/// Returns the values that this one may have been before an export, the most likely one first. They lack a leading
/// `'` or `=` or the quotation marks around the value, `.0` or `.` after digits, thousands separators, full-width characters,
/// or typographic apostrophes and dashes. Returns an empty list if the value has none of these artefacts.
#[must_use]
pub(super) fn without_artifacts(value: &str) -> Vec<String> {
    let plain = as_typed(value);
    let plain = without_quotes(&plain);
    let whole = without_decimals(plain).or_else(|| without_point(plain));
    let grouped = without_separators(whole.unwrap_or(plain));
    let mut candidates: Vec<String> = Vec::new();
    // 421.000 may be a decimal number or have a thousands separator.
    for candidate in [
        grouped,
        whole.map(str::to_owned),
        without_separators(plain),
        Some(plain.to_owned()),
    ]
    .into_iter()
    .flatten()
    {
        if candidate != value && !candidate.is_empty() && !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    candidates
}

/// Returns the phone number without the marks that a spreadsheet or a script has added, or `None` if it has none.
/// People write phone numbers with dots and blanks, so neither counts as a thousands separator here.
pub(super) fn phone_without_artifacts(value: &str) -> Option<String> {
    let plain = value.strip_prefix('\'').unwrap_or(value).trim_start();
    let whole = without_decimals(plain).filter(|whole| {
        let digits = whole.strip_prefix('+').unwrap_or(whole);
        digits.len() >= 7
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
    });
    let number = whole.unwrap_or(plain);
    let (sign, digits) = match number.strip_prefix('+') {
        Some(digits) => ("+", digits),
        None => ("", number),
    };
    let number = match digits
        .contains(',')
        .then(|| without_separators(digits))
        .flatten()
    {
        Some(digits) => format!("{sign}{digits}"),
        None => number.to_owned(),
    };
    (number != value).then_some(number)
}

/// Returns the value without `.0`, `.00` and so on after a digit.
fn without_decimals(value: &str) -> Option<&str> {
    let (whole, zeros) = value.rsplit_once(['.', ','])?;
    let is_decimal = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
    // 1,000 is one thousand, not a decimal number.
    let is_thousand = zeros.len() == 3 && value.as_bytes()[whole.len()] == b',';
    (is_decimal && !is_thousand && whole.ends_with(|c: char| c.is_ascii_digit())).then_some(whole)
}

/// Returns the value without a `.` behind its last digit.
fn without_point(value: &str) -> Option<&str> {
    let digits = value.strip_suffix('.')?;
    digits
        .ends_with(|c: char| c.is_ascii_digit())
        .then_some(digits)
}

/// Returns the value without thousands separators, if it has them and all its digits are in groups: `1,421`,
/// `1.421`, `1 421`, `1'421`, and the Indian `1,23,456`.
fn without_separators(value: &str) -> Option<String> {
    let separator = value.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, ',' | '.' | ' ' | '\'' | '\u{2019}') {
        return None;
    }
    let groups: Vec<&str> = value.split(separator).collect();
    let (first, last, middle) = (
        groups.first()?,
        groups.last()?,
        &groups[1..groups.len() - 1],
    );
    let is_group = |group: &&str| group.len() == 3 || (separator == ',' && group.len() == 2);
    let is_grouped = (1..=3).contains(&first.len())
        && last.len() == 3
        && middle.iter().all(is_group)
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    is_grouped.then(|| groups.concat())
}

/// Returns `true` if the value looks like a date, such as one that a spreadsheet makes of `1-3` or `3/1`: `1-Mar`,
/// `Jun-08`, `03/01`, `3/1/25`, `3/1/2025`, `2025-03-01`.
#[must_use]
pub(crate) fn is_date_like(value: &str) -> bool {
    let value = value
        .strip_suffix(" 00:00:00")
        .or_else(|| value.strip_suffix("T00:00:00"))
        .unwrap_or(value);
    if value.len() < 4 || value.len() > 2 * LONGEST_MONTH || !value.contains(['-', '/', '.', ' ']) {
        return false;
    }
    let parts: Vec<&str> = value
        .split(['-', '/', '.', ' ', ','])
        .filter(|part| !part.is_empty())
        .collect();
    let is_short = |part: &str| part.len() == 2 && is_number(part);
    let is_year = |part: &str| is_short(part) || is_full_year(part);
    match parts[..] {
        [a, b] if value.contains('/') && is_short(a) && is_short(b) => is_day_and_month(a, b),
        [a, b] => (is_month(a) && is_year_or_day(b)) || (is_day(a) && is_month(b)),
        [a, b, c] if is_month(b) => is_day(a) && is_year(c),
        [a, b, c] if is_month(a) => is_day(b) && is_year(c),
        [a, b, c] => {
            (is_full_year(a) && is_day(b) && is_day(c))
                || (is_day(a) && is_day(b) && is_full_year(c))
                || (value.contains('/') && is_day_and_month(a, b) && is_short(c))
        }
        _ => false,
    }
}

fn is_day(part: &str) -> bool {
    part.parse::<u32>().is_ok_and(|day| (1..=31).contains(&day)) && part.len() <= 2
}

/// Returns `true` if one part can be a day, and the other one a month.
fn is_day_and_month(a: &str, b: &str) -> bool {
    let is_number_of_month = |part: &str| part.parse::<u32>().is_ok_and(|month| month <= 12);
    is_day(a) && is_day(b) && (is_number_of_month(a) || is_number_of_month(b))
}

fn is_year_or_day(part: &str) -> bool {
    is_number(part) && (part.len() <= 2 || is_full_year(part))
}

fn is_full_year(part: &str) -> bool {
    part.len() == 4 && is_number(part) && (part.starts_with("19") || part.starts_with("20"))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_month(part: &str) -> bool {
    if part.len() < 3 || part.len() > LONGEST_MONTH || !part.chars().all(char::is_alphabetic) {
        return false;
    }
    MONTHS.binary_search(&&*part.to_lowercase()).is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=\"0101\"", Some("0101"))]
    #[case(" =\"E-1001\" ", Some("E-1001"))]
    #[case("\u{200B}=\"0101\"\u{A0}", Some("0101"))]
    #[case("=\"\"", Some(""))]
    #[case("=\"a\"\"b\"", Some("a\"b"))]
    #[case("=0101", None)]
    #[case("=\"0101", None)]
    #[case("=\"a\"&\"b\"", None)]
    #[case("\"0101\"", None)]
    #[case("0101", None)]
    #[case("", None)]
    fn a_cell_that_is_a_quoted_formula_is_its_text(#[case] cell: &str, #[case] text: Option<&str>) {
        assert_eq!(formula_text(cell).as_deref(), text);
    }

    #[rstest]
    #[case::apostrophe("'0101", &["0101"])]
    #[case::apostrophes("''0101", &["0101"])]
    #[case::in_apostrophes("'E-1001'", &["E-1001"])]
    #[case::in_quotes("\"0101\"", &["0101"])]
    #[case::in_typographic_quotes("\u{201C}0101\u{201D}", &["0101"])]
    #[case::in_backticks("`421.0`", &["421", "421.0"])]
    #[case::backtick("`0101", &["0101"])]
    #[case::formula("=0101", &["0101"])]
    #[case::float("421.0", &["421"])]
    #[case::more_zeros("1001.00", &["1001"])]
    #[case::comma_float("421,0", &["421"])]
    #[case::behind_letters("E1001.0", &["E1001"])]
    #[case::thousands("1,421", &["1421"])]
    #[case::dotted("1.421", &["1421"])]
    #[case::spaced("1 421", &["1421"])]
    #[case::swiss("1'421", &["1421"])]
    #[case::millions("12,345,678", &["12345678"])]
    #[case::indian("1,23,456", &["123456"])]
    #[case::both("1,421.0", &["1421", "1,421"])]
    #[case::a_thousand("1,000", &["1000"])]
    #[case::either("421.000", &["421", "421000"])]
    #[case::typographic_apostrophe("\u{2019}421", &["421"])]
    #[case::opening_apostrophe("\u{2018}0101", &["0101"])]
    #[case::point("421.", &["421"])]
    #[case::full_width("\u{FF14}\u{FF12}\u{FF11}", &["421"])]
    #[case::full_width_in_part("E-\u{FF11}", &["E-1"])]
    #[case::full_width_letters("\u{FF25}1001", &["E1001"])]
    #[case::full_width_float("\u{FF14}\u{FF12}\u{FF0E}\u{FF10}", &["42", "42.0"])]
    #[case::apostrophe_and_float("'421.0", &["421", "421.0"])]
    #[case::hyphen("E\u{2011}1001", &["E-1001"])]
    #[case::en_dash("K\u{2013}9", &["K-9"])]
    #[case::minus("12\u{2212}34", &["12-34"])]
    #[case::inner_apostrophe("o\u{2019}brien", &["o'brien"])]
    #[case::prime("o\u{2032}brien", &["o'brien"])]
    #[case::swiss_typographic("1\u{2019}421", &["1421", "1'421"])]
    fn the_value_before_is_known(#[case] value: &str, #[case] before: &[&str]) {
        assert_eq!(without_artifacts(value), before);
        assert!(has_artifact(value));
    }

    #[rstest]
    #[case(&["0101", "E-1001", "j.doe", "12.5", "421.10", "1,42", "1421,", "A,421", "1,4210", ".0", "0", "'", ""])]
    #[case(&["o'brien", "x.y", "2024-001", "12 34", "7.1.000x", "Unit 421", "1,421 421", "Jr.", ".", "\u{D1}1", "Jos\u{E9}", "\u{2019}"])]
    fn other_values_have_none(#[case] values: &[&str]) {
        for value in values {
            assert!(
                !has_artifact(value) && without_artifacts(value).is_empty(),
                "{value}"
            );
        }
    }

    #[rstest]
    #[case("01\u{A0}02", Some("0102"))]
    #[case("E-\u{2009}1001\u{A0}", Some("E-1001"))]
    #[case("=\"01\u{202F}02\"", Some("0102"))]
    #[case("01 02", None)]
    #[case("\u{A0}0102\u{3000}", None)]
    #[case("\u{E9} 1", None)]
    fn a_value_without_typographic_spaces_is_known(
        #[case] written: &str,
        #[case] value: Option<&str>,
    ) {
        assert_eq!(without_typographic_spaces(written).as_deref(), value);
    }

    #[rstest]
    #[case("12025550101.0", Some("12025550101"))]
    #[case("+12025550101.0", Some("+12025550101"))]
    #[case("'+12025550101", Some("+12025550101"))]
    #[case("12,025,550,101", Some("12025550101"))]
    #[case("+12,025,550,101.0", Some("+12025550101"))]
    #[case("+1 202 555 0101", None)]
    #[case("202.555.0101", None)]
    #[case("202.555.000", None)]
    #[case("+1 (202) 555-0101", None)]
    #[case("123 456 789", None)]
    fn a_phone_number_before_is_known(#[case] value: &str, #[case] before: Option<&str>) {
        assert_eq!(phone_without_artifacts(value).as_deref(), before);
    }

    #[test]
    fn months_are_sorted() {
        assert!(MONTHS.is_sorted());
        assert!(MONTHS.iter().all(|month| month.len() <= LONGEST_MONTH));
    }

    #[rstest]
    #[case::dates(true, &[
        "1-Mar", "01-Mar", "Mar-01", "Jun-08", "jun-08", "1. Mrz", "Dec-2012", "3/1/2025", "2025-03-01", "01.03.2025",
        "1-Mar-25", "March 1, 2025", "2025-03-01 00:00:00", "8-June", "1-Sept",
        "1. M\u{E4}rz", "1. m\u{E4}rz 2025", "3-gen", "1-mrt", "1-ott", "2-out", "1-d\u{E9}c", "5 maggio", "1-mai", "03/01",
        "31/01", "1/3/26", "01/03/26",
    ])]
    #[case::others(false, &[
        "1-3", "K-9", "0421", "12-34", "1-A", "Mar", "Marc-1", "E-1001", "32-Mar", "2025-001", "1/3", "A-12-34",
        "12-34-56", "31/31", "41/01", "03-01", "1/3/260", "1-3-26", "Jun", "Unit 8", "99.12.1999", "",
    ])]
    fn dates_are_recognised_by_their_shape(#[case] is: bool, #[case] values: &[&str]) {
        for value in values {
            assert_eq!(is_date_like(value), is, "{value}");
        }
    }
}
