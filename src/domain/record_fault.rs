//! The faults of a record as a whole, in a byte each, and the sentences that describe them.
//!
//! The CSV reader finds these faults. The user of such a record cannot be identified.

use std::fmt;

use super::{Column, PackedCount};

/// A fault in the quotes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteFault {
    /// Text stands between a closing quote and the delimiter.
    TextBehind,
    /// Text stands between a closing quote and the delimiter, and a backslash precedes a quote of the value.
    Backslash,
    /// A value that does not begin with a quote has an odd number of quotes.
    Unpaired,
    /// A quoted value spans lines, and it contains the delimiter or text follows its closing quote. The quote that
    /// closed it belongs to another value.
    Unclosed,
}

/// The quotes of a record that do not enclose one value each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrayQuote {
    /// The kind of fault.
    pub fault: QuoteFault,
    /// The column of the first such quote, if it is known.
    pub column: Option<Column>,
    /// Number of lines that the record spans in the file.
    pub lines: PackedCount,
}

/// The kind that a line seems to be, if it has one or two values and the header has more columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportLine {
    /// `(3 rows affected)`.
    RowCount,
    /// `Total: 3`.
    Total,
    /// `End of report`, `Page 1 of 2`.
    End,
    /// A whole row in one value: the row is in quotes, or uses another delimiter.
    WholeRow,
    /// A title, a note, or a row that lacks values.
    Other,
}

/// A line that lists no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignLine {
    /// The header, repeated.
    Header,
    /// `---,---`.
    Ruling,
    /// A line of a report with as many fields as the header, and of a known kind.
    OfReport(ReportLine),
}

impl ForeignLine {
    /// Returns `true` if the line is certainly not the rest of a user's row.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Header | Self::Ruling)
    }
}

impl fmt::Display for StrayQuote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = InColumn(self.column);
        match self.fault {
            QuoteFault::TextBehind => write!(
                f,
                "Text follows the closing quote of a value{place}; double each quote that belongs to a quoted value \
                 (\"Dana \"\"Dee\"\"\"), and close the value right before the delimiter."
            ),
            QuoteFault::Backslash => write!(
                f,
                "Text follows the closing quote of a value{place}, because a backslash does not protect a quote; \
                 double each quote that belongs to a quoted value: write \"\" in place of \\\"."
            ),
            QuoteFault::Unpaired => write!(
                f,
                "A value without quotes around it has a single quote mark in it{place}; remove the quote mark, or put \
                 the whole value in quotes and double the quote mark inside it."
            ),
            QuoteFault::Unclosed => write!(
                f,
                "A quoted value{place} is not closed on its line, so that {} lines were read as one row; close the \
                 value where it ends. The rows on these lines were not read.",
                self.lines
            ),
        }
    }
}

/// Names a column within a sentence, if it is known.
struct InColumn(Option<Column>);

impl fmt::Display for InColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |column| write!(f, " in {column}"))
    }
}

impl fmt::Display for ReportLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RowCount => "It is the row count of a database tool, not a user; delete the line.",
            Self::Total => "It is a total, not a user; delete the line.",
            Self::End => "It is the end of a report or a page, not a user; delete the line.",
            Self::WholeRow => {
                "It holds a whole row in one value, because it is quoted as a whole or has another delimiter than the \
                 header; write it as the header is written."
            }
            Self::Other => {
                "If it is a title, a total or a note, delete the line; if it is a user, add what is missing."
            }
        })
    }
}

impl fmt::Display for ForeignLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OfReport(line) => {
                return write!(f, "All but one or two cells of this line are blank. {line}");
            }
            Self::Header => {
                "This line repeats the header, as in files that were joined; it is not a user. Delete the line; the \
                 other rows are read as usual."
            }
            Self::Ruling => {
                "This is a line of dashes, which some tools write below the header; it is not a \
                 user. Delete the line; the other rows are read as usual."
            }
        })
    }
}
