//! The field types that are plain text within limits: identifiers and names.
//!
//! Each type owns its rule. Holding a value of such a type proves that the value is normalised, is not blank, and
//! obeys the rule.

use std::borrow::Cow;

use super::{ValueFault, fault::LengthUnit, normalise, username};

/// Returns `text` normalised (semantics §2).
///
/// # Errors
/// Fails with [`ValueFault::Character`] if a forbidden character is inside ([`ValueFault::LostLetter`] for U+FFFD), and with
/// [`ValueFault::Blank`] if nothing is left.
pub(super) fn filled(text: &str) -> Result<Cow<'_, str>, ValueFault> {
    let value = normalise(text).map_err(|c| match c {
        '\u{FFFD}' => ValueFault::LostLetter,
        c => ValueFault::Character(c),
    })?;
    if value.is_empty() {
        return Err(ValueFault::Blank);
    }
    Ok(value)
}

/// Defines a field type around a checked text, and its conversions to text.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name<'a>(Cow<'a, str>);

        impl $name<'_> {
            /// The value, normalised.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'a> From<$name<'a>> for Cow<'a, str> {
            fn from(value: $name<'a>) -> Self {
                value.0
            }
        }
    };
}
pub(super) use checked_text;

checked_text! {
    /// An external ID of a user or of a group: 1 to 255 characters, compared exactly.
    ExternalId
}

impl<'a> ExternalId<'a> {
    /// Longest external ID, in code points.
    pub const MAX: usize = 255;

    /// Reads an external ID.
    ///
    /// # Errors
    /// Fails if the text is blank, too long, in scientific notation, or has a forbidden character.
    pub fn parse(text: &'a str) -> Result<Self, ValueFault> {
        Ok(Self(unrounded(within(filled(text)?, Self::MAX)?)?))
    }
}

checked_text! {
    /// A badge number: 1 to 64 characters, compared exactly. Leading zeros are kept.
    BadgeNumber
}

impl<'a> BadgeNumber<'a> {
    /// Longest badge number, in code points.
    pub const MAX: usize = 64;

    /// Reads a badge number.
    ///
    /// # Errors
    /// Fails if the text is blank, too long, in scientific notation, or has a forbidden character.
    pub fn parse(text: &'a str) -> Result<Self, ValueFault> {
        Ok(Self(unrounded(within(filled(text)?, Self::MAX)?)?))
    }
}

checked_text! {
    /// A username: 1 to 128 characters without white space, compared without case.
    Username
}

impl<'a> Username<'a> {
    /// Longest username, in code points.
    pub const MAX: usize = 128;

    /// Reads a username.
    ///
    /// # Errors
    /// Fails if the text is blank, too long, has white space, or is deceptive. A deceptive username has an invisible
    /// character, one that reorders text, or letters that look like those of another script.
    pub fn parse(text: &'a str) -> Result<Self, ValueFault> {
        let value = within(filled(text)?, Self::MAX)?;
        if !username::is_plain(&value) {
            if value.contains(char::is_whitespace) {
                return Err(ValueFault::WhiteSpace);
            }
            username::check(&value)?;
        }
        Ok(Self(value))
    }
}

checked_text! {
    /// A name of a person (given or family name), a role, a rank or a group: 1 to 128 characters.
    Name
}

impl<'a> Name<'a> {
    /// Longest name, in code points.
    pub const MAX: usize = 128;

    /// Reads a name.
    ///
    /// # Errors
    /// Fails if the text is blank, too long, or has a forbidden character.
    pub fn parse(text: &'a str) -> Result<Self, ValueFault> {
        Ok(Self(within(filled(text)?, Self::MAX)?))
    }
}

