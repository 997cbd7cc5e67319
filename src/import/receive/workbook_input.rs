//! Collects the bytes of a workbook, and reads it once it is complete, because the archive lists its contents at its
//! end.

use std::{cell::Cell, ops::ControlFlow};

use sha2::{Digest, Sha256};

use super::parallel_checks::check_rows;
use crate::{
    domain::{self, CheckOptions, RawRow, Row},
    input::{
        CsvOptions, FileFault, FoundSheet, InputLimits, WorkbookFault, WorkbookReadError,
        WorkbookReader,
    },
};

/// Asks whether to go on reading. The number is the bytes that are held besides the workbook itself.
pub(crate) type UploadMemoryCheck<'a> = &'a mut dyn FnMut(usize) -> ControlFlow<()>;

/// A workbook that is received.
pub(super) struct WorkbookInput {
    options: CsvOptions,
    sheet: String,
    limits: InputLimits,
    bytes: Vec<u8>,
    digest: Sha256,
    found: FoundSheet,
}

impl WorkbookInput {
    /// Nothing received yet.
    pub(super) fn new(options: CsvOptions, sheet: String, limits: InputLimits) -> Self {
        Self {
            options,
            sheet,
            limits,
            bytes: Vec::new(),
            digest: Sha256::new(),
            found: FoundSheet::default(),
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Fails if there are more than a workbook may have.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), FileFault> {
        let limit = self.limits.workbook.max_bytes.min(self.limits.max_bytes);
        if self.bytes.len() as u64 + chunk.len() as u64 > limit {
            return Err(FileFault::Workbook(WorkbookFault::TooLarge { limit }));
        }
        self.digest.update(chunk);
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Number of bytes received.
    pub(super) const fn received(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes in memory.
    pub(super) const fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// SHA-256 of the bytes received.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Returns what was found, which is nothing before the workbook is read.
    pub(super) const fn found(&self) -> &FoundSheet {
        &self.found
    }

    /// Reads the workbook, and adds its checked rows to `rows`.
    ///
    /// # Errors
    /// Fails if it cannot be read, or `pause` breaks.
    pub(super) fn read(
        &mut self,
        checks: CheckOptions,
        rows: &mut Vec<Row>,
        pause: UploadMemoryCheck<'_>,
    ) -> Result<(), WorkbookReadError> {
        let reader = WorkbookReader {
            options: &self.options,
            sheet: &self.sheet,
            limits: self.limits,
        };
        let bytes = &self.bytes;
        let (found, read) = check_rows(checks, rows, |intake| {
            let of_rows = Cell::new(0);
            let mut pause = |held: usize| pause(held + of_rows.get());
            reader.read(bytes, &mut pause, &mut |row| {
                of_rows.set(of_rows.get() + weight(row));
                intake.push(row);
            })
        });
        self.found = found;
        read
    }
}

/// Roughly the bytes that a row occupies once it is checked.
fn weight(row: &RawRow<'_>) -> usize {
    let text = |cell: &domain::Cell<'_>| match cell {
        domain::Cell::Text(text) => text.len(),
        _ => 0,
    };
    2 * size_of::<Row>() + row.cells.iter().map(text).sum::<usize>()
}
