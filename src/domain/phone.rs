//! The field type for phone numbers of every country. Sees one value, and the organisation's phone region.

use std::borrow::Cow;

use rlibphonenumber::{ParseError, PhoneNumber as Parsed, PhoneNumberFormat};

use super::text::{filled, is_scientific};
use super::{PhoneRegion, ValueFault, north_american_phone};

/// Number of digits in a number of North America without its country code.
const NATIONAL_DIGITS: usize = 10;

/// Longest way to write ten digits, in bytes. A longer text has more digits, or a closer look at it gains nothing.
const LONGEST_NATIONAL: usize = 24;

/// The beginning of a phone number that is written as a link.
const URI_SCHEME: &str = "tel:";

/// A phone number that is possible in its country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber<'a> {
    e164: Cow<'a, str>,
    assigned: bool,
}

/// Reads a number that begins with its `+`, as [`PhoneNumber::read`] does; perhaps quicker.
pub type ReadPhone = for<'a> fn(Cow<'a, str>) -> Result<PhoneNumber<'a>, ValueFault>;

impl<'a> PhoneNumber<'a> {
    /// Reads a number with its country code. A `+` is optional, and `00` may replace it: no country code begins with
    /// `00`. This takes microseconds.
    ///
    /// # Errors
    /// Fails if the text is blank, not one phone number, without a known country code, impossible in its country, with
    /// an extension or another letter, in scientific notation, or with a forbidden character.
    pub fn parse(text: &'a str) -> Result<Self, ValueFault> {
        Self::parse_with(text, |number| PhoneNumber::read(&number))
    }

    fn parse_with(text: &'a str, read: ReadPhone) -> Result<Self, ValueFault> {
        let value = filled(text)?;
        if is_scientific(&value) {
            return Err(ValueFault::ScientificNotation);
        }
        read(with_plus(value))
    }

    /// Reads a number as people of `region` write it (semantics §2, Phone). A number without a country code is a
    /// national one if it is valid in `region`; otherwise it is read as [`parse`](Self::parse) does. The second value
    /// is `true` if no region is given, and the number has ten digits that are also a valid number of North America.
    ///
    /// # Errors
    /// Fails as `parse` does, or if the text begins with `(` and therefore has no country code.
    pub(crate) fn parse_in(
        text: &'a str,
        region: Option<PhoneRegion>,
        read: ReadPhone,
    ) -> Result<(Self, bool), ValueFault> {
        // Most numbers have a plus, or eleven digits or more.
        if text.starts_with('+') || (region.is_none() && text.len() > LONGEST_NATIONAL) {
            return Ok((Self::parse_with(text, read)?, false));
        }
        let value = filled(text)?;
        let has_code = value.contains(['+', '\u{FF0B}']) || value.starts_with("00");
        if has_code || is_scientific(&value) {
            return Ok((Self::parse_with(text, read)?, false));
        }
        if let Some(national) = region.and_then(|region| region.national(&value)) {
            return Ok((Self::of_national(&national, &value)?, false));
        }
        if value.starts_with('(') {
            return Err(ValueFault::NationalPhone);
        }
        let number = Self::parse_with(text, read)?;
        let is_assumed = region.is_none() && north_american(&value).is_some();
        Ok((number, is_assumed))
    }

    fn of_national(national: &Parsed, written: &str) -> Result<Self, ValueFault> {
        if national.extension.is_some() {
            return Err(ValueFault::Extension);
        }
        if !is_one_number(written) {
            return Err(ValueFault::Phone);
        }
        Ok(Self {
            assigned: true,
            e164: national
                .format_as(PhoneNumberFormat::E164)
                .into_owned()
                .into(),
        })
    }

    /// Reads a number that begins with its `+`.
    pub(crate) fn read(international: &str) -> Result<PhoneNumber<'static>, ValueFault> {
        if let Some(assigned) = north_american_phone::assigned(international) {
            return Ok(PhoneNumber {
                assigned,
                e164: international.to_owned().into(),
            });
        }
        let number = match parse_possible(international) {
            Err(ValueFault::Extension) => return Err(ValueFault::Extension),
            _ if !is_one_number(international) => return Err(ValueFault::Phone),
            number => number?,
        };
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        if !is_stable(&e164, international) {
            return Err(ValueFault::Phone);
        }
        Ok(PhoneNumber {
            assigned: number.is_valid(),
            e164: e164.into(),
        })
    }

    /// Compiles the patterns that reading numbers needs. They would otherwise be compiled at first use: for the
    /// twenty-five countries of `+1` this takes a quarter of a second of CPU time, and the first import would wait for
    /// it.
    pub fn prepare() {
        // This form needs the parser.
        let _ = Self::parse("+1 202 555 0143");
    }

    /// Returns a number that was read before from a text with the same digits.
    pub(crate) fn of_digits(international: Cow<'a, str>, assigned: bool) -> Self {
        Self {
            e164: digits_of(international),
            assigned,
        }
    }

    /// Returns the number in E.164, such as `+12025550143`.
    #[must_use]
    pub fn as_e164(&self) -> &str {
        &self.e164
    }

    /// Returns `false` if the number's country has no such numbers in use. The caller gives a warning then (semantics
    /// §2).
    #[must_use]
    pub const fn is_assigned(&self) -> bool {
        self.assigned
    }
}

