//! Reads the rows of a sheet of an Excel workbook (ECMA-376), one row at a time. Formulas are not computed: a cell has the
//! value that was saved with it.

use quick_xml::events::{BytesStart, Event};

use super::WorkbookFault;
use super::cell_text::{push_escaped, push_iso_date, push_number};
use super::container::{ArchivePart, WorkbookArchive};
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::number_formats::NumberFormats;
use super::relations::PartRelations;
use super::shared_strings::{SharedStrings, read_rich_text};
use super::sheet_row::{COLUMNS, ROWS, RowSink, SheetRow};
use super::sheets::WorkbookSheets;
use super::xml::{XmlPart, attribute, number};

/// An Excel workbook.
pub(super) struct XlsxWorkbook<'b> {
    archive: WorkbookArchive<'b>,
    relations: PartRelations,
    folder: String,
    is_1904: bool,
    /// The part of each sheet of `sheets`.
    parts: Vec<String>,
}

impl<'b> XlsxWorkbook<'b> {
    /// Reads which sheets the workbook has. `workbook` is the part that lists them.
    ///
    /// # Errors
    /// Fails if that part cannot be read.
    pub(super) fn open(
        mut archive: WorkbookArchive<'b>,
        workbook: &str,
        meter: &WorkbookMeter<'_>,
    ) -> Result<(Self, WorkbookSheets), WorkbookReadError> {
        let (folder, file) = match workbook.rfind('/') {
            Some(slash) => workbook.split_at(slash + 1),
            None => ("", workbook),
        };
        let relations = format!("{folder}_rels/{file}.rels");
        let relations = PartRelations::read(&mut archive, folder, &relations, meter)?;
        let mut sheets = WorkbookSheets::default();
        let (mut parts, mut is_1904) = (Vec::new(), false);
        let Some(listed) = archive.part(workbook)? else {
            return Err(WorkbookFault::Broken {
                part: "the list of its sheets",
            }
            .into());
        };
        let mut xml = XmlPart::new(listed, "the list of its sheets", meter);
        while let Some(event) = xml.next()? {
            let Event::Start(element) = event else {
                continue;
            };
            match element.local_name().as_ref() {
                "workbookPr" => {
                    let stated = attribute(&element, "date1904");
                    is_1904 |= stated.is_some_and(|it| it == "1" || it == "true");
                }
                "sheet" => {
                    let id = attribute(&element, "id").unwrap_or_default();
                    if let Some(part) = relations.with_id(&id)
                        && part.kind == "worksheet"
                    {
                        parts.push(part.part.clone());
                        let name = attribute(&element, "name").unwrap_or_default();
                        let state = attribute(&element, "state");
                        sheets.add(&name, state.is_some_and(|it| it != "visible"))?;
                    }
                }
                _ => {}
            }
        }
        drop(xml);
        let xlsx = Self {
            archive,
            relations,
            folder: folder.to_owned(),
            is_1904,
            parts,
        };
        Ok((xlsx, sheets))
    }

    /// Gives the rows of sheet number `sheet` (from 0) to `rows`.
    ///
    /// # Errors
    /// Fails if the sheet cannot be read, or `rows` fails.
    pub(super) fn read(
        mut self,
        sheet: usize,
        (meter, longest): (&WorkbookMeter<'_>, usize),
        rows: &mut impl RowSink,
    ) -> Result<(), WorkbookReadError> {
        let styles = self.part_of_kind("styles", "styles.xml")?;
        let formats = styles.map(|part| NumberFormats::read(part, meter));
        let formats = formats.transpose()?.unwrap_or_default();
        let strings = self.part_of_kind("sharedStrings", "sharedStrings.xml")?;
        let strings = strings.map(|part| SharedStrings::read(part, meter, longest));
        let strings = strings.transpose()?.unwrap_or_default();
        let part = self.parts.get(sheet).cloned().unwrap_or_default();
        let Some(part) = self.archive.part(&part)? else {
            return Err(WorkbookFault::Broken { part: "the sheet" }.into());
        };
        let mut sheet = SheetReader {
            xml: XmlPart::new(part, "the sheet", meter),
            row: SheetRow::new(longest),
            formats,
            strings,
            is_1904: self.is_1904,
            value: String::new(),
            text: String::new(),
        };
        sheet.read(rows)
    }

    fn part_of_kind(
        &mut self,
        kind: &str,
        usual: &str,
    ) -> Result<Option<ArchivePart<'_, 'b>>, WorkbookReadError> {
        let usual = format!("{}{usual}", self.folder);
        let name = self.relations.of_kind(kind).map_or(usual, str::to_owned);
        self.archive.part(&name)
    }
}

struct SheetReader<'m, 'a, 'z, 'b> {
    xml: XmlPart<'m, 'a, ArchivePart<'z, 'b>>,
    row: SheetRow,
    formats: NumberFormats,
    strings: SharedStrings,
    is_1904: bool,
    /// The value of the current cell as the file has it, and its text.
    value: String,
    text: String,
}

/// What a cell says about itself.
struct XlsxCellStart {
    column: Option<usize>,
    line: Option<u32>,
    style: Option<u32>,
    kind: CellKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CellKind {
    Number,
    Boolean,
    Date,
    Shared,
    /// An error, or the text of a formula.
    Text,
    Inline,
}

impl SheetReader<'_, '_, '_, '_> {
    /// Reads the rows up to the end of the sheet's data; nothing behind it is needed.
    fn read(&mut self, rows: &mut impl RowSink) -> Result<(), WorkbookReadError> {
        let mut before = 0;
        loop {
            let line = match self.xml.next()? {
                Some(Event::Start(element)) if element.local_name().as_ref() == "row" => {
                    match attribute(&element, "r") {
                        Some(stated) => stated.trim().parse().unwrap_or_default(),
                        None => before + 1,
                    }
                }
                Some(Event::End(element)) if element.local_name().as_ref() == "sheetData" => {
                    return Ok(());
                }
                Some(_) => continue,
                // A sheet without data has no rows.
                None => return Ok(()),
            };
            if line <= before || line > ROWS {
                return Err(self.xml.broken());
            }
            before = line;
            self.row.begin(line);
            self.read_row()?;
            if !self.row.is_empty() {
                rows.take(&mut self.row)?;
            }
        }
    }

