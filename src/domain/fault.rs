//! The faults of single values, and the words of every message about one. Messages about users and other rows
//! belong to the planner.
//!
//! A fault takes eight bytes and is worded only when it is reported: a file may have a dozen faults in each of a
//! million rows.

use std::{borrow::Cow, fmt};

use super::artifact::phone_without_artifacts;
use super::email_repair::{MeantEmail, address_meant, meant};
use super::garbled::{repaired, repaired_control};
use super::phone::{international, north_american};
use super::phone_region::region_name;
use super::{
    Column, ForeignLine, Issue, IssueCode, ReportLine, Status, StrayQuote, TemplateFailure,
    UsernameDeception, is_placeholder, shown,
};

/// A fault of a value. Displayed as the rest of a sentence that begins with the column and the value, such as
/// `is blank; fill it in.`
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// Nothing is left after normalising.
    #[error("is blank; fill it in.")]
    Blank,
    /// The value has more code points (for an email: bytes) than the column allows.
    #[error("has {actual} {unit}; shorten it to at most {limit}.")]
    TooLong {
        /// The length of the value.
        actual: PackedCount,
        /// The longest allowed length.
        limit: u16,
        /// The unit of both lengths.
        unit: LengthUnit,
    },
    /// The value has more bytes, as received, than any field may have.
    #[error("has {bytes} bytes, and no field may have more than {limit}; shorten it.")]
    Oversized {
        /// The length of the value in bytes.
        bytes: PackedCount,
        /// The longest allowed length in bytes.
        limit: PackedCount,
    },
    /// The value has a byte that is not valid in the file's charset. The message names the charset: see
    /// [`ValueFault::issue`].
    #[error("holds the byte 0x{byte:02X}, which is not valid in its charset.")]
    Encoding {
        /// The first such byte.
        byte: u8,
    },
    /// The record has the wrong number of fields. This is a fault of the row as a whole.
    #[error("The row has {found} fields, but the header has {expected}; {}.", match found > expected {
        true => "put double quotes around a value that holds the delimiter",
        false => "add what is missing",
    })]
    FieldCount {
        /// Number of fields in the header.
        expected: PackedCount,
        /// Number of fields in the row.
        found: PackedCount,
    },
    /// The record has more fields than the header, and the extra fields are blank.
    #[error(
        "The row has {found} fields, but the header has {expected}; put double quotes around a value that holds the \
         delimiter, or remove the delimiters at the end of the line."
    )]
    SurplusBlanks {
        /// Number of fields in the header.
        expected: PackedCount,
        /// Number of fields in the row.
        found: PackedCount,
    },
    /// The record has the wrong number of fields, and only one or two values.
    #[error("The line has {found} of the header's {expected} fields. {line}")]
    ReportLine {
        /// Number of fields in the header.
        expected: PackedCount,
        /// Number of fields in the line.
        found: PackedCount,
        /// The kind of line that it seems to be.
        line: ReportLine,
    },
    /// The record has quotes that do not enclose one value each. This is a fault of the row as a whole.
    #[error("{0}")]
    StrayQuote(StrayQuote),
    /// The line lists no user. This is a fault of the row as a whole.
    #[error("{0}")]
    NotARow(ForeignLine),
    /// The template of a mapping gave no value.
    #[error("cannot be computed: the template {0}")]
    Mapping(TemplateFailure),
    /// The value has a control character, or a character that reorders text.
    #[error("holds the invisible character U+{:04X}; remove it.", u32::from(*.0))]
    Character(char),
    /// The value has U+FFFD, which replaces a letter that was lost before the import, or that character garbled.
    #[error(
        "holds U+FFFD, which programs write in place of a letter that they have lost; export the \
         file again, as UTF-8, and check the name in the system that it comes from."
    )]
    LostLetter,
    /// The value means "nothing"; see [`is_placeholder`].
    #[error("means \"no value\", so it identifies no user.")]
    Placeholder,
    /// The value is the error that a spreadsheet shows if it cannot compute a name.
    #[error("is an error of the spreadsheet, not a name; correct its formula, or enter the name.")]
    SpreadsheetError,
    /// The value was decoded twice, or has HTML entities. This is a warning.
    #[error("looks garbled: a program before this import has read it in the wrong charset.")]
    Garbled,
    /// The value is a number that a spreadsheet has rounded.
    #[error(
        "is in scientific notation; format the column as text in the spreadsheet and enter the full \
         number again."
    )]
    ScientificNotation,
    /// The value is not an email address.
    #[error("is not an email address; write it like name@example.com.")]
    Email,
    /// The value is an example from the template.
    #[error("is an example from the import template; delete this row.")]
    TemplateExample,
    /// The value is neither of the two statuses. Holds the status that is near to it, if any.
    #[error("is neither Active nor Inactive; {}", .0.map_or(
        "write one of the two.".to_owned(),
        |near| format!("did you mean \"{}\"?", near.as_str()),
    ))]
    Status(Option<Status>),
    /// The username contains white space.
    #[error("contains white space; take it out, or write a dot in its place.")]
    WhiteSpace,
    /// The username has a variant of a letter: see [`UsernameDeception::Variant`].
    #[error("{}", UsernameDeception::Variant(*.0))]
    Variant(char),
    /// The username mixes several scripts: see [`UsernameDeception::Mixed`].
    #[error("{}", UsernameDeception::Mixed(*.0))]
    MixedScripts(char),
    /// The value is not a phone number.
    #[error("is not a phone number; write it with its country code, such as +1 202 555 0143.")]
    Phone,
    /// The phone number begins with `(`, and no phone region is set.
    #[error("begins with \"(\", so it has no country code.")]
    NationalPhone,
    /// The phone number has ten digits and was read with a country code, but it may be a number of North America. This
    /// is a warning.
    #[error("may be a number of North America.")]
    RegionAssumed,
    /// The phone number does not begin with a country code.
    #[error("begins with no known country code; write it with one, such as +1 202 555 0143.")]
    CountryCode,
    /// The phone number is impossible in its country.
    #[error("has too few or too many digits for its country code; check both.")]
    PhoneLength,
    /// The phone number has an extension.
    #[error("has an extension; leave the extension out.")]
    Extension,
    /// The phone number is possible but not assigned. This is a warning; the row has the number in E.164.
    #[error("is not a number in use; check its country code and digits.")]
    Unassigned,
}

