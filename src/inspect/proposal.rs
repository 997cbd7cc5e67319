//! Puts a mapping together: which of the file's columns is which of a roster's, and what else its lines and cells need.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    names::{Named, meaning},
    values::{self, Entries},
};
use crate::domain::{Column, fold, is_placeholder};
use crate::input::{MappedTo, Mapping, MappingLookup, SampleTable, compared_name, own_column};

/// How many values of a column are shown.
const SAMPLES: usize = 3;

/// Most words that are proposed for blank cells.
const MOST_NULL_VALUES: usize = 20;

/// Longest beginning of a line that is proposed as a prefix, in characters.
const LONGEST_PREFIX: usize = 30;

/// A proposal for one file.
pub(super) struct Proposal<'a> {
    table: &'a SampleTable,
    /// The records that are rows.
    pub(super) rows: Vec<&'a [String]>,
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

/// How well a name fits a column; the first fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Own,
    Common,
    ByValues,
    Weak,
}

/// A column of the file that may be a column of a roster.
struct Candidate {
    fit: Fit,
    at: usize,
    column: Column,
    reason: String,
}

impl<'a> Proposal<'a> {
    /// Makes the proposal. What `given` says is kept.
    pub(super) fn make(
        table: &'a SampleTable,
        (given, lookup): (&Mapping, &MappingLookup),
        entries: &Entries<'_>,
    ) -> Self {
        let mut proposal = Self {
            table,
            rows: Vec::new(),
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
        proposal.split_names();
        proposal.compute_username();
        proposal.map_columns(lookup);
        proposal.find_null_values();
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

    /// How a column of the file that is the status writes it.
    pub(super) fn status_style(&self, at: usize) -> StatusStyle {
        match meaning(&self.table.header[at]) {
            Some(Named::Inverted) => StatusStyle::Inverted,
            Some(Named::AccountControl) => StatusStyle::AccountControl,
            _ => StatusStyle::Plain,
        }
    }

    /// Why column number `at` would be what it would be.
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
        let is_missing = |column: &Column| {
            column.is_required() && self.place(*column).is_none() && !self.computes(*column)
        };
        Column::ALL.into_iter().filter(is_missing).collect()
    }

    /// The cells of column number `at` that are not blank.
    fn cells(&self, at: usize) -> impl Iterator<Item = &'a str> {
        let cells = self.rows.iter().filter_map(move |row| row.get(at));
        cells.map(String::as_str).filter(|cell| !cell.is_empty())
    }

    fn computes(&self, column: Column) -> bool {
        let mut computed = self.mapping.templates.keys();
        computed.any(|name| own_column(name) == Some(column))
    }

    fn is_free(&self, column: Column) -> bool {
        self.place(column).is_none() && !self.computes(column)
    }

    /// Proposes how many lines above the header, and which lines below it, are no rows.
    fn leave_lines_out(&mut self) {
        if self.table.has_lines_above && self.mapping.skip_leading_lines == 0 {
            self.mapping.skip_leading_lines = self.table.line - 1;
        }
        let is_alone = |row: &[String]| row.iter().skip(1).all(String::is_empty);
        let (alone, others): (Vec<_>, Vec<_>) = self
            .table
            .rows
            .iter()
            .map(Vec::as_slice)
            .partition(|row| is_alone(row));
        let is_wide = self.table.header.len() > 2;
        let prefixes = alone.iter().filter_map(|row| prefix(row.first()?));
        let prefixes: BTreeSet<&str> = prefixes.filter(|_| is_wide).collect();
        let begins =
            |row: &[String], prefix: &str| row.first().is_some_and(|cell| cell.starts_with(prefix));
        for prefix in prefixes {
            let is_row = others.iter().any(|row| begins(row, prefix));
            let is_known = self
                .mapping
                .ignored_line_prefixes
                .iter()
                .any(|known| known == prefix);
            if !is_row && !is_known {
                self.mapping.ignored_line_prefixes.push(prefix.to_owned());
            }
        }
        let prefixes = &self.mapping.ignored_line_prefixes;
        let is_row = |row: &&[String]| !prefixes.iter().any(|prefix| begins(row, prefix));
        self.rows = self
            .table
            .rows
            .iter()
            .map(Vec::as_slice)
            .filter(is_row)
            .collect();
    }

