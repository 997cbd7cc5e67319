//! Splits a roster once more, to find the records that a server rejected.
//!
//! The server has said in which charset and with which delimiter it reads the file, and on which line
//! each rejected record starts; a record is found by that line.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow, ensure};
use encoding_rs::Encoding;

use crate::{
    domain::Column,
    input::{FileFault, FileSplitter, Mapping, SplitRecord, first_lines, split_sheet},
    proto::ImportStarted,
};

/// How a file is read, as the server said.
#[derive(Clone, Debug)]
pub(super) struct FileDialect {
    charset: &'static Encoding,
    /// One ASCII character.
    pub delimiter: u8,
    /// The sheet of a workbook, or `None` for CSV.
    sheet: Option<String>,
}

impl FileDialect {
    /// The dialect that the server reports. An empty delimiter means a comma (a file of one column has none).
    ///
    /// # Errors
    /// Fails if the charset or the delimiter is unknown here.
    pub(super) fn new(charset: &str, delimiter: &str) -> anyhow::Result<Self> {
        let label = if charset.is_empty() { "UTF-8" } else { charset };
        let charset = Encoding::for_label(label.as_bytes())
            .with_context(|| format!("the charset {label} is not known to this program"))?;
        let delimiter = match delimiter.as_bytes() {
            [] => b',',
            [delimiter] if delimiter.is_ascii() => *delimiter,
            _ => anyhow::bail!("the delimiter {delimiter:?} is not one character"),
        };
        Ok(Self {
            charset,
            delimiter,
            sheet: None,
        })
    }

    /// The dialect that the server reports when it has begun.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub(super) fn of(started: &ImportStarted) -> anyhow::Result<Self> {
        Ok(Self {
            sheet: Some(started.sheet.clone()).filter(|sheet| !sheet.is_empty()),
            ..Self::new(&started.charset, &started.delimiter)?
        })
    }
}

/// Records of a file, with their decoded fields.
#[derive(Debug, Default)]
pub(super) struct FileRecords {
    /// The first record that is not blank.
    pub header: Vec<String>,
    /// The column that each of its names means, by the mapping.
    pub columns: Vec<Option<Column>>,
    /// The lines above the header that the mapping skips.
    pub leading: Vec<String>,
    /// The wanted records, by the line on which they start (1 = first line of the file).
    pub by_line: BTreeMap<u32, FoundRecord>,
}

/// A record that was wanted.
#[derive(Debug)]
pub(super) struct FoundRecord {
    pub fields: Vec<String>,
    /// Its text as the file has it, without the line end.
    pub text: String,
}

/// Finds the header, and the records that start on the `wanted` lines. Bytes that are not valid
/// become U+FFFD.
///
/// # Errors
/// Fails if there is no header, or the file cannot be split.
pub(super) fn records(
    (bytes, mapping): (&[u8], &Mapping),
    dialect: &FileDialect,
    wanted: &BTreeSet<u32>,
) -> anyhow::Result<FileRecords> {
    let mut found = FileRecords::default();
    let splitter = FileSplitter::new(mapping).map_err(|faults| anyhow!(messages(&faults)))?;
    let mut take = |record: SplitRecord<'_>| {
        if found.header.is_empty() {
            found.header = record.fields;
        } else if wanted.contains(&record.line) {
            let (fields, text) = (record.fields, record.text.to_owned());
            let record_found = FoundRecord { fields, text };
            found.by_line.insert(record.line, record_found);
        }
    };
    if let Some(sheet) = &dialect.sheet {
        let leading = split_sheet(bytes, (sheet, mapping), take);
        found.leading = leading.map_err(|faults| anyhow!(messages(&faults)))?;
    } else {
        let (text, _, _) = dialect.charset.decode(bytes);
        let split = splitter.split(&text, dialect.delimiter, &mut take);
        split.map_err(|fault| anyhow!(fault.message()))?;
        found.leading = first_lines(&text, mapping.skip_leading_lines)
            .map(str::to_owned)
            .collect();
    }
    ensure!(!found.header.is_empty(), "it has no header");
    found.columns = found
        .header
        .iter()
        .map(|name| splitter.column(name))
        .collect();
    Ok(found)
}

