//! The beginning of a sheet, for a look at what a workbook is.

use std::{cmp::Reverse, ops::ControlFlow};

use super::meter::{WorkbookMeter, WorkbookReadError};
use super::sheet_row::{RowSink, SheetRow};
use super::{CsvOptions, InputLimits, OpenSheet, WorkbookReader};
use crate::input::sample::{LINES, MOST_CELLS, MOST_COLUMNS, SampleTable, cells, score};

/// A look at a workbook.
#[derive(Debug, Default)]
pub(crate) struct SheetSample {
    /// The names of all sheets with cells, made safe to show.
    pub sheets: Vec<String>,
    /// The sheet that was read.
    pub sheet: String,
    /// The header, and what is below it, or `None` if there is no header.
    pub table: Option<SampleTable>,
}

impl SheetSample {
    /// Reads a sample of the sheet, or of the first one if `sheet` is empty. The header is the row with most names that
    /// `is_known` knows. `pause` is called as [`WorkbookReader::read`] calls it.
    ///
    /// # Errors
    /// Fails if the workbook is refused, or `pause` breaks.
    pub(crate) fn read(
        bytes: &[u8],
        (sheet, limits): (&str, InputLimits),
        pause: &mut dyn FnMut(usize) -> ControlFlow<()>,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Self, WorkbookReadError> {
        let options = CsvOptions::default();
        let reader = WorkbookReader {
            options: &options,
            sheet,
            limits,
        };
        let meter = WorkbookMeter::new(bytes.len(), (limits.workbook, limits.max_bytes), pause);
        let (sheet, found) = OpenSheet::open(bytes, &reader, &meter)?;
        let mut rows = SampledRows {
            meter: &meter,
            rows: Vec::new(),
            left: MOST_CELLS,
        };
        match sheet.read((&meter, limits.max_record_bytes), &mut rows) {
            Err(WorkbookReadError::Halted) if rows.left == 0 => {}
            read => read?,
        }
        Ok(Self {
            sheets: found.sheets,
            sheet: found.sheet,
            table: table(rows.rows, is_known),
        })
    }
}

struct SampledRows<'m, 'a> {
    meter: &'m WorkbookMeter<'a>,
    /// The number of each row in the sheet, and its cells.
    rows: Vec<(u32, Vec<String>)>,
    /// How many cells may still be kept.
    left: usize,
}

impl RowSink for SampledRows<'_, '_> {
    fn take(&mut self, row: &mut SheetRow) -> Result<(), WorkbookReadError> {
        self.meter.add_text(row.text().len())?;
        let row_cells = cells(row.record(), MOST_COLUMNS.min(self.left));
        self.left -= row_cells.len();
        if row_cells.iter().any(|cell| !cell.is_empty()) {
            self.rows.push((row.line(), row_cells));
        }
        match self.left {
            0 => Err(WorkbookReadError::Halted),
            _ => Ok(()),
        }
    }
}

/// Finds the header, and makes a table of it and what is below.
fn table(
    mut rows: Vec<(u32, Vec<String>)>,
    is_known: impl Fn(&str) -> bool,
) -> Option<SampleTable> {
    let scored = rows
        .iter()
        .take(LINES)
        .map(|(_, cells)| score(cells, &is_known));
    let scored = scored.enumerate().filter(|(_, score)| *score > (0, false));
    let (at, _) = scored.min_by_key(|(at, score)| (Reverse(*score), *at))?;
    let below = rows.split_off(at + 1);
    let (line, mut header) = rows.pop()?;
    while header.last().is_some_and(String::is_empty) {
        header.pop();
    }
    let width = header.len();
    let fit = |(_, mut cells): (u32, Vec<String>)| {
        cells.truncate(width);
        cells
    };
    Some(SampleTable {
        line,
        has_lines_above: !rows.is_empty(),
        header,
        rows: below.into_iter().map(fit).collect(),
        ..SampleTable::default()
    })
}
