//! Puts a mapping together: the roster's column for each of the file's columns, and what the file's lines and cells
//! need besides.

mod candidates;

use std::collections::BTreeSet;

use candidates::ColumnCandidate;

use super::{
    names::{NameHint, meaning},
    people,
    values::{self, CatalogEntries},
};
use crate::domain::Column;
use crate::input::{Mapping, MappingLookup, SampleTable, compared_name, own_column};

/// How many values of a column are shown.
const SAMPLES: usize = 3;

/// Longest beginning of a line that is proposed as a prefix, in characters, and most of them.
const LONGEST_PREFIX: usize = 30;
const MOST_PREFIXES: usize = 20;

/// A proposal for one file.
pub(super) struct MappingProposal<'a> {
    table: &'a SampleTable,
    /// What the name of each column says.
    meanings: Vec<Option<NameHint>>,
    /// The records that are rows.
    pub(super) rows: Vec<&'a [String]>,
    /// The first cell of the first line that is no row and that no prefix leaves out.
    pub(super) foreign_line: Option<&'a str>,
    columns: Vec<ProposedColumn>,
    /// The column of whole names that proposed templates read.
    read: Option<usize>,
    /// The proposed mapping.
    pub(super) mapping: Mapping,
}

/// What is proposed for a column of the file.
#[derive(Clone, Debug, Default)]
struct ProposedColumn {
    column: Option<Column>,
    reason: String,
}

/// How a column writes the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusStyle {
    /// "Yes" means Active.
    Plain,
    /// "Yes" means Inactive.
    Inverted,
    /// Flags of an account in Active Directory.
    AccountControl,
}

impl<'a> MappingProposal<'a> {
    /// Makes the proposal. What `given` says is kept.
    pub(super) fn make(
        table: &'a SampleTable,
        (given, lookup): (&Mapping, &MappingLookup),
        entries: &CatalogEntries<'_>,
    ) -> Self {
        let mut proposal = Self {
            table,
            meanings: table.header.iter().map(|name| meaning(name)).collect(),
            rows: Vec::new(),
            foreign_line: None,
            columns: vec![ProposedColumn::default(); table.header.len()],
            read: None,
            mapping: given.clone(),
        };
        proposal.leave_lines_out();
        let mut candidates = proposal.candidates(lookup, entries);
        candidates.sort_by_key(|candidate| (candidate.fit, candidate.at));
        for candidate in candidates {
            proposal.assign(candidate);
        }
        proposal.suppose_role(entries);
        people::split_names(&mut proposal);
        proposal.compute_username();
        proposal.map_columns(lookup);
        let values = values::proposed(&proposal, lookup, entries);
        proposal.mapping.values.extend(values);
        proposal
    }

    /// The column of a roster that column number `at` (from 0) of the file would be.
    pub(super) fn column(&self, at: usize) -> Option<Column> {
        self.columns[at].column
    }