/// The unit of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthUnit {
    /// Code points.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// Counts fields, characters or bytes of a record, in three bytes: no count exceeds 1 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackedCount([u8; 3]);

/// The facts that a message about a faulty value needs besides the fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultContext<'a> {
    /// The value, normalised. If it is empty, the message quotes no value.
    pub value: &'a str,
    /// The phone number in E.164, as it was read.
    pub e164: &'a str,
    /// Standard name of the file's charset.
    pub charset: &'a str,
}

impl ValueFault {
    /// Returns the code that reports the fault to a program.
    #[must_use]
    pub const fn code(self) -> IssueCode {
        match self {
            Self::Blank => IssueCode::Required,
            Self::TooLong { .. } | Self::Oversized { .. } => IssueCode::TooLong,
            Self::Encoding { .. } | Self::LostLetter => IssueCode::InvalidEncoding,
            Self::FieldCount { .. } | Self::SurplusBlanks { .. } | Self::ReportLine { .. } => {
                IssueCode::FieldCount
            }
            Self::StrayQuote(_) => IssueCode::StrayQuote,
            Self::NotARow(_) => IssueCode::NotARow,
            Self::Mapping(_) => IssueCode::MappingFailed,
            Self::Placeholder | Self::SpreadsheetError => IssueCode::PlaceholderValue,
            Self::Garbled => IssueCode::GarbledText,
            Self::RegionAssumed => IssueCode::PhoneRegionAssumed,
            Self::Character(_) => IssueCode::InvalidCharacter,
            Self::ScientificNotation => IssueCode::ScientificNotation,
            Self::Email => IssueCode::InvalidEmail,
            Self::TemplateExample => IssueCode::TemplateExample,
            Self::Status(_) => IssueCode::InvalidStatus,
            Self::WhiteSpace | Self::Variant(_) | Self::MixedScripts(_) => {
                IssueCode::InvalidUsername
            }
            Self::Phone
            | Self::NationalPhone
            | Self::CountryCode
            | Self::PhoneLength
            | Self::Extension
            | Self::Unassigned => IssueCode::InvalidPhone,
        }
    }

