//! Turns a client's messages after `start` into rows, and verifies their digest and count. Sans-IO.

use std::{ops::ControlFlow, sync::Arc};

use sha2::{Digest, Sha256};

use super::workbook_input::{UploadMemoryCheck, WorkbookInput};
use super::{parallel_checks::check_rows, phone_memo::read_phone};
use crate::import::Refusal;
use crate::{
    domain::{CheckOptions, Column, PhoneRegion, Row},
    input::{CsvDecoder, CsvOptions, FileFault, Header, InputLimits, TypedRows, WorkbookReadError},
    proto::{ImportFinish, UserRow, import_users_request::Message},
};

/// Input of at least this size is decoded on another thread.
pub(crate) const HEAVY_BYTES: usize = 32 * 1024;

/// The rows received so far.
pub struct RosterReceiver {
    rows: Vec<Row>,
    /// Bytes of the texts of the first `measured` rows.
    text_bytes: usize,
    measured: usize,
    limits: InputLimits,
    checks: CheckOptions,
    /// How to read a file.
    options: CsvOptions,
    /// The name of the sheet to read of a workbook, or empty.
    sheet: String,
    input: ReceivedInput,
}

enum ReceivedInput {
    /// CSV, until typed rows or a workbook come first.
    Csv(Box<CsvInput>),
    Workbook(Box<WorkbookInput>),
    Typed(Box<TypedRows>),
}

struct CsvInput {
    decoder: CsvDecoder,
    digest: Sha256,
    begun: bool,
}

/// A complete roster, verified against what `finish` states.
pub struct ReceivedRoster {
    /// All rows, in order.
    pub rows: Vec<Row>,
    /// SHA-256 of the file's bytes, or of the canonical encoding of the typed rows.
    pub digest: [u8; 32],
    /// The names that columns have in the file, if a mapping reads them from columns with other names.
    pub file_columns: Arc<[(Column, String)]>,
    /// How many lines the mapping's prefixes have left out, and the number of the first of them, or `None` if none.
    pub ignored_lines: Option<(u32, u32)>,
}

impl ReceivedRoster {
    /// Bytes of the rows.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
        Row::text_bytes(&self.rows) + self.rows.capacity() * size_of::<Row>()
    }
}

/// Why a roster was not received to its end.
#[derive(Debug)]
pub(crate) enum ReceiveFailure {
    /// The input is refused.
    Refused(Vec<Refusal>),
    /// The caller wanted no more.
    Halted,
}

impl From<Vec<Refusal>> for ReceiveFailure {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Refused(refusals)
    }
}

impl RosterReceiver {
    /// Makes a receiver for CSV, a workbook or typed rows.
    ///
    /// # Errors
    /// Fails if the CSV options are wrong.
    pub fn new(options: &CsvOptions, limits: InputLimits) -> Result<Self, Vec<Refusal>> {
        let csv = CsvInput {
            decoder: CsvDecoder::new(options, limits).map_err(refusals)?,
            digest: Sha256::new(),
            begun: false,
        };
        Ok(Self {
            rows: Vec::new(),
            text_bytes: 0,
            measured: 0,
            limits,
            checks: CheckOptions {
                max_field_bytes: limits.max_field_bytes,
                phone_region: None,
                read_phone,
            },
            options: options.clone(),
            sheet: String::new(),
            input: ReceivedInput::Csv(Box::new(csv)),
        })
    }

    /// Reads phone numbers without a country code as numbers of `region`. Must be called before any input.
    pub const fn set_phone_region(&mut self, region: Option<PhoneRegion>) {
        self.checks.phone_region = region;
    }

    /// Reads this sheet of a workbook; the first one if the name is empty. Must be called before any input.
    pub fn set_sheet(&mut self, sheet: &str) {
        sheet.clone_into(&mut self.sheet);
    }

