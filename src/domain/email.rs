//! Email addresses.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};

use super::Fault;
use super::text::{checked_text, filled};

checked_text! {
    /// An email address, as its administrator writes it; compared by its [`fold`](super::fold).
    Email
}

impl<'a> Email<'a> {
    /// Longest one, in bytes (RFC 5321's path without its angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Reads an email address: no display name, and a domain with a dot, not an IP address.
    ///
    /// # Errors
    /// Blank, too long, no such address, or with a forbidden character.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        let value = filled(text)?;
        if value.len() > Self::MAX_BYTES {
            return Err(Fault::TooLong {
                actual: value.len(),
                limit: Self::MAX_BYTES,
                unit: "bytes",
            });
        }
        if !is_address(&value) {
            return Err(Fault::Email);
        }
        Ok(Self(value))
    }
}

fn is_address(value: &str) -> bool {
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    EmailAddress::parse_with_options(value, options)
        .is_ok_and(|address| is_host(address.domain()) && !ends_in_number(address.domain()))
}

/// True where no character is one that a host's name cannot have (RFC 5321, section 4.1.2; RFC 6531).
fn is_host(domain: &str) -> bool {
    let allowed = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    domain.chars().all(allowed)
}

/// True for an IP address without its brackets, which has the form of a domain.
fn ends_in_number(domain: &str) -> bool {
    let (_, last) = domain.rsplit_once('.').unwrap_or(("", domain));
    last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("jane@example.com")]
    #[case("  Jane.O'Neil+roster@Police.Example.COM ")]
    #[case("j\u{F6}rg@m\u{FC}ller.example")]
    #[case("jane@xn--mller-kva.example")]
    #[case("\"jane doe\"@example.com")]
    #[case("1234@1234.example")]
    fn addresses_pass(#[case] text: &str) {
        let email = Email::parse(text);
        assert_eq!(email.as_ref().map(Email::as_str), Ok(text.trim()));
    }

    #[rstest]
    #[case("jane")]
    #[case("@example.com")]
    #[case("jane@")]
    #[case("jane@localhost")]
    #[case("jane@[192.0.2.1]")]
    #[case("jane@192.0.2.1")]
    #[case("jane@example..com")]
    #[case("jane@example.com.")]
    #[case("jane@-example.com")]
    #[case(".jane@example.com")]
    #[case("jane..doe@example.com")]
    #[case("jane doe@example.com")]
    #[case("jane@exa mple.com")]
    #[case("jane@exa$mple.com")]
    #[case("jane@example.com/roster")]
    #[case("jane@exa_mple.com")]
    #[case("Jane Doe <jane@example.com>")]
    #[case("<jane@example.com>")]
    #[case("mailto:jane@example.com")]
    #[case("jane@example.com; john@example.com")]
    #[case("jane@example.com,john@example.com")]
    #[case("jane@@example.com")]
    fn what_is_not_one_address_does_not(#[case] text: &str) {
        assert_eq!(Email::parse(text), Err(Fault::Email));
    }

    #[test]
    fn an_address_has_at_most_254_bytes() {
        let domain = ["d", "e", "f"].map(|label| label.repeat(62)).join(".");
        let of_length = |bytes: usize| {
            let local = "a".repeat(bytes - domain.len() - "@.com".len());
            format!("{local}@{domain}.com")
        };
        assert!(Email::parse(&of_length(254)).is_ok());
        let too_long = Fault::TooLong {
            actual: 255,
            limit: 254,
            unit: "bytes",
        };
        assert_eq!(Email::parse(&of_length(255)), Err(too_long));
    }
}
