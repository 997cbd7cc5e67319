//! A row after its values have been checked by themselves. Knows nothing about the directory.

use std::{borrow::Cow, sync::Arc};

use super::artifact::{
    as_typed, phone_without_artifacts, without_artifacts, without_typographic_spaces,
};
use super::row_texts::{KeptRowTexts, PackedRowTexts, RowTextsPacker};
use super::{Column, ColumnSet, FaultContext, Issue, Status, ValueFault};

/// A row after the checks that need only the row (semantics §2): trimmed, normalised, and with every fault found.
/// It is compact, because memory holds a million rows while an import is planned.
#[derive(Clone, Debug)]
pub struct Row {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// Number of the row's group in `texts`. It has 16 bits, so that a row takes 24 bytes.
    at: u16,
    present: ColumnSet,
    unsound: ColumnSet,
    marks: RowFlags,
    status: Option<Status>,
    /// `None` if all values are blank and there are no faults.
    texts: Option<Arc<PackedRowTexts>>,
}

/// Facts about a row besides its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct RowFlags(u8);

impl RowFlags {
    /// The record as a whole has a fault.
    const MISFIT: Self = Self(1);
    /// LOCATION has a value.
    const LOCATED: Self = Self(2);
    /// A value has a warning.
    const WARNED: Self = Self(4);
    /// A value was written differently from how it was read.
    const WRITTEN: Self = Self(8);
    /// A key or the phone number may have an export artefact; see [`Row::is_suspect`].
    const SUSPECT: Self = Self(16);
    /// The record lists no user, such as the header repeated.
    const FOREIGN: Self = Self(32);

    const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// Returns this mark if `set` is `true`, and no mark otherwise.
    const fn when(self, set: bool) -> u8 {
        if set { self.0 } else { 0 }
    }
}

/// The parts from which [`Row::new`] makes a row.
#[derive(Clone, Debug, Default)]
pub struct RowParts<'a> {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// The values by `Column as usize`: `None` if absent, `""` if blank. Other values are in canonical form if they
    /// passed their checks, and as normalised if they did not.
    pub values: [Option<&'a str>; Column::COUNT],
    /// All faults, in the order of the columns. Each column has at most one fault. If the record as a whole has a
    /// fault, it is the only one, and its column is `None`.
    pub faults: Vec<(Option<Column>, ValueFault)>,
    /// The values that were written differently from how they were read.
    pub written: RewrittenValues,
    /// A key or the phone number may have an export artefact.
    pub is_suspect: bool,
    /// Standard name of the file's charset. It may be empty if no byte is invalid in the charset.
    pub charset: &'static str,
}

/// The values of a row that were written differently from how they were read. An earlier version may have stored a
/// user with the written value, and messages quote it. All are in one text, each after a control character that
/// names its column: no value contains a control character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RewrittenValues(String);

impl RewrittenValues {
    /// Adds the value of `column` as it was written.
    pub fn add(&mut self, column: Column, text: &str) {
        self.0.push(Self::mark(column));
        self.0.push_str(text);
    }

    /// Returns `true` if `column` was added.
    #[must_use]
    pub fn has(&self, column: Column) -> bool {
        self.0.contains(Self::mark(column))
    }

    const fn mark(column: Column) -> char {
        (column as u8 + 1) as char
    }

    fn find(written: &str, column: Column) -> Option<&str> {
        let (_, text) = written.split_once(Self::mark(column))?;
        text.split(char::is_control).next()
    }
}

/// Makes rows whose texts share allocations; see [`Row::new`].
#[derive(Debug, Default)]
pub(crate) struct RowPacker {
    rows: Vec<Row>,
    /// Texts of the last rows, not packed yet.
    texts: RowTextsPacker,
}