impl<'a> From<PhoneNumber<'a>> for Cow<'a, str> {
    fn from(number: PhoneNumber<'a>) -> Self {
        number.e164
    }
}

/// Returns the E.164 form of ten digits as a number of North America, or `None` if they are not a valid one.
pub(super) fn north_american(value: &str) -> Option<String> {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if digits != NATIONAL_DIGITS || !is_one_number(value) {
        return None;
    }
    let number = PhoneRegion::NORTH_AMERICA.national(value)?;
    Some(number.format_as(PhoneNumberFormat::E164).into_owned())
}

/// Returns a number in E.164 as people write it, such as `+1 202-555-0143`.
pub(super) fn international(e164: &str) -> String {
    let number = Parsed::parse(e164, None);
    number.map_or_else(
        |_| e164.to_owned(),
        |number| {
            number
                .format_as(PhoneNumberFormat::International)
                .into_owned()
        },
    )
}

fn with_plus(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.starts_with('+') || value.contains(['+', '\u{FF0B}']) {
        return value;
    }
    Cow::Owned(format!("+{}", strip_plus(&value)))
}

/// Returns the number without its `+`, or without the `00` that replaces it.
pub(crate) fn strip_plus(value: &str) -> &str {
    let number = value.strip_prefix('+').or_else(|| value.strip_prefix("00"));
    number.unwrap_or(value)
}