    /// Number of rows so far.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// Bytes of the rows so far, and of a workbook that is not read yet.
    pub fn bytes(&mut self) -> usize {
        self.text_bytes += Row::text_bytes(&self.rows[self.measured..]);
        self.measured = self.rows.len();
        let workbook = match &self.input {
            ReceivedInput::Workbook(workbook) => workbook.held(),
            ReceivedInput::Csv(_) | ReceivedInput::Typed(_) => 0,
        };
        self.text_bytes + self.rows.capacity() * size_of::<Row>() + workbook
    }

    /// Returns `true` if a workbook is received, which is read at its end.
    #[must_use]
    pub const fn is_workbook(&self) -> bool {
        matches!(self.input, ReceivedInput::Workbook(_))
    }

    /// The name of the sheet that was read, or `None` if there is none, or it is not known yet.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        match &self.input {
            ReceivedInput::Workbook(workbook) => Some(&workbook.found().sheet),
            ReceivedInput::Csv(_) | ReceivedInput::Typed(_) => None,
        }
    }

    /// The header of a file, or `None` until it is known.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.input {
            ReceivedInput::Typed(_) => None,
            ReceivedInput::Csv(csv) => csv.decoder.header(),
            ReceivedInput::Workbook(workbook) => workbook.found().header.as_ref(),
        }
    }

    /// Returns `true` once the kind of input is known and, for a file, its header.
    #[must_use]
    pub fn knows_input(&self) -> bool {
        matches!(self.input, ReceivedInput::Typed(_)) || self.header().is_some()
    }

    /// Decodes one message of the input.
    ///
    /// # Errors
    /// Fails if the message is out of order or the file has a fault. The import is then refused.
    pub fn push(&mut self, message: Message) -> Result<(), Vec<Refusal>> {
        match message {
            Message::CsvChunk(chunk) => self.push_chunk(&chunk),
            Message::WorkbookChunk(chunk) => self.push_workbook(&chunk),
            Message::Rows(rows) => self.push_rows(&rows.rows),
            Message::Start(_) => Err(vec![out_of_order("start was sent twice.")]),
            Message::Finish(_) => Err(vec![out_of_order("finish was sent twice.")]),
        }
    }

    /// Ends the input, and verifies what the client states about it.
    ///
    /// # Errors
    /// Fails if the input ends too early or differs from what the client states.
    pub fn finish(&mut self, stated: &ImportFinish) -> Result<ReceivedRoster, Vec<Refusal>> {
        let finished = self.finish_while(stated, &mut |_| ControlFlow::Continue(()));
        finished.map_err(|failure| match failure {
            ReceiveFailure::Refused(refusals) => refusals,
            ReceiveFailure::Halted => Vec::new(),
        })
    }

    /// Does the same. A workbook is read now. Meanwhile `pause` is called now and then with the number of bytes that
    /// are held; if it breaks, the reading ends.
    ///
    /// # Errors
    /// The errors of [`finish`](Self::finish), and that `pause` broke.
    pub(crate) fn finish_while(
        &mut self,
        stated: &ImportFinish,
        pause: UploadMemoryCheck<'_>,
    ) -> Result<ReceivedRoster, ReceiveFailure> {
        let digest = self.end(stated, pause)?;
        let mut faults = Vec::new();
        let rows = self.rows.len() as u64;
        check_total(
            "row_count",
            "ROW_COUNT_DIFFERS",
            stated.row_count,
            rows,
            &mut faults,
        );
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let file_columns = self.header().map(|header| header.file_columns.clone());
        Ok(ReceivedRoster {
            rows: std::mem::take(&mut self.rows),
            digest,
            file_columns: file_columns.unwrap_or_default().into(),
            ignored_lines: match &self.input {
                ReceivedInput::Typed(_) => None,
                ReceivedInput::Csv(csv) => csv.decoder.ignored_lines(),
                ReceivedInput::Workbook(workbook) => workbook.found().ignored_lines,
            },
        })
    }

    fn push_chunk(&mut self, chunk: &[u8]) -> Result<(), Vec<Refusal>> {
        let ReceivedInput::Csv(csv) = &mut self.input else {
            return Err(vec![both_kinds()]);
        };
        if !self.sheet.is_empty() {
            return Err(vec![sheet_of_no_workbook()]);
        }
        csv.begun = true;
        let CsvInput {
            decoder, digest, ..
        } = &mut **csv;
        let checks = self.checks;
        check_rows(checks, &mut self.rows, |intake| {
            match chunk.len() < HEAVY_BYTES {
                true => digest.update(chunk),
                false => intake.beside(|| digest.update(chunk)),
            }
            decoder.push(chunk, &mut |row| intake.push(row))
        })
        .map_err(refusals)
    }

    fn push_workbook(&mut self, chunk: &[u8]) -> Result<(), Vec<Refusal>> {
        if matches!(&self.input, ReceivedInput::Csv(csv) if !csv.begun) {
            let (options, sheet) = (self.options.clone(), self.sheet.clone());
            let workbook = WorkbookInput::new(options, sheet, self.limits);
            self.input = ReceivedInput::Workbook(Box::new(workbook));
        }
        let ReceivedInput::Workbook(workbook) = &mut self.input else {
            return Err(vec![both_kinds()]);
        };
        workbook.push(chunk).map_err(|fault| vec![(&fault).into()])
    }

    fn push_rows(&mut self, typed: &[UserRow]) -> Result<(), Vec<Refusal>> {
        if !self.options.mapping.is_empty() {
            return Err(vec![mapped_rows()]);
        }
        if !self.sheet.is_empty() {
            return Err(vec![sheet_of_no_workbook()]);
        }
        if matches!(&self.input, ReceivedInput::Csv(csv) if !csv.begun) {
            self.input = ReceivedInput::Typed(Box::new(TypedRows::new(self.limits)));
        }
        let ReceivedInput::Typed(input) = &mut self.input else {
            return Err(vec![both_kinds()]);
        };
        let checks = self.checks;
        check_rows(checks, &mut self.rows, |intake| {
            let mut rows = typed.iter();
            rows.try_for_each(|row| input.push(&values(row), &mut |row| intake.push(row)))
        })
        .map_err(refusals)
    }

    /// Ends any kind of input, and returns its digest. No input at all is an empty file.
    fn end(
        &mut self,
        stated: &ImportFinish,
        pause: UploadMemoryCheck<'_>,
    ) -> Result<[u8; 32], ReceiveFailure> {
        match &mut self.input {
            ReceivedInput::Typed(input) => {
                check_typed(stated)?;
                input.finish().map_err(refusals)?;
                Ok(input.digest())
            }
            ReceivedInput::Workbook(workbook) => {
                let digest = workbook.digest();
                check_bytes(stated, workbook.received(), &digest)?;
                let read = workbook.read(self.checks, &mut self.rows, pause);
                read.map_err(|failure| match failure {
                    WorkbookReadError::Faults(faults) => refusals(faults).into(),
                    WorkbookReadError::Halted => ReceiveFailure::Halted,
                })?;
                Ok(digest)
            }
            ReceivedInput::Csv(csv) => {
                let digest: [u8; 32] = csv.digest.clone().finalize().into();
                // Bytes come first: if they differ, the file was cut or changed in transit, and that causes any
                // fault in it.
                check_bytes(stated, csv.decoder.bytes(), &digest)?;
                let decoder = &mut csv.decoder;
                let checks = self.checks;
                check_rows(checks, &mut self.rows, |intake| {
                    decoder.finish(&mut |row| intake.push(row))
                })
                .map_err(refusals)?;
                Ok(digest)
            }
        }
    }
}

