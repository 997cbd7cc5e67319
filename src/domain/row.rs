//! A row whose values have been checked by themselves, before the directory is looked at.

use std::sync::Arc;

use super::artifact::phone_without_artifacts;
use super::row_texts::{RowTexts, RowTextsPacker, Texts};
use super::{Column, ColumnSet, Fault, FaultContext, Issue, Status};

/// One row after the checks that need nothing but the row (semantics §2): trimmed, normalised, with
/// every fault found. Compact: a million of them are held while an import is planned.
#[derive(Clone, Debug)]
pub struct Row {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// Which of `texts`; 16 bits, since this makes a row one of 24 bytes.
    at: u16,
    present: ColumnSet,
    unsound: ColumnSet,
    marks: Marks,
    status: Option<Status>,
    /// `None`: all values are blank, and there are no faults.
    texts: Option<Arc<RowTexts>>,
}

/// What is known of a row besides its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks(u8);

impl Marks {
    /// The record as a whole had a fault.
    const MISFIT: Self = Self(1);
    /// LOCATION had a value.
    const LOCATED: Self = Self(2);
    /// There is a warning about a value.
    const WARNED: Self = Self(4);
    /// A value was written otherwise than it was read.
    const WRITTEN: Self = Self(8);
    /// A key or the phone number may have an export artefact; see [`Row::is_suspect`].
    const SUSPECT: Self = Self(16);
    /// The record is nobody's row, such as the header once more.
    const FOREIGN: Self = Self(32);

    const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// This mark, if `set`.
    const fn when(self, set: bool) -> u8 {
        if set { self.0 } else { 0 }
    }
}

/// What [`Row::new`] makes a row from.
#[derive(Clone, Debug, Default)]
pub struct RowParts<'a> {
    /// 1 = first data row.
    pub number: u32,
    /// CSV line on which the record starts; 0 for typed rows.
    pub line: u32,
    /// By `Column as usize`: `None` absent, `""` blank, else the value: in canonical form where it
    /// passed its checks, as normalised where it did not.
    pub values: [Option<&'a str>; Column::COUNT],
    /// Everything found wrong, in the order of the columns: at most one fault of each, or the one fault of
    /// the record as a whole, of which no column is known.
    pub faults: Vec<(Option<Column>, Fault)>,
    /// The values that were written otherwise than they were read.
    pub written: Written,
    /// A key or the phone number may have an export artefact.
    pub is_suspect: bool,
    /// Standard name of the file's charset; it may be empty if no byte is invalid in it.
    pub charset: &'static str,
}

/// The values of a row that were written otherwise than they were read: a user from earlier may have one so,
/// and a message quotes it so. In one text, each behind a control character that names its column: no value has
/// one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written(String);

impl Written {
    /// Adds how `column` was written.
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
pub struct RowPacker {
    rows: Vec<Row>,
    /// Texts of the last rows.
    texts: RowTextsPacker,
}

impl RowPacker {
    /// The same as by default, with room for so many rows, and bytes of text.
    #[must_use]
    pub fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            texts: RowTextsPacker::with_room(rows, bytes),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, parts: &RowParts<'_>) {
        let at = u16::try_from(self.texts.rows()).unwrap_or_else(|_| {
            self.pack();
            0
        });
        let row = Row::without_text(parts);
        row.keep_text(parts, &mut self.texts);
        self.rows.push(Row { at, ..row });
    }

