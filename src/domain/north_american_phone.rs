//! Reads phone numbers of North America that are written in E.164, such as `+12025550143`. Sees one number.
//!
//! Be advised: this takes a fifth of the parser's time, because the parser looks for everything that people write
//! around the digits. An import that changes 90,000 such numbers takes a tenth less of the server's CPU time. The plain
//! version is the parser, with which the tests compare. Before changing this, run the benchmark `validate`
//! (`benches/micro.rs`).

use rlibphonenumber::{PhoneNumber as Parsed, Region};

const COUNTRY_CODE: i32 = 1;

/// Returns whether a number of North America is assigned; `None` if the text is not such a number in E.164. The parser
/// changes nothing in it: a national number that begins with 2 to 9 has no prefix, and all have ten digits.
pub(super) fn assigned(international: &str) -> Option<bool> {
    let national = international.strip_prefix("+1")?.as_bytes();
    let is_national = national.len() == 10
        && matches!(national[0], b'2'..=b'9')
        && national.iter().all(u8::is_ascii_digit);
    if !is_national {
        return None;
    }
    let number = |value: u64, digit: &u8| value * 10 + u64::from(digit - b'0');
    let number = Parsed {
        country_code: COUNTRY_CODE,
        national_number: national.iter().fold(0, number),
        ..Parsed::default()
    };
    // The second look finds the country first, and so repeats the look at the United States.
    Some(number.is_valid_for_region(Region::US) || number.is_valid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rlibphonenumber::PhoneNumberFormat;

    use super::*;

    /// The plain version.
    fn parsed(international: &str) -> Option<(bool, String)> {
        let number = Parsed::parse(international, None).ok()?;
        number.is_possible_with_reason().ok()?;
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        Some((number.is_valid(), e164))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_number_is_what_the_parser_makes_of_it(text in r"\+1[2-9][0-9]{9}") {
            let assigned = assigned(&text).expect("North American");
            prop_assert_eq!(Some((assigned, text.clone())), parsed(&text));
        }
    }

    #[test]
    fn a_number_of_each_country_that_shares_the_code_is_what_the_parser_makes_of_it() {
        for area in 200..=999 {
            for exchange in ["200", "234", "456", "555", "911"] {
                let text = format!("+1{area}{exchange}0143");
                let expected = parsed(&text).map(|(assigned, _)| assigned);
                assert_eq!(assigned(&text), expected, "{text}");
            }
        }
    }

    #[test]
    fn other_writings_are_left_to_the_parser() {
        for text in [
            "+1202555014",
            "+120255501433",
            "+10025550143",
            "+11025550143",
            "+1 202 555 0143",
            "+1202555014x",
            "+1202555014\u{0661}",
            "12025550143",
            "+442079460018",
            "+1",
            "",
        ] {
            assert_eq!(assigned(text), None, "{text}");
        }
    }
}