/// Returns `+` and the digits of a number.
fn digits_of(international: Cow<'_, str>) -> Cow<'_, str> {
    if international
        .bytes()
        .skip(1)
        .all(|byte| byte.is_ascii_digit())
    {
        return international;
    }
    let digits = international.chars().filter(char::is_ascii_digit);
    Cow::Owned(['+'].into_iter().chain(digits).collect())
}

/// Returns `true` if `e164` has exactly the digits of `text`.
pub(crate) fn has_digits(text: &str, e164: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.eq(e164.bytes().skip(1))
}

fn parse_possible(international: &str) -> Result<Parsed, ValueFault> {
    let number = Parsed::parse(international, None).map_err(|error| match error {
        ParseError::InvalidCountryCode => ValueFault::CountryCode,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn | ParseError::TooLongNsn => {
            ValueFault::PhoneLength
        }
        ParseError::NotANumber(_) => ValueFault::Phone,
    })?;
    if number.extension.is_some() {
        return Err(ValueFault::Extension);
    }
    match number.is_possible_with_reason() {
        Ok(_) => Ok(number),
        Err(_) => Err(ValueFault::PhoneLength),
    }
}

/// Returns `true` if all digits of `value` belong to one number. The parser reads letters as the digits of a keypad
/// (`(cell)` as 2355), and joins what follows the number to it (`469-234-5678/9`).
fn is_one_number(value: &str) -> bool {
    let number = match value.get(..URI_SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(URI_SCHEME) => &value[URI_SCHEME.len()..],
        _ => value,
    };
    // In Japanese, a sign that counts as a letter is written for a hyphen.
    let is_letter = |c: char| c.is_alphabetic() && c != '\u{30FC}';
    if number.contains(is_letter) {
        return false;
    }
    let digits = |text: &str| text.chars().filter(|c| c.is_numeric()).count();
    let (head, tail) = match number.rsplit_once(['/', '\u{FF0F}']) {
        // A slash also stands behind an area code: 030/901820.
        Some((head, tail)) if digits(tail) >= 3 => (head.trim_start_matches(['+', '0']), tail),
        Some(_) => return false,
        None => ("", number),
    };
    let behind = tail
        .strip_suffix([')', ']'])
        .and_then(|rest| rest.rsplit_once(['(', '[']));
    digits(head) < NATIONAL_DIGITS && behind.is_none_or(|(before, _)| digits(before) == 0)
}

/// Returns `true` if reading `e164` gives `e164` again, so that an export imports unchanged. Only a number that
/// lost a trunk prefix can fail: the rest may begin with another trunk prefix.
fn is_stable(e164: &str, value: &str) -> bool {
    has_digits(value, e164)
        || parse_possible(e164).is_ok_and(|again| again.format_as(PhoneNumberFormat::E164) == e164)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parse_in(
        text: &str,
        region: Option<PhoneRegion>,
    ) -> Result<(PhoneNumber<'_>, bool), ValueFault> {
        PhoneNumber::parse_in(text, region, |number| PhoneNumber::read(&number))
    }

    #[rstest]
    #[case::united_states("+1 (202) 555-0143", "+12025550143")]
    #[case::united_states_without_plus("1-202-555-0143", "+12025550143")]
    #[case::united_kingdom("+44 20 7946 0018", "+442079460018")]
    #[case::united_kingdom_trunk_zero("+44 (0)20 7946 0018", "+442079460018")]
    #[case::double_zero("0044 20 7946 0018", "+442079460018")]
    #[case::germany("+49 30 901820", "+4930901820")]
    #[case::germany_mobile("4915123456789", "+4915123456789")]
    #[case::france("+33 1 42 68 53 00", "+33142685300")]
    #[case::mexico("+52 55 5533 1000", "+525555331000")]
    #[case::brazil("+55 11 96123-4567", "+5511961234567")]
    #[case::india("+91 98765 43210", "+919876543210")]
    #[case::japan("+81 3-1234-5678", "+81312345678")]
    #[case::australia("+61 2 9374 4000", "+61293744000")]
    #[case::italy_keeps_its_zero("+39 06 6982 0000", "+390669820000")]
    #[case::argentina_mobile("+54 9 11 2345-6789", "+5491123456789")]
    #[case::argentina_old_mobile_form("+54 11 15 2345-6789", "+5491123456789")]
    #[case::ivory_coast_keeps_its_zero("+225 07 01 23 45 67", "+2250701234567")]
    #[case::south_africa("+27 21 400 9111", "+27214009111")]
    #[case::china("+86 10 6552 9988", "+861065529988")]
    #[case::full_width("\u{FF0B}\u{FF11} 202 555 0143", "+12025550143")]
    #[case::in_brackets("(+1) 202.555.0143", "+12025550143")]
    #[case::all_in_brackets("(+1 202 555 0143)", "+12025550143")]
    #[case::a_slash("+49 30/901820", "+4930901820")]
    #[case::a_slash_behind_a_long_area_code("0049 (0)33701/12345", "+493370112345")]
    #[case::slashes("+1 202/555/0143", "+12025550143")]
    #[case::a_link("tel:+1-202-555-0143", "+12025550143")]
    fn numbers_of_every_country_become_e164(#[case] text: &str, #[case] e164: &str) {
        let number = PhoneNumber::parse(text).unwrap();
        assert_eq!((number.as_e164(), number.is_assigned()), (e164, true));
    }

    #[rstest]
    #[case::fictitious_area("+1 555 555 0143", "+15555550143")]
    #[case::national_number_without_country("650-253-0000", "+6502530000")]
    #[case::unused_german_range("+49 10000", "+4910000")]
    fn possible_numbers_not_in_use_pass_but_are_known(#[case] text: &str, #[case] e164: &str) {
        let number = PhoneNumber::parse(text).unwrap();
        assert_eq!((number.as_e164(), number.is_assigned()), (e164, false));
    }

    #[rstest]
    #[case::in_brackets("US", "(469) 234-5678", "+14692345678")]
    #[case::with_dots("US", "469.234.5678", "+14692345678")]
    #[case::bare("us", "4692345678", "+14692345678")]
    #[case::with_its_country_code("US", "1 469 234 5678", "+14692345678")]
    #[case::abroad_with_a_plus("US", "+46 8 123 456 78", "+46812345678")]
    #[case::abroad_with_zeros("US", "0046 8 123 456 78", "+46812345678")]
    #[case::abroad_without("US", "442079460018", "+442079460018")]
    #[case::britain("GB", "020 7946 0018", "+442079460018")]
    #[case::germany("DE", "(030) 901820", "+4930901820")]
    #[case::canada("CA", "(416) 234-5678", "+14162345678")]
    fn a_national_number_is_one_of_the_region(
        #[case] region: &str,
        #[case] text: &str,
        #[case] e164: &str,
    ) {
        let (number, is_assumed) = parse_in(text, PhoneRegion::parse(region)).unwrap();
        assert_eq!((number.as_e164(), is_assumed), (e164, false));
    }

    #[rstest]
    #[case::brackets("(469) 234-5678", None, Err(ValueFault::NationalPhone))]
    #[case::brackets_elsewhere("(030) 901820", Some("US"), Err(ValueFault::NationalPhone))]
    #[case::brackets_around_the_code("(+1) 202.555.0143", None, Ok(("+12025550143", false)))]
    #[case::sweden("469-234-5678", None, Ok(("+4692345678", true)))]
    #[case::sweden_bare("4692345678", None, Ok(("+4692345678", true)))]
    #[case::mexico("520 234 5678", None, Ok(("+5202345678", true)))]
    #[case::eleven_digits("12025550143", None, Ok(("+12025550143", false)))]
    #[case::no_american("4930901820", None, Ok(("+4930901820", false)))]
    #[case::an_extension("(202) 555-0143 x5", Some("US"), Err(ValueFault::Extension))]
    #[case::a_remark("469-234-5678 (cell)", Some("US"), Err(ValueFault::Phone))]
    #[case::a_remark_without("469-234-5678 (cell)", None, Err(ValueFault::Phone))]
    #[case::letters("202-555-HELP", Some("US"), Err(ValueFault::Phone))]
    #[case::another_last_digit("030/901820/1", Some("DE"), Err(ValueFault::Phone))]
    fn without_a_region_the_country_code_is_as_written(
        #[case] text: &str,
        #[case] region: Option<&str>,
        #[case] expected: Result<(&str, bool), ValueFault>,
    ) {
        let region = region.and_then(PhoneRegion::parse);
        let read = parse_in(text, region);
        let read = read
            .as_ref()
            .map(|(number, is_assumed)| (number.as_e164(), *is_assumed));
        assert_eq!(read, expected.as_ref().copied());
    }

    #[rstest]
    #[case("n/a", ValueFault::Phone)]
    #[case("+", ValueFault::Phone)]
    #[case("unknown", ValueFault::Phone)]
    #[case("+1 202 555 0143 / +1 202 555 0144", ValueFault::Phone)]
    #[case("020 7946 0018", ValueFault::CountryCode)]
    #[case("+999 123 4567", ValueFault::CountryCode)]
    #[case("+1 202 555", ValueFault::PhoneLength)]
    #[case("+1 202 555 01433", ValueFault::PhoneLength)]
    #[case("+1", ValueFault::Phone)]
    #[case::trunk_zeros_without_end("+64 000 0000", ValueFault::Phone)]
    #[case::prefix_that_mexico_gave_up("+52 1 55 5533 1000", ValueFault::PhoneLength)]
    #[case("+1 202 555 0143 ext. 5", ValueFault::Extension)]
    #[case("+1 202 555 0143 x5", ValueFault::Extension)]
    #[case("1.202555E+10", ValueFault::ScientificNotation)]
    #[case("", ValueFault::Blank)]
    #[case("+1 202\u{0}555 0143", ValueFault::Character('\0'))]
    #[case::a_remark("469-234-5678 (cell)", ValueFault::Phone)]
    #[case::a_remark_before("cell +1 202 555 0143", ValueFault::Phone)]
    #[case::a_remark_after("+1 202 555 0143 home", ValueFault::Phone)]
    #[case::a_word("desk", ValueFault::Phone)]
    #[case::a_vanity_number("+1 800 FLOWERS", ValueFault::Phone)]
    #[case::another_last_digit("469-234-5678/9", ValueFault::Phone)]
    #[case::another_end("469-234-5678 / 79", ValueFault::Phone)]
    #[case::another_extension("469-234-5678/9012", ValueFault::Phone)]
    #[case::a_range("469-234-5678~9", ValueFault::Extension)]
    #[case::a_count("469-234-5678 (2)", ValueFault::Phone)]
    fn other_things_are_faults(#[case] text: &str, #[case] fault: ValueFault) {
        assert_eq!(PhoneNumber::parse(text), Err(fault));
    }

    fn assert_rereads_to_itself(text: &str) {
        if let Ok(number) = PhoneNumber::parse(text) {
            let again = PhoneNumber::parse(number.as_e164());
            assert_eq!(again.as_ref(), Ok(&number), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_was_read_from_digits_reads_as_itself(text in "[1-9][0-9]{5,15}") {
            assert_rereads_to_itself(&text);
        }

        #[test]
        fn what_was_read_past_trunk_prefixes_reads_as_itself(
            text in r"\+(1|44|52|54|55|7|39|225|36|370) ?[0189(]{1,4}[0-9 )-]{5,12}"
        ) {
            assert_rereads_to_itself(&text);
        }
    }
}