    /// The rows, in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
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
    /// Makes a row. A column with an error among the faults is unsound; of LOCATION nothing is kept but whether
    /// it had a value, unless that is faulty.
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
        let foreign = matches!(*parts.faults, [(None, Fault::NotARow(line))] if line.is_certain());
        let warned = parts.faults.iter().any(|(_, fault)| !fault.is_error());
        let status = parts.values[Column::Status as usize].and_then(Status::parse);
        Self {
            number: parts.number,
            line: parts.line,
            at: 0,
            present,
            unsound,
            marks: Marks(
                Marks::MISFIT.when(misfit)
                    | Marks::LOCATED.when(located && !misfit)
                    | Marks::WARNED.when(warned)
                    | Marks::WRITTEN.when(!parts.written.0.is_empty())
                    | Marks::SUSPECT.when(parts.is_suspect)
                    | Marks::FOREIGN.when(foreign),
            ),
            status: status.filter(|_| !unsound.contains(Column::Status)),
            texts: None,
        }
    }

    /// Keeps of its values those that are not known otherwise: a sound status is, and LOCATION is reserved.
    fn keep_text(&self, parts: &RowParts<'_>, texts: &mut RowTextsPacker) {
        let mut values = parts.values.map(Option::unwrap_or_default);
        if !self.unsound.contains(Column::Location) {
            values[Column::Location as usize] = "";
        }
        if self.status.is_some() {
            values[Column::Status as usize] = "";
        }
        let kept = Texts {
            values,
            written: &parts.written.0,
        };
        match &*parts.faults {
            [] => texts.push(&kept, (ColumnSet::EMPTY, &[]), ""),
            faults => {
                let warned = faults.iter().filter(|(_, fault)| !fault.is_error());
                let warned = warned.filter_map(|&(column, _)| column).collect();
                let faults: Vec<Fault> = faults.iter().map(|&(_, fault)| fault).collect();
                texts.push(&kept, (warned, &faults), parts.charset);
            }
        }
    }

    /// Bytes that the texts and faults of these rows take, which were checked together.
    #[must_use]
    pub fn text_bytes(rows: &[Self]) -> usize {
        let texts = rows.iter().filter_map(|row| row.texts.as_ref());
        let (bytes, _) = texts.fold((0, None), |(bytes, last), texts| match last {
            Some(last) if Arc::ptr_eq(last, texts) => (bytes, Some(last)),
            _ => (bytes + texts.bytes(), Some(texts)),
        });
        bytes
    }

    /// `None`: absent. `""`: blank. Else the value: canonical where sound (phone in E.164, status
    /// `Active` or `Inactive`), else as normalised. A sound LOCATION is not kept: `None` or `""`.
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

    /// How the value in `column` was written, if that is not how it was read. Only earlier versions stored it
    /// so, and of a phone number only a message quotes it.
    #[must_use]
    pub fn written(&self, column: Column) -> Option<&str> {
        if !self.marks.has(Marks::WRITTEN) {
            return None;
        }
        Written::find(self.texts.as_deref()?.written(self.at.into()), column)
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
        self.marks.has(Marks::SUSPECT)
    }

    /// Returns `true` if the phone number was written with an export artefact, without which it was read.
    #[must_use]
    pub fn has_phone_artifact(&self) -> bool {
        let written = self.written(Column::Phone);
        written.is_some_and(|written| phone_without_artifacts(written).is_some())
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

    /// The columns that failed a check.
    #[must_use]
    pub const fn unsound(&self) -> ColumnSet {
        self.unsound
    }

    /// True where the column failed a check.
    #[must_use]
    pub const fn is_unsound(&self, column: Column) -> bool {
        self.unsound.contains(column)
    }

    /// Returns `true` if the record as a whole had a fault, such as a wrong number of fields: no column is known.
    #[must_use]
    pub const fn is_misfit(&self) -> bool {
        self.marks.has(Marks::MISFIT)
    }

    /// Returns `true` if the record is certainly nobody's row, such as the header once more.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.marks.has(Marks::FOREIGN)
    }

    /// True where LOCATION had a value.
    #[must_use]
    pub const fn has_location(&self) -> bool {
        self.marks.has(Marks::LOCATED)
    }

    /// The status, where it is sound.
    #[must_use]
    pub const fn status(&self) -> Option<Status> {
        self.status
    }

    /// Returns `true` if these checks found anything.
    #[must_use]
    pub const fn has_faults(&self) -> bool {
        !self.unsound.is_empty() || self.marks.has(Marks::MISFIT) || self.marks.has(Marks::WARNED)
    }

    /// Everything that these checks found, in the order of the columns. `None`: the row as a whole.
    pub fn faults(&self) -> impl Iterator<Item = (Option<Column>, Fault)> {
        let texts = self.texts.as_deref().filter(|_| self.has_faults());
        let none = (ColumnSet::EMPTY, &[][..]);
        let (warned, faults) = texts.map_or(none, |texts| texts.faults(self.at));
        let columns = self.unsound.union(warned).iter().map(Some).chain([None]);
        columns.zip(faults.iter().copied())
    }

    /// The same in words, which are made when they are asked for.
    pub fn issues(&self) -> impl Iterator<Item = Issue> {
        self.faults()
            .map(|(column, fault)| fault.issue(column, self.context(column, fault)))
    }

    fn context(&self, column: Option<Column>, fault: Fault) -> FaultContext<'_> {
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
    /// Whether all is the same, wherever the values lie.
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
        // More than one allocation can be shared by.
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
                faults: vec![(Some(Column::Email), Fault::Email)],
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