    fn read_row(&mut self) -> Result<(), WorkbookReadError> {
        let outside = self.xml.depth() - 1;
        let mut next = 0;
        while self.xml.depth() > outside {
            let cell = match self.xml.next()? {
                Some(Event::Start(element)) if element.local_name().as_ref() == "c" => {
                    XlsxCellStart::read(&element)
                }
                _ => continue,
            };
            let cell = cell.ok_or_else(|| self.xml.broken())?;
            let column = cell.column.unwrap_or(next);
            let is_elsewhere = cell.line.is_some_and(|line| line != self.row.line());
            if column < next || column >= COLUMNS || is_elsewhere {
                return Err(self.xml.broken());
            }
            next = column + 1;
            self.read_cell(&cell)?;
            if !self.text.is_empty() {
                self.row.push(column, &self.text)?;
            }
        }
        Ok(())
    }

    /// Reads the text of the cell that has just begun.
    fn read_cell(&mut self, cell: &XlsxCellStart) -> Result<(), WorkbookReadError> {
        enum CellChild {
            Value,
            Inline,
            Other,
        }
        let outside = self.xml.depth() - 1;
        self.text.clear();
        let most = crate::input::InputLimits::MOST_RECORD_BYTES;
        while self.xml.depth() > outside {
            let child = match self.xml.next()? {
                Some(Event::Start(element)) => match element.local_name().as_ref() {
                    "v" if cell.kind != CellKind::Inline => CellChild::Value,
                    "is" => CellChild::Inline,
                    _ => CellChild::Other,
                },
                _ => continue,
            };
            self.value.clear();
            match child {
                CellChild::Value => {
                    self.xml.text(most, &mut self.value)?;
                    self.set_text(cell)?;
                }
                CellChild::Inline => {
                    read_rich_text(&mut self.xml, most, &mut self.value)?;
                    push_escaped(&self.value, &mut self.text);
                }
                CellChild::Other => self.xml.skip()?,
            }
        }
        Ok(())
    }

    /// Makes the text of the value that has been read.
    fn set_text(&mut self, cell: &XlsxCellStart) -> Result<(), WorkbookReadError> {
        let (value, text) = (&self.value, &mut self.text);
        match cell.kind {
            CellKind::Shared => {
                let index = value.trim().parse().ok();
                match index.and_then(|index| self.strings.get(index)) {
                    Some(shared) => text.push_str(shared),
                    None if value.trim().is_empty() => {}
                    None => return Err(self.xml.broken()),
                }
            }
            CellKind::Number if value.trim().is_empty() => {}
            CellKind::Number => {
                let format = self.formats.of_style(cell.style);
                push_number(value, format, self.is_1904, text);
            }
            CellKind::Boolean => match value.trim() {
                "1" | "true" => text.push_str("TRUE"),
                "0" | "false" => text.push_str("FALSE"),
                other => text.push_str(other),
            },
            CellKind::Date => push_iso_date(value, text),
            CellKind::Text | CellKind::Inline => push_escaped(value, text),
        }
        Ok(())
    }
}

impl XlsxCellStart {
    /// Returns `None` if the reference of the cell is not valid.
    fn read(element: &BytesStart<'_>) -> Option<Self> {
        let (column, line) = match attribute(element, "r") {
            Some(reference) => {
                let (column, line) = parse_reference(&reference)?;
                (Some(column), Some(line))
            }
            None => (None, None),
        };
        Some(Self {
            column,
            line,
            style: number(element, "s"),
            kind: match attribute(element, "t").as_deref() {
                None | Some("n") => CellKind::Number,
                Some("b") => CellKind::Boolean,
                Some("d") => CellKind::Date,
                Some("s") => CellKind::Shared,
                Some("inlineStr") => CellKind::Inline,
                Some(_) => CellKind::Text,
            },
        })
    }
}

/// Returns the column (from 0) and the row (from 1) that a reference such as `AB12` names.
fn parse_reference(reference: &str) -> Option<(usize, u32)> {
    let digits = reference.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = reference.split_at(digits);
    if letters.is_empty() || letters.len() > 3 || digits.len() > 7 {
        return None;
    }
    let mut column = 0;
    for letter in letters.bytes() {
        let value = letter.is_ascii_alphabetic().then_some(letter & 0x1F)?;
        column = column * 26 + usize::from(value);
    }
    let line = digits.parse().ok().filter(|line| *line > 0)?;
    Some((column - 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_a_column_and_a_row() {
        for (reference, place) in [
            ("A1", Some((0, 1))),
            ("aa10", Some((26, 10))),
            ("XFD1048576", Some((16_383, 1_048_576))),
            ("ZZZ1", Some((18_277, 1))),
            ("AAAA1", None),
            ("A00000001", None),
            ("A0", None),
            ("1", None),
            ("A", None),
            ("$A$1", None),
            ("A1B", None),
            ("é1", None),
            ("", None),
        ] {
            assert_eq!(parse_reference(reference), place, "{reference}");
        }
    }
}
