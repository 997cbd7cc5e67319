//! Puts a mapping together: the roster's column for each of the file's columns, and what the file's lines and cells
//! need besides.

use std::collections::BTreeSet;

use super::{
    names::{NameHint, meaning},
    people,
    values::{self, CatalogEntries},
};
use crate::domain::Column;
use crate::input::{MappedTo, Mapping, MappingLookup, SampleTable, compared_name, own_column};

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

/// How well a column fits; the first fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ColumnFit {
    Own,
    Common,
    Qualified,
    ByValues,
    Weak,
    /// It has no values.
    Empty,
}

/// A column of the file that may be a column of a roster.
struct ColumnCandidate {
    fit: ColumnFit,
    at: usize,
    column: Column,
    reason: String,
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

    /// Finds what each column of the file may be. For each of the others, notes why it is not used.
    fn candidates(
        &mut self,
        given: &MappingLookup,
        entries: &CatalogEntries<'_>,
    ) -> Vec<ColumnCandidate> {
        let names = self.table.header.iter();
        let names: Vec<_> = names.map(|name| compared_name(name)).collect();
        let mut candidates = Vec::new();
        for (at, name) in self.table.header.iter().enumerate() {
            if let Some(mapped) = given.column(name) {
                let column = match mapped {
                    MappedTo::Column(column) => Some(column),
                    MappedTo::Nothing => None,
                };
                self.propose(at, column, "The mapping to begin with says so.".to_owned());
                continue;
            }
            let is_twice = names.iter().filter(|other| **other == names[at]).count() > 1;
            let found = match is_twice {
                true if name.is_empty() => Err("It has no name.".to_owned()),
                true => Err(
                    "The header has this name twice, so nothing can be read from it; rename or remove one of them."
                        .to_owned(),
                ),
                false => self.candidate(at, entries),
            };
            match found {
                Ok(candidate) => candidates.push(candidate),
                Err(reason) => self.columns[at].reason = reason,
            }
        }
        candidates
    }

    fn candidate(
        &self,
        at: usize,
        entries: &CatalogEntries<'_>,
    ) -> Result<ColumnCandidate, String> {
        let (name, named) = self.named(at);
        let named = named.ok_or_else(|| match name.is_empty() {
            true => "It has no name.".to_owned(),
            false => "No column of a roster has a name like this.".to_owned(),
        })?;
        let common = |column: Column| format!("This is a common name for {column}.");
        let (fit, column, reason) = match named {
            NameHint::Own(column) => (
                ColumnFit::Own,
                column,
                format!("This is the name of {column}."),
            ),
            NameHint::Common(column) => (ColumnFit::Common, column, common(column)),
            NameHint::Qualified(column) => (ColumnFit::Qualified, column, common(column)),
            NameHint::Weak(column) => (
                ColumnFit::Weak,
                column,
                format!("This may be {column}, since no other column is."),
            ),
            NameHint::Inverted => (
                ColumnFit::ByValues,
                Column::Status,
                "It says who is not active; yes becomes Inactive, and no Active.".to_owned(),
            ),
            NameHint::AccountControl => (
                ColumnFit::ByValues,
                Column::Status,
                "Its second bit says that an account is disabled.".to_owned(),
            ),
            NameHint::Job => self.job(at, entries)?,
            NameHint::Unit => self.unit(at, entries)?,
            NameHint::Person(_) => return Err("It holds whole names.".to_owned()),
        };
        self.expect_values(at, column, fit)?;
        let is_empty = !self.rows.is_empty() && self.cells(at).next().is_none();
        if is_empty && fit != ColumnFit::Own && column == Column::ExternalId {
            return Err("It is empty, and rows without an external ID make new users.".to_owned());
        }
        let fit = match fit {
            ColumnFit::Own => ColumnFit::Own,
            _ if is_empty => ColumnFit::Empty,
            fit => fit,
        };
        Ok(ColumnCandidate {
            fit,
            at,
            column,
            reason,
        })
    }

