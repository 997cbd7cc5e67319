//! The first sheet: a roster with our columns. An import reads this sheet.

use rust_xlsxwriter::{Note, Workbook, Worksheet, XlsxError};

use super::{WorkbookError, cell_style, cell_text::bounded, values_sheet};
use crate::domain::{Catalog, Column, template_rows};

/// The name of the sheet.
const NAME: &str = "Roster";

/// Size of the note on a header cell, in pixels.
const NOTE: (u32, u32) = (280, 90);

/// The longest values of a roster's columns, in characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnWidths([usize; Column::COUNT]);

impl Default for ColumnWidths {
    /// Wide enough for the header alone, whose letters are bold capitals.
    fn default() -> Self {
        Self(Column::ALL.map(|column| column.header().len() * 5 / 4))
    }
}

impl ColumnWidths {
    /// Makes the columns wide enough for this row.
    pub(crate) fn fit(&mut self, cells: &[&str; Column::COUNT]) {
        for (width, cell) in self.0.iter_mut().zip(cells) {
            // An ASCII text has as many bytes as characters, and a longer one is rarely wider than the column.
            if cell.len() > *width {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
}

/// Returns the template as a workbook: the header row, four example rows, and the valid values.
///
/// # Errors
/// Fails only if the library does, which it does not on memory.
pub(crate) fn template_workbook(catalog: &Catalog) -> Result<Vec<u8>, WorkbookError> {
    let rows = template_rows(catalog);
    let mut widths = ColumnWidths::default();
    for cells in &rows {
        widths.fit(cells);
    }
    let text = cell_style::text();
    build(catalog, &widths, |roster| {
        for (row, cells) in (1..).zip(&rows) {
            for (at, cell) in (0..).zip(cells) {
                roster.write_string_with_format(row, at, bounded(cell), &text)?;
            }
        }
        Ok(())
    })
}

/// Returns a workbook with a roster of `rows` blank rows: the last cell of the first and of the last row are written.
///
/// # Errors
/// As [`template_workbook`].
pub(super) fn blank_workbook(
    catalog: &Catalog,
    widths: &ColumnWidths,
    rows: u32,
) -> Result<Vec<u8>, WorkbookError> {
    const LAST: u16 = Column::ALL[Column::COUNT - 1] as u16;
    let text = cell_style::text();
    build(catalog, widths, |roster| {
        if rows > 0 {
            roster.write_blank(1, LAST, &text)?;
            roster.write_blank(rows, LAST, &text)?;
        }
        Ok(())
    })
}

/// Returns a workbook whose roster has the header, and what `fill` writes below it.
///
/// # Errors
/// As [`template_workbook`], and as `fill`.
pub(super) fn build(
    catalog: &Catalog,
    widths: &ColumnWidths,
    fill: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>,
) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    let roster = workbook.add_worksheet();
    begin(roster, widths)?;
    values_sheet::offer(roster, catalog)?;
    fill(roster)?;
    values_sheet::add(&mut workbook, catalog)?;
    Ok(workbook.save_to_buffer()?)
}

/// Writes the header, with the rules of the columns. Cells below it are text even before something is typed.
fn begin(roster: &mut Worksheet, widths: &ColumnWidths) -> Result<(), XlsxError> {
    roster.set_name(NAME)?.set_freeze_panes(1, 0)?;
    cell_style::set_up(roster);
    // On paper each page begins with the header.
    roster.set_repeat_rows(0, 0)?;
    let (text, header) = (cell_style::text(), cell_style::header());
    for (at, (column, longest)) in (0..).zip(Column::ALL.iter().zip(widths.0)) {
        roster.set_column_format(at, &text)?;
        roster.set_column_width(at, cell_style::width(longest))?;
        roster.write_string_with_format(0, at, column.header(), &header)?;
        let note = Note::new(cell_style::rules(*column)).add_author_prefix(false);
        roster.insert_note(0, at, &note.set_width(NOTE.0).set_height(NOTE.1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use calamine::{Data, Reader, Xlsx};
    use insta::assert_snapshot;
    use zip::ZipArchive;

    use super::*;
    use crate::domain::{Group, GroupId, Rank, RankId, Role, RoleId, template_csv};

    fn catalog() -> Catalog {
        let role = |id, name: &str| Role {
            id: RoleId(id),
            name: name.to_owned(),
            privileged: false,
        };
        let group = |id, external_id: &str, active| Group {
            id: GroupId::new(id).unwrap(),
            external_id: external_id.to_owned(),
            name: format!("Name of {external_id}"),
            active,
        };
        Catalog {
            roles: vec![role(1, "Chief, retired"), role(2, "=1+2")],
            ranks: vec![Rank {
                id: RankId::new(1).unwrap(),
                name: "Captain".to_owned(),
            }],
            groups: vec![group(1, "007", true), group(2, "OLD", false)],
            ..Catalog::default()
        }
    }

    fn rows(file: &[u8], sheet: &str) -> Vec<Vec<String>> {
        let mut workbook = Xlsx::new(Cursor::new(file)).unwrap();
        let cells = |row: &[Data]| {
            let text = |cell: &Data| match cell {
                Data::Empty => String::new(),
                Data::String(text) => text.clone(),
                other => panic!("{other:?} is no text"),
            };
            row.iter().map(text).collect()
        };
        let range = workbook.worksheet_range(sheet).unwrap();
        range.rows().map(cells).collect()
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

    #[test]
    fn the_template_has_the_rows_of_the_csv_file() {
        let workbook = template_workbook(&catalog()).unwrap();
        let csv = template_csv(&catalog(), "");
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&*csv);
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| {
                record
                    .unwrap()
                    .iter()
                    .map(|c| c.trim_start_matches('\u{200B}').to_owned())
                    .collect()
            })
            .collect();
        assert_eq!(rows(&workbook, "Roster"), expected);
        assert!(expected[2].contains(&"=1+2".to_owned()));
    }

    #[test]
    fn the_second_sheet_has_the_valid_values() {
        let workbook = template_workbook(&catalog()).unwrap();
        let rows: Vec<_> = rows(&workbook, "Valid values")
            .iter()
            .map(|row| row.join(" | "))
            .collect();
        assert_snapshot!(rows.join("\n"), @r#"
        STATUS | ROLE | RANK | EVIDENCE_GROUP_EXT_ID | Name of the group
        Active | Chief, retired | Captain | 007 | Name of 007
        Inactive | =1+2 |  |  | 
        "#);
    }

    #[test]
    fn cells_offer_the_values_and_take_others_too() {
        let lists = |catalog: &Catalog| {
            let workbook = template_workbook(catalog).unwrap();
            let sheet = part(&workbook, "xl/worksheets/sheet1.xml");
            let lists = sheet.split("<dataValidation ").skip(1);
            let lists = lists.map(|list| {
                assert!(list.starts_with(r#"type="list" errorStyle="warning" allowBlank="1""#));
                let (_, place) = list.split_once("sqref=").unwrap();
                place.split("</formula1>").next().unwrap().to_owned()
            });
            lists.collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(lists(&catalog()), @r#"
        "F2:F1048576"><formula1>'Valid values'!$A$2:$A$3
        "H2:H1048576"><formula1>'Valid values'!$B$2:$B$3
        "K2:K1048576"><formula1>'Valid values'!$C$2:$C$2
        "L2:L1048576"><formula1>'Valid values'!$D$2:$D$2
        "#);
        assert_snapshot!(lists(&Catalog::default()), @r#""F2:F1048576"><formula1>'Valid values'!$A$2:$A$3"#);
    }

    #[test]
    fn the_header_stays_in_view_and_has_the_rules_as_notes() {
        let workbook = template_workbook(&catalog()).unwrap();
        let sheet = part(&workbook, "xl/worksheets/sheet1.xml");
        assert!(
            sheet.contains(
                r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>"#
            ),
            "{sheet}"
        );
        let notes = part(&workbook, "xl/comments1.xml");
        assert_eq!(notes.matches("<comment ref=").count(), Column::COUNT);
        assert!(
            notes.contains(&cell_style::rules(Column::Username)),
            "{notes}"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_value() {
        let mut widths = ColumnWidths::default();
        let mut row = [""; Column::COUNT];
        row[0] = "éééééééééééééééé";
        widths.fit(&row);
        widths.fit(&[""; Column::COUNT]);
        assert_eq!((widths.0[0], widths.0[1]), (16, 6));
    }
}
