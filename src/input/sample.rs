//! The beginning of a file as records, for a look at what the file is. A file that an import would refuse has a sample
//! too, as far as its lines can be read.

use std::collections::HashSet;

use super::blank::trim;
use super::charset::Transcoder;
use super::delimiter::{self, DELIMITERS, FirstLine};
use super::mapping::CompiledMapping;
use super::mistaken_file::{HEAD_BYTES, identify};
use super::record::{Record, RecordReader};
use super::split::{first_lines, lines};
use super::{FileFault, InputLimits, Mapping, MistakenFile};

/// Number of lines among which the header is searched for.
pub(super) const LINES: usize = 50;

/// Most cells of a header; a line with more is none.
pub(super) const MOST_COLUMNS: usize = 1_000;

/// Most cells that are kept of the rows.
pub(super) const MOST_CELLS: usize = 100_000;

/// Most names that are looked up.
const MOST_NAMES: usize = 20_000;

/// Bytes of the longest header.
const LONGEST_HEADER: usize = 16 * 1024;

/// The charset of nearly every file that is neither UTF-8 nor marked.
const USUAL: &str = "windows-1252";

/// The beginning of a CSV file.
#[derive(Debug)]
pub(crate) struct CsvSample {
    /// Standard name of the charset.
    pub charset: &'static str,
    /// The charset was neither stated nor marked, and the file is not UTF-8.
    pub is_charset_guessed: bool,
    /// The first line with bytes that are not UTF-8, if the rest of the file is.
    pub bad_line: Option<usize>,
    /// The delimiter.
    pub delimiter: char,
    /// The header, and what is below it, or why there is none.
    pub table: Result<SampleTable, FileFault>,
    /// The reason why the records end before the text does, if they do.
    pub fault: Option<FileFault>,
}

/// The header of a sample, and the records below it.
#[derive(Debug, Default)]
pub(crate) struct SampleTable {
    /// The line of the header (1 = first line).
    pub line: u32,
    /// A line above the header is no part of the table: neither blank nor `sep=`.
    pub has_lines_above: bool,
    /// The names in the header, trimmed.
    pub header: Vec<String>,
    /// The cells of each record that is not blank.
    pub rows: Vec<Vec<String>>,
    /// The places of the rows whose line begins with a quote: no prefix of a line is within quotes.
    pub quoted: HashSet<usize>,
}

impl CsvSample {
    /// Reads a sample from `content`, the beginning of a file or all of it. `is_cut` says that more of the file follows.
    /// The header is the line with most names that `is_known` knows.
    ///
    /// # Errors
    /// `BAD_CHARSET`, `BAD_DELIMITER`: `charset` or `delimiter` is stated, and not supported.
    pub(crate) fn read(
        content: &[u8],
        is_cut: bool,
        (charset, delimiter): (&str, &str),
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<FileFault>> {
        let stated = delimiter::parse_option(delimiter);
        let decoded = decode(content, charset);
        let (stated, decoded) = match (stated, decoded) {
            (Ok(stated), Ok(decoded)) => (stated, decoded),
            (stated, decoded) => {
                return Err(stated.err().into_iter().chain(decoded.err()).collect());
            }
        };
        let DecodedSample {
            text,
            bad_line,
            charset,
            is_charset_guessed,
        } = decoded;
        let mut sample = Self {
            charset,
            is_charset_guessed,
            bad_line,
            delimiter: ',',
            table: Err(FileFault::NoHeader {
                mistaken: MistakenFile::Headless,
            }),
            fault: None,
        };
        if let Some(mistaken) = not_csv(content, &text) {
            sample.table = Err(FileFault::NoHeader { mistaken });
            return Ok(sample);
        }
        let Some(found) = find_header(&text, stated, is_known) else {
            return Ok(sample);
        };
        sample.delimiter = char::from(found.delimiter);
        let mut table = SampleTable {
            line: found.line,
            has_lines_above: found.has_lines_above,
            ..SampleTable::default()
        };
        let ends = (is_cut, !text.ends_with(['\n', '\r']));
        sample.fault = read_table(&found, ends, &mut table).err();
        sample.table = Ok(table);
        Ok(sample)
    }
}

struct DecodedSample {
    text: String,
    /// The first line with bytes that are not UTF-8.
    bad_line: Option<usize>,
    charset: &'static str,
    is_charset_guessed: bool,
}

/// Decodes the content; bytes that are not valid in the charset become U+FFFD.
fn decode(content: &[u8], label: &str) -> Result<DecodedSample, FileFault> {
    let (bytes, charset) = transcode(content, label)?;
    let is_stated = !label.trim().is_empty() || charset != "UTF-8" || content.contains(&0);
    if is_stated || !is_another_charset(&bytes) {
        return Ok(DecodedSample {
            bad_line: first_bad_line(&bytes).filter(|_| charset == "UTF-8"),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            charset,
            is_charset_guessed: false,
        });
    }
    let (bytes, charset) = transcode(content, USUAL)?;
    Ok(DecodedSample {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        charset,
        is_charset_guessed: true,
        bad_line: None,
    })
}

/// Returns `true` if the bytes have more malformed places than letters of UTF-8 beyond ASCII: a few bad bytes do not
/// show another charset.
fn is_another_charset(bytes: &[u8]) -> bool {
    let (mut letters, mut malformed) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        malformed += usize::from(!chunk.invalid().is_empty());
    }
    // The last character may be cut.
    let is_cut = str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
    malformed - usize::from(is_cut) > letters
}

