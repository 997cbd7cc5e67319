//! The faults that refuse a whole file, and the message to the administrator for each.

use thiserror::Error;

use super::MistakenFile;
use super::blank::is_blank_char;
use super::mapping::MappingFault;
use super::workbook::WorkbookFault;
use crate::domain::Column;

/// Why the input as a whole is refused (semantics §2 "File faults" and "Header").
///
/// `Display` is the sentence for the administrator. It never quotes anything from a data row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileFault {
    /// The header lacks a required column.
    #[error("Column {column} is missing from the header; add it.")]
    MissingColumn {
        /// The column that every file must have.
        column: Column,
    },
    /// The header has a name that is no known column.
    #[error("Unknown column \"{name}\"{}", unknown_column_advice(*suggestion, *malformed))]
    UnknownColumn {
        /// The name, trimmed and made safe to show.
        name: String,
        /// The nearest column that the header does not have yet.
        suggestion: Option<Column>,
        /// The first byte that is not valid in the charset, and the charset's name.
        malformed: Option<(u8, &'static str)>,
    },
    /// A header cell before the last named one is blank.
    #[error("Header cell {position} is empty; name the column, or remove it.")]
    UnnamedColumn {
        /// 1 = first cell.
        position: usize,
    },
    /// More unknown columns than the limit for reporting them one by one.
    #[error("{count} more columns are unknown.")]
    MoreUnknownColumns {
        /// How many columns are not reported one by one.
        count: usize,
    },
    /// The header names one column several times.
    #[error("Column {column} is in the header {times} times; keep one.")]
    DuplicateColumn {
        /// The column.
        column: Column,
        /// How often it is named.
        times: usize,
    },
    /// A template of the mapping reads a column that the header does not have once.
    #[error("The template of {column} reads column \"{name}\", which is {}", match times {
        0 => "missing from the header; correct the template, or add the column.".to_owned(),
        times => format!("in the header {times} times; keep one."),
    })]
    TemplateColumn {
        /// The column that the template computes.
        column: Column,
        /// The name, made safe to show.
        name: String,
        /// How often the header has it.
        times: usize,
    },
    /// The mapping cannot be used.
    #[error("{0}")]
    BadMapping(MappingFault),
    /// A workbook cannot be read.
    #[error("{0}")]
    Workbook(WorkbookFault),
    /// No cell of the first record is a column's name, or there is no record.
    #[error("No header found: {mistaken}")]
    NoHeader {
        /// What the input seems to be in place of a CSV file.
        mistaken: MistakenFile,
    },
    /// The input ends inside quotes.
    #[error(
        "A quote in the record that starts on line {line} is never closed; close it, or double a \
         quote that belongs to a value."
    )]
    UnclosedQuote {
        /// CSV line on which the record starts.
        line: u32,
    },
    /// The header's quotes do not hold one name each.
    #[error(
        "The quotes of the header, on line {line}, do not hold one name each; close each quoted name before the \
         delimiter, and double a quote that belongs to a name."
    )]
    StrayQuote {
        /// CSV line on which the header starts.
        line: u32,
    },
    /// The header's record continues with the values of a row.
    #[error(
        "The header, on line {line}, holds an email address: a row seems to follow on the same line; begin the row \
         on a line of its own."
    )]
    HeaderWithRow {
        /// CSV line on which the header starts.
        line: u32,
    },
    /// A second header that differs from the first.
    #[error(
        "Line {line} names the columns again, but other ones or in another order; import the rows below it as a file \
         of their own."
    )]
    AnotherHeader {
        /// CSV line on which the second header starts.
        line: u32,
    },
    /// A record over [`max_record_bytes`](super::InputLimits::max_record_bytes).
    #[error(
        "The record that starts on line {line} is longer than {}; a quote opened there may not be \
         closed.",
        size(*limit as u64)
    )]
    RecordTooLong {
        /// CSV line on which the record starts.
        line: u32,
        /// Most bytes.
        limit: usize,
    },
    /// A typed row over [`max_record_bytes`](super::InputLimits::max_record_bytes).
    #[error(
        "The values of row {row} are longer than {} together; shorten them.",
        size(*limit as u64)
    )]
    RowTooLong {
        /// 1 = first row.
        row: u32,
        /// Most bytes.
        limit: usize,
    },
    /// More data rows than one import may have.
    #[error(
        "More than {limit} rows, the limit for one import, from row {row} on; send fewer rows, or \
         have the limit raised."
    )]
    TooManyRows {
        /// Most rows.
        limit: u32,
        /// The first row beyond the limit.
        row: u32,
    },
    /// More bytes than one import may have.
    #[error(
        "More than {}, the limit for one import, from row {row} on; send fewer rows, or have the \
         limit raised.",
        size(*limit)
    )]
    TooManyBytes {
        /// Most bytes.
        limit: u64,
        /// The row in which the limit was reached; 1 = first data row.
        row: u32,
    },
    /// A header alone, or no typed row.
    #[error("There are no rows to import; add at least one.")]
    NoRows,
    /// The charset option is no known charset.
    #[error(
        "Unknown charset \"{label}\"; use a label such as utf-8, windows-1252, iso-8859-15, \
         macintosh, utf-16le or shift_jis."
    )]
    BadCharset {
        /// The option, made safe to show.
        label: String,
    },
    /// The delimiter option, or a `sep=` line, names a delimiter that is not supported.
    #[error(
        "Delimiter \"{given}\"{} is not supported; use a comma, a semicolon, a tab or |.",
        place(*in_file)
    )]
    BadDelimiter {
        /// The delimiter, made safe to show.
        given: String,
        /// `true`: a `sep=` line names it. `false`: the option names it.
        in_file: bool,
    },
}