    /// Returns `true` if the fault rejects its row.
    #[must_use]
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Unassigned | Self::Garbled | Self::RegionAssumed)
    }

    /// Returns `true` if a message quotes the value as it was written, not as it was read.
    #[must_use]
    pub const fn quotes_as_written(self) -> bool {
        matches!(self, Self::Unassigned | Self::Garbled | Self::RegionAssumed)
    }

    /// Returns the fault as an issue of `column`, or of the row as a whole if `column` is `None`.
    #[must_use]
    pub fn issue(self, column: Option<Column>, context: FaultContext<'_>) -> Issue {
        let Some(column) = column else {
            return Issue::row_error(self.code(), self.to_string());
        };
        let value = context.value;
        let suggestion = self.suggestion(value);
        let sentence = self.sentence(column, suggestion.as_deref(), context);
        let message = format!("{column} {}{sentence}", QuotedValue(value));
        let issue = match self.is_error() {
            true => Issue::error(self.code(), column, value, message),
            false => Issue::warning(self.code(), column, value, message),
        };
        issue.suggest(suggestion.as_deref())
    }

    /// Returns the value that was probably meant.
    fn suggestion(self, value: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Status(near) => near.map(|near| near.as_str().into()),
            Self::Garbled => repaired(value).map(Cow::from),
            Self::Character(control) => repaired_control(value, control).map(Cow::from),
            Self::NationalPhone | Self::RegionAssumed | Self::CountryCode | Self::PhoneLength => {
                let plain = phone_without_artifacts(value);
                north_american(plain.as_deref().unwrap_or(value)).map(Cow::from)
            }
            Self::Email => address_meant(value).map(Cow::from),
            _ => None,
        }
    }

    fn sentence(
        self,
        column: Column,
        suggestion: Option<&str>,
        FaultContext {
            e164,
            charset,
            value,
        }: FaultContext<'_>,
    ) -> String {
        match self {
            Self::Placeholder if column == Column::ExternalId => format!(
                "{self} Leave the cell blank; a row with a blank EXTERNAL_ID creates a user."
            ),
            Self::Placeholder => format!("{self} Enter the {}.", noun(column)),
            Self::Garbled => format!(
                "looks garbled, like text that was decoded twice or copied from a web page; if \
                 \"{}\" is right, correct it in the system that the file comes from, and export \
                 the file as UTF-8.",
                suggestion.unwrap_or_default()
            ),
            Self::Character(c) if suggestion.is_some() => format!(
                "holds the invisible character U+{:04X}, like text that was decoded twice; if \
                 \"{}\" is right, write that, and export the file as UTF-8.",
                u32::from(c),
                suggestion.unwrap_or_default()
            ),
            Self::NationalPhone => format!(
                "{self} Write it with one, such as {}, or set the organisation's phone region.",
                suggestion.map_or_else(|| "+1 202-555-0143".to_owned(), international)
            ),
            Self::RegionAssumed => format!(
                "was read as {e164}, a number of {}; if it is one of North America, write {}, or set the \
                 organisation's phone region.",
                region_name(e164),
                suggestion.unwrap_or_default()
            ),
            Self::Email => self.email_sentence(suggestion, value),
            Self::LostLetter if !value.contains('\u{FFFD}') => {
                "holds U+FFFD in place of a letter that a program has lost; export the file again, \
                 as UTF-8, and check the name in the system that it comes from."
                    .to_owned()
            }
            Self::Phone if is_placeholder(value) => {
                "is not a phone number; leave the cell blank, which clears the phone number."
                    .to_owned()
            }
            Self::Encoding { byte } => format!(
                "holds the byte 0x{byte:02X}, which is not valid {charset}; save the file as UTF-8, or name \
                 the charset it has (such as windows-1252) in the charset option."
            ),
            Self::Unassigned => format!("was read as {e164}, which {self}"),
            _ => self.to_string(),
        }
    }

    fn email_sentence(self, suggestion: Option<&str>, value: &str) -> String {
        match (suggestion, meant(value)) {
            (Some(address), _) => {
                format!("has more than an email address, or is mistyped; write {address}.")
            }
            (None, MeantEmail::Several) => "holds several email addresses; write one.".to_owned(),
            (None, _) => self.to_string(),
        }
    }
}