/// Returns `value` if it has at most `limit` code points.
fn within(value: Cow<'_, str>, limit: usize) -> Result<Cow<'_, str>, ValueFault> {
    // A text never has more code points than bytes, so most values need no counting.
    if value.len() <= limit {
        return Ok(value);
    }
    match value.chars().count() {
        actual if actual > limit => Err(ValueFault::TooLong {
            actual: actual.into(),
            limit: u16::try_from(limit).unwrap_or(u16::MAX),
            unit: LengthUnit::Characters,
        }),
        _ => Ok(value),
    }
}

fn unrounded(value: Cow<'_, str>) -> Result<Cow<'_, str>, ValueFault> {
    if is_scientific(&value) {
        return Err(ValueFault::ScientificNotation);
    }
    Ok(value)
}

/// Returns `true` for the form in which a spreadsheet writes a long number: `1.4155E+10`, `1,5E-3`. The exponent
/// must have a sign, because `4E12` may be a badge number (semantics §2, Spreadsheet damage).
pub(super) fn is_scientific(value: &str) -> bool {
    let Some(at) = value.bytes().position(|byte| matches!(byte, b'E' | b'e')) else {
        return false;
    };
    let (mantissa, exponent) = (&value[..at], &value[at + 1..]);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let whole = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    exponent.strip_prefix(['+', '-']).is_some_and(is_number)
        && is_number(whole)
        && (fraction.is_empty() || is_number(fraction))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `value` without its leading zeros. This finds values whose zeros a spreadsheet has dropped
/// (`LEADING_ZEROS_LOST`). `000` gives the empty text.
#[must_use]
pub(crate) fn strip_leading_zeros(value: &str) -> &str {
    value.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.4155E+10", true)]
    #[case("1,5E-3", true)]
    #[case("4E+12", true)]
    #[case("4.e+7", true)]
    #[case("-1.2E+05", true)]
    #[case("+4.9E+11", true)]
    #[case("4E12", false)]
    #[case("E+10", false)]
    #[case("1.4155E+", false)]
    #[case("1.4.1E+10", false)]
    #[case("1E+10E+10", false)]
    #[case("UNIT1E+10", false)]
    #[case("A1E-7", false)]
    #[case("00421", false)]
    #[case("", false)]
    fn only_a_number_with_a_signed_exponent_is_scientific(#[case] value: &str, #[case] is: bool) {
        assert_eq!(is_scientific(value), is);
    }

    #[rstest]
    #[case(" 00421 ", Ok("00421"))]
    #[case("4E12", Ok("4E12"))]
    #[case("1.4E+10", Err(ValueFault::ScientificNotation))]
    #[case("\u{A0}\u{200B}", Err(ValueFault::Blank))]
    #[case("4\u{202E}21", Err(ValueFault::Character('\u{202E}')))]
    fn badge_numbers_keep_their_zeros(
        #[case] text: &str,
        #[case] expected: Result<&str, ValueFault>,
    ) {
        let parsed = BadgeNumber::parse(text);
        assert_eq!(
            parsed.as_ref().map(BadgeNumber::as_str),
            expected.as_ref().copied()
        );
    }

    #[rstest]
    #[case("j.doe", Ok("j.doe"))]
    #[case(" j.doe\n", Ok("j.doe"))]
    #[case("J\u{F6}rg", Ok("J\u{F6}rg"))]
    #[case("j doe", Err(ValueFault::WhiteSpace))]
    #[case("j\tdoe", Err(ValueFault::WhiteSpace))]
    #[case("j\u{A0}doe", Err(ValueFault::WhiteSpace))]
    fn usernames_have_no_white_space(
        #[case] text: &str,
        #[case] expected: Result<&str, ValueFault>,
    ) {
        let parsed = Username::parse(text);
        assert_eq!(
            parsed.as_ref().map(Username::as_str),
            expected.as_ref().copied()
        );
    }

    #[test]
    fn the_longest_value_passes_and_one_more_does_not() {
        let text = "é".repeat(256);
        let cut = |length: usize| &text[..2 * length];
        assert!(ExternalId::parse(cut(255)).is_ok() && ExternalId::parse(cut(256)).is_err());
        assert!(BadgeNumber::parse(cut(64)).is_ok() && BadgeNumber::parse(cut(65)).is_err());
        assert!(Username::parse(cut(128)).is_ok() && Username::parse(cut(129)).is_err());
        assert!(Name::parse(cut(128)).is_ok() && Name::parse(cut(129)).is_err());
    }

    #[test]
    fn a_length_is_counted_after_normalising() {
        let text = format!(" {} ", "e\u{301}".repeat(128));
        assert!(Name::parse(&text).is_ok());
    }

    #[test]
    fn leading_zeros_are_those_before_anything_else() {
        let stripped = ["0042", "4200", "000", "", "0A0"].map(strip_leading_zeros);
        assert_eq!(stripped, ["42", "4200", "", "", "A0"]);
    }
}