/// Returns the number of the first line with bytes that are not UTF-8, if the text does not just end within a character.
fn first_bad_line(bytes: &[u8]) -> Option<usize> {
    let error = str::from_utf8(bytes).err()?;
    error.error_len()?;
    let before = &bytes[..error.valid_up_to()];
    Some(memchr::memchr_iter(b'\n', before).count() + 1)
}

fn transcode(content: &[u8], label: &str) -> Result<(Vec<u8>, &'static str), FileFault> {
    let mut transcoder = Transcoder::new(label)?;
    let mut text = Vec::with_capacity(content.len());
    transcoder.push(content, true, &mut |piece, _| {
        text.extend_from_slice(piece);
        Ok::<_, FileFault>(())
    })?;
    Ok((text, transcoder.charset().name()))
}

/// Returns the kind of the file, if it is not CSV.
fn not_csv(content: &[u8], text: &str) -> Option<MistakenFile> {
    let is_blank = lines(text).all(|rest| first_lines(rest, 1).all(|line| trim(line).is_empty()));
    let head = &text.as_bytes()[..text.floor_char_boundary(HEAD_BYTES)];
    let mapping = CompiledMapping::new(&Mapping::default()).ok()?;
    match identify(content, head, is_blank, &mapping) {
        MistakenFile::Headless | MistakenFile::HeaderBelow { .. } | MistakenFile::TypeLine => None,
        other => Some(other),
    }
}

/// The header, and the text from its beginning on.
struct FoundHeader<'a> {
    line: u32,
    delimiter: u8,
    has_lines_above: bool,
    text: &'a str,
}

/// Finds the record with most known names, or else the first that looks like names.
fn find_header<'a>(
    text: &'a str,
    stated: Option<u8>,
    is_known: impl Fn(&str) -> bool,
) -> Option<FoundHeader<'a>> {
    let (first, sep) = match FirstLine::read(text.as_bytes(), true) {
        FirstLine::Sep { delimiter, .. } => (1, delimiter.ok().flatten()),
        _ => (0, None),
    };
    let delimiters = match stated.or(sep) {
        Some(delimiter) => vec![delimiter],
        None => DELIMITERS.to_vec(),
    };
    let mut best: Option<((usize, bool), FoundHeader<'a>)> = None;
    let mut has_lines_above = false;
    let mut left = MOST_NAMES;
    for (at, rest) in lines(text).enumerate().take(LINES).skip(first) {
        for &delimiter in &delimiters {
            let Some((line, cells)) = first_record(rest, delimiter) else {
                continue;
            };
            left = left.saturating_sub(cells.len());
            let score = score(&cells, &is_known);
            let is_better = best.as_ref().is_none_or(|(most, _)| score > *most);
            if left > 0 && score > (0, false) && is_better {
                let found = FoundHeader {
                    line: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(line),
                    delimiter,
                    has_lines_above,
                    text: rest,
                };
                best = Some((score, found));
            }
        }
        let line = first_lines(rest, 1).next().unwrap_or_default();
        has_lines_above |= !trim(line).is_empty();
    }
    best.map(|(_, found)| found)
}

/// Returns the line of the first record (1 = first line of the text) and its cells, if the record may be a header.
fn first_record(text: &str, delimiter: u8) -> Option<(u32, Vec<String>)> {
    let mut reader = RecordReader::new(delimiter, LONGEST_HEADER);
    let mut rest = text.as_bytes();
    let is_read = reader.read(&mut rest).ok()? || reader.finish().ok()?;
    let record = reader.record();
    (is_read && record.stray.is_none() && record.len() <= MOST_COLUMNS)
        .then(|| (record.line, cells(record, MOST_COLUMNS)))
}

/// Returns how many of the cells are known names, and whether the cells look like names if none is.
pub(super) fn score(cells: &[String], is_known: impl Fn(&str) -> bool) -> (usize, bool) {
    if cells.iter().any(|cell| is_value(cell)) {
        return (0, false);
    }
    let known = cells.iter().filter(|cell| is_known(cell)).count();
    (known, known == 0 && looks_like_names(cells))
}

/// Returns `true` if a cell is no name: an address, or nothing but digits.
fn is_value(cell: &str) -> bool {
    cell.contains('@') || (!cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit()))
}

/// Returns `true` if the cells may be the names of columns: two or more, with letters, and all different.
fn looks_like_names(cells: &[String]) -> bool {
    let named = || cells.iter().filter(|cell| !cell.is_empty());
    let distinct: HashSet<_> = named().collect();
    let count = named().count();
    count >= 2 && distinct.len() == count && named().all(|cell| cell.contains(char::is_alphabetic))
}

