//! One row of a sheet while its cells are read: it becomes the record that a CSV file of the same cells has.

use super::WorkbookFault;
use super::meter::WorkbookReadError;
use crate::input::record::Record;

/// Columns of a sheet; spreadsheet programs have no more.
pub(super) const COLUMNS: usize = 16_384;

/// Rows of a sheet; spreadsheet programs have no more.
pub(super) const ROWS: u32 = 1_048_576;

/// Between two fields of a record.
pub(super) const DELIMITER: u8 = b',';

/// A row, with its cells up to the last one that has a text.
#[derive(Debug)]
pub(super) struct SheetRow {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// The row's number in the sheet (1 = first row).
    line: u32,
    /// Longest row in bytes.
    most: usize,
}

impl SheetRow {
    /// Returns a row of at most `most` bytes.
    pub(super) const fn new(most: usize) -> Self {
        Self {
            text: Vec::new(),
            ends: Vec::new(),
            line: 0,
            most,
        }
    }

    /// Begins the row with this number.
    pub(super) fn begin(&mut self, line: u32) {
        self.text.clear();
        self.ends.clear();
        self.line = line;
    }

    /// The row's number in the sheet.
    pub(super) const fn line(&self) -> u32 {
        self.line
    }

    /// Returns `true` if no cell has a text.
    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Sets the text of the cell in `column` (from 0), which is behind all cells that have a text. A cell without a text
    /// needs no call.
    ///
    /// # Errors
    /// Fails if the row becomes longer than it may be, or the cell is not behind the others.
    pub(super) fn push(&mut self, column: usize, text: &str) -> Result<(), WorkbookReadError> {
        let Some(missing) = column.checked_sub(self.ends.len()) else {
            return Err(WorkbookFault::Broken { part: "the sheet" }.into());
        };
        let line = self.line;
        if self.text.len() + missing + text.len() > self.most {
            let limit = self.most;
            return Err(WorkbookFault::LongRow { line, limit }.into());
        }
        for _ in 0..missing {
            self.end_cell("");
        }
        self.end_cell(text);
        Ok(())
    }

    fn end_cell(&mut self, text: &str) {
        if !self.ends.is_empty() {
            self.text.push(DELIMITER);
        }
        self.text.extend_from_slice(text.as_bytes());
        self.ends.push(self.text.len());
    }

    /// Adds blank cells up to this number of cells, as a CSV file of the sheet has them.
    pub(super) fn fill(&mut self, cells: usize) {
        while self.ends.len() < cells {
            self.end_cell("");
        }
    }

    /// Moves the row to another place in the sheet.
    pub(super) const fn move_to(&mut self, line: u32) {
        self.line = line;
    }

    /// The record that the row is.
    pub(super) fn record(&self) -> Record<'_> {
        Record::of_sheet(&self.text, &self.ends, self.line)
    }

    /// The row as a line of CSV without quotes has it.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// Takes the rows of a sheet, in order.
pub(super) trait RowSink {
    /// Takes a row that has a text.
    ///
    /// # Errors
    /// Fails if the row refuses the file, or the caller wants no more.
    fn take(&mut self, row: &mut SheetRow) -> Result<(), WorkbookReadError>;
}
