//! The kinds of file that are sent by mistake in place of a roster, and the sentence about each for the administrator.

mod identify;

use std::fmt;

pub(super) use identify::{
    HEAD_BYTES, MIN_HEADER_NAMES, identify, identify_sent_as_workbook, known_names,
};

/// What an input without a header seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MistakenFile {
    /// Nothing at all, or blank lines only.
    Empty,
    /// CSV whose first record names no column.
    Headless,
    /// An Excel workbook.
    Workbook,
    /// UTF-16 without a byte order mark.
    UnmarkedUtf16,
    /// CSV with other lines above the header, which is on this line.
    HeaderBelow {
        /// 1 = first line.
        line: u32,
    },
    /// CSV in which each line is one quoted value.
    QuotedLines,
    /// A `#TYPE` line of PowerShell, above the header.
    TypeLine,
    /// A web page.
    Html,
    /// A web page with a sign-in form.
    SignIn,
    /// Another XML document.
    Xml,
    /// JSON.
    Json,
    /// A PDF document.
    Pdf,
    /// Compressed by gzip.
    Gzip,
    /// A ZIP archive.
    Zip,
    /// CSV, sent as a workbook.
    Csv,
    /// An Office document that is no workbook, sent as one.
    OtherDocument,
}

impl MistakenFile {
    /// The rest of a sentence about a file that was sent as a workbook.
    pub(super) const fn beside_workbooks(self) -> &'static str {
        match self {
            Self::Empty => "the file is empty.",
            Self::Csv => "it is CSV; send it as CSV, in csv_chunk.",
            Self::Html | Self::SignIn => {
                "it is a web page (HTML); download or export the roster as .xlsx, .ods or CSV."
            }
            Self::Xml => "it is XML; save the roster as .xlsx, .ods or CSV.",
            Self::Json => "it is JSON; export the roster as .xlsx, .ods or CSV.",
            Self::Pdf => "it is a PDF document; export the roster as .xlsx, .ods or CSV.",
            Self::Gzip => "it is compressed (gzip); unpack it first.",
            Self::Zip => "it is a ZIP archive; unpack it, and import the file in it.",
            Self::OtherDocument | Self::Workbook => {
                "it is another Office document; save the roster as .xlsx, .ods or CSV."
            }
            Self::Headless
            | Self::UnmarkedUtf16
            | Self::HeaderBelow { .. }
            | Self::QuotedLines
            | Self::TypeLine => "if it is CSV, send it as CSV, in csv_chunk.",
        }
    }
}

impl fmt::Display for MistakenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeaderBelow { line } => {
                return write!(
                    f,
                    "line {line} has the column names, which must be on the first line; delete the lines above it."
                );
            }
            Self::Empty => "the file is empty.",
            Self::Headless => "the first line must name the columns, such as EMAIL, BADGE_NUMBER and STATUS.",
            Self::Workbook => {
                "this is an Excel workbook or another spreadsheet, not CSV; the workbook itself can be imported, as .xlsx or \
                 .ods (in workbook_chunk), or save it as CSV UTF-8."
            }
            Self::Csv => "the first line has no names.",
            Self::OtherDocument => "this is an Office document, not CSV; save the roster as CSV.",
            Self::UnmarkedUtf16 => {
                "this seems to be UTF-16 without a byte order mark; set the charset option to utf-16le or utf-16be."
            }
            Self::QuotedLines => {
                "each line is quoted as a whole, so that it is a single value; export the file again, or remove the \
                 quotes around the lines and undouble those inside."
            }
            Self::TypeLine => {
                "the first line is a #TYPE line of PowerShell; export with -NoTypeInformation, or delete the line."
            }
            Self::Html => "this is a web page (HTML), not CSV; export the roster as CSV.",
            Self::SignIn => {
                "this is a web page (HTML) that asks to sign in; the download was not signed in. Sign in and download \
                 the roster again."
            }
            Self::Xml => "this is XML, not CSV; export the roster as CSV.",
            Self::Json => "this is JSON, not CSV; export the roster as CSV.",
            Self::Pdf => "this is a PDF document, not CSV; export the roster as CSV.",
            Self::Gzip => "this file is compressed (gzip); unpack it first.",
            Self::Zip => "this is a ZIP archive; unpack it, and import the CSV file in it.",
        })
    }
}
