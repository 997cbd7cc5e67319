//! Splits a file into its records as they are, for reports that show rejected rows in the file's own columns.

use super::delimiter::FirstLine;
use super::record::{Record, RecordReader};
use super::{FileFault, Limits};

/// One record of a file.
#[derive(Debug)]
pub(crate) struct SplitRecord<'a> {
    /// The line on which it starts (1 = first line).
    pub line: u32,
    /// Its fields, unquoted.
    pub fields: Vec<String>,
    /// Its text as the file has it, with quotes and delimiters, without the line end.
    pub text: &'a str,
}

/// Splits a complete file, already decoded and without a byte order mark, exactly as [`CsvDecoder`] does if it allows
/// the longest records. Each record that is not blank goes to `sink`, the header first.
///
/// # Errors
/// Fails if a record is longer than the cap, or if its quotes are never closed.
///
/// [`CsvDecoder`]: super::CsvDecoder
pub(crate) fn split(
    text: &str,
    delimiter: u8,
    mut sink: impl FnMut(SplitRecord<'_>),
) -> Result<(), FileFault> {
    let mut rest = text.as_bytes();
    if let FirstLine::Sep { length, .. } = FirstLine::read(rest, true) {
        rest = &rest[length..];
    }
    // `read` are the bytes of the record, between the line ends around it.
    let mut take = |record: Record<'_>, read: &[u8]| {
        if !record.is_blank() {
            let fields = record.fields().map(String::from_utf8_lossy);
            sink(SplitRecord {
                line: record.line,
                fields: fields.map(Into::into).collect(),
                text: str::from_utf8(read)
                    .unwrap_or_default()
                    .trim_matches(['\r', '\n']),
            });
        }
    };
    let mut records = RecordReader::new(delimiter, Limits::MOST_RECORD_BYTES);
    loop {
        let before = rest;
        if !records.read(&mut rest)? {
            if records.finish()? {
                take(records.record(), before);
            }
            return Ok(());
        }
        take(records.record(), &before[..before.len() - rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CsvDecoder, CsvOptions};
    use super::*;
    use crate::domain::{Cell, Column};
    use proptest::prelude::*;

    const HEADER: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";

    /// The lines of the rows, and each row's first cell if its columns are known.
    type Rows = Vec<(u32, Option<String>)>;

    fn decoded(file: &str) -> Option<Rows> {
        let mut decoder = CsvDecoder::new(&CsvOptions::default(), Limits::default()).ok()?;
        let mut rows = Rows::new();
        let mut sink = |row: &crate::domain::RawRow<'_>| {
            let first = match row.cell(Column::Email) {
                Cell::Text(text) => Some(text.to_owned()),
                _ => None,
            };
            rows.push((row.line, first));
        };
        decoder.push(file.as_bytes(), &mut sink).ok()?;
        decoder.finish(&mut sink).ok()?;
        Some(rows)
    }

    proptest! {
        #[test]
        fn records_are_the_rows_that_the_decoder_finds(
            opening in prop::sample::select(vec!["", "sep=,\r\n", "\"SEP=,\",,\n", "\r\n,,\n"]),
            records in "([ab,\" ]{0,4}(\r|\n|\r\n|,,,,,,)){0,12}",
        ) {
            let file = format!("{opening}{HEADER}\n{records}");
            let Some(rows) = decoded(&file) else { return Ok(()) };
            let mut found = Vec::new();
            split(&file, b',', |record| found.push((record.line, record.fields))).unwrap();
            prop_assert_eq!(found.remove(0).1.join(","), HEADER);
            prop_assert_eq!(found.len(), rows.len());
            for ((line, fields), (row_line, first)) in found.iter().zip(&rows) {
                prop_assert_eq!(line, row_line);
                prop_assert!(first.is_none() || first.as_ref() == fields.first());
            }
        }
    }

    #[test]
    fn what_the_decoder_refuses_is_refused() {
        assert!(split("A\n\"b\n", b',', |_| {}).is_err());
    }

    #[test]
    fn a_record_has_its_text_as_the_file_has_it() {
        let mut texts = Vec::new();
        let file = "sep=,\r\nA,B\r\n\r\n\"b \"x\"\",é\r\n,\n\"c\r\nd\",\rlast,\"e\"";
        split(file, b',', |record| texts.push(record.text.to_owned())).unwrap();
        assert_eq!(texts, ["A,B", "\"b \"x\"\",é", "\"c\r\nd\",", "last,\"e\""]);
    }
}
