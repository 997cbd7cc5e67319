//! Why a value is not valid, and the words that say so.
//!
//! Every message about a single value is written here; messages about users and other rows are the
//! planner's.

use std::fmt;

use super::{Column, Deception, Issue, IssueCode, Status};

/// What is wrong with a value. Displayed as the rest of a sentence that begins with the column and
/// the value, such as `is blank; fill it in.`
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing is left after normalising.
    #[error("is blank; fill it in.")]
    Blank,
    /// More code points (for an email: bytes) than the column takes.
    #[error("has {actual} {unit}; shorten it to at most {limit}.")]
    TooLong {
        /// How many there are.
        actual: usize,
        /// How many there may be.
        limit: usize,
        /// `characters` or `bytes`.
        unit: &'static str,
    },
    /// More bytes, as received, than any field may have.
    #[error("has {bytes} bytes, and no field may have more than {limit}; shorten it.")]
    Oversized {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A byte that is not valid in the file's charset.
    #[error(
        "holds the byte 0x{byte:02X}, which is not valid {charset}; save the file as UTF-8, or name \
         the charset it has (such as windows-1252) in the charset option."
    )]
    Encoding {
        /// The first such byte.
        byte: u8,
        /// Standard name of the charset.
        charset: &'static str,
    },
    /// A control character or one that reorders text.
    #[error("holds the invisible character U+{:04X}; remove it.", u32::from(*.0))]
    Character(char),
    /// A number that a spreadsheet has rounded.
    #[error(
        "is in scientific notation; format the column as text in the spreadsheet and enter the full \
         number again."
    )]
    ScientificNotation,
    /// Not an email address.
    #[error("is not an email address; write it like name@example.com.")]
    Email,
    /// One of the template's own examples.
    #[error("is an example from the import template; delete this row.")]
    TemplateExample,
    /// Neither of the two statuses; the nearer one, if one is near.
    #[error("is neither Active nor Inactive; {}", .0.map_or(
        "write one of the two.".to_owned(),
        |near| format!("did you mean \"{}\"?", near.as_str()),
    ))]
    Status(Option<Status>),
    /// White space in a username.
    #[error("contains white space; take it out, or write a dot in its place.")]
    WhiteSpace,
    /// A username that is not what it looks like.
    #[error("{0}")]
    Deceptive(Deception),
    /// Not a phone number.
    #[error("is not a phone number; write it with its country code, such as +1 202 555 0143.")]
    Phone,
    /// A phone number that does not begin with a country code.
    #[error("begins with no known country code; write it with one, such as +1 202 555 0143.")]
    CountryCode,
    /// A phone number that is impossible in its country.
    #[error("has too few or too many digits for its country code; check both.")]
    PhoneLength,
    /// A phone number with an extension.
    #[error("has an extension; leave the extension out.")]
    Extension,
    /// A possible phone number, in E.164, that is not assigned: a warning.
    #[error("was read as {0}, which is not a number in use; check its country code and digits.")]
    Unassigned(Box<str>),
}

impl Fault {
    /// How the fault is reported to a program.
    #[must_use]
    pub const fn code(&self) -> IssueCode {
        match self {
            Self::Blank => IssueCode::Required,
            Self::TooLong { .. } | Self::Oversized { .. } => IssueCode::TooLong,
            Self::Encoding { .. } => IssueCode::InvalidEncoding,
            Self::Character(_) => IssueCode::InvalidCharacter,
            Self::ScientificNotation => IssueCode::ScientificNotation,
            Self::Email => IssueCode::InvalidEmail,
            Self::TemplateExample => IssueCode::TemplateExample,
            Self::Status(_) => IssueCode::InvalidStatus,
            Self::WhiteSpace | Self::Deceptive(_) => IssueCode::InvalidUsername,
            Self::Phone
            | Self::CountryCode
            | Self::PhoneLength
            | Self::Extension
            | Self::Unassigned(_) => IssueCode::InvalidPhone,
        }
    }

    /// The fault as an issue of `column`, quoting `value` (normalised; empty: none).
    #[must_use]
    pub fn issue(&self, column: Column, value: &str) -> Issue {
        let message = format!("{column} {}{self}", Quote(value));
        match self {
            Self::Unassigned(_) => Issue::warning(self.code(), column, value, message),
            Self::Status(near) => {
                Issue::error(self.code(), column, value, message).suggest(near.map(Status::as_str))
            }
            _ => Issue::error(self.code(), column, value, message),
        }
    }
}

/// A value within a sentence: in double quotes, cut where the sentence would drown, then a space;
/// nothing where there is no value.
struct Quote<'a>(&'a str);

impl Quote<'_> {
    /// Longest value quoted whole, in characters.
    const MAX: usize = 60;
}

impl fmt::Display for Quote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(Self::MAX) {
            _ if self.0.is_empty() => Ok(()),
            None => write!(f, "\"{}\" ", self.0),
            Some((end, _)) => write!(f, "\"{}…\" ", &self.0[..end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_in_the_sentence_between_characters() {
        let message = Fault::Email.issue(Column::Email, &"é".repeat(61)).message;
        let shown = "é".repeat(60);
        assert!(
            message.starts_with(&format!("EMAIL \"{shown}…\" is not")),
            "{message}"
        );
    }
}
