//! Inspects a file before it is imported: finds out what it is, and proposes a mapping for it (semantics §10).
//!
//! Pure. `names` knows what columns are called in common use, `words` what their values mean, and `proposal` puts a
//! mapping together. `values` says what the values of STATUS, ROLE, RANK and group would become with it. No proposal is
//! applied here or anywhere else: a person reads it, and states it.

mod names;
mod people;
mod proposal;
mod values;
mod words;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use crate::domain::{Catalog, Column, Issue, IssueCode};
use crate::input::{
    CsvSample, FileFault, InputLimits, Mapping, MappingLookup, SampleTable, SheetSample,
    WorkbookReadError, is_workbook,
};

use proposal::MappingProposal;
use values::{CatalogEntries, ReportedValues};

/// Most columns that are reported.
const MOST_COLUMNS: usize = 1_000;

/// Longest text of the file that is shown, in characters.
const LONGEST: usize = 100;

/// Most rows that are shown.
const FIRST_ROWS: usize = 5;

/// The facts that are known about a file before it is inspected.
#[derive(Clone, Debug, Default)]
pub(crate) struct InspectionRequest {
    /// The charset's label; empty: found out.
    pub charset: String,
    /// The delimiter; empty: found out.
    pub delimiter: String,
    /// The sheet of a workbook; empty: the first.
    pub sheet: String,
    /// The mapping to begin with. The proposal keeps its entries.
    pub mapping: Mapping,
}

/// The kind of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InspectedFormat {
    /// CSV.
    Csv {
        /// Standard name of the charset.
        charset: &'static str,
        /// The delimiter under which the header was found.
        delimiter: char,
    },
    /// A workbook.
    Workbook {
        /// The names of its sheets.
        sheets: Vec<String>,
    },
}

impl Default for InspectedFormat {
    fn default() -> Self {
        Self::Csv {
            charset: "UTF-8",
            delimiter: ',',
        }
    }
}

/// What a file is.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileInspection {
    /// The kind of file.
    pub format: InspectedFormat,
    /// The line of the header (1 = first line), or 0 if there is none.
    pub header_line: u32,
    /// The columns, in file order.
    pub columns: Vec<InspectedColumn>,
    /// The values of STATUS, ROLE, RANK and group.
    pub values: Vec<InspectedValue>,
    /// The proposal, if there is a header.
    pub mapping: Option<Mapping>,
    /// The cells of the first rows, as the file has them.
    pub first_rows: Vec<Vec<String>>,
    /// Required columns that nothing in the file gives.
    pub missing: Vec<Column>,
    /// What else was noticed.
    pub issues: Vec<Issue>,
}

/// A column of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InspectedColumn {
    /// Its name, as the file has it.
    pub name: String,
    /// The column of a roster that it would be.
    pub proposed: Option<Column>,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Why, as a sentence.
    pub reason: String,
}

/// A value that a column of the file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InspectedValue {
    /// The column of a roster.
    pub column: Column,
    /// The cell, as the file has it.
    pub cell: String,
    /// In how many of the inspected rows.
    pub count: u32,
    /// The value that it would become, or the value that was probably meant.
    pub meaning: ValueMeaning,
}

/// What a value would be in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueMeaning {
    /// This.
    Known(String),
    /// The value would reject its row. If a known value is similar, it was probably meant.
    Unknown(Option<String>),
}