impl RowPacker {
    /// Returns an empty packer with room for `rows` rows and `bytes` bytes of text.
    #[must_use]
    pub(crate) fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            texts: RowTextsPacker::with_room(rows, bytes),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, parts: &RowParts<'_>) {
        let at = u16::try_from(self.texts.rows()).unwrap_or_else(|_| {
            self.pack();
            0
        });
        let row = Row::without_text(parts);
        row.keep_text(parts, &mut self.texts);
        self.rows.push(Row { at, ..row });
    }

    /// Returns the rows, in the order in which they were added.
    #[must_use]
    pub(crate) fn finish(mut self) -> Vec<Row> {
        self.pack();
        self.rows
    }

    fn pack(&mut self) {
        let first = self.rows.len() - self.texts.rows();
        let texts = Arc::new(std::mem::take(&mut self.texts).finish());
        for row in &mut self.rows[first..] {
            row.texts = Some(Arc::clone(&texts));
        }
    }
}

impl Row {
    /// Makes a row. A column with an error among the faults is unsound. Of a LOCATION without faults, the row keeps
    /// only whether it had a value.
    #[must_use]
    pub fn new(parts: &RowParts<'_>) -> Self {
        let row = Self::without_text(parts);
        let mut texts = RowTextsPacker::default();
        row.keep_text(parts, &mut texts);
        Self {
            texts: Some(Arc::new(texts.finish())),
            ..row
        }
    }

    fn without_text(parts: &RowParts<'_>) -> Self {
        let present = Column::ALL
            .into_iter()
            .filter(|&c| parts.values[c as usize].is_some())
            .collect();
        let located = parts.values[Column::Location as usize].is_some_and(|v| !v.is_empty());
        let errors = parts.faults.iter().filter(|(_, fault)| fault.is_error());
        let unsound: ColumnSet = errors.filter_map(|&(column, _)| column).collect();
        let misfit = parts.faults.iter().any(|(column, _)| column.is_none());
        let foreign =
            matches!(*parts.faults, [(None, ValueFault::NotARow(line))] if line.is_certain());
        let warned = parts.faults.iter().any(|(_, fault)| !fault.is_error());
        let status = parts.values[Column::Status as usize].and_then(Status::parse);
        Self {
            number: parts.number,
            line: parts.line,
            at: 0,
            present,
            unsound,
            marks: RowFlags(
                RowFlags::MISFIT.when(misfit)
                    | RowFlags::LOCATED.when(located && !misfit)
                    | RowFlags::WARNED.when(warned)
                    | RowFlags::WRITTEN.when(!parts.written.0.is_empty())
                    | RowFlags::SUSPECT.when(parts.is_suspect)
                    | RowFlags::FOREIGN.when(foreign),
            ),
            status: status.filter(|_| !unsound.contains(Column::Status)),
            texts: None,
        }
    }

    /// Keeps the row's values in `texts`, except two that are not needed there: a sound status, and LOCATION, which is
    /// reserved.
    fn keep_text(&self, parts: &RowParts<'_>, texts: &mut RowTextsPacker) {
        let mut values = parts.values.map(Option::unwrap_or_default);
        if !self.unsound.contains(Column::Location) {
            values[Column::Location as usize] = "";
        }
        if self.status.is_some() {
            values[Column::Status as usize] = "";
        }
        let kept = KeptRowTexts {
            values,
            written: &parts.written.0,
        };
        match &*parts.faults {
            [] => texts.push(&kept, (ColumnSet::EMPTY, &[]), ""),
            faults => {
                let warned = faults.iter().filter(|(_, fault)| !fault.is_error());
                let warned = warned.filter_map(|&(column, _)| column).collect();
                let faults: Vec<ValueFault> = faults.iter().map(|&(_, fault)| fault).collect();
                texts.push(&kept, (warned, &faults), parts.charset);
            }
        }
    }

    /// Returns the bytes that the texts and faults of these rows take. The rows must have been checked together.
    #[must_use]
    pub fn text_bytes(rows: &[Self]) -> usize {
        let texts = rows.iter().filter_map(|row| row.texts.as_ref());
        let (bytes, _) = texts.fold((0, None), |(bytes, last), texts| match last {
            Some(last) if Arc::ptr_eq(last, texts) => (bytes, Some(last)),
            _ => (bytes + texts.bytes(), Some(texts)),
        });
        bytes
    }