/// Turns a file's faults into refusals.
pub(crate) fn refusals(faults: Vec<FileFault>) -> Vec<Refusal> {
    faults
        .into_iter()
        .map(|fault| Refusal::from(&fault))
        .collect()
}

/// The refusal of a message that is out of order.
pub(crate) fn out_of_order(message: &str) -> Refusal {
    let order = "The order is start, csv_chunk, workbook_chunk or rows, finish.";
    Refusal::invalid("OUT_OF_ORDER", "message", format!("{message} {order}"))
}

pub(crate) fn both_kinds() -> Refusal {
    let message = "Two kinds of input were sent, and an import cannot have both: it is CSV (csv_chunk), a workbook \
        (workbook_chunk) or typed rows (rows).";
    Refusal::invalid("BOTH_KINDS", "message", message)
}

fn sheet_of_no_workbook() -> Refusal {
    let message = "workbook.sheet names a sheet, but the input is not a workbook; leave it out, or \
        send the workbook in workbook_chunk.";
    Refusal::invalid("SHEET_OF_NO_WORKBOOK", "workbook.sheet", message)
}

fn mapped_rows() -> Refusal {
    let message = "mapping says how to read a file, and typed rows need none; leave it out, or send the file.";
    Refusal::invalid("MAPPING_OF_ROWS", "mapping", message)
}

