//! Properties that hold for every input: the split does not matter, and well-formed CSV is read as the csv crate reads
//! it.

use encoding_rs::{Encoding, SHIFT_JIS, WINDOWS_1252};
use proptest::prelude::*;

use super::blank::is_blank;
use super::decoder_harness::{decode, decode_chunks};
use super::{CsvOptions, InputLimits};

/// A header with the required columns and one optional one at each end.
const HEADER: [&str; 9] = [
    "External ID",
    "Email",
    "Badge Number",
    "First Name",
    "Last Name",
    "Status",
    "Username",
    "Role",
    "Phone",
];

/// Fields with any characters that CSV and charsets are sensitive to.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9@.]{0,8}",
        1 => "[ ,;|\t\"\r\n\u{E9}\u{DF}x]{0,6}",
        1 => "[\u{FEFF}\u{FFFD}\u{1F600}\u{30C6}\u{A0}a,\"\n]{0,4}",
    ]
}

/// Records, most of which have as many fields as the header.
fn records() -> impl Strategy<Value = Vec<Vec<String>>> {
    let record = prop_oneof![
        6 => prop::collection::vec(field(), HEADER.len()),
        1 => prop::collection::vec(field(), 0..12),
    ];
    prop::collection::vec(record, 0..8)
}

/// A table as text: the header, then `records`. Each has its own line end and is quoted if necessary.
fn table(records: &[Vec<String>], delimiter: char, line_ends: &[&str]) -> String {
    let header = HEADER.map(str::to_owned).to_vec();
    let mut text = String::new();
    for (record, line_end) in std::iter::once(&header)
        .chain(records)
        .zip(line_ends.iter().cycle())
    {
        let fields: Vec<_> = record.iter().map(|field| quote(field)).collect();
        text += &fields.join(&delimiter.to_string());
        text += line_end;
    }
    text
}

fn quote(field: &str) -> String {
    if field.contains([',', ';', '\t', '|', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Returns `text` as a file in some charset, with the label to declare.
fn encode(text: &str, charset: usize) -> (Vec<u8>, &'static str) {
    let legacy =
        |encoding: &'static Encoding| (encoding.encode(text).0.into_owned(), encoding.name());
    match charset {
        0 => (text.as_bytes().to_vec(), ""),
        1 => (["\u{FEFF}", text].concat().into_bytes(), ""),
        2 => (utf_16(text, u16::to_le_bytes), ""),
        3 => (utf_16(text, u16::to_be_bytes), "windows-1252"),
        4 => legacy(WINDOWS_1252),
        _ => legacy(SHIFT_JIS),
    }
}

/// Returns `text` in UTF-16, with a byte order mark.
fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    ["\u{FEFF}", text]
        .concat()
        .encode_utf16()
        .flat_map(bytes)
        .collect()
}

/// Returns `bytes` cut at `cuts`, each taken modulo the length.
fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    let mut start = 0;
    cuts.into_iter()
        .map(|end| &bytes[std::mem::replace(&mut start, end)..end])
        .collect()
}

/// Returns the rows that the csv crate reads from `text`, in the form of ours, without blank ones.
fn reference(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter as u8)
        .flexible(true)
        .from_reader(text.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>())
        .filter(|record| record.iter().any(|field| !is_blank(field.as_bytes())))
        .collect()
}

fn delimiters() -> impl Strategy<Value = char> {
    prop::sample::select(&[',', ';', '\t', '|'][..])
}

fn line_ends() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        prop::sample::select(&["\n", "\r\n", "\r", "\n\n"][..]),
        1..4,
    )
}

proptest! {
    #[test]
    fn how_a_table_is_split_does_not_matter(
        records in records(),
        delimiter in delimiters(),
        line_ends in line_ends(),
        charset in 0usize..6,
        sep_line in any::<bool>(),
        damage in prop::option::of((any::<usize>(), any::<u8>())),
        length in prop::option::of(any::<usize>()),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut text = table(&records, delimiter, &line_ends);
        if sep_line {
            text.insert_str(0, &format!("sep={delimiter}\r\n"));
        }
        let (mut bytes, label) = encode(&text, charset);
        if let Some((at, byte)) = damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(length.map_or(bytes.len(), |length| length % (bytes.len() + 1)));
        let options = CsvOptions { charset: label.to_owned(), ..CsvOptions::default() };
        let limits = InputLimits { max_rows: 6, max_bytes: 900, ..InputLimits::default() };
        let whole = decode(&options, limits, &bytes);
        let split = decode_chunks(&options, limits, pieces(&bytes, &cuts).into_iter());
        prop_assert_eq!(split, whole);
    }

    #[test]
    fn any_bytes_behind_a_header_are_read_the_same_however_split(
        bytes in "[a,;\"\r\n \u{E9}]{0,80}".prop_map(String::into_bytes),
        cut in any::<usize>(),
    ) {
        let mut input = table(&[], ';', &["\n"]).into_bytes();
        input.extend(bytes);
        let options = CsvOptions::default();
        let whole = decode(&options, InputLimits::default(), &input);
        let split = pieces(&input, &[cut]).into_iter();
        prop_assert_eq!(decode_chunks(&options, InputLimits::default(), split), whole);
    }

    #[test]
    fn well_formed_csv_is_read_as_the_csv_crate_reads_it(
        records in prop::collection::vec(prop::collection::vec(field(), HEADER.len()), 1..8),
        delimiter in delimiters(),
        line_ends in line_ends(),
        charset in 0usize..4,
    ) {
        let text = table(&records, delimiter, &line_ends);
        let (bytes, _) = encode(&text, charset);
        let decoded = decode(&CsvOptions::default(), InputLimits::default(), &bytes);
        let cells = decoded.rows.iter().map(|row| row.split_once(": ").unwrap().1.to_owned());
        let expected = reference(&text, delimiter);
        prop_assert_eq!(cells.len(), expected.len());
        for (cells, expected) in cells.zip(expected) {
            // The two dialects differ if a quoted value has line breaks and delimiters.
            let is_unclosed = |value: &String| value.contains(delimiter) && value.contains(['\r', '\n']);
            if expected.iter().any(is_unclosed) {
                prop_assert!(cells.starts_with("stray quote, Unclosed"), "{}", cells);
            } else {
                prop_assert_eq!(cells, expected.join("|"));
            }
        }
    }

    #[test]
    fn the_line_of_a_row_is_where_it_starts(
        records in prop::collection::vec(
            prop::collection::vec("[a-z][a-z\n\"]{0,4}", HEADER.len()), 1..8
        ),
        line_end in prop::sample::select(&["\n", "\r\n", "\r"][..]),
    ) {
        let text = table(&records, ',', &["\n"]).replace('\n', line_end);
        let decoded = decode(&CsvOptions::default(), InputLimits::default(), text.as_bytes());
        let mut line = 2;
        let mut expected = Vec::new();
        for record in records {
            expected.push(line);
            line += 1 + record.concat().matches('\n').count();
        }
        let at = |row: &String| row.split(['@', ':']).nth(1).unwrap().parse::<usize>().unwrap();
        prop_assert_eq!(decoded.rows.iter().map(at).collect::<Vec<_>>(), expected);
    }
}
