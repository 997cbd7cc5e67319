//! Finds the header of a sheet, and hands its rows to the path that the records of a CSV file take.
//!
//! Rows above the header, such as titles, are passed over: the header is the first row that names several columns, or, if
//! none does, the first row that names one.

use std::sync::Arc;

use super::meter::{WorkbookMeter, WorkbookReadError};
use super::sheet_row::{DELIMITER, RowSink, SheetRow};
use super::{FoundSheet, WorkbookFault};
use crate::domain::RawRow;
use crate::input::FileFault;
use crate::input::charset::Charset;
use crate::input::mapping::CompiledMapping;
use crate::input::mistaken_file::{MIN_HEADER_NAMES, known_names};
use crate::input::record::{OwnedRecord, Record};
use crate::input::row_maker::{RowMaker, RowNumbering};

/// Most rows, and most bytes of them, in which the header is searched for.
const SEARCHED_ROWS: usize = 1_000;
const SEARCHED_BYTES: usize = 1024 * 1024;

/// Takes the rows of a sheet.
pub(super) struct HeaderAndRows<'m, 'a, 's, S> {
    pub mapping: Arc<CompiledMapping>,
    pub ignore_unknown: bool,
    pub meter: &'m WorkbookMeter<'a>,
    /// Number of rows so far, and most rows.
    pub count: u32,
    pub most: u32,
    pub found: FoundSheet,
    pub sink: &'s mut S,
    pub stage: SheetStage,
}

/// The place in the sheet.
pub(super) enum SheetStage {
    /// No row has named several columns so far. These are the rows from the first one that names a column.
    Searching {
        seen: usize,
        bytes: usize,
        kept: Vec<OwnedRecord>,
    },
    /// Below the header, which has this number of cells.
    Below { rows: Box<RowMaker>, width: usize },
}

impl SheetStage {
    pub(super) const fn begin() -> Self {
        Self::Searching {
            seen: 0,
            bytes: 0,
            kept: Vec::new(),
        }
    }
}

impl<S: FnMut(&RawRow<'_>)> RowSink for HeaderAndRows<'_, '_, '_, S> {
    fn take(&mut self, row: &mut SheetRow) -> Result<(), WorkbookReadError> {
        self.meter.add_text(row.text().len())?;
        if self.is_ignored(row) {
            return Ok(());
        }
        match &mut self.stage {
            SheetStage::Below { rows, width } => {
                row.fill(*width);
                let mut numbered = RowNumbering {
                    rows: &mut self.count,
                    limit: self.most,
                    sink: self.sink,
                };
                rows.take(row.record(), &mut numbered).map_err(read_error)
            }
            SheetStage::Searching { .. } => self.search(row.record()),
        }
    }
}

impl<S: FnMut(&RawRow<'_>)> HeaderAndRows<'_, '_, '_, S> {
    /// Ends the sheet.
    ///
    /// # Errors
    /// Fails if there is no header, or there are no rows.
    pub(super) fn finish(&mut self) -> Result<(), WorkbookReadError> {
        if matches!(self.stage, SheetStage::Searching { .. }) {
            self.end_search()?;
        }
        if let SheetStage::Below { rows, .. } = &mut self.stage {
            let mut numbered = RowNumbering {
                rows: &mut self.count,
                limit: self.most,
                sink: self.sink,
            };
            rows.finish(&mut numbered).map_err(read_error)?;
        }
        match self.count {
            0 => Err(FileFault::NoRows.into()),
            _ => Ok(()),
        }
    }

    /// Returns `true` if the row is a line that the mapping leaves out.
    fn is_ignored(&mut self, row: &SheetRow) -> bool {
        let rules = self.mapping.lines();
        if row.line() <= rules.leading {
            return true;
        }
        let begins = |prefix: &Vec<u8>| row.text().starts_with(prefix);
        let is_ignored = rules.prefixes.iter().any(begins);
        if is_ignored {
            let (count, _) = self.found.ignored_lines.get_or_insert((0, row.line()));
            *count += 1;
        }
        is_ignored
    }

    fn search(&mut self, record: Record<'_>) -> Result<(), WorkbookReadError> {
        let names = known_names(record, &self.mapping);
        let SheetStage::Searching { seen, bytes, kept } = &mut self.stage else {
            return Ok(());
        };
        if names >= MIN_HEADER_NAMES {
            return self.begin_rows(record);
        }
        *seen += 1;
        *bytes += record.text.len();
        if names > 0 || !kept.is_empty() {
            kept.push(record.into());
        }
        match *seen < SEARCHED_ROWS && *bytes < SEARCHED_BYTES {
            true => Ok(()),
            false => self.end_search(),
        }
    }

    /// Takes the first row that names a column as the header, and then the rows below it.
    fn end_search(&mut self) -> Result<(), WorkbookReadError> {
        let kept = match &mut self.stage {
            SheetStage::Searching { kept, .. } => std::mem::take(kept),
            SheetStage::Below { .. } => Vec::new(),
        };
        let mut kept = kept.iter().map(OwnedRecord::borrow);
        let Some(header) = kept.next() else {
            return Err(self.no_header());
        };
        self.begin_rows(header)?;
        for record in kept {
            if let SheetStage::Below { rows, width } = &mut self.stage {
                let mut filled = SheetRow::new(usize::MAX);
                filled.begin(record.line);
                for (column, field) in record.fields().enumerate() {
                    filled.push(column, str::from_utf8(field).unwrap_or_default())?;
                }
                filled.fill(*width);
                let mut numbered = RowNumbering {
                    rows: &mut self.count,
                    limit: self.most,
                    sink: self.sink,
                };
                rows.take(filled.record(), &mut numbered)
                    .map_err(read_error)?;
            }
        }
        Ok(())
    }

    fn begin_rows(&mut self, record: Record<'_>) -> Result<(), WorkbookReadError> {
        let text = (Charset::OF_WORKBOOKS, DELIMITER);
        let below = RowMaker::below(record, text, self.ignore_unknown, &self.mapping);
        let (header, rows) = below.map_err(WorkbookReadError::Faults)?;
        self.found.header = Some(header);
        self.found.header_line = record.line;
        self.stage = SheetStage::Below {
            rows: Box::new(rows),
            width: record.filled(),
        };
        Ok(())
    }

    fn no_header(&self) -> WorkbookReadError {
        let sheet = FileFault::showable(&self.found.sheet);
        let mut others = self.found.sheets.clone();
        others.retain(|other| *other != sheet);
        WorkbookFault::NoHeader { sheet, others }.into()
    }
}

fn read_error(fault: FileFault) -> WorkbookReadError {
    match fault {
        FileFault::TooManyRows { limit, row } => WorkbookFault::TooManyRows { limit, row }.into(),
        fault => fault.into(),
    }
}