fn check_typed(stated: &ImportFinish) -> Result<(), Vec<Refusal>> {
    if stated.byte_count.is_some() || stated.sha256.is_some() {
        let message =
            "byte_count and sha256 describe the bytes of a file; state row_count for typed rows.";
        return Err(vec![Refusal::invalid("BAD_FINISH", "finish", message)]);
    }
    Ok(())
}

fn check_bytes(stated: &ImportFinish, bytes: u64, digest: &[u8; 32]) -> Result<(), Vec<Refusal>> {
    let mut faults = Vec::new();
    check_total(
        "byte_count",
        "BYTE_COUNT_DIFFERS",
        stated.byte_count,
        bytes,
        &mut faults,
    );
    match &stated.sha256 {
        Some(sha256) if sha256.len() != digest.len() => {
            let message = format!("sha256 must have 32 bytes, not {}.", sha256.len());
            faults.push(Refusal::invalid("BAD_FINISH", "finish.sha256", message));
        }
        Some(sha256) if sha256[..] != digest[..] => {
            let message = "The bytes received are not the bytes that were sent: their SHA-256 \
                differs from the one in finish. Nothing was written; send the file again.";
            faults.push(Refusal::precondition(
                "SHA256_DIFFERS",
                "finish.sha256",
                message,
            ));
        }
        _ => {}
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn check_total(
    field: &str,
    code: &'static str,
    stated: Option<u64>,
    received: u64,
    faults: &mut Vec<Refusal>,
) {
    let Some(stated) = stated.filter(|&stated| stated != received) else {
        return;
    };
    let message = format!(
        "finish states a {field} of {stated}, but {received} arrived. Nothing was written; send \
         the whole roster again."
    );
    faults.push(Refusal::precondition(
        code,
        &format!("finish.{field}"),
        message,
    ));
}

/// A typed row's values, by `Column as usize`.
fn values(row: &UserRow) -> [Option<&str>; Column::COUNT] {
    Column::ALL.map(|column| row.value(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No stored value is longer than some hundred bytes. So only this much of a longer value is kept while the import
    /// is planned, in every column (safety.md, Memory). A value that fits is kept as a whole.
    #[test]
    fn of_values_that_are_too_long_only_the_beginning_is_kept() {
        let header = Column::ALL.map(Column::header).join(",");
        let kept = |length: usize| {
            let row = Column::ALL.map(|_| "x".repeat(length)).join(",") + "\n";
            let csv = format!("{header}\n{}", row.repeat(200));
            let limits = InputLimits::default();
            let mut receiver = RosterReceiver::new(&CsvOptions::default(), limits).unwrap();
            let size = csv.len();
            receiver.push(Message::CsvChunk(csv.into())).unwrap();
            assert_eq!(receiver.rows(), 200);
            (receiver.bytes(), size)
        };
        let (whole, size) = kept(60);
        assert!(whole > size / 2, "{whole} bytes of {size}");
        let (long, size) = kept(4_000);
        assert!(long < size / 8, "{long} bytes of {size}");
    }
}
