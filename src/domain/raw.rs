//! The raw row: a row as it was received. CSV rows and typed rows both become raw rows. Knows nothing about checks.

use super::{Column, Fault};

/// A received row. It borrows from the decoder until the row is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRow<'a> {
    /// 1 = first data row; blank lines do not count.
    pub number: u32,
    /// CSV line on which the record starts (1 = first line); 0 for typed rows.
    pub line: u32,
    /// One cell for each column, by `Column as usize`. If the record as a whole has a fault, all are `Absent`, because
    /// the columns of its cells are not known.
    pub cells: [Cell<'a>; Column::COUNT],
    /// The fault of the record as a whole, such as a wrong number of fields.
    pub misfit: Option<Fault>,
}

/// The cell of a row in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The column is not in the header (typed: the field is unset). The attribute keeps its value.
    #[default]
    Absent,
    /// The text as received, neither trimmed nor normalised. A blank text clears the attribute.
    Text(&'a str),
    /// Bytes that are not valid in the file's charset.
    Invalid {
        /// The first invalid byte.
        byte: u8,
        /// Standard name of the charset, such as `UTF-8`.
        charset: &'static str,
    },
}

impl<'a> RawRow<'a> {
    /// Returns the cell of the row in `column`.
    #[must_use]
    pub const fn cell(&self, column: Column) -> Cell<'a> {
        self.cells[column as usize]
    }
}
