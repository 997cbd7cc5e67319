//! Reads a workbook, `.xlsx` or `.ods` (semantics §10), and turns the rows of a sheet into the records that a CSV file
//! of the same cells has. From there on, the same code reads both.
//!
//! Works on the whole workbook in memory, and does no IO. It must not know the meaning of a value.
//!
//! `container` opens the archive, `xlsx` and `ods` read the rows of a sheet, `cell_text` makes texts of values, and `rows`
//! finds the header. `meter` bounds everything: bytes count as they are decompressed, whatever the file says about its
//! sizes, and the caller may end the reading at any time. Rows are read one at a time; only the texts that an Excel
//! workbook shares between cells are held.
//!
//! The calamine crate reads the same files, and tests compare this reader with it. It is not used here because it trusts
//! what the file says: it reserves as much memory for shared texts as the file states, copies a number format for each
//! style, panics at a long cell reference, does not end if the content of a `.ods` file is cut off, and holds all sheets
//! of one several times.

mod cell_text;
mod container;
mod fault;
mod meter;
mod number_formats;
mod ods;
mod ods_text;
mod relations;
mod rows;
mod sample;
mod shared_strings;
mod sheet_row;
mod sheets;
mod split;
mod xlsx;
mod xml;

#[cfg(test)]
mod tests;

pub use container::is_workbook;
pub(crate) use fault::WorkbookFault;
pub use meter::WorkbookReadError;
pub(crate) use sample::SheetSample;
pub(crate) use split::split_sheet;

use std::{ops::ControlFlow, sync::Arc};

use super::mapping::CompiledMapping;
use super::{CsvOptions, FileFault, Header, InputLimits};
use crate::domain::RawRow;
use container::WorkbookKind;
use meter::WorkbookMeter;
use rows::{HeaderAndRows, SheetStage};
use sheet_row::RowSink;
use sheets::WorkbookSheets;

/// The limits on one workbook, besides those of every import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkbookLimits {
    /// Most bytes of the workbook as received.
    pub max_bytes: u64,
    /// Most data rows.
    pub max_rows: u32,
    /// Most bytes that a byte of the workbook may become when it is decompressed.
    pub max_ratio: u64,
}

impl Default for WorkbookLimits {
    /// 32 MiB and 200,000 rows; a byte may become 200.
    fn default() -> Self {
        Self {
            max_bytes: 32 * 1024 * 1024,
            max_rows: 200_000,
            max_ratio: 200,
        }
    }
}

/// What was found in a workbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundSheet {
    /// The name of the sheet that was read; empty if there is none.
    pub sheet: String,
    /// The names of all sheets with cells, made safe to show.
    pub sheets: Vec<String>,
    /// The header, once it was read and is valid.
    pub header: Option<Header>,
    /// The number of its row in the sheet (1 = first row).
    pub header_line: u32,
    /// Number of data rows; blank rows do not count.
    pub rows: u32,
    /// How many rows the mapping's prefixes have left out, and the number of the first of them, or `None` if none.
    pub ignored_lines: Option<(u32, u32)>,
}

/// How to read a workbook.
#[derive(Clone, Debug)]
pub struct WorkbookReader<'o> {
    /// How to read columns, values and lines; charset and delimiter have no meaning here.
    pub options: &'o CsvOptions,
    /// The name of the sheet. Empty: the first one that is not hidden.
    pub sheet: &'o str,
    /// The limits.
    pub limits: InputLimits,
}

impl WorkbookReader<'_> {
    /// Reads the rows of the sheet, and passes them to `sink`. Rows passed on before a fault are void.
    ///
    /// After at most some 64 KiB it calls `pause` with the number of bytes that it holds besides the workbook itself;
    /// if that breaks, it ends.
    pub fn read(
        &self,
        bytes: &[u8],
        pause: &mut dyn FnMut(usize) -> ControlFlow<()>,
        sink: &mut impl FnMut(&RawRow<'_>),
    ) -> (FoundSheet, Result<(), WorkbookReadError>) {
        let workbook = self.limits.workbook;
        let meter = WorkbookMeter::new(bytes.len(), (workbook, self.limits.max_bytes), pause);
        let mapping = match CompiledMapping::new(&self.options.mapping) {
            Ok(mapping) => Arc::new(mapping),
            Err(faults) => {
                let faults = faults.into_iter().map(FileFault::BadMapping);
                return (
                    FoundSheet::default(),
                    Err(WorkbookReadError::Faults(faults.collect())),
                );
            }
        };
        let (sheet, found) = match OpenSheet::open(bytes, self, &meter) {
            Ok(opened) => opened,
            Err(error) => return (FoundSheet::default(), Err(error)),
        };
        let mut rows = HeaderAndRows {
            mapping,
            ignore_unknown: self.options.ignore_unknown_columns,
            meter: &meter,
            count: 0,
            most: workbook.max_rows.min(self.limits.max_rows),
            found,
            sink,
            stage: SheetStage::begin(),
        };
        let most = (&meter, self.limits.max_record_bytes);
        let read = sheet.read(most, &mut rows).and_then(|()| rows.finish());
        rows.found.rows = rows.count;
        (rows.found, read)
    }
}

/// A workbook, and the place of the sheet in it that is read.
enum OpenSheet<'b> {
    Xlsx(xlsx::XlsxWorkbook<'b>, usize),
    Ods(ods::OdsWorkbook<'b>, usize),
}

impl<'b> OpenSheet<'b> {
    /// Opens a workbook, and chooses the sheet.
    fn open(
        bytes: &'b [u8],
        reader: &WorkbookReader<'_>,
        meter: &WorkbookMeter<'_>,
    ) -> Result<(Self, FoundSheet), WorkbookReadError> {
        let limit = reader.limits.workbook.max_bytes;
        if bytes.len() as u64 > limit {
            return Err(WorkbookFault::TooLarge { limit }.into());
        }
        let chosen = |sheets: &WorkbookSheets| {
            let place = sheets.find(reader.sheet)?;
            let found = FoundSheet {
                sheet: sheets.name(place).to_owned(),
                sheets: sheets.shown(),
                ..FoundSheet::default()
            };
            Ok::<_, WorkbookReadError>((place, found))
        };
        match WorkbookKind::open(bytes, meter)? {
            WorkbookKind::Xlsx(archive, part) => {
                let (workbook, sheets) = xlsx::XlsxWorkbook::open(archive, &part, meter)?;
                let (place, found) = chosen(&sheets)?;
                Ok((Self::Xlsx(workbook, place), found))
            }
            WorkbookKind::Ods(archive) => {
                let (workbook, sheets) = ods::OdsWorkbook::open(archive, meter)?;
                let (place, found) = chosen(&sheets)?;
                Ok((Self::Ods(workbook, place), found))
            }
        }
    }

    /// Gives the rows of the sheet to `rows`. A row has at most this number of bytes.
    fn read(
        self,
        most: (&WorkbookMeter<'_>, usize),
        rows: &mut impl RowSink,
    ) -> Result<(), WorkbookReadError> {
        match self {
            Self::Xlsx(workbook, place) => workbook.read(place, most, rows),
            Self::Ods(workbook, place) => workbook.read(place, most, rows),
        }
    }
}
