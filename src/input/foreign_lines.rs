//! Lines that belong to no row: a repeated header, ruling lines, and the totals and notes of a report.
//!
//! Only records that cannot be a row are examined: records with a wrong number of fields, records whose STATUS does not
//! begin like Active or Inactive, and records of a file that has no STATUS.

use std::sync::Arc;

use super::FileFault;
use super::blank::{is_blank, trim};
use super::comparable_name::ComparableName;
use super::mapping::CompiledMapping;
use super::record::Record;
use crate::domain::{Column, ForeignLine, ReportLine};

/// Most values that a total or a note of a report has.
const MAX_REPORT_VALUES: usize = 2;

/// Shortest ruling: a single `-` may stand for a value that is not known.
const MIN_RULING: usize = 3;

/// Recognises foreign lines.
pub(super) struct ForeignLineDetector {
    /// The names of the header's cells, without blank cells at its end.
    names: Vec<ComparableName>,
    /// The required columns that the header has. Only columns that a mapping computes may be missing.
    required: Vec<Column>,
    mapping: Arc<CompiledMapping>,
}

impl ForeignLineDetector {
    pub(super) fn new(names: Vec<ComparableName>, mapping: Arc<CompiledMapping>) -> Self {
        let columns = names.iter().filter_map(|name| mapping.column(name));
        Self {
            required: columns.filter(|column| column.is_required()).collect(),
            names,
            mapping,
        }
    }

    /// Returns the name at this position of the header, if it begins like a status.
    pub(super) fn name_like_status(&self, at: usize) -> Option<ComparableName> {
        self.names
            .get(at)
            .filter(|name| name.begins_like_status())
            .cloned()
    }

    /// Returns the kind of foreign line that `record` is, or `None` if it may be a row.
    ///
    /// # Errors
    /// `ANOTHER_HEADER`: the record is a header with other columns, or with the columns in another order. It is then
    /// unclear which of the two headers describes the rows below it.
    pub(super) fn recognise(&self, record: Record<'_>) -> Result<Option<ForeignLine>, FileFault> {
        if self.is_header(record) {
            return Ok(Some(ForeignLine::Header));
        }
        if self.names_required_columns(record) {
            return Err(FileFault::AnotherHeader { line: record.line });
        }
        Ok(is_ruling(record).then_some(ForeignLine::Ruling))
    }

    /// Returns `true` if the record names all required columns of the header.
    fn names_required_columns(&self, record: Record<'_>) -> bool {
        let names = record
            .fields()
            .filter_map(|field| str::from_utf8(field).ok());
        let mut missing = self.required.clone();
        for name in names {
            if let Some(column) = self.mapping.column(&ComparableName::parse(name)) {
                missing.retain(|&missing| missing != column);
            }
        }
        missing.is_empty() && !self.required.is_empty()
    }

    fn is_header(&self, record: Record<'_>) -> bool {
        record.filled() == self.names.len()
            && self.names.iter().zip(record.fields()).all(|(name, field)| {
                str::from_utf8(field).is_ok_and(|text| ComparableName::parse(text) == *name)
            })
    }
}

/// Returns the kind of report line that a record with too few fields seems to be, or `None` if it has too many values
/// for one. `least` is the number of fields that a row has.
pub(super) fn report_line(record: Record<'_>, least: usize) -> Option<ReportLine> {
    let mut filled = record.fields().filter(|field| !is_blank(field));
    let first = filled.next()?;
    let values = 1 + filled.take(MAX_REPORT_VALUES).count();
    if record.len() == 1 && holds_fields(first, least) {
        return Some(ReportLine::WholeRow);
    }
    let text = String::from_utf8_lossy(first);
    (values <= MAX_REPORT_VALUES).then(|| read_report_line(&trim(&text).to_lowercase()))
}

/// Returns `true` if the one value of a record has the delimiters of a whole row.
fn holds_fields(value: &[u8], least: usize) -> bool {
    let is_row = |&delimiter: &u8| value.split(|&byte| byte == delimiter).count() >= least;
    least > 1 && b",;\t|".iter().any(is_row)
}

/// Returns the kind of report line for a record with the right number of fields, or `None` if it is no report line. A
/// report line holds one phrase, and perhaps a figure in another field. The check is stricter than [`report_line`],
/// because a row that lacks values looks similar.
pub(super) fn padded_report_line(record: Record<'_>) -> Option<ReportLine> {
    let mut filled = record.fields().filter(|field| !is_blank(field));
    let phrase = trim(str::from_utf8(filled.next()?).ok()?).to_lowercase();
    let figure = filled.next();
    let is_bare = !phrase.contains([' ', ':']);
    if filled.next().is_some()
        || figure.is_none() && is_bare
        || figure.is_some_and(|figure| !is_figure(figure))
    {
        return None;
    }
    let has_figure = figure.is_some() || phrase.contains(|c: char| c.is_ascii_digit());
    match read_report_line(&phrase) {
        ReportLine::Total => has_figure.then_some(ReportLine::Total),
        ReportLine::Other => None,
        line => (!is_bare).then_some(line),
    }
}

/// Returns `true` if the field has only digits and separators of digits: a count, a sum, a date.
fn is_figure(field: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b" .,:/-%".contains(byte);
    field.iter().all(is_part) && field.iter().any(u8::is_ascii_digit)
}

fn read_report_line(text: &str) -> ReportLine {
    let mut words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<&str> = words.by_ref().take(8).collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let labelled = text.split_once(':');
    let is_count = labelled.is_some_and(|(label, count)| {
        label.chars().all(|c| c.is_alphabetic() || c == ' ') && is_figure(count.as_bytes())
    });
    match *words {
        [count, noun, ..] if is_number(count) && is_counted(noun) => ReportLine::RowCount,
        ["no", noun, ..] if is_counted(noun) => ReportLine::RowCount,
        ["query", "ok", ..] => ReportLine::RowCount,
        [first, ..] if TOTALS.contains(&first) => ReportLine::Total,
        ["grand" | "sub", "total" | "totals", ..] => ReportLine::Total,
        ["of", noun, ..] if is_counted(noun) => ReportLine::Total,
        ["end" | "eof"] | ["end", "of", ..] | ["page", ..] => ReportLine::End,
        _ if is_count => ReportLine::Total,
        _ => ReportLine::Other,
    }
}

/// First words of totals.
const TOTALS: [&str; 10] = [
    "total", "totals", "subtotal", "sum", "count", "record", "records", "row", "rows", "number",
];

fn is_counted(noun: &str) -> bool {
    matches!(noun, "row" | "rows" | "record" | "records")
}

/// Returns `true` if all visible characters of the record are drawn lines, as in `---,---` or `+----+----+`.
fn is_ruling(record: Record<'_>) -> bool {
    let mut longest = 0;
    for field in record.fields() {
        let Ok(text) = str::from_utf8(field) else {
            return false;
        };
        if !text.chars().all(|c| is_drawn(c) || c.is_whitespace()) {
            return false;
        }
        longest = longest.max(text.chars().filter(|&c| is_drawn(c)).count());
    }
    longest >= MIN_RULING
}

/// Returns `true` for characters of ruling lines: hyphens, dashes, and the characters that frames are drawn with.
const fn is_drawn(c: char) -> bool {
    matches!(c, '-' | '=' | '_' | '+' | '|' | '*' | '~' | ':' | '\u{2010}'..='\u{2015}' | '\u{2500}'..='\u{257F}')
}
