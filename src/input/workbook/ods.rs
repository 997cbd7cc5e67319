//! Reads the rows of a sheet of an `OpenDocument` spreadsheet (ODF 1.3), one row at a time. Formulas are not computed: a
//! cell has the value that was saved with it.
//!
//! A row or cell may stand for many equal ones. Blank ones cost nothing. Each of the others counts as if it were
//! written in the file.

use quick_xml::events::{BytesStart, Event};

use super::WorkbookFault;
use super::cell_text::{NumberFormat, push_iso_date, push_iso_duration, push_number};
use super::container::{ArchivePart, WorkbookArchive};
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::ods_text::read_text;
use super::sheet_row::{COLUMNS, ROWS, RowSink, SheetRow};
use super::sheets::WorkbookSheets;
use super::xml::{XmlPart, attribute, has, number};

/// An `OpenDocument` spreadsheet.
pub(super) struct OdsWorkbook<'b> {
    archive: WorkbookArchive<'b>,
}

type OdsXml<'m, 'a, 'z, 'b> = XmlPart<'m, 'a, ArchivePart<'z, 'b>>;

impl<'b> OdsWorkbook<'b> {
    /// Reads which sheets the spreadsheet has.
    ///
    /// # Errors
    /// Fails if it cannot be read, or a password is needed.
    pub(super) fn open(
        mut archive: WorkbookArchive<'b>,
        meter: &WorkbookMeter<'_>,
    ) -> Result<(Self, WorkbookSheets), WorkbookReadError> {
        expect_open(&mut archive, meter)?;
        let mut sheets = WorkbookSheets::default();
        let mut hidden = Vec::new();
        let mut style = String::new();
        let mut xml = content(&mut archive, meter)?;
        while let Some(event) = xml.next()? {
            let Event::Start(element) = event else {
                continue;
            };
            let is_table = match element.local_name().as_ref() {
                "style" => {
                    style = attribute(&element, "name").unwrap_or_default().into_owned();
                    false
                }
                "table-properties" => {
                    let shown = attribute(&element, "display");
                    if shown.is_some_and(|shown| shown == "false") && hidden.len() < 1_000 {
                        hidden.push(std::mem::take(&mut style));
                    }
                    false
                }
                "table" => {
                    let name = attribute(&element, "name").unwrap_or_default();
                    let style = attribute(&element, "style-name").unwrap_or_default();
                    sheets.add(&name, hidden.iter().any(|hidden| *hidden == style))?;
                    true
                }
                "tracked-changes" => true,
                _ => false,
            };
            if is_table {
                xml.skip()?;
            }
        }
        drop(xml);
        // The content is read once more, and counts once.
        meter.begin_again();
        Ok((Self { archive }, sheets))
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
        let mut xml = content(&mut self.archive, meter)?;
        let mut place = 0;
        while let Some(event) = xml.next()? {
            let Event::Start(element) = event else {
                continue;
            };
            let name = element.local_name();
            let (is_table, is_change) =
                (name.as_ref() == "table", name.as_ref() == "tracked-changes");
            if is_table && place == sheet {
                let mut table = TableReader {
                    xml,
                    row: SheetRow::new(longest),
                    text: String::new(),
                };
                return table.read(rows);
            }
            if is_table || is_change {
                place += usize::from(is_table);
                xml.skip()?;
            }
        }
        Err(xml.broken())
    }
}

fn content<'m, 'a, 'z, 'b>(
    archive: &'z mut WorkbookArchive<'b>,
    meter: &'m WorkbookMeter<'a>,
) -> Result<OdsXml<'m, 'a, 'z, 'b>, WorkbookReadError> {
    match archive.part("content.xml")? {
        Some(part) => Ok(XmlPart::new(part, "its content", meter)),
        None => Err(WorkbookFault::Broken {
            part: "its content",
        }
        .into()),
    }
}

/// Expects that no part is encrypted.
fn expect_open(
    archive: &mut WorkbookArchive<'_>,
    meter: &WorkbookMeter<'_>,
) -> Result<(), WorkbookReadError> {
    let Some(part) = archive.part("META-INF/manifest.xml")? else {
        return Ok(());
    };
    let mut xml = XmlPart::new(part, "the list of its parts", meter);
    while let Some(event) = xml.next()? {
        if let Event::Start(element) = event
            && element.local_name().as_ref() == "encryption-data"
        {
            return Err(WorkbookFault::Protected.into());
        }
    }
    Ok(())
}

struct TableReader<'m, 'a, 'z, 'b> {
    xml: OdsXml<'m, 'a, 'z, 'b>,
    row: SheetRow,
    text: String,
}

/// What a cell says about itself.
struct OdsCellStart {
    repeated: usize,
    value: CellValue,
}

enum CellValue {
    Number(String),
    Date(String),
    Time(String),
    Boolean(bool),
    /// The text that the element holds.
    Text,
    /// A text that the attribute has, if it is not blank.
    Stated(String),
    None,
}

