//! A row whose values have been checked by themselves, before the directory is looked at.

use std::sync::Arc;

use super::{Column, ColumnSet, Issue, Issues, PackedTexts, Packer, Status};

/// The values of some hundred rows, by column.
pub(super) type RowTexts = PackedTexts<{ Column::COUNT }>;

/// One row after the checks that need nothing but the row (semantics §2): trimmed, normalised, with
/// every fault found. Compact: a million of them are held while an import is planned.
#[derive(Clone, Debug)]
pub struct Row {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// Which of `texts`; 16 bits, since this makes a row one of 32 bytes.
    at: u16,
    present: ColumnSet,
    unsound: ColumnSet,
    record: Record,
    status: Option<Status>,
    /// `None`: all values are blank.
    texts: Option<Arc<RowTexts>>,
    issues: Issues,
}

/// What is known of a row besides its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    /// It had a wrong number of fields.
    Misfit,
    /// LOCATION had a value.
    Located,
    /// Neither.
    Plain,
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
    fn text(&self) -> [&'a str; Column::COUNT] {
        self.values.map(Option::unwrap_or_default)
    }
}

/// Makes rows whose texts share allocations; see [`Row::new`].
#[derive(Debug, Default)]
pub struct RowPacker {
    rows: Vec<Row>,
    /// Texts of the last rows.
    texts: Packer<{ Column::COUNT }>,
}

impl RowPacker {
    /// The same as by default, with room for so many rows, and bytes of text.
    #[must_use]
    pub fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            texts: Packer::with_room(rows, bytes),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, parts: RowParts<'_>) {
        let at = u16::try_from(self.texts.groups()).unwrap_or_else(|_| {
            self.pack();
            0
        });
        let texts = parts.text();
        let row = Row::without_text(parts);
        self.texts.push(row.kept(texts));
        self.rows.push(Row { at, ..row });
    }

    /// The rows, in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
        self.pack();
        self.rows
    }

    fn pack(&mut self) {
        let first = self.rows.len() - self.texts.groups();
        let texts = Arc::new(std::mem::take(&mut self.texts).finish());
        for row in &mut self.rows[first..] {
            row.texts = Some(Arc::clone(&texts));
        }
    }
}

impl Row {
    /// Makes a row. A column with an error among the issues is unsound; LOCATION keeps only whether
    /// it had a value.
    #[must_use]
    pub fn new(parts: RowParts<'_>) -> Self {
        let texts = parts.text();
        let row = Self::without_text(parts);
        let texts = PackedTexts::of(row.kept(texts));
        Self {
            texts: Some(Arc::new(texts)),
            ..row
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
        let record = match (parts.misfit, located) {
            (true, _) => Record::Misfit,
            (false, true) => Record::Located,
            (false, false) => Record::Plain,
        };
        Self {
            number: parts.number,
            line: parts.line,
            at: 0,
            present,
            unsound,
            record,
            status: status.filter(|_| !unsound.contains(Column::Status)),
            texts: None,
            issues: parts.issues.into(),
        }
    }

    /// Of its values, those to be kept as text: a sound status is known without, and LOCATION is reserved.
    fn kept<'a>(&self, mut texts: [&'a str; Column::COUNT]) -> [&'a str; Column::COUNT] {
        texts[Column::Location as usize] = "";
        if self.status.is_some() {
            texts[Column::Status as usize] = "";
        }
        texts
    }

    /// `None`: absent. `""`: blank. Else the value: canonical where sound (phone in E.164, status
    /// `Active` or `Inactive`), else as normalised. LOCATION is never kept: `None` or `""`.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.present.contains(column).then(|| self.text(column))
    }

    /// The value; `""` where there is none.
    pub(super) fn text(&self, column: Column) -> &str {
        if let (Column::Status, Some(status)) = (column, self.status) {
            return status.as_str();
        }
        let texts = self.texts.as_deref();
        texts.map_or("", |texts| texts.get(self.at.into(), column as usize))
    }

    /// Where its texts are: among these, in the group of this number.
    pub(super) fn texts(&self) -> Option<(&Arc<RowTexts>, u16)> {
        Some((self.texts.as_ref()?, self.at))
    }

    /// True where these are its texts.
    pub(super) fn has_texts(&self, texts: &Arc<RowTexts>, at: u16) -> bool {
        let own = self.texts.as_ref();
        self.at == at && own.is_some_and(|own| Arc::ptr_eq(own, texts))
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
        matches!(self.record, Record::Misfit)
    }

    /// True where LOCATION had a value.
    #[must_use]
    pub const fn has_location(&self) -> bool {
        matches!(self.record, Record::Located)
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

impl PartialEq for Row {
    /// Whether all is the same, wherever the values lie.
    fn eq(&self, other: &Self) -> bool {
        let facts = |row: &Self| (row.number, row.line, row.unsound, row.record, row.status);
        facts(self) == facts(other)
            && self.issues == other.issues
            && Column::ALL.iter().all(|&c| self.value(c) == other.value(c))
    }
}

impl Eq for Row {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(number: u32, email: &str) -> RowParts<'_> {
        let mut values = [None; Column::COUNT];
        values[Column::Email as usize] = Some(email);
        RowParts {
            number,
            values,
            ..RowParts::default()
        }
    }

    #[test]
    fn rows_of_any_number_are_those_made_one_by_one() {
        // More than one allocation can be shared by.
        let emails: Vec<String> = (0..66_000).map(|n| format!("{n}@pd.example")).collect();
        let mut packer = RowPacker::default();
        for (number, email) in (1..).zip(&emails) {
            packer.push(parts(number, email));
        }
        let rows = packer.finish();
        assert_eq!(rows.len(), emails.len());
        for (row, (number, email)) in rows.iter().zip((1..).zip(&emails)) {
            assert_eq!(*row, Row::new(parts(number, email)));
        }
        assert_ne!(rows[0], rows[1]);
    }

    #[test]
    fn a_row_takes_no_more_than_it_has_to() {
        assert_eq!(size_of::<Row>(), 32);
    }
}
