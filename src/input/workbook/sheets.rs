//! The sheets of a workbook, and which of them is read.

use super::WorkbookFault;
use crate::input::FileFault;

/// A sheet with cells.
#[derive(Debug)]
struct WorkbookSheet {
    name: String,
    is_hidden: bool,
}

/// Most sheets, and most bytes of all their names.
const MOST_SHEETS: usize = 10_000;
const MOST_BYTES: usize = 1024 * 1024;

/// The sheets with cells, in the workbook's order.
#[derive(Debug, Default)]
pub(super) struct WorkbookSheets {
    sheets: Vec<WorkbookSheet>,
    bytes: usize,
}

impl WorkbookSheets {
    /// Adds a sheet at the end.
    ///
    /// # Errors
    /// Fails if there are more than any workbook has.
    pub(super) fn add(&mut self, name: &str, is_hidden: bool) -> Result<(), WorkbookFault> {
        self.bytes += name.len();
        if self.sheets.len() == MOST_SHEETS || self.bytes > MOST_BYTES {
            return Err(WorkbookFault::Broken {
                part: "the list of its sheets",
            });
        }
        let name = name.to_owned();
        self.sheets.push(WorkbookSheet { name, is_hidden });
        Ok(())
    }

    /// Returns the place of the sheet to read: the named one, or the first that is not hidden. Names are compared exactly,
    /// and without regard to case if that finds one sheet.
    ///
    /// # Errors
    /// Fails if there is no such sheet.
    pub(super) fn find(&self, name: &str) -> Result<usize, WorkbookFault> {
        if self.sheets.is_empty() {
            return Err(WorkbookFault::NoSheet);
        }
        if name.is_empty() {
            let shown = self.sheets.iter().position(|sheet| !sheet.is_hidden);
            return Ok(shown.unwrap_or_default());
        }
        if let Some(place) = self.sheets.iter().position(|sheet| sheet.name == name) {
            return Ok(place);
        }
        let folded = crate::domain::fold(name.trim());
        let alike = |sheet: &WorkbookSheet| crate::domain::fold(sheet.name.trim()) == folded;
        let mut found = (0..self.sheets.len()).filter(|&place| alike(&self.sheets[place]));
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            _ => Err(WorkbookFault::UnknownSheet {
                name: FileFault::showable(name),
                sheets: self.shown(),
            }),
        }
    }

    /// Returns the name of the sheet at this place.
    pub(super) fn name(&self, place: usize) -> &str {
        self.sheets.get(place).map_or("", |sheet| &sheet.name)
    }

    /// The names, made safe to show.
    pub(super) fn shown(&self) -> Vec<String> {
        let names = self.sheets.iter();
        names
            .map(|sheet| FileFault::showable(&sheet.name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheets(names: &[&str]) -> WorkbookSheets {
        let mut sheets = WorkbookSheets::default();
        for name in names {
            let shown = name.trim_start_matches('~');
            sheets.add(shown, name.starts_with('~')).unwrap();
        }
        sheets
    }

    #[test]
    fn the_first_sheet_that_is_shown_is_read_or_the_named_one() {
        let three = sheets(&["~Lists", "Roster", "ROSTER", "Été"]);
        assert_eq!(three.find(""), Ok(1));
        assert_eq!(three.find("Lists"), Ok(0));
        assert_eq!(three.find("lists "), Ok(0));
        assert_eq!(three.find("ROSTER"), Ok(2));
        assert_eq!(three.find("ÉTÉ"), Ok(3));
        assert_eq!(sheets(&["~a"]).find(""), Ok(0));
        let told = three.find("roster").unwrap_err().to_string();
        assert_eq!(
            told,
            "The workbook has no sheet \"roster\"; it has \"Lists\", \"Roster\", \"ROSTER\", \"Été\"."
        );
        assert_eq!(sheets(&[]).find("x"), Err(WorkbookFault::NoSheet));
    }
}