    /// Returns the value, or `None` if it is absent. The value is `""` if blank, canonical if sound (phone in E.164,
    /// status `Active` or `Inactive`), and as normalised otherwise. A sound LOCATION is not kept; its value is `None`
    /// or `""`.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.present.contains(column).then(|| self.text(column))
    }

    /// Returns the value, or `""` if there is none.
    pub(super) fn text(&self, column: Column) -> &str {
        if let (Column::Status, Some(status)) = (column, self.status) {
            return status.as_str();
        }
        let texts = self.texts.as_deref();
        texts.map_or("", |texts| texts.get(self.at.into(), column as usize))
    }

    /// Returns the texts that hold the row's values, and the number of the row's group in them.
    pub(super) fn texts(&self) -> Option<(&Arc<PackedRowTexts>, u16)> {
        Some((self.texts.as_ref()?, self.at))
    }

    /// Returns `true` if the row's values are group `at` of `texts`.
    pub(super) fn has_texts(&self, texts: &Arc<PackedRowTexts>, at: u16) -> bool {
        let own = self.texts.as_ref();
        self.at == at && own.is_some_and(|own| Arc::ptr_eq(own, texts))
    }

    /// Returns the value in `column` as it was written, or `None` if it was read unchanged. Only earlier versions
    /// stored values as written. A phone number as written is only quoted in messages.
    #[must_use]
    pub fn written(&self, column: Column) -> Option<&str> {
        if !self.marks.has(RowFlags::WRITTEN) {
            return None;
        }
        RewrittenValues::find(self.texts.as_deref()?.written(self.at.into()), column)
    }

    /// Returns `true` if `stored` is the value in `column` as it was read or as it was written.
    #[must_use]
    pub fn says(&self, column: Column, stored: &str) -> bool {
        let value = self.value(column);
        value == Some(stored) || self.written(column) == Some(stored)
    }

    /// Returns `true` if a key or the phone number may have an export artefact.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.marks.has(RowFlags::SUSPECT)
    }

    /// Returns `true` if the phone number was written with an export artefact and read without it.
    #[must_use]
    pub fn has_phone_artifact(&self) -> bool {
        let written = self.written(Column::Phone);
        written.is_some_and(|written| phone_without_artifacts(written).is_some())
    }

    /// Returns the texts that the value of a key may have been before an export, the most likely one first. Returns an
    /// empty list if the value has no export artefact.
    #[must_use]
    pub(crate) fn without_artifacts(&self, column: Column) -> Vec<String> {
        let mut texts = Vec::new();
        if let Some(closed) = self.without_typographic_spaces(column) {
            texts.extend(without_artifacts(&closed));
            texts.push(closed);
        }
        texts.extend(without_artifacts(self.text(column)));
        texts
    }

    /// Returns the value of a key as a keyboard writes it, or `None` if it has no typographic characters. A space that
    /// is typographic stands for no character here.
    #[must_use]
    pub(crate) fn as_typed(&self, column: Column) -> Option<String> {
        let closed = self.without_typographic_spaces(column);
        let value = closed.as_deref().unwrap_or(self.text(column));
        match as_typed(value) {
            Cow::Owned(typed) => Some(typed),
            Cow::Borrowed(_) => closed,
        }
    }

    fn without_typographic_spaces(&self, column: Column) -> Option<String> {
        without_typographic_spaces(self.written(column)?)
    }

    /// Returns `true` if the row has the column, even if it is blank.
    #[must_use]
    pub const fn has(&self, column: Column) -> bool {
        self.present.contains(column)
    }

    /// Returns the value, or `None` if it is absent, blank or faulty.
    #[must_use]
    pub fn sound(&self, column: Column) -> Option<&str> {
        let value = self.value(column)?;
        (!value.is_empty() && !self.unsound.contains(column)).then_some(value)
    }

    /// Returns the columns that failed a check.
    #[must_use]
    pub const fn unsound(&self) -> ColumnSet {
        self.unsound
    }

    /// Returns `true` if the column failed a check.
    #[must_use]
    pub const fn is_unsound(&self, column: Column) -> bool {
        self.unsound.contains(column)
    }

    /// Returns `true` if the record as a whole has a fault, such as a wrong number of fields. Its columns are not
    /// known then.
    #[must_use]
    pub const fn is_misfit(&self) -> bool {
        self.marks.has(RowFlags::MISFIT)
    }

    /// Returns `true` if the record certainly lists no user, such as the header repeated.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.marks.has(RowFlags::FOREIGN)
    }

    /// Returns `true` if LOCATION has a value.
    #[must_use]
    pub const fn has_location(&self) -> bool {
        self.marks.has(RowFlags::LOCATED)
    }

    /// Returns the status if it is sound.
    #[must_use]
    pub const fn status(&self) -> Option<Status> {
        self.status
    }

    /// Returns `true` if these checks found anything.
    #[must_use]
    pub const fn has_faults(&self) -> bool {
        !self.unsound.is_empty()
            || self.marks.has(RowFlags::MISFIT)
            || self.marks.has(RowFlags::WARNED)
    }

    /// Returns all faults that the checks found, in the order of the columns. The column is `None` for a fault of the
    /// row as a whole.
    pub fn faults(&self) -> impl Iterator<Item = (Option<Column>, ValueFault)> {
        let texts = self.texts.as_deref().filter(|_| self.has_faults());
        let none = (ColumnSet::EMPTY, &[][..]);
        let (warned, faults) = texts.map_or(none, |texts| texts.faults(self.at));
        let columns = self.unsound.union(warned).iter().map(Some).chain([None]);
        columns.zip(faults.iter().copied())
    }

    /// Returns the faults as issues. Their messages are made as the iterator advances.
    pub fn issues(&self) -> impl Iterator<Item = Issue> {
        self.faults()
            .map(|(column, fault)| fault.issue(column, self.context(column, fault)))
    }

    fn context(&self, column: Option<Column>, fault: ValueFault) -> FaultContext<'_> {
        let Some((column, texts)) = column.zip(self.texts.as_deref()) else {
            return FaultContext::default();
        };
        FaultContext {
            value: match fault.quotes_as_written() {
                true => self.written(column).unwrap_or(self.text(column)),
                false => self.text(column),
            },
            e164: self.text(Column::Phone),
            charset: texts.charset(),
        }
    }
}

