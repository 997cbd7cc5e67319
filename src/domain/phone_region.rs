//! Regions of phone numbers, by their ISO 3166 code, and their names. Knows nothing about organisations.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber as Parsed, Region};

/// The names of regions; each line has a code and then the name.
const NAMES: &str = include_str!("regions.txt");

/// A region with national phone numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneRegion(Region);

impl PhoneRegion {
    /// The region that stands for all of North America: the other regions there write their numbers in the same form.
    pub(super) const NORTH_AMERICA: Self = Self(Region::US);

    /// Reads the ISO 3166 code of a region that has phone numbers, such as `US`, in any case.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.trim().to_ascii_uppercase();
        let mut regions = PHONE_NUMBER_UTIL.get_supported_regions();
        regions
            .find(|region| format!("{region:?}") == code)
            .map(Self)
    }

    /// Returns the region's ISO 3166 code.
    #[must_use]
    pub fn code(self) -> String {
        format!("{:?}", self.0)
    }

    /// Reads `written` as a national number, as it is dialled in the region. Returns `None` if it is not valid there.
    pub(super) fn national(self, written: &str) -> Option<Parsed> {
        let number = Parsed::parse(written, Some(self.0)).ok()?;
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(self.0);
        (code == Some(number.country_code) && number.is_valid()).then_some(number)
    }
}

/// Returns the name of the region that has the country code of a number in E.164.
pub(super) fn region_name(e164: &str) -> &'static str {
    let number = Parsed::parse(e164, None).ok();
    let region = number
        .and_then(|number| PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code));
    let code = region
        .map(|region| format!("{region:?}"))
        .unwrap_or_default();
    let names = NAMES.lines().filter_map(|line| line.split_once(' '));
    let mut names = names.filter(|(known, _)| *known == code);
    names.next().map_or("another country", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_code_in_any_case() {
        for code in ["US", "us", " De ", "GB", "CA", "MX", "JP"] {
            let region = PhoneRegion::parse(code).unwrap();
            assert_eq!(region.code(), code.trim().to_ascii_uppercase());
        }
        for code in ["", "U", "USA", "ZZ", "XX", "001", "United States"] {
            assert_eq!(PhoneRegion::parse(code), None, "{code}");
        }
    }

    #[test]
    fn every_region_has_a_name() {
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let code = format!("{region:?} ");
            assert!(NAMES.lines().any(|line| line.starts_with(&code)), "{code}");
        }
        assert_eq!(region_name("+46923456789"), "Sweden");
        assert_eq!(region_name("+12025550143"), "the United States");
        assert_eq!(region_name("+80012345678"), "another country");
    }
}
