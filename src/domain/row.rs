//! A row whose values have been checked by themselves, before the directory is looked at.

use super::{Column, ColumnSet, Issue, Issues, PackedText, Packer, Status};

/// One row after the checks that need nothing but the row (semantics §2): trimmed, normalised, with
/// every fault found. Compact: a million of them are held while an import is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    misfit: bool,
    present: ColumnSet,
    unsound: ColumnSet,
    located: bool,
    status: Option<Status>,
    text: PackedText<{ Column::COUNT }>,
    issues: Issues,
}

/// What [`Row::new`] makes a row from.
#[derive(Clone, Debug, Default)]
pub struct RowParts<'a> {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// The record had a wrong number of fields, so no column is known.
    pub misfit: bool,
    /// By `Column as usize`: `None` absent, `""` blank, else the value: in canonical form where it
    /// passed its checks, as normalised where it did not.
    pub values: [Option<&'a str>; Column::COUNT],
    /// Everything found wrong so far.
    pub issues: Vec<Issue>,
}

impl<'a> RowParts<'a> {
    /// The values that are kept.
    fn text(&self) -> [&'a str; Column::COUNT] {
        let mut text = self.values.map(Option::unwrap_or_default);
        text[Column::Location as usize] = "";
        text
    }
}

/// Makes rows whose texts share an allocation; see [`Row::new`].
#[derive(Debug, Default)]
pub struct RowPacker {
    rows: Vec<Row>,
    texts: Packer<{ Column::COUNT }>,
}

impl RowPacker {
    /// Adds a row.
    pub fn push(&mut self, parts: RowParts<'_>) {
        self.texts.push(parts.text());
        self.rows.push(Row::without_text(parts));
    }

    /// The rows, in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
        for (row, text) in self.rows.iter_mut().zip(self.texts.finish()) {
            row.text = text;
        }
        self.rows
    }
}

impl Row {
    /// Makes a row. A column with an error among the issues is unsound; LOCATION keeps only whether
    /// it had a value.
    #[must_use]
    pub fn new(parts: RowParts<'_>) -> Self {
        let text = PackedText::new(parts.text());
        Self {
            text,
            ..Self::without_text(parts)
        }
    }

    fn without_text(parts: RowParts<'_>) -> Self {
        let present = Column::ALL
            .into_iter()
            .filter(|&c| parts.values[c as usize].is_some())
            .collect();
        let located = parts.values[Column::Location as usize].is_some_and(|v| !v.is_empty());
        let errors = parts.issues.iter().filter(|issue| issue.is_error());
        let unsound: ColumnSet = errors.filter_map(|issue| issue.column).collect();
        let status = parts.values[Column::Status as usize].and_then(Status::parse);
        Self {
            number: parts.number,
            line: parts.line,
            misfit: parts.misfit,
            present,
            unsound,
            located,
            status: status.filter(|_| !unsound.contains(Column::Status)),
            text: PackedText::default(),
            issues: parts.issues.into(),
        }
    }

    /// `None`: absent. `""`: blank. Else the value: canonical where sound (phone in E.164, status
    /// `Active` or `Inactive`), else as normalised. LOCATION is never kept: `None` or `""`.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.present
            .contains(column)
            .then(|| self.text.get(column as usize))
    }

    /// True where the row has the column, be it blank.
    #[must_use]
    pub const fn has(&self, column: Column) -> bool {
        self.present.contains(column)
    }

    /// The value where there is one that is neither absent nor blank nor faulty.
    #[must_use]
    pub fn sound(&self, column: Column) -> Option<&str> {
        let value = self.value(column)?;
        (!value.is_empty() && !self.unsound.contains(column)).then_some(value)
    }

    /// True where the column failed a check.
    #[must_use]
    pub const fn is_unsound(&self, column: Column) -> bool {
        self.unsound.contains(column)
    }

    /// True where the record had a wrong number of fields, so that no column is known.
    #[must_use]
    pub const fn is_misfit(&self) -> bool {
        self.misfit
    }

    /// True where LOCATION had a value.
    #[must_use]
    pub const fn has_location(&self) -> bool {
        self.located
    }

    /// The status, where it is sound.
    #[must_use]
    pub const fn status(&self) -> Option<Status> {
        self.status
    }

    /// Everything that these checks found.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }
}
