//! `ReadRosterRows`: reads some rows of an upload as an import would judge them, for a client that lets a person
//! correct them.

use std::ops::ControlFlow;

use tokio::task::spawn_blocking;

use super::{
    ImportError, Importer, Refusal,
    inspection::while_wanted,
    receive::{WORKBOOK, refusals},
};
use crate::{
    access::Principal,
    domain::{Cell, Column, RawRow},
    input::{CsvDecoder, CsvOptions, InputLimits, WorkbookReadError, WorkbookReader},
    inspect::InspectionRequest,
    limits::MemoryAccount,
    store::{Organization, Upload},
};

/// Most rows of one answer.
pub(crate) const MOST_ROWS: usize = 1_000;

/// Most bytes of the values of one answer.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Memory for a chunk of the upload, its text, and the answer.
const READING_BYTES: usize = 16 * 1024 * 1024;

/// The rows that a client wants of an upload, and how to read the upload.
#[derive(Debug)]
pub(crate) struct WantedRows {
    /// The ID of the upload.
    pub import_id: String,
    /// How to read it.
    pub request: InspectionRequest,
    /// Unknown columns are ignored, and are not a fault.
    pub ignore_unknown_columns: bool,
    /// The name of a saved mapping, in place of the request's mapping; empty: none.
    pub mapping_name: String,
    /// The numbers of the rows (1 = first data row), ascending.
    pub rows: Vec<u32>,
}

impl WantedRows {
    fn options(&self) -> CsvOptions {
        CsvOptions {
            charset: self.request.charset.clone(),
            delimiter: self.request.delimiter.clone(),
            ignore_unknown_columns: self.ignore_unknown_columns,
            mapping: self.request.mapping.clone(),
        }
    }
}

/// A row of an upload before it is checked.
#[derive(Debug)]
pub(crate) struct RosterRow {
    /// 1 = first data row.
    pub row: u32,
    /// The values by `Column as usize`, or `None` if the record cannot be divided into its columns.
    pub values: Option<[Option<String>; Column::COUNT]>,
}

impl Importer {
    /// Reads rows of one of the caller's uploads: as many of the wanted rows as fit into an answer, in order. `permit`
    /// is held until the work has ended.
    ///
    /// # Errors
    /// Fails if the request is wrong, the file has a fault, the upload or the mapping is not there, or the database
    /// fails.
    pub(crate) async fn read_rows(
        &self,
        (principal, account): (&Principal, &MemoryAccount),
        organization: &Organization,
        mut wanted: WantedRows,
        permit: impl Send + 'static,
    ) -> Result<Vec<RosterRow>, ImportError> {
        expect_ascending(&wanted.rows)?;
        let name = std::mem::take(&mut wanted.mapping_name);
        if let Some(mapping) = self.saved_mapping(organization.id, name).await? {
            wanted.request.mapping = mapping.into();
        }
        let upload = self.inspected_upload(principal, organization, &wanted.import_id);
        let upload = upload.await?;
        let mut memory = account.reserve(READING_BYTES)?;
        let limits = self.settings.limits;
        if upload.kind != WORKBOOK {
            let _permit = permit;
            return self.read_csv_rows(&upload, wanted, limits).await;
        }
        let most = usize::try_from(upload.received).unwrap_or(usize::MAX);
        memory.grow(most)?;
        let content = self.beginning(&upload, most).await?;
        let held = READING_BYTES + content.len();
        let reading = while_wanted((permit, memory, held), move |pause| {
            read_workbook_rows(&content, wanted, limits, pause)
        });
        reading.await?
    }

    /// Reads a CSV file part by part, as far as it is needed.
    async fn read_csv_rows(
        &self,
        upload: &Upload,
        wanted: WantedRows,
        limits: InputLimits,
    ) -> Result<Vec<RosterRow>, ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let decoder = CsvDecoder::new(&wanted.options(), limits).map_err(refusals)?;
        let mut reading = (decoder, CollectedRows::new(wanted.rows));
        let mut position = 0;
        while position < upload.received && !reading.1.is_done() {
            let chunks = self.store.upload_chunks(key, position, 1).await?;
            let Some(chunk) = chunks.into_iter().find(|chunk| chunk.position == position) else {
                break;
            };
            position += chunk.length;
            let is_last = position == upload.received;
            let content = chunk.content()?;
            let decoding = spawn_blocking(move || {
                let (decoder, rows) = &mut reading;
                decoder.push(&content, &mut |row| rows.add(row))?;
                if is_last && !rows.is_done() {
                    decoder.finish(&mut |row| rows.add(row))?;
                }
                Ok(reading)
            });
            reading = decoding.await?.map_err(refusals)?;
        }
        Ok(reading.1.found)
    }
}

fn read_workbook_rows(
    content: &[u8],
    wanted: WantedRows,
    limits: InputLimits,
    pause: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Vec<RosterRow>, ImportError> {
    let reader = WorkbookReader {
        options: &wanted.options(),
        sheet: &wanted.request.sheet,
        limits,
    };
    let mut rows = CollectedRows::new(wanted.rows);
    let (_, read) = reader.read(content, pause, &mut |row| rows.add(row));
    match read {
        Ok(()) => Ok(rows.found),
        Err(WorkbookReadError::Faults(faults)) => Err(refusals(faults).into()),
        Err(WorkbookReadError::Halted) => {
            let message = "The server has no memory to spare for this workbook now; try again.";
            Err(Refusal::limit("MEMORY_IN_USE", "import_id", message).into())
        }
    }
}

/// The rows of an answer.
#[derive(Debug)]
struct CollectedRows {
    /// The numbers that are still wanted, the next one last.
    wanted: Vec<u32>,
    found: Vec<RosterRow>,
    bytes: usize,
}

impl CollectedRows {
    /// Starts a search for the rows with these numbers.
    fn new(mut wanted: Vec<u32>) -> Self {
        wanted.reverse();
        Self {
            wanted,
            found: Vec::new(),
            bytes: 0,
        }
    }

    /// Returns `true` if no more rows are wanted, or if no more fit.
    fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Takes the row if it is wanted.
    fn add(&mut self, row: &RawRow<'_>) {
        while self.wanted.pop_if(|wanted| *wanted < row.number).is_some() {}
        if self.wanted.last() != Some(&row.number) {
            return;
        }
        let values = row.misfit.is_none().then(|| row.cells.map(value));
        let bytes: usize = values.iter().flatten().flatten().map(String::len).sum();
        if self.bytes + bytes > ANSWER_BYTES && !self.found.is_empty() {
            self.wanted.clear();
            return;
        }
        self.wanted.pop();
        self.bytes += bytes;
        self.found.push(RosterRow {
            row: row.number,
            values,
        });
    }
}

/// The text of a cell, or `None` if its column is absent. A cell that cannot be read is blank.
fn value(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Absent => None,
        Cell::Text(text) => Some(text.to_owned()),
        Cell::Invalid { .. } | Cell::Failed(_) => Some(String::new()),
    }
}

/// Refuses a list that is empty or too long, or not in order.
fn expect_ascending(rows: &[u32]) -> Result<(), ImportError> {
    let is_ascending = rows.is_sorted_by(|before, after| before < after);
    if rows.is_empty() || rows.len() > MOST_ROWS || !is_ascending {
        let message = format!("rows must have 1 to {MOST_ROWS} row numbers, in ascending order.");
        return Err(Refusal::invalid("BAD_ROWS", "rows", message).into());
    }
    Ok(())
}
