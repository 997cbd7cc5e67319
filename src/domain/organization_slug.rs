//! The short name of an organisation. Knows nothing else about organisations.

use std::fmt;

/// The short name that every request uses for an organisation: `[a-z0-9-]{1,63}` (semantics §1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganizationSlug(Box<str>);

/// The text is not a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 lower-case letters, digits or hyphens")]
pub struct InvalidSlug;

impl OrganizationSlug {
    /// Longest slug, in characters.
    pub const MAX: usize = 63;

    /// Reads a slug exactly: nothing is trimmed or folded.
    ///
    /// # Errors
    /// Fails if the text is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=Self::MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            return Ok(Self(text.into()));
        }
        Err(InvalidSlug)
    }

    /// Returns the slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_letters_digits_and_hyphens() {
        for text in ["a", "42", "-", "springfield-pd", &"x".repeat(63)] {
            assert_eq!(
                OrganizationSlug::parse(text)
                    .as_ref()
                    .map(OrganizationSlug::as_str),
                Ok(text)
            );
        }
    }

    #[test]
    fn anything_else_is_not_a_slug() {
        for text in [
            "",
            "Springfield",
            "a b",
            " a",
            "a_b",
            "a.b",
            "é",
            &"x".repeat(64),
        ] {
            assert_eq!(OrganizationSlug::parse(text), Err(InvalidSlug), "{text:?}");
        }
    }
}
