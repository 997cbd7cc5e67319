//! Looks at the beginning of a file that has no header, and tells its kind. Never quotes the file.

use super::MistakenFile;
use crate::input::blank::is_blank;
use crate::input::comparable_name::ComparableName;
use crate::input::delimiter::DELIMITERS;
use crate::input::mapping::{CompiledMapping, Mapping};
use crate::input::record::{Record, RecordReader};

/// Length of the text, from the beginning of a file, in which the header or the kind of the file is searched for.
pub(in crate::input) const HEAD_BYTES: usize = 16 * 1024;

/// Number of known names that make a line below the first line a header.
pub(in crate::input) const MIN_HEADER_NAMES: usize = 2;

/// Returns the kind of a file whose first record names no column. `bytes` and `text` are its beginning, as received
/// and decoded.
pub(in crate::input) fn identify(
    bytes: &[u8],
    text: &[u8],
    is_blank: bool,
    mapping: &CompiledMapping,
) -> MistakenFile {
    if let Some(found) = binary(bytes) {
        return found;
    }
    match text {
        [0, 1..=0x7F, ..] | [1..=0x7F, 0, ..] => return MistakenFile::UnmarkedUtf16,
        _ if is_blank => return MistakenFile::Empty,
        _ => {}
    }
    let start = String::from_utf8_lossy(text).to_ascii_lowercase();
    let start =
        start.trim_start_matches(|c: char| crate::domain::is_trimmed(c) || c.is_whitespace());
    if start.trim_start_matches('"').starts_with("#type") {
        return MistakenFile::TypeLine;
    }
    if let Some(found) = markup(start) {
        return found;
    }
    if let Some(line) = header_line(text, mapping) {
        return MistakenFile::HeaderBelow { line };
    }
    match is_quoted_whole(text, mapping) {
        true => MistakenFile::QuotedLines,
        false => MistakenFile::Headless,
    }
}

/// Returns the kind of a file that was sent as a workbook, and is no archive.
pub(in crate::input) fn identify_sent_as_workbook(bytes: &[u8]) -> MistakenFile {
    let beginning = &bytes[..bytes.len().min(HEAD_BYTES)];
    let text = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning);
    match CompiledMapping::new(&Mapping::default()) {
        Ok(none) if header_line(text, &none).is_none() => {
            identify(beginning, text, is_blank(text), &none)
        }
        _ => MistakenFile::Csv,
    }
}

