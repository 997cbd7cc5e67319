//! Runs the decoder for the tests of this folder, and shows its result as text.

use super::{CsvDecoder, CsvOptions, FileFault, Header, InputLimits};
use crate::domain::{Cell, Column, RawRow, StrayQuote, ValueFault};

/// The required columns, as a header.
pub(super) const REQUIRED: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";

/// Returns options that set only the charset.
pub(super) fn declared(charset: &str) -> CsvOptions {
    CsvOptions {
        charset: charset.to_owned(),
        ..CsvOptions::default()
    }
}

/// Returns options that only ignore unknown columns.
pub(super) fn ignoring() -> CsvOptions {
    CsvOptions {
        ignore_unknown_columns: true,
        ..CsvOptions::default()
    }
}

/// The decoder's result for an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HarnessResult {
    pub header: Option<Header>,
    /// `number@line: cell|cell`, with the columns that are present, in the template's order.
    pub rows: Vec<String>,
    pub faults: Vec<FileFault>,
}

/// Decodes `input` in one piece, byte by byte, and in pieces of some other sizes. All results must agree.
pub(super) fn decode(options: &CsvOptions, limits: InputLimits, input: &[u8]) -> HarnessResult {
    let whole = decode_chunks(options, limits, std::iter::once(input));
    for size in [1, 2, 7] {
        let pieces = decode_chunks(options, limits, input.chunks(size));
        assert_eq!(pieces, whole, "in pieces of {size}");
    }
    whole
}

/// Decodes `chunks`.
pub(super) fn decode_chunks<'a>(
    options: &CsvOptions,
    limits: InputLimits,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> HarnessResult {
    let mut rows = Vec::new();
    let mut sink = |row: &RawRow<'_>| rows.push(show(row));
    let (header, faults) = CsvDecoder::decode_file(options, limits, chunks, &mut sink);
    HarnessResult {
        header,
        rows,
        faults,
    }
}

/// Decodes CSV without options and shows rows and faults, one a line.
pub(super) fn read(input: impl AsRef<[u8]>) -> String {
    read_with(&CsvOptions::default(), input)
}

/// Does the same as `read`, with options.
pub(super) fn read_with(options: &CsvOptions, input: impl AsRef<[u8]>) -> String {
    let decoded = decode(options, InputLimits::default(), input.as_ref());
    let faults = decoded.faults.iter();
    let faults = faults.map(|fault| format!("{}: {fault}", fault.code()));
    decoded
        .rows
        .into_iter()
        .chain(faults)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns the header of `input`.
pub(super) fn header(options: &CsvOptions, input: impl AsRef<[u8]>) -> Header {
    let decoded = decode(options, InputLimits::default(), input.as_ref());
    decoded.header.unwrap()
}

/// Shows a row as a line.
pub(super) fn show(row: &RawRow<'_>) -> String {
    let place = format!("{}@{}", row.number, row.line);
    if let Some(fault) = row.misfit {
        assert_eq!(row.cells, [Cell::Absent; Column::COUNT]);
        return format!("{place}: {}", show_misfit(fault));
    }
    let cells: Vec<_> = row.cells.iter().filter_map(show_cell).collect();
    format!("{place}: {}", cells.join("|"))
}

fn show_misfit(fault: ValueFault) -> String {
    match fault {
        ValueFault::FieldCount { expected, found } => format!("misfit, {found} for {expected}"),
        ValueFault::SurplusBlanks { expected, found } => {
            format!("misfit, {found} for {expected}, the last of them blank")
        }
        ValueFault::ReportLine {
            expected,
            found,
            line,
        } => format!("misfit, {found} for {expected}: a line of a report ({line:?})"),
        ValueFault::NotARow(line) => format!("not a row ({line:?})"),
        ValueFault::StrayQuote(StrayQuote {
            fault,
            column,
            lines,
        }) => {
            let column = column.map_or("?", Column::header);
            format!("stray quote, {fault:?} in {column}, lines: {lines}")
        }
        other => panic!("{other:?} is no fault of a record"),
    }
}

fn show_cell(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Absent => None,
        Cell::Text(text) => Some((*text).to_owned()),
        Cell::Invalid { byte, charset } => Some(format!("<{byte:02X} not {charset}>")),
        Cell::Failed(failure) => Some(format!("<{failure:?}>")),
    }
}
