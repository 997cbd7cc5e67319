//! Workbooks (`.xlsx`) that people open: rosters to fill in, exported and rejected ones. Every cell is text, so that a
//! spreadsheet keeps leading zeros and computes nothing. Knows the columns of a roster and the catalog; knows neither the
//! contract's messages nor whose the values are.

mod cell_style;
mod cell_text;
mod rejected;
mod roster_sheet;
mod streamed;
mod values_sheet;

pub(crate) use rejected::{CellMark, CellSuggestion, RejectedRoster, is_rejected_roster};
pub(crate) use roster_sheet::{ColumnWidths, template_workbook};
pub(crate) use streamed::StreamedRoster;

/// A workbook cannot be written. Nothing that a user's values hold causes it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkbookError {
    /// The library refuses the content, or its temporary file fails.
    #[error(transparent)]
    Library(#[from] rust_xlsxwriter::XlsxError),
    /// The parts cannot be packed.
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    /// The parts cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The library writes a sheet in another way than expected.
    #[error("the workbook's sheet has no {0}")]
    Sheet(&'static str),
}
