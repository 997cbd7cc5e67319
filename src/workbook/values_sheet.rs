//! The second sheet: the organisation's values of the columns that have a list of them. The roster's cells offer these.

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, Formula, Workbook, Worksheet, XlsxError,
};

use super::cell_style;
use crate::domain::{Catalog, Column};

/// The name of the sheet.
const NAME: &str = "Valid values";

/// The last row of a sheet, as Excel counts from 0.
const LAST_ROW: u32 = 1_048_575;

/// The values of one column.
struct ValueList<'a> {
    column: Column,
    values: Vec<&'a str>,
}

/// The lists in the order of their columns. Only active groups are valid.
fn lists(catalog: &Catalog) -> [ValueList<'_>; 4] {
    let groups = catalog.groups.iter().filter(|group| group.active);
    [
        (Column::Status, vec!["Active", "Inactive"]),
        (
            Column::Role,
            catalog.roles.iter().map(|r| &*r.name).collect(),
        ),
        (
            Column::Rank,
            catalog.ranks.iter().map(|r| &*r.name).collect(),
        ),
        (
            Column::EvidenceGroupExtId,
            groups.map(|g| &*g.external_id).collect(),
        ),
    ]
    .map(|(column, values)| ValueList { column, values })
}

/// Adds the sheet, with the names of the groups beside their external IDs.
pub(super) fn add(workbook: &mut Workbook, catalog: &Catalog) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(NAME)?.set_freeze_panes(1, 0)?;
    cell_style::set_up(sheet);
    let mut at = 0;
    for list in lists(catalog) {
        write(sheet, at, list.column.header(), &list.values)?;
        at += 1;
    }
    let groups = catalog.groups.iter().filter(|group| group.active);
    let names: Vec<&str> = groups.map(|group| &*group.name).collect();
    write(sheet, at, "Name of the group", &names)
}

fn write(sheet: &mut Worksheet, at: u16, header: &str, values: &[&str]) -> Result<(), XlsxError> {
    let text = cell_style::text();
    sheet.write_string_with_format(0, at, header, &cell_style::header())?;
    for (row, value) in (1..).zip(values) {
        sheet.write_string_with_format(row, at, *value, &text)?;
    }
    let lengths = values.iter().map(|value| value.chars().count());
    let longest = lengths.chain([header.len()]).max().unwrap_or_default();
    sheet.set_column_width(at, cell_style::width(longest))?;
    sheet.set_column_format(at, &text)?;
    Ok(())
}

/// Lets the cells below the header of the roster offer the values of the second sheet. Another value is warned about and
/// can be kept: an import accepts more, such as another case.
pub(super) fn offer(roster: &mut Worksheet, catalog: &Catalog) -> Result<(), XlsxError> {
    for (letter, list) in ('A'..).zip(lists(catalog)) {
        if list.values.is_empty() {
            continue;
        }
        let last = list.values.len() + 1;
        let place = format!("='{NAME}'!${letter}$2:${letter}${last}");
        let message = format!("The list of {} does not have this value.", list.column)
            + " An import may reject it.";
        let offered = DataValidation::new()
            .allow_list_formula(Formula::new(place))
            .ignore_blank(true)
            .set_error_style(DataValidationErrorStyle::Warning)
            .set_error_title("Not in the list")?
            .set_error_message(message)?;
        let at = list.column as u16;
        roster.add_data_validation(1, at, LAST_ROW, at, &offered)?;
    }
    Ok(())
}