impl TableReader<'_, '_, '_, '_> {
    /// Reads the rows of the table that has just begun.
    fn read(&mut self, rows: &mut impl RowSink) -> Result<(), WorkbookReadError> {
        let outside = self.xml.depth() - 1;
        let mut before: u32 = 0;
        while self.xml.depth() > outside {
            let repeated = match self.xml.next()? {
                Some(Event::Start(element)) => match element.local_name().as_ref() {
                    "table-row" => Some(repeated(&element, "number-rows-repeated")),
                    // These hold rows.
                    "table-rows" | "table-header-rows" | "table-row-group" => continue,
                    _ => None,
                },
                _ => continue,
            };
            let Some(repeated) = repeated else {
                self.xml.skip()?;
                continue;
            };
            let repeated = u32::try_from(repeated).unwrap_or(u32::MAX);
            self.row.begin(before.saturating_add(1));
            self.read_row()?;
            let last = before.saturating_add(repeated);
            if !self.row.is_empty() {
                if last > ROWS {
                    return Err(self.xml.broken());
                }
                for line in before + 1..=last {
                    self.row.move_to(line);
                    rows.take(&mut self.row)?;
                }
            }
            before = last;
        }
        Ok(())
    }

    fn read_row(&mut self) -> Result<(), WorkbookReadError> {
        let outside = self.xml.depth() - 1;
        let mut column: usize = 0;
        while self.xml.depth() > outside {
            let cell = match self.xml.next()? {
                Some(Event::Start(element)) => match element.local_name().as_ref() {
                    "table-cell" | "covered-table-cell" => Some(OdsCellStart::read(&element)),
                    _ => None,
                },
                _ => continue,
            };
            let Some(cell) = cell else {
                self.xml.skip()?;
                continue;
            };
            self.read_cell(&cell.value)?;
            let end = column.saturating_add(cell.repeated);
            if !self.text.is_empty() {
                if end > COLUMNS {
                    return Err(self.xml.broken());
                }
                for column in column..end {
                    self.row.push(column, &self.text)?;
                }
            }
            column = end;
        }
        Ok(())
    }

    /// Reads the text of the cell that has just begun.
    fn read_cell(&mut self, value: &CellValue) -> Result<(), WorkbookReadError> {
        self.text.clear();
        // What the cell shows.
        read_text(&mut self.xml, &mut self.text)?;
        let text = &mut self.text;
        match value {
            CellValue::Text => {}
            CellValue::Number(number) if shows_zeros(text, number) => {}
            CellValue::Number(number) => {
                text.clear();
                push_number(number, NumberFormat::Plain, false, text);
            }
            CellValue::Date(date) => {
                text.clear();
                push_iso_date(date, text);
            }
            CellValue::Time(time) => {
                text.clear();
                push_iso_duration(time, text);
            }
            CellValue::Boolean(is_true) => {
                text.clear();
                text.push_str(if *is_true { "TRUE" } else { "FALSE" });
            }
            CellValue::Stated(stated) => {
                text.clear();
                text.push_str(stated);
            }
            CellValue::None => text.clear(),
        }
        Ok(())
    }
}

/// Returns `true` if the cell shows the number with leading zeros.
fn shows_zeros(shown: &str, number: &str) -> bool {
    let digits = shown.trim_start_matches('0');
    digits.len() < shown.len()
        && shown.len() > 1
        && shown.bytes().all(|byte| byte.is_ascii_digit())
        && shown.parse::<f64>().ok() == number.trim().parse::<f64>().ok()
}

impl OdsCellStart {
    fn read(element: &BytesStart<'_>) -> Self {
        let get = |name| attribute(element, name).map(std::borrow::Cow::into_owned);
        // LibreOffice writes a second type, with another prefix, which tells errors from numbers and texts.
        let value = match get("value-type").as_deref() {
            _ if has(element, "value-type", "error") => Some(CellValue::Text),
            Some("float" | "percentage" | "currency") => get("value").map(CellValue::Number),
            Some("date") => get("date-value").map(CellValue::Date),
            Some("time") => get("time-value").map(CellValue::Time),
            Some("boolean") => {
                let stated = get("boolean-value");
                stated.map(|it| CellValue::Boolean(it.eq_ignore_ascii_case("true")))
            }
            Some("void") => Some(CellValue::None),
            None => Some(CellValue::Text),
            Some(_) => {
                let stated = get("string-value").filter(|stated| !stated.is_empty());
                stated.map(CellValue::Stated)
            }
        };
        Self {
            repeated: repeated(element, "number-columns-repeated"),
            value: value.unwrap_or(CellValue::Text),
        }
    }
}

/// How many equal rows or cells the element stands for.
fn repeated(element: &BytesStart<'_>, name: &str) -> usize {
    match attribute(element, name) {
        None => 1,
        // A number that is too large is the largest.
        Some(_) => number(element, name).map_or(usize::MAX, |number| number.max(1) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_that_a_cell_shows_are_kept() {
        for (shown, number, keeps) in [
            ("0429", "429", true),
            ("00", "0", true),
            ("0", "0", false),
            ("429", "429", false),
            ("0430", "429.6", false),
            ("0.5", "0.5", false),
            ("", "0", false),
        ] {
            assert_eq!(shows_zeros(shown, number), keeps, "{shown} for {number}");
        }
    }
}