fn messages(faults: &[FileFault]) -> String {
    let messages: Vec<_> = faults.iter().map(FileFault::message).collect();
    messages.join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn split(bytes: &[u8], charset: &str, delimiter: &str) -> FileRecords {
        let dialect = FileDialect::new(charset, delimiter).unwrap();
        records((bytes, &Mapping::default()), &dialect, &(1..=20).collect()).unwrap()
    }

    fn lines(text: &str) -> Vec<(u32, String)> {
        let records = split(text.as_bytes(), "UTF-8", ",");
        let joined = |(line, record): (u32, FoundRecord)| (line, record.fields.join("|"));
        records.by_line.into_iter().map(joined).collect()
    }

    #[rstest]
    #[case::lf("A,B\n1,2\n3,4\n", &[(2, "1|2"), (3, "3|4")])]
    #[case::crlf("A,B\r\n1,2\r\n3,4", &[(2, "1|2"), (3, "3|4")])]
    #[case::cr("A,B\r1,2\r3,4\r", &[(2, "1|2"), (3, "3|4")])]
    #[case::mixed("A,B\r1,2\n3,4\r\n5,6", &[(2, "1|2"), (3, "3|4"), (4, "5|6")])]
    #[case::blank_lines("\n\r\nA,B\n\n\n1,2\r\n\r\n3,4\n", &[(6, "1|2"), (8, "3|4")])]
    #[case::quoted_line_breaks("A,B\n\"1\r\n1\",2\n3,4\n", &[(2, "1\r\n1|2"), (4, "3|4")])]
    #[case::quoted_header("\"A\nA\",B\n1,2\n", &[(3, "1|2")])]
    #[case::separator_line("sep=,\r\nA,B\r\n1,2\r\n", &[(3, "1|2")])]
    #[case::quoted_separator_line("\"SEP=,\"\nA,B\n1,2\n", &[(3, "1|2")])]
    #[case::delimiters_only(",,\nA,B\n,,\n1,2\n", &[(4, "1|2")])]
    #[case::quote_inside("A,B\n1\"x,2\n3,4\n", &[(2, "1\"x|2"), (3, "3|4")])]
    fn records_are_found_by_the_line_they_start_on(
        #[case] text: &str,
        #[case] expected: &[(u32, &str)],
    ) {
        let expected: Vec<(u32, String)> = expected
            .iter()
            .map(|&(line, fields)| (line, fields.to_owned()))
            .collect();
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_header() {
        let utf_8 = split("\u{feff}A;B\n1;2\n".as_bytes(), "UTF-8", ";");
        assert_eq!(utf_8.header, ["A", "B"]);
        let utf_16: Vec<u8> = "\u{feff}A\tñ\n1\t2\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let utf_16 = split(&utf_16, "UTF-16LE", "\t");
        assert_eq!(utf_16.header, ["A", "ñ"]);
        assert_eq!(utf_16.by_line[&2].fields, ["1", "2"]);
    }

    #[test]
    fn bytes_that_are_not_valid_are_marked() {
        let records = split(b"A\nMu\xf1oz\n", "UTF-8", "");
        assert_eq!(records.by_line[&2].fields, ["Mu\u{fffd}oz"]);
    }

    #[test]
    fn no_header_is_an_error() {
        let dialect = FileDialect::new("", "").unwrap();
        assert!(records((b"\n,,\n", &Mapping::default()), &dialect, &BTreeSet::new()).is_err());
        assert!(FileDialect::new("no-such", "").is_err());
        assert!(FileDialect::new("", "::").is_err());
    }
}
