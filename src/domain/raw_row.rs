//! The raw row: a row as it was received. CSV rows and typed rows both become raw rows. Knows nothing about checks.

use super::{Column, ValueFault};

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
    pub misfit: Option<ValueFault>,
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
    /// What should compute the cell could not.
    Failed(TemplateFailure),
}

/// Why a mapping's template gave no value for a row (semantics §10). Displayed as the rest of a sentence that begins with
/// the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFailure {
    /// The template takes a part of a cell that the cell does not have.
    #[error(
        "needs a part that the cell does not have; correct the cell, or use the filter default in \
         the template."
    )]
    NoSuchPart,
    /// A filter or an operator does not suit the value that it gets.
    #[error("does not fit the cell that it reads; correct the cell, or the template.")]
    Unsuitable,
    /// A cell that the template reads is too long.
    #[error("reads a cell of more than 1,000 bytes, which is the limit; shorten the cell.")]
    LongCell,
    /// The result or a part of it is too long, or the template takes too many steps.
    #[error("makes a text that is too long; correct the cell, or the template.")]
    LongText,
    /// A cell that the template reads is not valid in the file's charset.
    #[error(
        "reads a cell that is not valid in the file's charset; save the file as UTF-8, or name its charset."
    )]
    MalformedCell,
}

impl<'a> RawRow<'a> {
    /// Returns the cell of the row in `column`.
    #[must_use]
    pub const fn cell(&self, column: Column) -> Cell<'a> {
        self.cells[column as usize]
    }
}