    /// Finds what each column of the file may be, and says of the others why they are nothing.
    fn candidates(&mut self, given: &MappingLookup, entries: &Entries<'_>) -> Vec<Candidate> {
        let names: Vec<_> = self
            .table
            .header
            .iter()
            .map(|name| compared_name(name))
            .collect();
        let mut candidates = Vec::new();
        for (at, name) in self.table.header.iter().enumerate() {
            if let Some(mapped) = given.column(name) {
                self.columns[at] = ProposedColumn {
                    column: match mapped {
                        MappedTo::Column(column) => Some(column),
                        MappedTo::Nothing => None,
                    },
                    reason: "The mapping to begin with says so.".to_owned(),
                };
                continue;
            }
            let is_twice = names.iter().filter(|other| **other == names[at]).count() > 1;
            let found = match is_twice {
                true if name.is_empty() => Err("It has no name.".to_owned()),
                true => {
                    Err("The header has this name twice; rename or remove one of them.".to_owned())
                }
                false => self.candidate(at, name, entries),
            };
            match found {
                Ok(candidate) => candidates.push(candidate),
                Err(reason) => self.columns[at].reason = reason,
            }
        }
        candidates
    }

    fn candidate(&self, at: usize, name: &str, entries: &Entries<'_>) -> Result<Candidate, String> {
        let named = meaning(name).ok_or_else(|| match name.is_empty() {
            true => "It has no name.".to_owned(),
            false => "No column of a roster is called so.".to_owned(),
        })?;
        let (fit, column, reason) = match named {
            Named::Own(column) => (Fit::Own, column, format!("It is called {column}.")),
            Named::Common(column) => (Fit::Common, column, format!("{column} is often called so.")),
            Named::Weak(column) => (
                Fit::Weak,
                column,
                format!("It may be {column}, which no other column is."),
            ),
            Named::Inverted => {
                let reason = "It tells the status, the other way round.".to_owned();
                (Fit::ByValues, Column::Status, reason)
            }
            Named::AccountControl => {
                let reason = "Its second bit says that an account is disabled.".to_owned();
                (Fit::ByValues, Column::Status, reason)
            }
            Named::Job => self.by_values(at, entries, self.jobs())?,
            Named::Unit => self.by_values(at, entries, &[Column::EvidenceGroupExtId])?,
            Named::Person => return Err("It holds whole names.".to_owned()),
        };
        let is_address = matches!(column, Column::Email | Column::SupervisorEmail);
        if is_address && fit != Fit::Own && !self.mostly(at, |cell| cell.contains('@')) {
            return Err(format!(
                "It may be {column} by its name, but its values are no email addresses."
            ));
        }
        Ok(Candidate {
            fit,
            at,
            column,
            reason,
        })
    }

    /// Returns `true` if at least half of the column's values are so; also if it has none.
    fn mostly(&self, at: usize, is_so: impl Fn(&str) -> bool) -> bool {
        let (so, not): (Vec<_>, Vec<_>) = self.cells(at).partition(|cell| is_so(cell));
        so.len() >= not.len()
    }