fn binary(bytes: &[u8]) -> Option<MistakenFile> {
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    match bytes {
        [b'P', b'K', 3, 4, ..]
            if holds(b"[Content_Types].xml") && !holds(b"word/") && !holds(b"ppt/") =>
        {
            Some(MistakenFile::Workbook)
        }
        [b'P', b'K', 3, 4, ..] if holds(b"xl/workbook") || holds(b"opendocument.spreadsheet") => {
            Some(MistakenFile::Workbook)
        }
        [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => Some(MistakenFile::Zip),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Some(MistakenFile::Workbook),
        [0x1F, 0x8B, ..] => Some(MistakenFile::Gzip),
        _ if bytes.starts_with(b"%PDF-") => Some(MistakenFile::Pdf),
        _ => None,
    }
}

fn markup(start: &str) -> Option<MistakenFile> {
    if let Some(tag) = start.strip_prefix('<') {
        let is_html = [
            "!doctype html",
            "html",
            "head",
            "body",
            "table",
            "meta",
            "script",
            "title",
            "div",
            "!--",
        ];
        return Some(
            match is_html.iter().any(|name| tag.starts_with(name)) || start.contains("<html") {
                true if is_sign_in(start) => MistakenFile::SignIn,
                true => MistakenFile::Html,
                false => MistakenFile::Xml,
            },
        );
    }
    let inside = start.strip_prefix(['{', '['])?.trim_start();
    inside
        .starts_with(['"', '{', '[', '}', ']'])
        .then_some(MistakenFile::Json)
}

fn is_sign_in(page: &str) -> bool {
    [
        "type=\"password\"",
        "type='password'",
        "type=password",
        "sign in",
        "log in",
        "login",
        "signin",
        "saml",
    ]
    .iter()
    .any(|mark| page.contains(mark))
}

/// Returns the number of the first line that has several of the columns' names.
fn header_line(text: &[u8], mapping: &CompiledMapping) -> Option<u32> {
    let lines = DELIMITERS.into_iter().filter_map(|delimiter| {
        let mut reader = RecordReader::new(delimiter, HEAD_BYTES);
        let mut rest = text;
        while reader.read(&mut rest).ok()? {
            if known_names(reader.record(), mapping) >= MIN_HEADER_NAMES {
                return Some(reader.record().line);
            }
        }
        let is_last = reader.finish().ok()?;
        (is_last && known_names(reader.record(), mapping) >= MIN_HEADER_NAMES)
            .then(|| reader.record().line)
    });
    lines.min()
}

/// Returns `true` if the first line is one quoted field that holds the columns' names.
fn is_quoted_whole(text: &[u8], mapping: &CompiledMapping) -> bool {
    // The line does not have this delimiter, so the line is one field, however it is quoted.
    let mut reader = RecordReader::new(0x1F, HEAD_BYTES);
    let Ok(true) = reader.read(&mut [text, b"\n"].concat().as_slice()) else {
        return false;
    };
    let record = reader.record();
    let inside = record.fields().next().unwrap_or_default();
    let named = || header_line(inside, mapping).is_some();
    record.len() == 1 && record.stray.is_none() && named()
}

/// Returns the number of the record's fields that are names of columns, ours or the mapping's.
pub(in crate::input) fn known_names(record: Record<'_>, mapping: &CompiledMapping) -> usize {
    let names = record
        .fields()
        .filter_map(|field| str::from_utf8(field).ok());
    names
        .filter(|name| mapping.knows(&ComparableName::parse(name)))
        .count()
}

#[cfg(test)]
mod tests {
    use insta::{allow_duplicates, assert_snapshot};

    use crate::input::decoder_harness::{REQUIRED, read};

    const ROW: &str = "dana@pd.example,1,Dana,Whitlock,Active,dana,Officer";

    #[test]
    fn lines_above_the_header_are_counted_and_not_quoted() {
        for (above, line) in [
            ("Harbor PD\nActive personnel as of 11/28/2025\n\n", 4),
            ("Roster,,,\n,,,\n", 3),
        ] {
            let told = read(format!("{above}{REQUIRED}\n{ROW}\n"));
            assert_eq!(
                told,
                format!(
                    "NO_HEADER: No header found: line {line} has the column names, which must be on the first line; \
                     delete the lines above it."
                )
            );
        }
        let semicolons = format!("Roster\n{}\n", REQUIRED.replace(',', ";"));
        assert!(read(semicolons).contains("line 2 has the column names"));
    }

    #[test]
    fn lines_quoted_as_a_whole_are_named() {
        let quote = |line: &str| format!("\"{}\"\r\n", line.replace('"', "\"\""));
        for header in [
            REQUIRED.to_owned(),
            format!("\"{}\"", REQUIRED.replace(',', "\",\"")),
            REQUIRED.replace(',', ";"),
        ] {
            let told = read(quote(&header) + &quote(ROW));
            allow_duplicates!(
                assert_snapshot!(told, @"NO_HEADER: No header found: each line is quoted as a whole, so that it is a single value; export the file again, or remove the quotes around the lines and undouble those inside.")
            );
        }
    }

    #[test]
    fn a_type_line_is_named() {
        for line in [
            "#TYPE Selected.User",
            "\"#TYPE System.Object\"",
            "\u{FEFF}#type x",
        ] {
            let told = read(format!("{line}\n{REQUIRED}\n{ROW}\n"));
            allow_duplicates!(
                assert_snapshot!(told, @"NO_HEADER: No header found: the first line is a #TYPE line of PowerShell; export with -NoTypeInformation, or delete the line.")
            );
        }
    }

    const KINDS: [(&str, &[&str]); 7] = [
        (
            "(HTML), not CSV",
            &[
                "<!DOCTYPE html>\n<p>dana@pd.example</p>",
                "\n <HTML><body>",
                "<table><tr>",
            ],
        ),
        (
            "asks to sign in",
            &[
                "<html><form><input type=\"password\">",
                "<!doctype html><title>Log in</title>",
            ],
        ),
        (
            "XML",
            &[
                "<?xml version=\"1.0\"?>\n<users/>",
                "<Users><User/></Users>",
                "\u{FEFF}<a>",
            ],
        ),
        (
            "JSON",
            &[
                "{\"users\": [\"dana@pd.example\"]}",
                "[\n  {\"a\": 1}]",
                "[]",
            ],
        ),
        ("PDF", &["%PDF-1.7\n", "%PDF-2.0", "%PDF-1.4 \"x"]),
        (
            "ZIP archive",
            &[
                "PK\u{3}\u{4}\0\0roster.csv",
                "PK\u{5}\u{6}\0",
                "PK\u{3}\u{4}[Content_Types].xml word/document.xml",
            ],
        ),
        (
            "Excel workbook",
            &[
                "PK\u{3}\u{4}\0[Content_Types].xml\0",
                "PK\u{3}\u{4}mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                "PK\u{3}\u{4} xl/workbook.xml",
            ],
        ),
    ];

    #[test]
    fn other_kinds_of_file_are_named() {
        for (name, files) in KINDS {
            for file in files {
                let told = read(file);
                assert!(
                    told.starts_with("NO_HEADER") && told.contains(name),
                    "{file}: {told}"
                );
                assert!(!told.contains("pd.example"), "{told}");
            }
        }
        assert!(read(b"\x1F\x8B\x08\0\"").contains("gzip"));
        assert!(read(b"\xD0\xCF\x11\xE0\xA1\xB1").contains("Excel workbook"));
    }
}
