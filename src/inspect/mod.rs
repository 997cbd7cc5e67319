//! A look at a file before it is imported: what it is, and a mapping that is proposed for it (semantics §10).
//!
//! Pure. `names` knows what columns are called in common use, `words` what their values mean, and `proposal` puts a
//! mapping together. `values` says what the values of STATUS, ROLE, RANK and group would become with it. No proposal is
//! applied here or anywhere else: a person reads it, and states it.

mod names;
mod proposal;
mod values;
mod words;

#[cfg(test)]
mod tests;

use crate::domain::{Catalog, Column, Issue, IssueCode};
use crate::input::{CsvSample, FileFault, Mapping, MappingLookup, SampleTable};

use proposal::Proposal;
use values::{Entries, ReportedValues};

/// Most columns that are reported.
const MOST_COLUMNS: usize = 1_000;

/// Longest text of the file that is shown, in characters.
const LONGEST: usize = 100;

/// What is known of a file before it is inspected.
#[derive(Clone, Debug, Default)]
pub(crate) struct InspectionRequest {
    /// The charset's label; empty: found out.
    pub charset: String,
    /// The delimiter; empty: found out.
    pub delimiter: String,
    /// What it says is kept.
    pub mapping: Mapping,
}

/// What a file is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inspection {
    /// Standard name of the charset.
    pub charset: &'static str,
    /// The delimiter.
    pub delimiter: char,
    /// The line of the header (1 = first line), or 0 if there is none.
    pub header_line: u32,
    /// The columns, in file order.
    pub columns: Vec<InspectedColumn>,
    /// The values of STATUS, ROLE, RANK and group.
    pub values: Vec<InspectedValue>,
    /// The proposal, if there is a header.
    pub mapping: Option<Mapping>,
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
    /// What it would be, or what was probably meant.
    pub meaning: Meaning,
}

/// What a value would be in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This.
    Known(String),
    /// It would reject its row. This was probably meant, if anything is like it.
    Unknown(Option<String>),
}

/// Inspects `content`, the beginning of a CSV file or all of it. `is_cut` says that it may end within a line.
///
/// # Errors
/// Fails if the charset, the delimiter or the mapping cannot be used.
pub(crate) fn inspect(
    content: &[u8],
    is_cut: bool,
    request: &InspectionRequest,
    catalog: &Catalog,
) -> Result<Inspection, Vec<FileFault>> {
    let given = MappingLookup::new(&request.mapping)?;
    let is_known = |name: &str| given.column(name).is_some() || names::meaning(name).is_some();
    let options = (&*request.charset, &*request.delimiter);
    let sample = CsvSample::read(content, is_cut, options, is_known)?;
    let mut inspection = Inspection {
        charset: sample.charset,
        delimiter: sample.delimiter,
        ..Inspection::default()
    };
    if sample.is_charset_guessed {
        let message = format!(
            "The file is not UTF-8, and was read as {0}; if letters look right, import it with the charset {0}.",
            sample.charset
        );
        inspection.notice(IssueCode::InvalidEncoding, message);
    }
    match sample.table {
        Err(fault) => inspection.notice(IssueCode::NotARow, fault.message()),
        Ok(table) => inspection.look_at(&table, (&request.mapping, &given), catalog),
    }
    if let Some(fault) = sample.fault {
        inspection.notice(IssueCode::StrayQuote, fault.message());
    }
    Ok(inspection)
}

impl Inspection {
    fn notice(&mut self, code: IssueCode, message: String) {
        self.issues.push(Issue::file_warning(code, message));
    }

    fn look_at(
        &mut self,
        table: &SampleTable,
        given: (&Mapping, &MappingLookup),
        catalog: &Catalog,
    ) {
        self.header_line = table.line;
        let entries = Entries::new(catalog);
        let proposal = Proposal::make(table, given, &entries);
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
        self.mapping = Some(proposal.mapping);
    }
}

/// Returns a text of the file, cut to what is shown of it.
fn shown(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