    /// What a column with what people do may be, the likeliest first. Every user has a role, so it is that unless another
    /// column is called so.
    fn jobs(&self) -> &'static [Column] {
        let is_role = |name: &String| {
            matches!(
                meaning(name),
                Some(Named::Own(Column::Role) | Named::Common(Column::Role))
            )
        };
        match self.table.header.iter().any(is_role) {
            true => &[Column::Rank],
            false => &[Column::Role, Column::Rank],
        }
    }

    /// Chooses the first of `columns` that has an entry for one of the values.
    fn by_values(
        &self,
        at: usize,
        entries: &Entries<'_>,
        columns: &[Column],
    ) -> Result<(Fit, Column, String), String> {
        let values: BTreeSet<&str> = self.cells(at).collect();
        let matches = |column: Column| {
            let known = values
                .iter()
                .filter(|value| entries.understand(column, value).is_some());
            known.count()
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
        Ok((Fit::ByValues, column, reason))
    }

    fn assign(&mut self, candidate: Candidate) {
        let Candidate {
            at, column, reason, ..
        } = candidate;
        if self.computes(column) {
            self.columns[at].reason = format!("It looks like {column}, which a template computes.");
            return;
        }
        match self.place(column) {
            None => {
                self.columns[at].column = Some(column);
                self.columns[at].reason = reason;
            }
            Some(other) => {
                let other = &self.table.header[other];
                self.columns[at].reason =
                    format!("It looks like {column}, which \"{other}\" is already.");
            }
        }
    }

    /// Takes the first column with what people do for the role if nothing else is. Its values are then reported as unknown.
    fn suppose_role(&mut self, entries: &Entries<'_>) {
        if !self.is_free(Column::Role) || !entries.has_roles() {
            return;
        }
        let named = |at: &usize| meaning(&self.table.header[*at]) == Some(Named::Job);
        let free = |at: &usize| self.columns[*at].column.is_none();
        let found = (0..self.columns.len()).find(|at| named(at) && free(at));
        if let Some(at) = found {
            self.columns[at].column = Some(Column::Role);
            "It may hold roles, but the catalog has none of its values; say what each is."
                .clone_into(&mut self.columns[at].reason);
        }
    }

    /// Finds first and last name in a column of whole names, or takes it for the part that no other column has.
    fn split_names(&mut self) {
        let named = |at: &usize| meaning(&self.table.header[*at]) == Some(Named::Person);
        let free = |at: &usize| self.columns[*at].column.is_none();
        let Some(at) = (0..self.columns.len()).find(|at| named(at) && free(at)) else {
            return;
        };
        let parts = (
            self.is_free(Column::FirstName),
            self.is_free(Column::LastName),
        );
        let (column, reason) = match parts {
            (false, false) => {
                "It holds whole names, and other columns have their parts."
                    .clone_into(&mut self.columns[at].reason);
                return;
            }
            (true, false) => (
                Some(Column::FirstName),
                "Another column has the last name, so this is the first.".to_owned(),
            ),
            (false, true) => (
                Some(Column::LastName),
                "Another column has the first name, so this is the last.".to_owned(),
            ),
            (true, true) => (None, self.compute_names(at)),
        };
        self.columns[at].column = column;
        self.columns[at].reason = reason;
    }

    /// Proposes templates for both names if it is clear which is which. Returns what was done.
    fn compute_names(&mut self, at: usize) -> String {
        let cell = cell_of(&self.table.header[at]);
        let words = |name: &str| name.split_whitespace().count();
        let has_values = self.cells(at).next().is_some();
        let templates = match cell {
            Some(cell) if has_values && self.mostly(at, |name| name.contains(',')) => [
                (
                    Column::FirstName,
                    format!("{{{{ ({cell} | split(\",\"))[1] | trim }}}}"),
                ),
                (
                    Column::LastName,
                    format!("{{{{ {cell} | split(\",\") | first | trim }}}}"),
                ),
            ],
            Some(cell) if has_values && self.cells(at).all(|name| words(name) == 2) => [
                (
                    Column::FirstName,
                    format!("{{{{ {cell} | split(\" \") | first }}}}"),
                ),
                (
                    Column::LastName,
                    format!("{{{{ {cell} | split(\" \") | last }}}}"),
                ),
            ],
            _ => {
                return "It holds whole names; write templates that compute FIRST_NAME and LAST_NAME from it."
                    .to_owned();
            }
        };
        let templates = templates.map(|(column, template)| (column.header().to_owned(), template));
        self.mapping.templates.extend(templates);
        self.read = Some(at);
        "FIRST_NAME and LAST_NAME are computed from it; look whether they are right for names of three words."
            .to_owned()
    }

    /// Computes the username from the address if nothing else has it.
    fn compute_username(&mut self) {
        let Some(at) = self.place(Column::Email) else {
            return;
        };
        let Some(cell) = cell_of(&self.table.header[at]) else {
            return;
        };
        if self.is_free(Column::Username) {
            let template = format!("{{{{ {cell} | split(\"@\") | first | lower }}}}");
            let name = Column::Username.header().to_owned();
            self.mapping.templates.insert(name, template);
            self.columns[at].reason += " USERNAME is computed from it.";
        }
    }

    /// Says of each column of the file what it is, except of those that an import knows by themselves.
    fn map_columns(&mut self, given: &MappingLookup) {
        let mut mapped = BTreeSet::new();
        for (at, name) in self.table.header.iter().enumerate() {
            let is_own = matches!(meaning(name), Some(Named::Own(own)) if self.columns[at].column == Some(own));
            let is_known = is_own || given.column(name).is_some() || self.read == Some(at);
            let is_full = self.mapping.columns.len() >= Mapping::MOST_ENTRIES;
            if is_known || is_full || name.is_empty() || !mapped.insert(compared_name(name)) {
                continue;
            }
            let column = self.columns[at].column.map_or("", Column::header);
            self.mapping.columns.insert(name.clone(), column.to_owned());
        }
    }

    /// Proposes the words that stand for nothing. In an external ID they are left: a user without one gets a new one with
    /// each import.
    fn find_null_values(&mut self) {
        let mut words = BTreeMap::new();
        for at in 0..self.columns.len() {
            let column = self.columns[at].column;
            if column.is_none() || column == Some(Column::ExternalId) {
                continue;
            }
            let found = self.cells(at).filter(|cell| is_placeholder(cell));
            words.extend(found.map(|word| (fold(word).into_owned(), word)));
        }
        for known in &self.mapping.null_values {
            words.remove(&*fold(known));
        }
        let words = words.into_values().take(MOST_NULL_VALUES);
        self.mapping.null_values.extend(words.map(str::to_owned));
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

/// Returns how a template names a cell, or `None` if the name has both kinds of quotes or a backslash.
fn cell_of(name: &str) -> Option<String> {
    match name {
        _ if name.contains('\\') => None,
        _ if !name.contains('"') => Some(format!("row[\"{name}\"]")),
        _ if !name.contains('\'') => Some(format!("row['{name}']")),
        _ => None,
    }
}
