//! The rejected rows of a roster in its own columns, with the columns that say what is wrong. Knows no format of a file.

use std::collections::BTreeSet;

use anyhow::Context;

use super::{
    is_written,
    records::{FileDialect, FileRecords, records},
};
use crate::cli::output::CollectedResults;
use crate::input::Mapping;
use crate::proto::{Issue, IssueCode, IssueSeverity, RowResult};

/// The columns that are added.
pub(super) const ADDED: [&str; 3] = ["IMPORT_ERROR_CODES", "IMPORT_ERRORS", "IMPORT_SUGGESTIONS"];

/// The text of a record that cannot be split into cells. The column is added only if there is such a record.
const ORIGINAL: &str = "IMPORT_ORIGINAL";

/// Most characters of that text. A record that cannot be split may hold many rows.
const ORIGINAL_CHARACTERS: usize = 4_000;

/// The rejected rows, with the records that they are.
pub(super) struct RejectedTable<'a> {
    /// How the roster is read.
    pub mapping: &'a Mapping,
    /// The rows, in the order of the roster.
    pub rows: Vec<&'a RowResult>,
    dialect: FileDialect,
    records: FileRecords,
    columns: RejectedTableColumns,
}

impl<'a> RejectedTable<'a> {
    /// Finds the rejected rows in `roster`: bytes as sent, and how they are read.
    ///
    /// # Errors
    /// Fails if the roster cannot be split as the server split it.
    pub(super) fn of(
        roster: (&[u8], &'a Mapping),
        collected: &'a CollectedResults,
    ) -> anyhow::Result<Self> {
        let started = collected
            .started
            .as_ref()
            .context("the server did not say how it reads the file")?;
        let dialect = FileDialect::of(started)?;
        let rows = collected.rejected.values().filter(|row| is_written(row));
        let rows: Vec<_> = rows.collect();
        let lines: BTreeSet<u32> = rows.iter().map(|row| row.line).collect();
        let records = records(roster, &dialect, &lines)?;
        let has_unsplittable = rows.iter().any(|row| is_unsplittable(row));
        Ok(Self {
            mapping: roster.1,
            columns: RejectedTableColumns::of(&records.header, has_unsplittable),
            rows,
            dialect,
            records,
        })
    }

    /// The roster's delimiter.
    pub(super) const fn delimiter(&self) -> u8 {
        self.dialect.delimiter
    }

    /// The lines above the header that the mapping skips.
    pub(super) fn leading(&self) -> &[String] {
        &self.records.leading
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> Vec<String> {
        let mut header = self.columns.own_of(&self.records.header);
        let original = self.columns.has_original.then_some(ORIGINAL);
        let added = ADDED.into_iter().chain(original);
        header.extend(added.map(str::to_owned));
        header
    }

    /// The cells of a row.
    ///
    /// # Errors
    /// Fails if the roster has no record there.
    pub(super) fn cells(&self, row: &RowResult) -> anyhow::Result<Vec<String>> {
        let columns = &self.columns;
        let record = self.records.by_line.get(&row.line).with_context(|| {
            format!(
                "row {} is not on line {}, where the server found it",
                row.row, row.line
            )
        })?;
        let (mut cells, original) = match is_unsplittable(row) {
            true => (
                vec![String::new(); columns.own.len()],
                on_one_line(&record.text),
            ),
            false => (
                columns.own_of(&record.fields),
                columns.earlier_original(&record.fields),
            ),
        };
        cells.extend(added(row));
        cells.extend(columns.has_original.then_some(original));
        Ok(cells)
    }

    /// The position of the cell that an issue is about: the roster's own, or the one with the codes if the roster has no
    /// such column.
    pub(super) fn position(&self, issue: &Issue) -> usize {
        let is_column = |&&index: &&usize| {
            let column = self.records.columns.get(index).copied().flatten();
            column.is_some_and(|column| column.header() == issue.column)
        };
        let is_name = |&&index: &&usize| {
            let name = self.records.header.get(index);
            !issue.file_column.is_empty() && name.is_some_and(|name| *name == issue.file_column)
        };
        let own = &self.columns.own;
        let found = own.iter().find(is_column);
        let found = found.or_else(|| own.iter().find(is_name));
        let position = found.and_then(|found| own.iter().position(|index| index == found));
        position.unwrap_or(own.len())
    }
}

/// Returns `true` if it is unclear where the row's cells begin and end. Filled up or quoted correctly, such a record
/// would look like a sound row, and would store what nobody meant.
fn is_unsplittable(row: &RowResult) -> bool {
    has_error(row, IssueCode::FieldCount) || has_error(row, IssueCode::StrayQuote)
}

/// Returns `true` if the row is rejected for this.
pub(super) fn has_error(row: &RowResult, code: IssueCode) -> bool {
    errors(row).any(|issue| issue.code() == code)
}

/// Returns the errors for which the row is rejected.
pub(super) fn errors(row: &RowResult) -> impl Iterator<Item = &Issue> {
    let is_error = |issue: &&Issue| issue.severity() == IssueSeverity::Error;
    row.issues.iter().filter(is_error)
}

/// Returns the text of a record without its line breaks: a value with line breaks and delimiters would be a stray
/// quote when the file is imported again. A text that is too long is cut.
fn on_one_line(text: &str) -> String {
    let mut characters = text.chars();
    let mut kept: String = characters.by_ref().take(ORIGINAL_CHARACTERS).collect();
    if characters.next().is_some() {
        kept.push('…');
    }
    kept.replace("\r\n", " ⏎ ").replace(['\r', '\n'], " ⏎ ")
}

/// The values of the three added columns.
fn added(row: &RowResult) -> [String; 3] {
    let codes: Vec<&str> = errors(row)
        .map(|issue| issue.code().as_str_name().trim_start_matches("ISSUE_CODE_"))
        .collect();
    let messages: Vec<&str> = errors(row).map(|issue| issue.message.as_str()).collect();
    let suggestions: Vec<String> = errors(row)
        .filter(|issue| !issue.suggestion.is_empty())
        .map(|issue| format!("{}: {}", issue.column, issue.suggestion))
        .collect();
    [codes.join(" "), messages.join(" "), suggestions.join("; ")]
}

/// The roster's own columns, without those that an earlier file of this kind added.
struct RejectedTableColumns {
    own: Vec<usize>,
    /// Position of the original texts that an earlier file of this kind has.
    earlier_original: Option<usize>,
    /// `true` if this file gets original texts.
    has_original: bool,
}

impl RejectedTableColumns {
    fn of(header: &[String], has_unsplittable: bool) -> Self {
        let count = header
            .iter()
            .rposition(|name| !name.trim().is_empty())
            .map_or(0, |last| last + 1);
        let own = (0..count)
            .filter(|&index| !is_added(&header[index]))
            .collect();
        let earlier_original = header.iter().position(|name| standard(name) == ORIGINAL);
        Self {
            own,
            earlier_original,
            has_original: has_unsplittable || earlier_original.is_some(),
        }
    }

    /// The fields of a record that belong to the roster's own columns. A record that lacks optional columns at its
    /// end is filled up with blanks, as the server reads it.
    fn own_of(&self, fields: &[String]) -> Vec<String> {
        let field = |&index: &usize| fields.get(index).cloned().unwrap_or_default();
        self.own.iter().map(field).collect()
    }

    /// The original text that an earlier file of this kind has for the record.
    fn earlier_original(&self, fields: &[String]) -> String {
        let field = self.earlier_original.and_then(|index| fields.get(index));
        field.cloned().unwrap_or_default()
    }
}

/// Returns `true` for a column that an earlier file of this kind added.
fn is_added(name: &str) -> bool {
    let name = standard(name);
    name == ORIGINAL || ADDED.contains(&&*name)
}

/// A column's name in the form in which the server compares names (semantics §2, Header).
fn standard(name: &str) -> String {
    let name = name.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}')
    });
    name.to_ascii_uppercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_original_text_without_end_is_cut() {
        let text = on_one_line(&"é\r".repeat(3_000));
        assert_eq!(text.matches('é').count(), 2_000);
        assert!(text.ends_with("é ⏎ …"), "{text}");
    }
}
