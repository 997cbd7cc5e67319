//! Patterns that an organisation's badge numbers or external IDs must match. Sees one value.

use regex::{Regex, RegexBuilder};

/// Longest pattern, in characters.
const LONGEST: usize = 200;

/// Limit of a compiled pattern, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// Most levels of nested groups.
const NESTED: u32 = 32;

/// Most zeros that are added before a value to make it match.
const ZEROS: usize = 16;

/// A regular expression for whole values. Matching takes time linear in the value's length.
#[derive(Clone, Debug)]
pub struct ValuePattern {
    source: String,
    regex: Regex,
}

/// Why a text is not a pattern. Displayed as the rest of a sentence that begins with the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// The text has more characters than a pattern may have.
    #[error("has {0} characters; shorten it to at most {LONGEST}.")]
    TooLong(usize),
    /// The compiled pattern would be too large.
    #[error("is too large when compiled; make its repetitions smaller.")]
    TooLarge,
    /// The text is not a regular expression, or needs back-tracking.
    #[error(
        "is not a regular expression (without look-around and back-references); write one such as [0-9]{{4}}."
    )]
    Invalid,
}

impl ValuePattern {
    /// Reads a pattern. It must match a whole value, with or without anchors.
    ///
    /// # Errors
    /// Fails if the text is too long, too large when compiled, or not a regular expression.
    pub fn parse(source: &str) -> Result<Self, PatternFault> {
        let length = source.chars().count();
        if length > LONGEST {
            return Err(PatternFault::TooLong(length));
        }
        // Compile the source alone first: a pattern such as `a)|(b` must not close the group around it.
        compile(source)?;
        Ok(Self {
            regex: compile(&format!(r"\A(?:{source})\z"))?,
            source: source.to_owned(),
        })
    }

    /// Returns the pattern as the administrator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Returns `true` if the whole value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// Returns the value with the fewest leading zeros that make it match, or `None` if zeros do not make it match.
    #[must_use]
    pub fn with_zeros(&self, value: &str) -> Option<String> {
        let padded = (1..=ZEROS).map(|zeros| format!("{}{value}", "0".repeat(zeros)));
        padded.into_iter().find(|padded| self.matches(padded))
    }
}

impl PartialEq for ValuePattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for ValuePattern {}

fn compile(source: &str) -> Result<Regex, PatternFault> {
    let mut builder = RegexBuilder::new(source);
    builder
        .size_limit(MOST_BYTES)
        .dfa_size_limit(MOST_BYTES)
        .nest_limit(NESTED);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternFault::TooLarge,
        _ => PatternFault::Invalid,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("[0-9]{4}", "0421", true)]
    #[case("[0-9]{4}", "421", false)]
    #[case("[0-9]{4}", "04210", false)]
    #[case("^[0-9]{4}$", "0421", true)]
    #[case("E-[0-9]+|WD[0-9]+", "WD7", true)]
    #[case("E-[0-9]+|WD[0-9]+", "E-7x", false)]
    #[case("(?i)e-[0-9]+", "E-7", true)]
    #[case("(?m)^[0-9]$", "1\n2", false)]
    fn a_pattern_matches_whole_values(
        #[case] pattern: &str,
        #[case] value: &str,
        #[case] is: bool,
    ) {
        assert_eq!(ValuePattern::parse(pattern).unwrap().matches(value), is);
    }

    #[rstest]
    #[case::no_expression("[0-9", PatternFault::Invalid)]
    #[case::out_of_its_group("a)|(b", PatternFault::Invalid)]
    #[case::look_around("(?=a)b", PatternFault::Invalid)]
    #[case::back_reference(r"(a)\1", PatternFault::Invalid)]
    #[case::too_large("((a{1000}){1000}){1000}", PatternFault::TooLarge)]
    fn what_cannot_be_matched_in_linear_time_and_space_is_refused(
        #[case] pattern: &str,
        #[case] fault: PatternFault,
    ) {
        assert_eq!(ValuePattern::parse(pattern), Err(fault));
    }

    #[test]
    fn a_pattern_has_at_most_200_characters() {
        assert!(ValuePattern::parse(&"a".repeat(200)).is_ok());
        assert_eq!(
            ValuePattern::parse(&"a".repeat(201)),
            Err(PatternFault::TooLong(201))
        );
    }

    #[test]
    fn lost_zeros_are_put_back_if_that_makes_it_match() {
        let pattern = ValuePattern::parse("[0-9]{4}").unwrap();
        for (value, padded) in [
            ("429", Some("0429")),
            ("7", Some("0007")),
            ("04290", None),
            ("K-9", None),
        ] {
            assert_eq!(pattern.with_zeros(value).as_deref(), padded, "{value}");
        }
    }
}