    /// Checks that the values of a column can be what its name says, unless that is a roster's own name.
    fn expect_values(&self, at: usize, column: Column, fit: ColumnFit) -> Result<(), String> {
        if fit == ColumnFit::Own {
            return Ok(());
        }
        let is_address = matches!(column, Column::Email | Column::SupervisorEmail);
        if is_address && !self.mostly(at, |cell| cell.contains('@')) {
            return Err(format!(
                "It may be {column} by its name, but its values are not email addresses."
            ));
        }
        let is_key = matches!(
            column,
            Column::ExternalId | Column::Email | Column::BadgeNumber | Column::Username
        );
        if is_key && self.has_repeated_values(at) {
            return Err(format!(
                "It may be {column} by its name, but several rows have the same value."
            ));
        }
        if column == Column::ExternalId && self.counts_lines(at) {
            return Err("Its values only count the lines, and name nobody.".to_owned());
        }
        Ok(())
    }

    /// Returns `true` if at least half of the column's values pass the test, or if the column has no values.
    pub(super) fn mostly(&self, at: usize, is_so: impl Fn(&str) -> bool) -> bool {
        let (so, not): (Vec<_>, Vec<_>) = self.cells(at).partition(|cell| is_so(cell));
        so.len() >= not.len()
    }

    /// Returns `true` if more than a tenth of the values repeat an earlier one.
    fn has_repeated_values(&self, at: usize) -> bool {
        let all = self.cells(at).count();
        let distinct: BTreeSet<&str> = self.cells(at).collect();
        (all - distinct.len()) * 10 > all
    }

    /// Returns `true` if the values are 1, 2, 3 and so on.
    fn counts_lines(&self, at: usize) -> bool {
        let cells = self
            .rows
            .iter()
            .map(|row| row.get(at).map_or("", String::as_str));
        let counts = cells
            .enumerate()
            .all(|(place, cell)| cell.parse() == Ok(place + 1));
        counts && !self.rows.is_empty()
    }

    /// Takes a column that says what people do as the role or the rank, or only as the rank if the name of another
    /// column means the role.
    fn job(
        &self,
        at: usize,
        entries: &CatalogEntries<'_>,
    ) -> Result<(ColumnFit, Column, String), String> {
        if let Some(privileged) = self.cells(at).find_map(|cell| entries.privileged(cell)) {
            return Err(format!(
                "One of its values is the privileged role \"{privileged}\"; if it holds roles, state that in the mapping."
            ));
        }
        match self.meanings.iter().any(|named| is_role(*named)) {
            true => self.by_values(at, entries, &[Column::Rank]),
            false => self.by_values(at, entries, &[Column::Role, Column::Rank]),
        }
    }

    fn unit(
        &self,
        at: usize,
        entries: &CatalogEntries<'_>,
    ) -> Result<(ColumnFit, Column, String), String> {
        self.by_values(at, entries, &[Column::EvidenceGroupExtId])
    }

    /// Chooses the first of `columns` that has an entry for one of the values.
    fn by_values(
        &self,
        at: usize,
        entries: &CatalogEntries<'_>,
        columns: &[Column],
    ) -> Result<(ColumnFit, Column, String), String> {
        let values: BTreeSet<&str> = self.cells(at).collect();
        let matches = |column: Column| {
            let is_known = |value: &&&str| entries.understand(column, value).is_some();
            values.iter().filter(is_known).count()
        };
        let mut counted = columns.iter().map(|&column| (matches(column), column));
        let Some((count, column)) = counted.find(|(count, _)| *count > 0) else {
            let columns = columns.iter().map(ToString::to_string);
            let columns = columns.collect::<Vec<_>>().join(" or ");
            return Err(format!(
                "It may be {columns} by its name, but the catalog has none of its values."
            ));
        };
        let verb = if count == 1 { "is" } else { "are" };
        let all = values.len();
        let reason = format!("{count} of its {all} different values {verb} known for {column}.");
        Ok((ColumnFit::ByValues, column, reason))
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

fn is_role(named: Option<NameHint>) -> bool {
    matches!(
        named,
        Some(
            NameHint::Own(Column::Role)
                | NameHint::Common(Column::Role)
                | NameHint::Qualified(Column::Role)
        )
    )
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