impl FileFault {
    /// Most characters of a name from the input that a message shows.
    const MAX_SHOWN: usize = 60;

    /// Returns the fault's code for programs: an upper-snake word that never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingColumn { .. } | Self::TemplateColumn { times: 0, .. } => "MISSING_COLUMN",
            Self::BadMapping(_) => "BAD_MAPPING",
            Self::Workbook(fault) => fault.code(),
            Self::UnknownColumn { .. }
            | Self::UnnamedColumn { .. }
            | Self::MoreUnknownColumns { .. } => "UNKNOWN_COLUMN",
            Self::DuplicateColumn { .. } | Self::TemplateColumn { .. } => "DUPLICATE_COLUMN",
            Self::NoHeader { .. } => "NO_HEADER",
            Self::UnclosedQuote { .. } => "UNCLOSED_QUOTE",
            Self::StrayQuote { .. } => "STRAY_QUOTE",
            Self::HeaderWithRow { .. } => "HEADER_WITH_ROW",
            Self::AnotherHeader { .. } => "ANOTHER_HEADER",
            Self::RecordTooLong { .. } | Self::RowTooLong { .. } => "RECORD_TOO_LONG",
            Self::TooManyRows { .. } => "TOO_MANY_ROWS",
            Self::TooManyBytes { .. } => "TOO_MANY_BYTES",
            Self::NoRows => "NO_ROWS",
            Self::BadCharset { .. } => "BAD_CHARSET",
            Self::BadDelimiter { .. } => "BAD_DELIMITER",
        }
    }

    /// Returns the subject of the fault: a column's name, `line 7`, `row 3`, or an option's path in `start`. It is
    /// empty if the fault is about the whole input.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::MissingColumn { column } | Self::DuplicateColumn { column, .. } => {
                column.header().to_owned()
            }
            Self::UnknownColumn { name, .. } | Self::TemplateColumn { name, .. } => name.clone(),
            Self::UnnamedColumn { position } => format!("column {position}"),
            Self::UnclosedQuote { line }
            | Self::StrayQuote { line }
            | Self::HeaderWithRow { line }
            | Self::AnotherHeader { line }
            | Self::RecordTooLong { line, .. } => format!("line {line}"),
            Self::RowTooLong { row, .. }
            | Self::TooManyRows { row, .. }
            | Self::TooManyBytes { row, .. } => format!("row {row}"),
            Self::BadMapping(fault) => fault.subject(),
            Self::Workbook(fault) => fault.subject(),
            Self::BadCharset { .. } => "csv.charset".to_owned(),
            Self::BadDelimiter { in_file: false, .. } => "csv.delimiter".to_owned(),
            Self::BadDelimiter { in_file: true, .. } => "line 1".to_owned(),
            Self::NoHeader { .. } | Self::NoRows | Self::MoreUnknownColumns { .. } => String::new(),
        }
    }

    /// Returns one or two sentences that an administrator can act on.
    #[must_use]
    pub fn message(&self) -> String {
        self.to_string()
    }

    /// Returns `true` if the import exceeds a limit on its size. That has another status than a faulty file.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::TooManyRows { .. } | Self::TooManyBytes { .. } => true,
            Self::Workbook(fault) => fault.is_limit(),
            _ => false,
        }
    }

    /// Returns `text` as messages show it: cut to 60 characters. Characters that would disturb a terminal or reorder a
    /// line are replaced by U+FFFD.
    pub(super) fn showable(text: &str) -> String {
        let disturbs = |c: char| {
            c.is_control()
                || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
                || (is_blank_char(c) && c != ' ' && c != '\u{A0}')
        };
        let mut shown: String = text
            .chars()
            .take(Self::MAX_SHOWN)
            .map(|c| if disturbs(c) { '\u{FFFD}' } else { c })
            .collect();
        if text.chars().nth(Self::MAX_SHOWN).is_some() {
            shown.push('…');
        }
        shown
    }
}

