//! Which column of a roster each column of the file may be: by its name, and by its values if the name alone does not
//! say.

use std::collections::BTreeSet;

use super::MappingProposal;
use crate::{
    domain::Column,
    input::{MappedTo, MappingLookup, compared_name},
    inspect::{names::NameHint, values::CatalogEntries},
};

/// How well a column fits; the first fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ColumnFit {
    Own,
    Common,
    Qualified,
    ByValues,
    Weak,
    /// It has no values.
    Empty,
}

/// A column of the file that may be a column of a roster.
pub(super) struct ColumnCandidate {
    pub(super) fit: ColumnFit,
    pub(super) at: usize,
    pub(super) column: Column,
    pub(super) reason: String,
}

impl MappingProposal<'_> {
    /// Finds what each column of the file may be. For each of the others, notes why it is not used.
    pub(super) fn candidates(
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
    pub(in crate::inspect) fn mostly(&self, at: usize, is_so: impl Fn(&str) -> bool) -> bool {
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