/// Returns the noun by which administrators call a value of this column.
const fn noun(column: Column) -> &'static str {
    match column {
        Column::BadgeNumber => "badge number",
        Column::Username => "username",
        _ => "value",
    }
}

impl From<UsernameDeception> for ValueFault {
    fn from(deception: UsernameDeception) -> Self {
        match deception {
            UsernameDeception::Invisible(c) => Self::Character(c),
            UsernameDeception::Variant(c) => Self::Variant(c),
            UsernameDeception::Mixed(c) => Self::MixedScripts(c),
        }
    }
}

impl fmt::Display for LengthUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        })
    }
}

impl PackedCount {
    const MAX: u32 = 0x00FF_FFFF;

    fn get(self) -> u32 {
        let [high, middle, low] = self.0;
        u32::from_be_bytes([0, high, middle, low])
    }
}

impl From<u32> for PackedCount {
    fn from(n: u32) -> Self {
        let [_, high, middle, low] = n.min(Self::MAX).to_be_bytes();
        Self([high, middle, low])
    }
}

impl From<usize> for PackedCount {
    fn from(n: usize) -> Self {
        u32::try_from(n).unwrap_or(Self::MAX).into()
    }
}

impl fmt::Display for PackedCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A value within a sentence: in double quotes, cut if it is too long for a sentence, followed by a space. Shows
/// nothing if the value is empty.
struct QuotedValue<'a>(&'a str);

impl QuotedValue<'_> {
    /// Longest value that is quoted uncut, in characters.
    const MAX: usize = 60;
}

impl fmt::Display for QuotedValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = shown(self.0);
        match value.char_indices().nth(Self::MAX) {
            _ if value.is_empty() => Ok(()),
            None => write!(f, "\"{value}\" "),
            Some((end, _)) => write!(f, "\"{}…\" ", &value[..end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_in_the_sentence_between_characters() {
        let long = "é".repeat(61);
        let context = FaultContext {
            value: &long,
            ..FaultContext::default()
        };
        let message = ValueFault::Email
            .issue(Some(Column::Email), context)
            .message;
        let shown = "é".repeat(60);
        assert!(
            message.starts_with(&format!("EMAIL \"{shown}…\" is not")),
            "{message}"
        );
    }

    /// The size matters: a million rows may have a dozen faults each.
    #[test]
    fn a_fault_takes_eight_bytes() {
        assert_eq!(size_of::<ValueFault>(), 8);
    }

    #[test]
    fn a_count_keeps_what_a_record_can_have() {
        for n in [0, 1, 255, 256, 65_536, 1024 * 1024, PackedCount::MAX] {
            assert_eq!(PackedCount::from(n).to_string(), n.to_string());
        }
        assert_eq!(PackedCount::from(u32::MAX).get(), PackedCount::MAX);
        assert!(PackedCount::from(256_u32) > PackedCount::from(255_u32));
    }
}
