//! The faults of a workbook as a whole, and the message to the administrator for each.

use thiserror::Error;

use crate::input::fault::size;
use crate::input::mistaken_file::MistakenFile;

/// Why a workbook is refused (semantics §10). `Display` is the sentence for the administrator. It quotes names of sheets,
/// and nothing from a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorkbookFault {
    /// The bytes are something else.
    #[error("This is not a workbook (.xlsx or .ods): {}", found.beside_workbooks())]
    Other {
        /// What they seem to be.
        found: MistakenFile,
    },
    /// A password is needed to read it.
    #[error(
        "The workbook is protected by a password; open it, save it without one, and import that."
    )]
    Protected,
    /// A workbook of another format.
    #[error("This is {kind}, which cannot be read; save it as .xlsx or .ods, and import that.")]
    Format {
        /// What it is, with an article.
        kind: &'static str,
    },
    /// A part cannot be read.
    #[error(
        "The workbook is broken: {part} cannot be read; open it in a spreadsheet program, save it again as an \
         Excel workbook, and import that."
    )]
    Broken {
        /// What cannot be read.
        part: &'static str,
    },
    /// A tag or a text is longer than any that spreadsheet programs write.
    #[error(
        "The workbook is broken: an element of it is longer than {}; save it again in a spreadsheet program.",
        size(512 * 1024)
    )]
    LongElement,
    /// There are no sheets with cells.
    #[error(
        "The workbook has no sheet with cells, only macros, charts or dialogs; import the workbook that has the roster."
    )]
    NoSheet,
    /// The named sheet is not there.
    #[error("The workbook has no sheet \"{name}\"; it has {}.", listed(sheets))]
    UnknownSheet {
        /// The name, made safe to show.
        name: String,
        /// The names of its sheets, made safe to show.
        sheets: Vec<String>,
    },
    /// No row names columns.
    #[error(
        "No header found: no row of sheet \"{sheet}\" has the column names, such as EMAIL, BADGE_NUMBER and STATUS{}",
        other_sheets(others)
    )]
    NoHeader {
        /// The sheet, made safe to show.
        sheet: String,
        /// The names of the other sheets, made safe to show.
        others: Vec<String>,
    },
    /// A row that is longer than a record may be.
    #[error("Row {line} of the sheet has more than {} in its cells; shorten them.", size(*limit as u64))]
    LongRow {
        /// The row's number in the sheet.
        line: u32,
        /// Most bytes.
        limit: usize,
    },
    /// More bytes than a workbook may have.
    #[error(
        "The workbook has more than {}, the limit for one; remove what is not the roster, save the sheet as CSV UTF-8, or \
         have the limit raised.",
        size(*limit)
    )]
    TooLarge {
        /// Most bytes.
        limit: u64,
    },
    /// More rows than a workbook may have.
    #[error(
        "More than {limit} rows, the limit for a workbook, from row {row} on; save the sheet as CSV UTF-8, send fewer rows, \
         or have the limit raised."
    )]
    TooManyRows {
        /// Most rows.
        limit: u32,
        /// The first row beyond the limit.
        row: u32,
    },
    /// It is compressed more than it may be.
    #[error(
        "The workbook is compressed to less than a {ratio}th of its size; save it again in a spreadsheet program, or save \
         the sheet as CSV UTF-8."
    )]
    CompressedTooMuch {
        /// Most bytes that a byte may become.
        ratio: u64,
    },
    /// Its cells are more than an import may have.
    #[error(
        "The workbook becomes more than {} when it is read, the limit for one import; send fewer rows, or have the limit \
         raised.",
        size(*limit)
    )]
    ExpandsTooMuch {
        /// Most bytes.
        limit: u64,
    },
}

impl WorkbookFault {
    /// Returns the fault's code for programs.
    pub(in crate::input) const fn code(&self) -> &'static str {
        match self {
            Self::Other { .. } => "NOT_A_WORKBOOK",
            Self::Protected => "WORKBOOK_PROTECTED",
            Self::Format { .. } => "WORKBOOK_FORMAT",
            Self::Broken { .. } | Self::LongElement => "WORKBOOK_BROKEN",
            Self::NoSheet => "NO_SHEET",
            Self::UnknownSheet { .. } => "UNKNOWN_SHEET",
            Self::NoHeader { .. } => "NO_HEADER",
            Self::LongRow { .. } => "RECORD_TOO_LONG",
            Self::TooLarge { .. } | Self::ExpandsTooMuch { .. } => "TOO_MANY_BYTES",
            Self::TooManyRows { .. } => "TOO_MANY_ROWS",
            Self::CompressedTooMuch { .. } => "COMPRESSED_TOO_MUCH",
        }
    }

    /// Returns the subject of the fault; empty if it is about the whole input.
    pub(in crate::input) fn subject(&self) -> String {
        match self {
            Self::UnknownSheet { .. } => "workbook.sheet".to_owned(),
            Self::LongRow { line, .. } => format!("line {line}"),
            Self::TooManyRows { row, .. } => format!("row {row}"),
            Self::CompressedTooMuch { .. } => "compression_ratio".to_owned(),
            Self::TooLarge { .. } => "workbook_bytes".to_owned(),
            Self::ExpandsTooMuch { .. } => "bytes".to_owned(),
            _ => String::new(),
        }
    }

    /// Returns `true` if the import exceeds a limit on its size.
    pub(in crate::input) const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::TooManyRows { .. }
                | Self::CompressedTooMuch { .. }
                | Self::ExpandsTooMuch { .. }
        )
    }
}

/// Most sheets that a message lists.
const LISTED: usize = 20;

fn listed(sheets: &[String]) -> String {
    let more = sheets.len().saturating_sub(LISTED);
    let names = sheets.iter().take(LISTED).map(|name| format!("\"{name}\""));
    let names: Vec<_> = names.collect();
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}

fn other_sheets(others: &[String]) -> String {
    match others {
        [] => "; add it above the rows.".to_owned(),
        _ => format!(
            "; if the roster is in another sheet, name that: {}.",
            listed(others)
        ),
    }
}