impl PartialEq for Row {
    /// Returns `true` if the rows have equal contents, even if their values lie in different allocations.
    fn eq(&self, other: &Self) -> bool {
        let facts = |row: &Self| (row.number, row.line, row.unsound, row.marks, row.status);
        facts(self) == facts(other)
            && self.issues().eq(other.issues())
            && Column::ALL.iter().all(|&c| self.value(c) == other.value(c))
            && Column::ALL
                .iter()
                .all(|&c| self.written(c) == other.written(c))
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
        // These are more rows than can share an allocation.
        let emails: Vec<String> = (0..66_000).map(|n| format!("{n}@pd.example")).collect();
        let mut packer = RowPacker::default();
        for (number, email) in (1..).zip(&emails) {
            packer.push(&parts(number, email));
        }
        let rows = packer.finish();
        assert_eq!(rows.len(), emails.len());
        for (row, (number, email)) in rows.iter().zip((1..).zip(&emails)) {
            assert_eq!(*row, Row::new(&parts(number, email)));
        }
        assert_ne!(rows[0], rows[1]);
    }

    #[test]
    fn what_rows_take_is_counted_once_however_many_share_it() {
        let emails: Vec<String> = (0..300).map(|n| format!("{n}@pd.example")).collect();
        let length: usize = emails.iter().map(String::len).sum();
        let mut packer = RowPacker::default();
        for (number, email) in (1..).zip(&emails) {
            packer.push(&RowParts {
                faults: vec![(Some(Column::Email), ValueFault::Email)],
                ..parts(number, email)
            });
        }
        let rows = packer.finish();
        let bytes = Row::text_bytes(&rows);
        let (texts, ends, faults) = (length, 300 * (4 + 14), 300 * (8 + 8));
        assert!(
            (texts + ends + faults..texts + ends + faults + 256).contains(&bytes),
            "{bytes}"
        );
        let one_by_one: usize = rows.chunks(1).map(Row::text_bytes).sum();
        assert_eq!(one_by_one, 300 * bytes);
    }

    #[test]
    fn a_row_takes_no_more_than_it_has_to() {
        assert_eq!(size_of::<Row>(), 24);
    }
}
