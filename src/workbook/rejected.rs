//! The rejected rows of an import, in the file's own columns: to be corrected here, and imported again.
//!
//! Rows go to a temporary file as they come, in a folder that the caller names, so that many of them take little memory.

use std::{
    io::{Read, Seek, Write},
    path::Path,
};

use rust_xlsxwriter::{Format, Note, Workbook, Worksheet, XlsxError};
use zip::ZipArchive;

use super::{WorkbookError, cell_style, cell_text::bounded};

const ROWS: &str = "Rejected rows";
const SUGGESTIONS: &str = "Suggestions";

/// Most notes. A spreadsheet draws each of them, and each takes a KiB; the messages are in a column too.
const MAX_NOTES: usize = 5_000;

/// The last row of the second sheet, counted from 0. A row of the first sheet may have a suggestion in every column, and
/// a spreadsheet has a million rows; a column of the first sheet has all suggestions.
const MAX_SUGGESTIONS: u32 = 200_000;

/// Most characters of a note.
const NOTE_CHARACTERS: usize = 1_000;

/// The columns of the second sheet, with their widths in characters.
const SUGGESTION_COLUMNS: [(&str, usize); 5] = [
    ("Row", 6),
    ("Column", 24),
    ("Value", 30),
    ("Suggestion", 30),
    ("Message", 58),
];

/// Bytes of a workbook's part that are read to see what the workbook is.
const BEGINNING: u64 = 1024 * 1024;

/// A cell with a fault.
#[derive(Debug)]
pub(crate) struct CellMark {
    /// Position of its column.
    pub column: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What could be written in place of a value.
#[derive(Debug)]
pub(crate) struct CellSuggestion {
    /// The column, as the file calls it.
    pub column: String,
    /// The value in the file.
    pub value: String,
    /// The value in its place.
    pub replacement: String,
    /// What is wrong with the value.
    pub message: String,
}

/// A workbook of rejected rows that is being written.
pub(crate) struct RejectedRoster {
    workbook: Workbook,
    text: Format,
    faulty: Format,
    /// The next row of the first sheet, counted from 0.
    row: u32,
    /// The next row of the second sheet, which is there once it has a suggestion.
    suggestions: u32,
    notes: usize,
    /// The longest values of the columns, in characters.
    widths: Vec<usize>,
}

impl RejectedRoster {
    /// Begins a workbook. Its temporary files, which have no name, are in `folder`.
    ///
    /// # Errors
    /// Fails if they cannot be created there.
    pub(crate) fn new(folder: &Path) -> Result<Self, WorkbookError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        let rows = workbook.add_worksheet_with_constant_memory()?;
        rows.set_name(ROWS)?;
        cell_style::set_up(rows);
        Ok(Self {
            workbook,
            text: cell_style::text(),
            faulty: cell_style::faulty(),
            row: 0,
            suggestions: 0,
            notes: 0,
            widths: Vec::new(),
        })
    }

    /// Writes a line that stands above the header.
    ///
    /// # Errors
    /// Fails if the temporary file cannot be written.
    pub(crate) fn push_line(&mut self, line: &str) -> Result<(), WorkbookError> {
        let (row, text) = (self.row, self.text.clone());
        self.rows()?
            .write_string_with_format(row, 0, bounded(line), &text)?;
        self.row += 1;
        Ok(())
    }

    /// Writes the header, which stays in view.
    ///
    /// # Errors
    /// As [`push_line`](Self::push_line).
    pub(crate) fn push_header(&mut self, names: &[String]) -> Result<(), WorkbookError> {
        let (row, header) = (self.row, cell_style::header());
        let sheet = self.rows()?;
        sheet.set_freeze_panes(row + 1, 0)?;
        for (at, name) in (0..).zip(names) {
            sheet.write_string_with_format(row, at, bounded(name), &header)?;
        }
        self.widths = names.iter().map(|name| name.chars().count()).collect();
        self.row += 1;
        Ok(())
    }