    /// The place of the file's column that would be `column`.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.columns
            .iter()
            .position(|proposed| proposed.column == Some(column))
    }

    /// The name of column number `at`, and what it says.
    pub(super) fn named(&self, at: usize) -> (&'a str, Option<NameHint>) {
        (&self.table.header[at], self.meanings[at])
    }

    /// How the file's status column writes the status.
    pub(super) fn status_style(&self, at: usize) -> StatusStyle {
        match self.meanings[at] {
            Some(NameHint::Inverted) => StatusStyle::Inverted,
            Some(NameHint::AccountControl) => StatusStyle::AccountControl,
            _ => StatusStyle::Plain,
        }
    }

    /// Returns the reason for the proposal about column number `at`.
    pub(super) fn reason(&self, at: usize) -> &str {
        &self.columns[at].reason
    }

    /// Some different values of column number `at`.
    pub(super) fn samples(&self, at: usize) -> Vec<&str> {
        let mut samples = Vec::new();
        for cell in self.cells(at) {
            if samples.len() < SAMPLES && !samples.contains(&cell) {
                samples.push(cell);
            }
        }
        samples
    }

    /// Required columns that nothing gives.
    pub(super) fn missing(&self) -> Vec<Column> {
        let is_missing = |column: &Column| column.is_required() && self.is_free(*column);
        Column::ALL.into_iter().filter(is_missing).collect()
    }

    /// The cells of column number `at` that are not blank.
    pub(super) fn cells(&self, at: usize) -> impl Iterator<Item = &'a str> {
        let cells = self.rows.iter().filter_map(move |row| row.get(at));
        cells.map(String::as_str).filter(|cell| !cell.is_empty())
    }

    /// Returns `true` if nothing gives the column yet.
    pub(super) fn is_free(&self, column: Column) -> bool {
        self.place(column).is_none() && !self.computes(column)
    }

    fn computes(&self, column: Column) -> bool {
        let mut computed = self.mapping.templates.keys();
        computed.any(|name| own_column(name) == Some(column))
    }

    /// The first column that nothing is proposed for and whose name `says` so.
    pub(super) fn first_free(&self, says: impl Fn(NameHint) -> bool) -> Option<usize> {
        let is_it =
            |&at: &usize| self.columns[at].column.is_none() && self.meanings[at].is_some_and(&says);
        (0..self.columns.len()).find(is_it)
    }

    /// Proposes what a column is, and says why.
    pub(super) fn propose(&mut self, at: usize, column: Option<Column>, reason: String) {
        self.columns[at] = ProposedColumn { column, reason };
    }

    /// Adds templates that read column number `at`.
    pub(super) fn compute(
        &mut self,
        at: usize,
        templates: impl IntoIterator<Item = (Column, String)>,
    ) {
        let templates = templates.into_iter();
        let templates = templates.map(|(column, template)| (column.header().to_owned(), template));
        self.mapping.templates.extend(templates);
        self.read = Some(at);
    }

    /// Proposes how many lines above the header, and which lines below it, are no rows.
    fn leave_lines_out(&mut self) {
        if self.table.has_lines_above && self.mapping.skip_leading_lines == 0 {
            self.mapping.skip_leading_lines = self.table.line - 1;
        }
        let is_wide = self.table.header.len() > 2;
        let is_alone = |row: &[String]| is_wide && row.iter().skip(1).all(String::is_empty);
        let rows = || self.table.rows.iter().map(Vec::as_slice).enumerate();
        let alone = || rows().filter(|(_, row)| is_alone(row));
        let prefixes = alone()
            .filter(|(place, _)| !self.table.quoted.contains(place))
            .filter_map(|(_, row)| prefix(row.first()?));
        let prefixes: BTreeSet<&str> = prefixes.take(MOST_PREFIXES).collect();
        let begins =
            |row: &[String], prefix: &str| row.first().is_some_and(|cell| cell.starts_with(prefix));
        let mut proposed = Vec::new();
        for prefix in prefixes {
            let is_row = rows().any(|(_, row)| !is_alone(row) && begins(row, prefix));
            let known = &self.mapping.ignored_line_prefixes;
            if !is_row && !known.iter().any(|known| known == prefix) {
                proposed.push(prefix.to_owned());
            }
        }
        self.mapping.ignored_line_prefixes.extend(proposed);
        let prefixes = &self.mapping.ignored_line_prefixes;
        let is_left_out = |row: &[String]| prefixes.iter().any(|prefix| begins(row, prefix));
        let foreign = alone().find(|(_, row)| !is_left_out(row));
        self.foreign_line = foreign.and_then(|(_, row)| row.first()).map(String::as_str);
        let kept = rows().filter(|(_, row)| !is_alone(row) && !is_left_out(row));
        self.rows = kept.map(|(_, row)| row).collect();
    }

    fn assign(&mut self, candidate: ColumnCandidate) {
        let ColumnCandidate {
            at, column, reason, ..
        } = candidate;
        if self.computes(column) {
            let reason = format!("It may be {column}, which a template computes.");
            self.propose(at, None, reason);
            return;
        }
        match self.place(column) {
            None => self.propose(at, Some(column), reason),
            Some(other) => {
                let other = &self.table.header[other];
                let reason = format!("It may be {column}, which \"{other}\" is already.");
                self.propose(at, None, reason);
            }
        }
    }

    /// If no other column is the role, takes the first column that says what people do. Its values are then reported as
    /// unknown.
    fn suppose_role(&mut self, entries: &CatalogEntries<'_>) {
        if !self.is_free(Column::Role) || !entries.has_roles() {
            return;
        }
        let Some(at) = self.first_free(|named| named == NameHint::Job) else {
            return;
        };
        if self
            .cells(at)
            .any(|cell| entries.privileged(cell).is_some())
        {
            return;
        }
        let reason = "It may hold roles, but the catalog has none of its values; say what each is.";
        self.propose(at, Some(Column::Role), reason.to_owned());
    }

    /// Computes the username from the address if nothing else has it.
    fn compute_username(&mut self) {
        let Some(at) = self.place(Column::Email) else {
            return;
        };
        let Some(cell) = people::cell_of(&self.table.header[at]) else {
            return;
        };
        if self.is_free(Column::Username) {
            let template = format!("{{{{ {cell} | split(\"@\") | first | lower }}}}");
            let name = Column::Username.header().to_owned();
            self.mapping.templates.insert(name, template);
            self.columns[at].reason += " USERNAME is computed from it.";
        }
    }

    /// Maps each column of the file, except those that an import knows without a mapping.
    fn map_columns(&mut self, given: &MappingLookup) {
        let mut mapped = BTreeSet::new();
        for (at, name) in self.table.header.iter().enumerate() {
            let proposed = self.columns[at].column;
            let is_own = proposed.is_some() && self.meanings[at] == proposed.map(NameHint::Own);
            let is_known = is_own || given.column(name).is_some() || self.read == Some(at);
            let is_full = self.mapping.columns.len() >= Mapping::MOST_ENTRIES;
            if is_known || is_full || name.is_empty() || !mapped.insert(compared_name(name)) {
                continue;
            }
            let column = proposed.map_or("", Column::header);
            self.mapping.columns.insert(name.clone(), column.to_owned());
        }
    }
}

/// Returns the beginning of a line that is no row, if the cell, which stands alone on its line, has one.
fn prefix(cell: &str) -> Option<&str> {
    if let Some(mark) = ["#", "//", "--"]
        .into_iter()
        .find(|mark| cell.starts_with(mark))
    {
        return Some(mark);
    }
    let (words, _) = cell.split_once(':')?;
    let is_words = words.chars().all(|c| c.is_alphabetic() || c == ' ');
    let is_short = words.chars().count() <= LONGEST_PREFIX;
    (is_words && is_short && !words.trim().is_empty()).then(|| &cell[..=words.len()])
}
