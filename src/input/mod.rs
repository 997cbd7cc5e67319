//! Decodes what a client sends, CSV bytes, a workbook or typed rows, into raw rows.
//!
//! Sans-IO: takes any slice, keeps its own state, does no IO. It owns the CSV dialect, the header, the charset and the
//! faults that refuse a file (semantics §2), and the mapping of a file that is no roster yet (§10). It must not know the
//! meaning of a value: it neither trims nor checks the content of a cell.
//!
//! Bytes pass through `charset` (to UTF-8), `preamble` (to the end of the header: delimiter and columns), `record`
//! (fields), `row_maker` (numbered rows), `record_layout` (one cell a column) and `mapping` (other cells in their
//! place). The rows of a sheet (`workbook`) become records too, and take the same path from `row_maker` on.

mod blank;
mod charset;
mod charset_names;
mod comparable_name;
mod csv;
mod delimiter;
mod fault;
mod foreign_lines;
mod header;
mod mapping;
mod mistaken_file;
mod preamble;
mod record;
mod record_layout;
mod row_maker;
mod sample;
mod split;
mod structural_marks;
mod typed;
mod workbook;

#[cfg(test)]
mod decoder_harness;
#[cfg(test)]
mod properties;

pub(crate) use comparable_name::{column_named, compared_name, own_column};
pub use csv::{CsvDecoder, CsvOptions};
pub(crate) use fault::FileFault;
pub use header::Header;
pub(crate) use mapping::{MappedTo, MappingLookup};
pub use mapping::{Mapping, ValueMapping};
pub(crate) use mistaken_file::MistakenFile;
pub(crate) use sample::{CsvSample, SampleTable};
pub(crate) use split::{FileSplitter, SplitRecord, first_lines};
pub(crate) use typed::TypedRows;
pub use workbook::{FoundSheet, WorkbookLimits, WorkbookReadError, WorkbookReader, is_workbook};
pub(crate) use workbook::{SheetSample, WorkbookFault, split_sheet};

use crate::domain::MAX_FIELD_BYTES;

/// The limits on one import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// Most data rows.
    pub max_rows: u32,
    /// Most bytes: of the CSV as received, or of all values of the typed rows together.
    pub max_bytes: u64,
    /// Longest record in bytes of UTF-8, with its quotes and delimiters and without its line end. For a typed row, the
    /// sum of its values.
    pub max_record_bytes: usize,
    /// Longest field in bytes of UTF-8. A longer field rejects only its row;
    /// [`Row::parse_with`](crate::domain::Row::parse_with) does that.
    pub max_field_bytes: usize,
    /// The limits on a workbook.
    pub workbook: WorkbookLimits,
}

impl InputLimits {
    /// Longest record by default.
    pub const RECORD_BYTES: usize = 64 * 1024;
    /// Longest record that a server may allow. Each upload holds nine times that, for each delimiter that its header
    /// may have.
    pub const MOST_RECORD_BYTES: usize = 1024 * 1024;
}

impl Default for InputLimits {
    /// 1,000,000 rows and 256 MiB; records of 64 KiB, and fields of 4 KiB; the defaults of workbooks.
    fn default() -> Self {
        Self {
            max_rows: 1_000_000,
            max_bytes: 256 * 1024 * 1024,
            max_record_bytes: Self::RECORD_BYTES,
            max_field_bytes: MAX_FIELD_BYTES,
            workbook: WorkbookLimits::default(),
        }
    }
}