impl From<FileFault> for Vec<FileFault> {
    /// Returns the fault as the only one in a list.
    fn from(fault: FileFault) -> Self {
        vec![fault]
    }
}

fn unknown_column_advice(
    suggestion: Option<Column>,
    malformed: Option<(u8, &'static str)>,
) -> String {
    match (suggestion, malformed) {
        (_, Some((byte, charset))) => format!(
            ": byte 0x{byte:02X} in it is not valid {charset}; set the charset option, or save the \
             file as UTF-8."
        ),
        (Some(column), None) => format!(": did you mean {column}?"),
        (None, None) => "; remove it, or set ignore_unknown_columns.".to_owned(),
    }
}

const fn place(in_file: bool) -> &'static str {
    if in_file { " in the first line" } else { "" }
}

/// A number of bytes in a message.
pub(super) fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        whole if whole >= MIB && whole.is_multiple_of(MIB) => format!("{} MiB", whole / MIB),
        whole if whole >= KIB && whole.is_multiple_of(KIB) => format!("{} KiB", whole / KIB),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, read, read_with};
    use super::super::{CsvDecoder, CsvOptions, InputLimits};
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn the_options_faults_come_together() {
        let options = CsvOptions {
            charset: "latin-1\u{7}".to_owned(),
            delimiter: ":".to_owned(),
            ..CsvOptions::default()
        };
        assert_snapshot!(read_with(&options, ""), @r#"
        BAD_CHARSET: Unknown charset "latin-1�"; use a label such as utf-8, windows-1252, iso-8859-15, macintosh, utf-16le or shift_jis.
        BAD_DELIMITER: Delimiter ":" is not supported; use a comma, a semicolon, a tab or |.
        "#);
    }

    #[test]
    fn a_charset_that_browsers_refuse_to_read_is_unknown() {
        let charset = "iso-2022-kr".to_owned();
        let options = CsvOptions {
            charset,
            ..CsvOptions::default()
        };
        assert!(CsvDecoder::new(&options, InputLimits::default()).is_err());
    }

    #[test]
    fn a_sep_line_with_another_delimiter_is_named() {
        assert_snapshot!(read("sep=:\nEMAIL:STATUS\n"), @r#"BAD_DELIMITER: Delimiter ":" in the first line is not supported; use a comma, a semicolon, a tab or |."#);
    }

    #[test]
    fn a_quote_never_closed_is_found_at_the_end_or_at_the_cap() {
        let input = format!("{REQUIRED}\ne,b,f,l,s,u,r\ne,b,\"f,l,s,u,r\n");
        assert_snapshot!(read(&input), @"
        1@2: e|b|f|l|s|u|r
        UNCLOSED_QUOTE: A quote in the record that starts on line 3 is never closed; close it, or double a quote that belongs to a value.
        ");
        let longer = input + &"e,b,f,l,s,u,r\n".repeat(5000);
        assert_snapshot!(read(longer), @"
        1@2: e|b|f|l|s|u|r
        RECORD_TOO_LONG: The record that starts on line 3 is longer than 64 KiB; a quote opened there may not be closed.
        ");
    }

    #[test]
    fn a_limits_message_names_the_limit_and_the_row() {
        let mib = 256 * 1024 * 1024;
        for (fault, message) in [
            (
                FileFault::TooManyRows {
                    limit: 1000,
                    row: 1001,
                },
                "More than 1000 rows, the limit for one import, from row 1001 on; send fewer rows, or have the limit raised.",
            ),
            (
                FileFault::TooManyBytes { limit: mib, row: 7 },
                "More than 256 MiB, the limit for one import, from row 7 on; send fewer rows, or have the limit raised.",
            ),
            (
                FileFault::TooManyBytes { limit: 900, row: 7 },
                "More than 900 bytes, the limit for one import, from row 7 on; send fewer rows, or have the limit raised.",
            ),
            (
                FileFault::RowTooLong {
                    row: 3,
                    limit: 64 * 1024,
                },
                "The values of row 3 are longer than 64 KiB together; shorten them.",
            ),
        ] {
            assert_eq!(fault.message(), message);
        }
    }

    #[track_caller]
    fn assert_is(fault: &FileFault, code: &str, subject: &str) {
        assert_eq!((fault.code(), fault.subject().as_str()), (code, subject));
        let is_limit = code == "TOO_MANY_ROWS" || code == "TOO_MANY_BYTES";
        assert_eq!(fault.is_limit(), is_limit);
    }

    #[test]
    fn a_fault_of_the_header_has_its_code_and_is_about_a_column() {
        let column = Column::Email;
        let unknown = FileFault::UnknownColumn {
            name: "Shift".to_owned(),
            suggestion: None,
            malformed: None,
        };
        let mistaken = MistakenFile::Empty;
        for (fault, code, subject) in [
            (unknown, "UNKNOWN_COLUMN", "Shift"),
            (
                FileFault::MissingColumn { column },
                "MISSING_COLUMN",
                "EMAIL",
            ),
            (
                FileFault::DuplicateColumn { column, times: 2 },
                "DUPLICATE_COLUMN",
                "EMAIL",
            ),
            (
                FileFault::UnnamedColumn { position: 3 },
                "UNKNOWN_COLUMN",
                "column 3",
            ),
            (
                FileFault::MoreUnknownColumns { count: 9 },
                "UNKNOWN_COLUMN",
                "",
            ),
            (FileFault::NoHeader { mistaken }, "NO_HEADER", ""),
        ] {
            assert_is(&fault, code, subject);
        }
    }

    #[test]
    fn a_fault_of_the_rows_has_its_code_and_is_about_a_line_or_row() {
        for (fault, code, subject) in [
            (
                FileFault::UnclosedQuote { line: 4 },
                "UNCLOSED_QUOTE",
                "line 4",
            ),
            (
                FileFault::RecordTooLong { line: 4, limit: 9 },
                "RECORD_TOO_LONG",
                "line 4",
            ),
            (
                FileFault::RowTooLong { row: 4, limit: 9 },
                "RECORD_TOO_LONG",
                "row 4",
            ),
            (
                FileFault::TooManyRows { limit: 1, row: 2 },
                "TOO_MANY_ROWS",
                "row 2",
            ),
            (
                FileFault::TooManyBytes { limit: 1, row: 2 },
                "TOO_MANY_BYTES",
                "row 2",
            ),
            (FileFault::NoRows, "NO_ROWS", ""),
        ] {
            assert_is(&fault, code, subject);
        }
    }

    #[test]
    fn a_fault_of_an_option_has_its_code_and_names_the_option() {
        let label = "x".to_owned();
        let bad_delimiter = |in_file| FileFault::BadDelimiter {
            given: "x".to_owned(),
            in_file,
        };
        assert_is(
            &FileFault::BadCharset { label },
            "BAD_CHARSET",
            "csv.charset",
        );
        assert_is(&bad_delimiter(false), "BAD_DELIMITER", "csv.delimiter");
        assert_is(&bad_delimiter(true), "BAD_DELIMITER", "line 1");
    }
}
