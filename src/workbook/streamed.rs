//! A workbook with many users, in pieces.
//!
//! Be advised: this writes the rows of the first sheet itself, into a workbook that the library has written with a
//! blank roster. The library builds a sheet as a whole: 200,000 users take 720 MB, or a temporary file of 150 MB that
//! holds people's data, before the first byte can be sent. In pieces they take less than 1 MB and no file. The plain
//! version is the library's, which a test compares with this one. Before you change it: the first sheet is found by its
//! name, its blank rows are replaced, and the other parts are copied unchanged.

use std::{
    fmt::Write as _,
    io::{self, Cursor, Read, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use zip::{
    CompressionMethod, DateTime, ZipArchive, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{
    WorkbookError,
    cell_text::push_escaped,
    roster_sheet::{ColumnWidths, blank_workbook},
};
use crate::domain::{Catalog, Column};

/// The part of the workbook that is the first sheet.
const FIRST_SHEET: &str = "xl/worksheets/sheet1.xml";

const _: () = assert!(Column::COUNT <= 26, "a column's name is one letter");

/// A workbook whose roster is written row by row.
pub(crate) struct StreamedRoster {
    zip: ZipWriter<StreamWriter<SharedBytes>>,
    written: SharedBytes,
    /// What comes after the rows.
    end: String,
    /// The number of the cells' style.
    style: String,
    /// The last row that was written, as a spreadsheet counts: 1 is the header.
    row: u32,
    /// The row that is being written.
    text: String,
}

impl StreamedRoster {
    /// Begins a workbook with this many users.
    ///
    /// # Errors
    /// Fails only if the library does, which it does not on memory.
    pub(crate) fn new(
        catalog: &Catalog,
        widths: &ColumnWidths,
        rows: u32,
    ) -> Result<Self, WorkbookError> {
        let blank = blank_workbook(catalog, widths, rows)?;
        let mut blank = ZipArchive::new(Cursor::new(blank))?;
        let written = SharedBytes::default();
        let mut zip = ZipWriter::new_stream(written.clone());
        for at in 0..blank.len() {
            let part = blank.by_index_raw(at)?;
            if part.name()? != FIRST_SHEET {
                zip.raw_copy_file(part)?;
            }
        }
        let mut sheet = String::new();
        blank.by_name(FIRST_SHEET)?.read_to_string(&mut sheet)?;
        let sheet = BlankSheet::of(&sheet)?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default());
        zip.start_file(FIRST_SHEET, options)?;
        zip.write_all(sheet.begin.as_bytes())?;
        Ok(Self {
            zip,
            written,
            end: sheet.end.to_owned(),
            style: sheet.style.to_owned(),
            row: 1,
            text: String::new(),
        })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn push(&mut self, cells: &[&str; Column::COUNT]) -> Result<(), WorkbookError> {
        self.row += 1;
        self.text.clear();
        let (out, row) = (&mut self.text, self.row);
        // Writing to a string cannot fail.
        let _ = write!(out, r#"<row r="{row}">"#);
        for (letter, cell) in ('A'..).zip(cells) {
            if cell.is_empty() {
                continue;
            }
            let style = &self.style;
            let _ = write!(
                out,
                r#"<c r="{letter}{row}" s="{style}" t="inlineStr"><is><t"#
            );
            let is_bare = cell.trim_ascii().len() < cell.len();
            out.push_str(if is_bare {
                r#" xml:space="preserve">"#
            } else {
                ">"
            });
            push_escaped(out, cell);
            out.push_str("</t></is></c>");
        }
        out.push_str("</row>");
        Ok(self.zip.write_all(out.as_bytes())?)
    }

    /// Number of bytes that are ready.
    pub(crate) fn ready(&self) -> usize {
        self.written.0.lock().len()
    }

    /// Takes the bytes that are ready.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.written.0.lock())
    }

    /// Ends the workbook, and returns its last bytes.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, WorkbookError> {
        self.zip.write_all(self.end.as_bytes())?;
        self.zip.finish()?;
        Ok(std::mem::take(&mut self.written.0.lock()))
    }
}

/// The sheet that the library has written, without its blank rows.
struct BlankSheet<'a> {
    begin: &'a str,
    end: &'a str,
    style: &'a str,
}

impl<'a> BlankSheet<'a> {
    fn of(sheet: &'a str) -> Result<Self, WorkbookError> {
        let end = sheet.find("</sheetData>");
        let end = end.ok_or(WorkbookError::Sheet("end of its rows"))?;
        // Without users there is no row to replace, and none will be written.
        let begin = sheet.find(r#"<row r="2""#).unwrap_or(end);
        let style = match sheet[begin..end].split_once(r#" s=""#) {
            Some((_, rest)) => rest.split('"').next(),
            None if begin == end => Some(""),
            None => None,
        };
        Ok(Self {
            begin: &sheet[..begin],
            end: &sheet[end..],
            style: style.ok_or(WorkbookError::Sheet("style of its cells"))?,
        })
    }
}

/// Bytes that are written in one place and taken in another.
#[derive(Clone, Default)]
struct SharedBytes(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Range, Reader, Xlsx};
    use proptest::prelude::*;

    use super::*;
    use crate::{domain::Role, domain::RoleId, workbook::roster_sheet};

    type Cells = [String; Column::COUNT];

    fn catalog() -> Catalog {
        Catalog {
            roles: vec![Role {
                id: RoleId(1),
                name: "Officer".to_owned(),
                privileged: false,
            }],
            ..Catalog::default()
        }
    }

    fn streamed(rows: &[Cells]) -> Vec<u8> {
        let mut widths = ColumnWidths::default();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| row.each_ref().map(|cell| &**cell))
            .collect();
        for row in &rows {
            widths.fit(row);
        }
        let count = u32::try_from(rows.len()).unwrap();
        let mut roster = StreamedRoster::new(&catalog(), &widths, count).unwrap();
        let mut file = Vec::new();
        for row in &rows {
            roster.push(row).unwrap();
            file.extend(roster.take());
        }
        file.extend(roster.finish().unwrap());
        file
    }

    /// The same workbook, written by the library alone.
    fn plain(rows: &[Cells]) -> Vec<u8> {
        let text = crate::workbook::cell_style::text();
        let built = roster_sheet::build(&catalog(), &ColumnWidths::default(), |roster| {
            for (row, cells) in (1..).zip(rows) {
                for (at, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                    roster.write_string_with_format(row, at, cell, &text)?;
                }
            }
            Ok(())
        });
        built.unwrap()
    }

    fn sheet(file: Vec<u8>) -> Range<Data> {
        let mut workbook = Xlsx::new(Cursor::new(file)).unwrap();
        assert_eq!(workbook.sheet_names(), ["Roster", "Valid values"]);
        workbook.worksheet_range("Roster").unwrap()
    }

    fn part(file: &[u8], name: &str) -> String {
        let mut zip = ZipArchive::new(Cursor::new(file)).unwrap();
        let mut text = String::new();
        zip.by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    fn row(values: [&str; 4]) -> Cells {
        let mut cells = Cells::default();
        for (at, value) in [0, 2, 3, 12].into_iter().zip(values) {
            value.clone_into(&mut cells[at]);
        }
        cells
    }

    #[test]
    fn every_cell_is_the_text_that_it_was() {
        let rows = [
            row(["00421", "1E5", "=1+2", "+442079460018"]),
            row(["2024-01-05", "12345678901234567890", " O'Brien ", "TRUE"]),
            row(["'0101", "\"quoted\"", "Zoë 李 \u{1F600} \u{5E9}", "_x0041_"]),
            row(["<&>", "a\u{FFFE}b", "two  blanks", "-1"]),
        ];
        let read = sheet(streamed(&rows));
        assert_eq!(read.get_size(), (rows.len() + 1, Column::COUNT));
        for (at, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let expected = match cell.is_empty() {
                    true => Data::Empty,
                    false => Data::String(cell.clone()),
                };
                assert_eq!(read.get((at + 1, column)), Some(&expected), "{cell:?}");
            }
        }
    }

    #[test]
    fn an_empty_directory_is_a_header() {
        let read = sheet(streamed(&[]));
        assert_eq!(read.get_size(), (1, Column::COUNT));
        assert_eq!(read.get((0, 7)), Some(&Data::String("ROLE".to_owned())));
    }

    /// All but the rows is the library's own: the size of the sheet, the widths, the lists and the notes.
    #[test]
    fn the_workbook_has_what_the_librarys_has() {
        let rows = [row(["1", "2", "3", "4"]), row(["5", "6", "7", "8"])];
        let (one, other) = (streamed(&rows), plain(&rows));
        let sheets = [&one, &other].map(|file| {
            let sheet = part(file, FIRST_SHEET);
            let (begin, rest) = sheet.split_once(r#"<row r="2""#).unwrap();
            let (_, end) = rest.split_once("</sheetData>").unwrap();
            [begin.to_owned(), end.to_owned()]
        });
        assert_eq!(sheets[0], sheets[1]);
        assert!(
            sheets[0][0].contains(r#"<dimension ref="A1:M3"/>"#),
            "{:?}",
            sheets[0]
        );
        let names = |file: &[u8]| {
            let zip = ZipArchive::new(Cursor::new(file)).unwrap();
            let mut names: Vec<_> = zip
                .file_names()
                .map(|name| name.unwrap().into_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&one), names(&other));
        let style = |file: &[u8]| {
            let sheet = part(file, FIRST_SHEET);
            let (_, cell) = sheet.split_once(r#"<c r="M3" "#).unwrap();
            cell.split(" t=").next().unwrap().to_owned()
        };
        assert_eq!(style(&one), style(&other));
    }

    #[test]
    fn the_bytes_are_ready_as_rows_are_written() {
        let mut roster = StreamedRoster::new(&catalog(), &ColumnWidths::default(), 20_000).unwrap();
        let mut longest = 0;
        for number in 0..20_000 {
            let text = format!("{number:x}-{:x}", number * 2_654_435_761_u64);
            roster.push(&[&*text; Column::COUNT]).unwrap();
            longest = longest.max(roster.ready());
            if roster.ready() > 10_000 {
                roster.take();
            }
        }
        assert!((10_000..200_000).contains(&longest), "{longest} bytes wait");
    }

    proptest! {
        #[test]
        fn any_text_is_what_the_librarys_cell_is(
            texts in proptest::collection::vec("[ a-z0-9&<>'\"=+_x\u{1}\t\u{e9}-]{0,12}", 4),
        ) {
            let texts: [&str; 4] = std::array::from_fn(|at| &*texts[at]);
            let rows = [row(texts), row(["end"; 4])];
            let (one, other) = (sheet(streamed(&rows)), sheet(plain(&rows)));
            prop_assert!(one == other, "{:?} {:?}", one, other);
        }
    }
}
