//! Splits a file into its records as they are, for reports that show rejected rows in the file's own columns.

use super::comparable_name::ComparableName;
use super::delimiter::FirstLine;
use super::mapping::CompiledMapping;
use super::record::{Record, RecordReader};
use super::{FileFault, InputLimits, Mapping};
use crate::domain::Column;

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

/// Splits files as a decoder with the same mapping does.
pub(crate) struct FileSplitter {
    mapping: CompiledMapping,
}

impl FileSplitter {
    /// Makes a splitter.
    ///
    /// # Errors
    /// Returns all faults of the mapping.
    pub(crate) fn new(mapping: &Mapping) -> Result<Self, Vec<FileFault>> {
        match CompiledMapping::new(mapping) {
            Ok(mapping) => Ok(Self { mapping }),
            Err(faults) => Err(faults.into_iter().map(FileFault::BadMapping).collect()),
        }
    }

    /// Returns the column whose cells the file has under this name.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        self.mapping.column(&ComparableName::parse(name))
    }

    /// Splits a complete file, already decoded and without a byte order mark, exactly as [`CsvDecoder`] does if it
    /// allows the longest records. Each record that is not blank goes to `sink`, the header first.
    ///
    /// # Errors
    /// Fails if a record is longer than the cap, or if its quotes are never closed.
    ///
    /// [`CsvDecoder`]: super::CsvDecoder
    pub(crate) fn split(
        &self,
        text: &str,
        delimiter: u8,
        mut sink: impl FnMut(SplitRecord<'_>),
    ) -> Result<(), FileFault> {
        let mut rest = text.as_bytes();
        if let FirstLine::Sep { length, .. } = FirstLine::read(rest, true) {
            rest = &rest[length..];
        }
        // `read` are the bytes of the record and of the lines before it that are no records.
        let mut take = |record: Record<'_>, read: &[u8]| {
            if !record.is_blank() {
                let fields = record.fields().map(String::from_utf8_lossy);
                let read = str::from_utf8(read).unwrap_or_default();
                sink(SplitRecord {
                    line: record.line,
                    fields: fields.map(Into::into).collect(),
                    text: last_lines(read.trim_matches(['\r', '\n']), record.lines),
                });
            }
        };
        let mut records = RecordReader::new(delimiter, InputLimits::MOST_RECORD_BYTES)
            .ignoring(self.mapping.lines());
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
}

/// Returns the first `count` lines of a text, without their ends.
pub(crate) fn first_lines(text: &str, count: u32) -> impl Iterator<Item = &str> {
    let lines = lines(text).map(|rest| split_line(rest).0);
    lines.take(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Returns the text from each of its lines on.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = Some(text).filter(|text| !text.is_empty());
    std::iter::successors(text, |rest| split_line(rest).1)
}

/// Returns the first line of a text without its end, and what follows, or `None` if nothing does.
fn split_line(text: &str) -> (&str, Option<&str>) {
    let Some(end) = text.find(['\r', '\n']) else {
        return (text, None);
    };
    let is_pair = text[end..].starts_with("\r\n");
    let after = &text[end + 1 + usize::from(is_pair)..];
    (&text[..end], Some(after).filter(|after| !after.is_empty()))
}

/// Returns the last `count` lines of a text that ends without a line end; at least one.
fn last_lines(text: &str, count: u32) -> &str {
    let lines = std::iter::successors(Some(text), |rest| split_line(rest).1);
    let starts: Vec<&str> = lines.collect();
    let count = usize::try_from(count)
        .unwrap_or(usize::MAX)
        .clamp(1, starts.len());
    starts[starts.len() - count]
}

#[cfg(test)]
mod tests {
    use super::super::{CsvDecoder, CsvOptions};
    use super::*;
    use crate::domain::Cell;
    use proptest::prelude::*;

    const HEADER: &str = "EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";

    fn splitter() -> FileSplitter {
        FileSplitter::new(&Mapping::default()).unwrap()
    }

    /// The lines of the rows, and each row's first cell if its columns are known.
    type RowLines = Vec<(u32, Option<String>)>;

    fn decoded(file: &str) -> Option<RowLines> {
        let (options, limits) = (CsvOptions::default(), InputLimits::default());
        let mut rows = RowLines::new();
        let mut sink = |row: &crate::domain::RawRow<'_>| {
            let first = match row.cell(Column::Email) {
                Cell::Text(text) => Some(text.to_owned()),
                _ => None,
            };
            rows.push((row.line, first));
        };
        let (_, faults) = CsvDecoder::decode_file(&options, limits, [file.as_bytes()], &mut sink);
        faults.is_empty().then_some(rows)
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
            splitter().split(&file, b',', |record| found.push((record.line, record.fields))).unwrap();
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
        assert!(splitter().split("A\n\"b\n", b',', |_| {}).is_err());
    }

    #[test]
    fn a_record_has_its_text_as_the_file_has_it() {
        let mut texts = Vec::new();
        let file = "sep=,\r\nA,B\r\n\r\n\"b \"x\"\",é\r\n,\n\"c\r\nd\",\rlast,\"e\"";
        splitter()
            .split(file, b',', |record| texts.push(record.text.to_owned()))
            .unwrap();
        assert_eq!(texts, ["A,B", "\"b \"x\"\",é", "\"c\r\nd\",", "last,\"e\""]);
    }
}
