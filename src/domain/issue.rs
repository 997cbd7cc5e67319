//! An issue of a row, and the codes that name issues. Knows nothing about the rules that find them.

use super::Column;

/// How bad an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The row is rejected.
    Error,
    /// The row is not rejected.
    Warning,
}

/// The kind of an issue. The list has the same order and the same numbers as the contract's `IssueCode`
/// (`proto/userimport/v1/types.proto`), which describes each code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum IssueCode {
    Required = 1,
    TooLong,
    FieldCount,
    InvalidEncoding,
    InvalidCharacter,
    InvalidEmail,
    InvalidStatus,
    InvalidPhone,
    InvalidUsername,
    ScientificNotation,
    LeadingZerosLost,
    TemplateExample,
    UnknownRole,
    UnknownRank,
    UnknownGroup,
    InactiveGroup,
    ExternalIdTaken,
    EmailTaken,
    BadgeNumberTaken,
    UsernameTaken,
    DuplicateInFile,
    SupervisorNotFound,
    SupervisorIsSelf,
    SupervisorCycle,
    SupervisorInactive,
    DependsOnRejectedRow,
    ProtectedUser,
    LocationIgnored,
    ChangedConcurrently,
    RoleNotGrantable,
    DeactivationNotPermitted,
    StrayQuote,
    PlaceholderValue,
    ExportArtifact,
    GarbledText,
    PhoneRegionAssumed,
    IdentityReplaced,
    InvalidFormat,
    NotARow,
    MappingFailed,
    EditedSince,
}

/// A fault or a finding about a row, as the client gets it: an error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Error or warning.
    pub severity: Severity,
    /// The kind of issue, for a program.
    pub code: IssueCode,
    /// The column, or `None` if the issue concerns the row as a whole.
    pub column: Option<Column>,
    /// The name of the column in the file, if a mapping reads it from a column with another name; else empty.
    pub file_column: Box<str>,
    /// The value that the issue is about, normalised and cut to [`Issue::MAX_VALUE`] characters; empty if there is
    /// none.
    pub value: Box<str>,
    /// A sentence that an administrator can act on.
    pub message: Box<str>,
    /// The nearest valid value; empty if none is near.
    pub suggestion: Box<str>,
    /// The other row that the issue is about (1 = first data row).
    pub related_row: Option<u32>,
    /// External ID of the other user that the issue is about; empty if there is none.
    pub related_external_id: Box<str>,
}

impl Issue {
    /// Longest value that is quoted, in characters. A longer value is cut and ends in an ellipsis.
    pub const MAX_VALUE: usize = 200;

    /// Returns an error in one column that quotes `value`.
    #[must_use]
    pub fn error(code: IssueCode, column: Column, value: &str, message: String) -> Self {
        Self {
            severity: Severity::Error,
            code,
            column: Some(column),
            file_column: Box::default(),
            value: quoted(value),
            message: message.into_boxed_str(),
            suggestion: Box::default(),
            related_row: None,
            related_external_id: Box::default(),
        }
    }

    /// Returns a warning in one column that quotes `value`.
    #[must_use]
    pub fn warning(code: IssueCode, column: Column, value: &str, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, column, value, message)
        }
    }

    /// Returns an error of the row as a whole.
    #[must_use]
    pub fn row_error(code: IssueCode, message: String) -> Self {
        Self {
            column: None,
            ..Self::error(code, Column::ExternalId, "", message)
        }
    }

    /// Returns a warning about the file.
    #[must_use]
    pub fn file_warning(code: IssueCode, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::row_error(code, message)
        }
    }

    /// Adds the nearest valid value, if one is near.
    #[must_use]
    pub fn suggest(mut self, suggestion: Option<&str>) -> Self {
        self.suggestion = suggestion.unwrap_or_default().into();
        self
    }

    /// Adds the row that the issue is about.
    #[must_use]
    pub const fn about_row(mut self, row: u32) -> Self {
        self.related_row = Some(row);
        self
    }

    /// Adds the external ID of the user that the issue is about.
    #[must_use]
    pub fn about_user(mut self, external_id: &str) -> Self {
        self.related_external_id = external_id.into();
        self
    }

    /// Adds the name of the column in the file, which the message quotes beside ours.
    #[must_use]
    pub fn in_file(mut self, file_column: &str) -> Self {
        if let Some(column) = self.column
            && let Some(rest) = self.message.strip_prefix(column.header())
        {
            self.message = format!("{}{rest}", column_in_file(column.header(), file_column)).into();
        }
        self.file_column = file_column.into();
        self
    }

    /// Returns `true` if the issue rejects its row.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Returns how messages name a column: by our name, and by the file's beside it if a mapping reads it from a column with
/// another name. `file_column` is empty otherwise.
pub(crate) fn column_in_file(column: &str, file_column: &str) -> String {
    match file_column {
        "" => column.to_owned(),
        file_column => format!("{column} (\"{file_column}\")"),
    }
}

/// Returns `value` cut to [`Issue::MAX_VALUE`] characters, with an ellipsis if something was cut.
fn quoted(value: &str) -> Box<str> {
    match value.char_indices().nth(Issue::MAX_VALUE) {
        None => value.into(),
        Some((end, _)) => format!("{}…", &value[..end]).into_boxed_str(),
    }
}