    /// Writes a row. The marked cells are coloured, with their messages as notes.
    ///
    /// # Errors
    /// As [`push_line`](Self::push_line).
    pub(crate) fn push_row<T: AsRef<str>>(
        &mut self,
        cells: &[T],
        marks: &[CellMark],
        suggestions: &[CellSuggestion],
    ) -> Result<(), WorkbookError> {
        let (row, text, faulty) = (self.row, self.text.clone(), self.faulty.clone());
        let sheet = self.rows()?;
        for (at, cell) in cells.iter().enumerate() {
            let is_marked = marks.iter().any(|mark| mark.column == at);
            let format = if is_marked { &faulty } else { &text };
            write_cell(sheet, row, at, cell.as_ref(), format)?;
        }
        for (at, cell) in cells.iter().enumerate().take(self.widths.len()) {
            self.widths[at] = self.widths[at].max(cell.as_ref().chars().count());
        }
        for at in 0..cells.len() {
            let about = marks.iter().filter(|mark| mark.column == at);
            let messages: Vec<&str> = about.map(|mark| &*mark.message).collect();
            if !messages.is_empty() && self.notes < MAX_NOTES {
                self.notes += 1;
                let note = note(&messages.join("\n"));
                self.rows()?.insert_note(row, column(at), &note)?;
            }
        }
        let most = MAX_SUGGESTIONS.saturating_sub(self.suggestions);
        for suggestion in suggestions.iter().take(most as usize) {
            self.push_suggestion(row, suggestion)?;
        }
        self.row += 1;
        Ok(())
    }

    fn push_suggestion(&mut self, row: u32, found: &CellSuggestion) -> Result<(), WorkbookError> {
        if self.suggestions == 0 {
            self.begin_suggestions()?;
        }
        let (at, text) = (self.suggestions, self.text.clone());
        // As a spreadsheet counts rows.
        let row = (row + 1).to_string();
        let cells = [
            &row,
            &found.column,
            &found.value,
            &found.replacement,
            &found.message,
        ];
        let sheet = self.workbook.worksheet_from_index(1)?;
        for (column, cell) in cells.iter().enumerate() {
            write_cell(sheet, at, column, cell, &text)?;
        }
        self.suggestions += 1;
        Ok(())
    }

    fn begin_suggestions(&mut self) -> Result<(), WorkbookError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(SUGGESTIONS)?.set_freeze_panes(1, 0)?;
        cell_style::set_up(sheet);
        for (at, (name, width)) in (0..).zip(SUGGESTION_COLUMNS) {
            sheet.write_string_with_format(0, at, name, &cell_style::header())?;
            sheet.set_column_width(at, cell_style::width(width))?;
        }
        self.suggestions = 1;
        Ok(())
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// Fails if `out` does, or a temporary file.
    pub(crate) fn save(mut self, out: impl Write + Send) -> Result<(), WorkbookError> {
        let (text, widths) = (self.text.clone(), std::mem::take(&mut self.widths));
        let sheet = self.rows()?;
        for (at, longest) in widths.into_iter().enumerate() {
            sheet.set_column_width(column(at), cell_style::width(longest))?;
            sheet.set_column_format(column(at), &text)?;
        }
        Ok(self.workbook.save_to_writer(out)?)
    }

    fn rows(&mut self) -> Result<&mut Worksheet, XlsxError> {
        self.workbook.worksheet_from_index(0)
    }
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    at: usize,
    cell: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    match cell.is_empty() {
        true => sheet.write_blank(row, column(at), format)?,
        false => sheet.write_string_with_format(row, column(at), bounded(cell), format)?,
    };
    Ok(())
}

/// A column's number. One beyond the last that a sheet can have is refused when a cell is written.
fn column(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn note(message: &str) -> Note {
    let visible = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    let message = bounded(message);
    let letters = message.chars().take(NOTE_CHARACTERS).map(visible);
    let text: String = letters.collect();
    // A line of a note has some forty characters, and takes 16 pixels.
    let lines = text
        .lines()
        .map(|line| line.chars().count() / 40 + 1)
        .sum::<usize>();
    let height = u32::try_from(lines.clamp(3, 12)).unwrap_or(3) * 16 + 16;
    Note::new(text)
        .add_author_prefix(false)
        .set_width(280)
        .set_height(height)
}

/// Returns `true` if one of `names` is in the first rows of the workbook `file`; `false` for any other file, however odd.
pub(crate) fn is_rejected_roster(file: impl Read + Seek, names: &[&str]) -> bool {
    let Ok(mut workbook) = ZipArchive::new(file) else {
        return false;
    };
    // This program writes texts into the sheet. A spreadsheet that saves it puts them into a part of their own.
    let mut parts = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"].into_iter();
    parts.any(|part| {
        let mut beginning = Vec::new();
        let Ok(part) = workbook.by_name(part) else {
            return false;
        };
        // The part that was read before a fault is enough.
        let _ = part.take(BEGINNING).read_to_end(&mut beginning);
        let beginning = String::from_utf8_lossy(&beginning);
        names.iter().any(|name| beginning.contains(name))
    })
}
