//! The beginning of a file as records, for a look at what the file is. A file that an import would refuse has a sample
//! too, as far as its lines can be read.

use super::blank::trim;
use super::charset::Transcoder;
use super::delimiter::{self, DELIMITERS, FirstLine};
use super::mapping::CompiledMapping;
use super::mistaken;
use super::record::RecordReader;
use super::split::{first_lines, lines};
use super::{FileFault, Limits, Mapping, Mistaken};

/// Number of lines among which the header is searched for.
const LINES: usize = 50;

/// Most cells of a header; a line with more is none.
const MOST_COLUMNS: usize = 1_000;

/// Most cells that are kept of the rows.
const MOST_CELLS: usize = 250_000;

/// The charset of nearly every file that is neither UTF-8 nor marked.
const USUAL: &str = "windows-1252";

/// The beginning of a CSV file.
#[derive(Debug)]
pub(crate) struct CsvSample {
    /// Standard name of the charset.
    pub charset: &'static str,
    /// The charset was neither stated nor marked, and the file is not UTF-8.
    pub is_charset_guessed: bool,
    /// The delimiter.
    pub delimiter: char,
    /// The header, and what is below it, or why there is none.
    pub table: Result<SampleTable, FileFault>,
    /// Why the records end where they do, if they end before the text does.
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
}

impl CsvSample {
    /// Reads a sample from `content`, the beginning of a file or all of it. `is_cut` says that it may end within a line.
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
        let decoded = decode(content, is_cut, charset);
        let (stated, decoded) = match (stated, decoded) {
            (Ok(stated), Ok(decoded)) => (stated, decoded),
            (stated, decoded) => {
                return Err(stated.err().into_iter().chain(decoded.err()).collect());
            }
        };
        let Decoded {
            text,
            charset,
            is_charset_guessed,
        } = decoded;
        let mut sample = Self {
            charset,
            is_charset_guessed,
            delimiter: ',',
            table: Err(FileFault::NoHeader {
                mistaken: Mistaken::Headless,
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
        sample.fault = read_table(&found, is_cut, &mut table).err();
        sample.table = Ok(table);
        Ok(sample)
    }
}

struct Decoded {
    text: String,
    charset: &'static str,
    is_charset_guessed: bool,
}

/// Decodes the content; what is not valid in the charset becomes U+FFFD.
fn decode(content: &[u8], is_cut: bool, label: &str) -> Result<Decoded, FileFault> {
    let (bytes, charset) = transcode(content, label)?;
    let is_sound = match str::from_utf8(&bytes) {
        Ok(_) => true,
        // The last character is cut.
        Err(error) => is_cut && error.error_len().is_none(),
    };
    if label.trim().is_empty() && charset == "UTF-8" && !is_sound && !content.contains(&0) {
        let (bytes, charset) = transcode(content, USUAL)?;
        return Ok(Decoded {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            charset,
            is_charset_guessed: true,
        });
    }
    Ok(Decoded {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        charset,
        is_charset_guessed: false,
    })
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

/// Returns what the file is, if it is no CSV at all.
fn not_csv(content: &[u8], text: &str) -> Option<Mistaken> {
    let is_blank = lines(text).all(|rest| first_lines(rest, 1).all(|line| trim(line).is_empty()));
    let head = &text.as_bytes()[..text.floor_char_boundary(mistaken::HEAD)];
    let mapping = CompiledMapping::new(&Mapping::default()).ok()?;
    match mistaken::tell(content, head, is_blank, &mapping) {
        Mistaken::Headless | Mistaken::HeaderBelow { .. } | Mistaken::TypeLine => None,
        other => Some(other),
    }
}

/// The header, and the text from its beginning on.
struct FoundHeader<'a> {
    line: u32,
    delimiter: u8,
    has_lines_above: bool,
    /// The text from the header on.
    text: &'a str,
}

/// Finds the line with most known names, or else the first that has two cells or more and looks like names.
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
    let mut best: Option<((usize, usize), FoundHeader<'a>)> = None;
    let mut has_lines_above = false;
    for (at, rest) in lines(text).enumerate().take(LINES).skip(first) {
        let line = first_lines(rest, 1).next().unwrap_or_default();
        for &delimiter in &delimiters {
            let fields = fields(line, delimiter);
            if fields.len() > MOST_COLUMNS {
                continue;
            }
            let known = fields.iter().filter(|field| is_known(field)).count();
            let looks = usize::from(known == 0 && looks_like_names(&fields));
            let score = (known, looks);
            let is_better = best.as_ref().is_none_or(|(most, _)| score > *most);
            if score > (0, 0) && is_better {
                let found = FoundHeader {
                    line: u32::try_from(at + 1).unwrap_or(u32::MAX),
                    delimiter,
                    has_lines_above,
                    text: rest,
                };
                best = Some((score, found));
            }
        }
        has_lines_above |= !trim(line).is_empty();
    }
    best.map(|(_, found)| found)
}

/// Returns the cells of a line by itself.
fn fields(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader = RecordReader::new(delimiter, Limits::MOST_RECORD_BYTES);
    let mut rest = line.as_bytes();
    let is_read = reader.read(&mut rest).is_ok() && reader.finish().unwrap_or(false);
    match is_read {
        true => cells(&reader, MOST_COLUMNS + 1),
        false => Vec::new(),
    }
}

/// Returns the first `most` cells of the record, trimmed.
fn cells(reader: &RecordReader, most: usize) -> Vec<String> {
    let record = reader.record();
    let fields = record.fields().take(most);
    let fields = fields.map(String::from_utf8_lossy);
    fields.map(|field| trim(&field).to_owned()).collect()
}

/// Returns `true` if the cells may be the names of columns: two or more, all different, none of them a value.
fn looks_like_names(fields: &[String]) -> bool {
    let named: Vec<_> = fields.iter().filter(|field| !field.is_empty()).collect();
    let is_name = |field: &str| field.contains(char::is_alphabetic) && !field.contains('@');
    named.len() >= 2 && named.iter().all(|field| is_name(field))
}

/// Reads the header and the records below it, up to the first that cannot be read.
fn read_table(
    found: &FoundHeader<'_>,
    is_cut: bool,
    table: &mut SampleTable,
) -> Result<(), FileFault> {
    let mut reader = RecordReader::new(found.delimiter, Limits::RECORD_BYTES);
    let mut rest = found.text.as_bytes();
    let mut left = MOST_CELLS;
    let mut take = |reader: &RecordReader| {
        if reader.record().is_blank() {
            return;
        }
        if table.header.is_empty() {
            table.header = cells(reader, MOST_COLUMNS);
            return;
        }
        let row = cells(reader, table.header.len().min(left));
        left -= row.len();
        if !row.is_empty() {
            table.rows.push(row);
        }
    };
    while reader.read(&mut rest)? {
        take(&reader);
    }
    // What is cut may look like another value.
    if !is_cut && reader.finish()? {
        take(&reader);
    }
    while table.header.last().is_some_and(String::is_empty) {
        table.header.pop();
    }
    Ok(())
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
