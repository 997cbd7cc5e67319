//! A row as it was received: the one place where CSV and typed rows meet.

use super::{Column, Fault};

/// One received row, borrowed from the decoder for as long as it takes to check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRow<'a> {
    /// 1 = first data row; blank lines do not count.
    pub number: u32,
    /// CSV line on which the record starts (1 = first line); 0 for typed rows.
    pub line: u32,
    /// One cell a column, by `Column as usize`. All `Absent` if the record as a whole has a fault: nobody can tell
    /// which cell is which.
    pub cells: [Cell<'a>; Column::COUNT],
    /// The fault of the record as a whole, such as a wrong number of fields.
    pub misfit: Option<Fault>,
}

/// What a row has in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Column not in the header (typed: field unset): leaves the attribute as it is.
    #[default]
    Absent,
    /// The text as received, neither trimmed nor normalised; blank clears the attribute.
    Text(&'a str),
    /// Bytes that are not valid in the file's charset.
    Invalid {
        /// The first offending byte.
        byte: u8,
        /// Standard name of the charset, such as `UTF-8`.
        charset: &'static str,
    },
}

impl<'a> RawRow<'a> {
    /// What the row has in `column`.
    #[must_use]
    pub const fn cell(&self, column: Column) -> Cell<'a> {
        self.cells[column as usize]
    }
}
