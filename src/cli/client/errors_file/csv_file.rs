//! The rejected rows as CSV: UTF-8 with a byte order mark, so that Excel reads it, and with the roster's own delimiter.

use super::rejected_table::RejectedTable;
use crate::domain::{BYTE_ORDER_MARK, CsvSheet};

/// Returns the file.
///
/// # Errors
/// Fails if a row is not where the server found it.
pub(super) fn render(table: &RejectedTable) -> anyhow::Result<String> {
    // A line must not begin like the lines that the mapping ignores.
    let sheet = match table.mapping.ignored_line_prefixes.is_empty() {
        true => CsvSheet::new,
        false => CsvSheet::quoted,
    };
    let mut out = sheet(table.delimiter(), BYTE_ORDER_MARK);
    for line in table.leading() {
        out.push([line])?;
    }
    out.push(table.header())?;
    for row in &table.rows {
        out.push(table.cells(row)?)?;
    }
    Ok(String::from_utf8(out.into_bytes()?)?)
}