/// Inspects `content`, the beginning of a CSV file or all of it, or a whole workbook. `is_cut` says that it may end within a
/// line. While a workbook is read, `pause` is called now and then with the number of bytes that this holds; if it breaks,
/// the workbook is too large to be inspected.
///
/// # Errors
/// Fails if the charset, the delimiter or the mapping cannot be used.
pub(crate) fn inspect(
    (content, is_cut): (&[u8], bool),
    (request, limits): (&InspectionRequest, InputLimits),
    catalog: &Catalog,
    pause: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<FileInspection, Vec<FileFault>> {
    let given = MappingLookup::new(&request.mapping)?;
    let is_known = |name: &str| given.column(name).is_some() || names::meaning(name).is_some();
    let mut inspection = FileInspection::default();
    let table = match is_workbook(content) {
        true => {
            let sheet = (&*request.sheet, limits);
            inspection.read_workbook((content, is_cut), sheet, pause, is_known)
        }
        false => inspection.read_csv((content, is_cut), request, is_known)?,
    };
    if let Some(table) = table {
        inspection.look_at(&table, (&request.mapping, &given), catalog);
    }
    Ok(inspection)
}

impl FileInspection {
    fn notice(&mut self, code: IssueCode, message: String) {
        self.issues.push(Issue::file_warning(code, message));
    }

    fn read_csv(
        &mut self,
        (content, is_cut): (&[u8], bool),
        request: &InspectionRequest,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Option<SampleTable>, Vec<FileFault>> {
        let options = (&*request.charset, &*request.delimiter);
        let sample = CsvSample::read(content, is_cut, options, is_known)?;
        self.format = InspectedFormat::Csv {
            charset: sample.charset,
            delimiter: sample.delimiter,
        };
        if sample.is_charset_guessed {
            let message = format!(
                "The file is not UTF-8, and was read as {0}; if letters look right, import it with the charset {0}.",
                sample.charset
            );
            self.notice(IssueCode::InvalidEncoding, message);
        }
        if let Some(line) = sample.bad_line {
            let message = format!(
                "The file is UTF-8 except for some bytes, the first of them on line {line}; an import rejects those rows."
            );
            self.notice(IssueCode::InvalidEncoding, message);
        }
        if let Some(fault) = sample.fault {
            self.notice(IssueCode::StrayQuote, fault.message());
        }
        Ok(match sample.table {
            Ok(table) => Some(table),
            Err(fault) => {
                self.notice(IssueCode::NotARow, fault.message());
                None
            }
        })
    }

    fn read_workbook(
        &mut self,
        (content, is_cut): (&[u8], bool),
        sheet: (&str, InputLimits),
        pause: &mut dyn FnMut(usize) -> ControlFlow<()>,
        is_known: impl Fn(&str) -> bool,
    ) -> Option<SampleTable> {
        self.format = InspectedFormat::Workbook { sheets: Vec::new() };
        if is_cut {
            let message = "A workbook is inspected as a whole: begin an upload of it, and state its import_id.";
            self.notice(IssueCode::NotARow, message.to_owned());
            return None;
        }
        match SheetSample::read(content, sheet, pause, is_known) {
            Ok(sample) => {
                self.format = InspectedFormat::Workbook {
                    sheets: sample.sheets,
                };
                if sample.table.is_none() {
                    let message = format!(
                        "The sheet \"{}\" has no row that names columns.",
                        sample.sheet
                    );
                    self.notice(IssueCode::NotARow, message);
                }
                sample.table
            }
            Err(WorkbookReadError::Faults(faults)) => {
                for fault in faults {
                    self.notice(IssueCode::NotARow, fault.message());
                }
                None
            }
            Err(WorkbookReadError::Halted) => {
                let message = "The workbook is too large to be inspected.";
                self.notice(IssueCode::NotARow, message.to_owned());
                None
            }
        }
    }

    fn look_at(
        &mut self,
        table: &SampleTable,
        given: (&Mapping, &MappingLookup),
        catalog: &Catalog,
    ) {
        self.header_line = table.line;
        let entries = CatalogEntries::new(catalog);
        let proposal = MappingProposal::make(table, given, &entries);
        let reported = match MappingLookup::new(&proposal.mapping) {
            Ok(mapping) => values::reported(&proposal, &mapping, &entries),
            Err(faults) => {
                for fault in faults {
                    self.notice(IssueCode::MappingFailed, fault.message());
                }
                ReportedValues::default()
            }
        };
        self.missing = proposal.missing();
        self.values = reported.values;
        for role in reported.privileged {
            let message = format!("Rows of this file would give the privileged role \"{role}\".");
            self.notice(IssueCode::RoleNotGrantable, message);
        }
        if let Some(line) = proposal.foreign_line {
            let message = format!(
                "Lines with a single cell, such as \"{}\", list no users; an import rejects them unless ignored_line_prefixes leaves them out.",
                shown(line)
            );
            self.notice(IssueCode::NotARow, message);
        }
        for column in reported.with_more {
            let message = format!(
                "{column} has more than {} different values; the commonest are shown.",
                values::MOST
            );
            self.notice(IssueCode::InvalidFormat, message);
        }
        let columns = table.header.iter().enumerate().take(MOST_COLUMNS);
        self.columns = columns
            .map(|(at, name)| InspectedColumn {
                name: shown(name),
                proposed: proposal.column(at),
                samples: proposal
                    .samples(at)
                    .iter()
                    .map(|cell| shown(cell))
                    .collect(),
                reason: proposal.reason(at).to_owned(),
            })
            .collect();
        self.first_rows = first_rows(table);
        self.mapping = Some(proposal.mapping);
    }
}

/// Returns the cells of the first rows, cut to the length that is shown.
fn first_rows(table: &SampleTable) -> Vec<Vec<String>> {
    let cells = |row: &Vec<String>| {
        row.iter()
            .take(MOST_COLUMNS)
            .map(|cell| shown(cell))
            .collect()
    };
    table.rows.iter().take(FIRST_ROWS).map(cells).collect()
}

/// Returns a text of the file, cut to the length that is shown.
fn shown(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
