//! Gives the rows of a sheet as they are, for reports that show rejected rows in the file's own columns.

use super::meter::{WorkbookMeter, WorkbookReadError};
use super::sheet_row::{RowSink, SheetRow};
use super::{OpenSheet, WorkbookLimits, WorkbookReader};
use crate::input::split::SplitRecord;
use crate::input::{CsvOptions, FileFault, InputLimits, Mapping};
use std::ops::ControlFlow;

/// A client reads its own workbook, which a server has read before.
const LIMITS: InputLimits = InputLimits {
    max_rows: u32::MAX,
    max_bytes: u64::MAX,
    max_record_bytes: InputLimits::MOST_RECORD_BYTES,
    max_field_bytes: InputLimits::MOST_RECORD_BYTES,
    workbook: WorkbookLimits {
        max_bytes: u64::MAX,
        max_rows: u32::MAX,
        max_ratio: u64::MAX,
    },
};

/// Passes the header of a sheet to `sink`, and each row below it that is not blank. Returns the rows above the header that
/// the mapping skips, as lines.
///
/// # Errors
/// Returns the faults of a workbook or a header that no server reads.
pub(crate) fn split_sheet(
    bytes: &[u8],
    (sheet, mapping): (&str, &Mapping),
    sink: impl FnMut(SplitRecord<'_>),
) -> Result<Vec<String>, Vec<FileFault>> {
    let options = CsvOptions {
        ignore_unknown_columns: true,
        mapping: mapping.clone(),
        ..CsvOptions::default()
    };
    let reader = WorkbookReader {
        options: &options,
        sheet,
        limits: LIMITS,
    };
    let (found, read) = reader.read(bytes, &mut |_| ControlFlow::Continue(()), &mut |_| {});
    read.map_err(faults)?;
    let mut rows = SplitRows {
        header_line: found.header_line,
        mapping,
        width: 0,
        leading: Vec::new(),
        sink,
    };
    let mut go_on = |_| ControlFlow::Continue(());
    let most = (LIMITS.workbook, LIMITS.max_bytes);
    let meter = WorkbookMeter::new(bytes.len(), most, &mut go_on);
    let (sheet, _) = OpenSheet::open(bytes, &reader, &meter).map_err(faults)?;
    let longest = LIMITS.max_record_bytes;
    sheet.read((&meter, longest), &mut rows).map_err(faults)?;
    let leading = usize::try_from(mapping.skip_leading_lines).unwrap_or_default();
    rows.leading.resize(leading, String::new());
    Ok(rows.leading)
}

fn faults(error: WorkbookReadError) -> Vec<FileFault> {
    match error {
        WorkbookReadError::Faults(faults) => faults,
        WorkbookReadError::Halted => Vec::new(),
    }
}

struct SplitRows<'o, S> {
    header_line: u32,
    mapping: &'o Mapping,
    /// Number of cells of the header.
    width: usize,
    leading: Vec<String>,
    sink: S,
}

impl<S: FnMut(SplitRecord<'_>)> RowSink for SplitRows<'_, S> {
    fn take(&mut self, row: &mut SheetRow) -> Result<(), WorkbookReadError> {
        let text = String::from_utf8_lossy(row.text()).into_owned();
        if row.line() <= self.mapping.skip_leading_lines {
            // Rows without a cell are lines too.
            let before = usize::try_from(row.line()).unwrap_or_default() - 1;
            self.leading.resize(before, String::new());
            self.leading.push(text);
            return Ok(());
        }
        let prefixes = &self.mapping.ignored_line_prefixes;
        let is_ignored = prefixes.iter().any(|prefix| text.starts_with(prefix));
        if row.line() < self.header_line || is_ignored || row.record().is_blank() {
            return Ok(());
        }
        row.fill(self.width);
        let record = row.record();
        if record.line == self.header_line {
            self.width = record.filled();
        }
        let fields = record.fields().map(String::from_utf8_lossy);
        (self.sink)(SplitRecord {
            line: record.line,
            fields: fields.map(Into::into).collect(),
            text: &text,
        });
        Ok(())
    }
}