/// Reads the header and the records below it, up to the first that cannot be read. If the text is cut, its last record is left
/// out. A text that is open, without a line end, may be cut too: its last record is kept only if there is no other.
fn read_table(
    found: &FoundHeader<'_>,
    (is_cut, is_open): (bool, bool),
    table: &mut SampleTable,
) -> Result<(), FileFault> {
    let mut reader = RecordReader::new(found.delimiter, InputLimits::RECORD_BYTES);
    let mut rest = found.text.as_bytes();
    let mut left = MOST_CELLS;
    loop {
        let before = rest;
        let is_whole = reader.read(&mut rest)?;
        if !is_whole {
            let ends = match (is_cut, is_open) {
                (true, _) => false,
                (false, true) => table.rows.is_empty() && reader.finish().unwrap_or(false),
                (false, false) => reader.finish()?,
            };
            if !ends {
                break;
            }
        }
        let record = reader.record();
        if record.is_blank() {
        } else if table.header.is_empty() {
            table.header = cells(record, MOST_COLUMNS);
        } else {
            let row = cells(record, table.header.len().min(left));
            left -= row.len();
            if row.is_empty() {
                break;
            }
            let line = before.trim_ascii_start();
            table
                .quoted
                .extend(line.starts_with(b"\"").then_some(table.rows.len()));
            table.rows.push(row);
        }
        if !is_whole {
            break;
        }
    }
    while table.header.last().is_some_and(String::is_empty) {
        table.header.pop();
    }
    Ok(())
}

/// Returns the first `most` cells of a record, trimmed.
pub(super) fn cells(record: Record<'_>, most: usize) -> Vec<String> {
    let fields = record.fields().take(most);
    let fields = fields.map(String::from_utf8_lossy);
    fields.map(|field| trim(&field).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(content: &[u8], is_cut: bool) -> CsvSample {
        let known = |name: &str| matches!(name, "No" | "Mail" | "Nom" | "Prénom");
        CsvSample::read(content, is_cut, ("", ""), known).unwrap()
    }

    fn shown(content: impl AsRef<[u8]>, is_cut: bool) -> String {
        let sample = sample(content.as_ref(), is_cut);
        match sample.table {
            Ok(table) => {
                let rows: Vec<_> = table.rows.iter().map(|row| row.join("|")).collect();
                format!(
                    "{} {:?} {}{}: {} / {}",
                    sample.charset,
                    sample.delimiter,
                    table.line,
                    if table.has_lines_above { "+" } else { "" },
                    table.header.join("|"),
                    rows.join(" / ")
                )
            }
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_header_is_the_line_with_most_known_names() {
        for (content, told) in [
            ("No,Mail\n1,a@b\n", "UTF-8 ',' 1: No|Mail / 1|a@b"),
            (
                "All units, \"as of today\n\nNo;Mail\n1;a@b",
                "UTF-8 ';' 3+: No|Mail / 1|a@b",
            ),
            (
                "sep=;\nNo;Mail;;\n1;\"x;\ny\"\n",
                "UTF-8 ';' 2: No|Mail / 1|x;\ny",
            ),
            ("\n\nNo\tMail\n\n1\tb\n", "UTF-8 '\\t' 3: No|Mail / 1|b"),
            ("Alpha,Beta\n1,2\n", "UTF-8 ',' 1: Alpha|Beta / 1|2"),
        ] {
            assert_eq!(shown(content, false), told, "{content:?}");
        }
    }

    #[test]
    fn a_line_that_is_cut_is_left_out() {
        assert_eq!(
            shown("No,Mail\n1,a\n2,b", true),
            "UTF-8 ',' 1: No|Mail / 1|a"
        );
        assert_eq!(
            shown("No,Mail\n1,a\n2,\"b", true),
            "UTF-8 ',' 1: No|Mail / 1|a"
        );
        let cut = &"No,Mail\n1,é".as_bytes()[..10];
        assert_eq!(shown(cut, true), "UTF-8 ',' 1: No|Mail / ");
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_read_as_windows_1252() {
        let sample = sample(b"Nom;Pr\xE9nom\nLef\xE8vre;Zo\xEB\n", false);
        assert!(sample.is_charset_guessed);
        assert_eq!(sample.charset, "windows-1252");
        assert_eq!(sample.table.unwrap().header, ["Nom", "Prénom"]);
    }

    #[test]
    fn what_is_no_csv_is_named() {
        for (content, told) in [
            (&b"%PDF-1.7 ..."[..], "PDF"),
            (b"<html><body>", "HTML"),
            (b"", "empty"),
            (b"\n \n", "empty"),
            (b"12345\n", "first line"),
        ] {
            let shown = shown(content, false);
            assert!(shown.contains(told), "{shown}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_the_sample() {
        let sample = sample(b"No,Mail\n1,a\n2,\"b\n3,c\n", false);
        assert!(matches!(
            sample.fault,
            Some(FileFault::UnclosedQuote { .. })
        ));
        assert_eq!(sample.table.unwrap().rows.len(), 1);
    }
}
