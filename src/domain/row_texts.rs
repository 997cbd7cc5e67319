//! The texts and faults that some hundred rows keep together. Knows nothing about the rules that find the faults.

use super::{Column, ColumnSet, PackedTexts, TextPacker, ValueFault};

/// Number of texts of a row: its values by column, and last the values that were written differently.
const TEXTS: usize = Column::COUNT + 1;

/// The texts and faults of some hundred rows, in a few allocations.
#[derive(Debug)]
pub(super) struct PackedRowTexts {
    texts: PackedTexts<TEXTS>,
    faults: RowFaults,
    charset: &'static str,
}

/// The faults of the rows that have any.
#[derive(Debug, Default)]
struct RowFaults {
    /// For each row with faults: its number, the columns of its warnings, and the position of its first fault. In
    /// order of row number.
    starts: Vec<(u16, ColumnSet, u32)>,
    faults: Vec<ValueFault>,
}

/// The texts that are kept of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptRowTexts<'a> {
    /// The values, by `Column as usize`.
    pub(super) values: [&'a str; Column::COUNT],
    /// The values that were written differently, in the format of [`RewrittenValues`](super::row::RewrittenValues).
    pub(super) written: &'a str,
}

/// Packs the texts and faults of several rows together.
#[derive(Debug, Default)]
pub(super) struct RowTextsPacker {
    texts: TextPacker<TEXTS>,
    faults: RowFaults,
    charset: &'static str,
}

impl PackedRowTexts {
    /// Returns the value of row number `row` in column number `column`.
    pub(super) fn get(&self, row: usize, column: usize) -> &str {
        self.texts.get(row, column)
    }

    /// Returns the values of row number `row` that were written differently.
    pub(super) fn written(&self, row: usize) -> &str {
        self.texts.get(row, Column::COUNT)
    }

    /// Returns the columns of row number `row` that have a warning, and its faults in the order of the columns.
    pub(super) fn faults(&self, row: u16) -> (ColumnSet, &[ValueFault]) {
        let RowFaults { starts, faults } = &self.faults;
        let Ok(at) = starts.binary_search_by_key(&row, |&(row, ..)| row) else {
            return (ColumnSet::EMPTY, &[]);
        };
        let (_, warned, start) = starts[at];
        let end = starts.get(at + 1).map(|&(.., start)| start as usize);
        (warned, &faults[start as usize..end.unwrap_or(faults.len())])
    }

    /// Returns the bytes that the texts and faults take.
    pub(super) fn bytes(&self) -> usize {
        let RowFaults { starts, faults } = &self.faults;
        size_of::<Self>() + self.texts.bytes() + size_of_val(&**starts) + size_of_val(&**faults)
    }

    /// Returns the standard name of the file's charset, if one of these rows has bytes that are not valid in it.
    pub(super) const fn charset(&self) -> &'static str {
        self.charset
    }
}

impl RowTextsPacker {
    /// Returns an empty packer with room for `rows` rows and `bytes` bytes of text.
    pub(super) fn with_room(rows: usize, bytes: usize) -> Self {
        Self {
            texts: TextPacker::with_room(rows, bytes),
            ..Self::default()
        }
    }

    /// Returns the number of rows that have been added.
    pub(super) const fn rows(&self) -> usize {
        self.texts.groups()
    }

    /// Adds a row with the next number. All rows come from one file, which has one charset.
    pub(super) fn push(
        &mut self,
        texts: &KeptRowTexts<'_>,
        (warned, faults): (ColumnSet, &[ValueFault]),
        charset: &'static str,
    ) {
        let row = u16::try_from(self.rows()).unwrap_or(u16::MAX);
        let mut all = [""; TEXTS];
        all[..Column::COUNT].copy_from_slice(&texts.values);
        all[Column::COUNT] = texts.written;
        self.texts.push(all);
        if faults.is_empty() {
            return;
        }
        let start = u32::try_from(self.faults.faults.len()).unwrap_or(u32::MAX);
        self.faults.starts.push((row, warned, start));
        self.faults.faults.extend_from_slice(faults);
        if !charset.is_empty() {
            self.charset = charset;
        }
    }

    /// Returns the rows that have been added.
    pub(super) fn finish(mut self) -> PackedRowTexts {
        self.faults.starts.shrink_to_fit();
        self.faults.faults.shrink_to_fit();
        PackedRowTexts {
            texts: self.texts.finish(),
            faults: self.faults,
            charset: self.charset,
        }
    }
}
