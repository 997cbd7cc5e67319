//! How cells look, and how a spreadsheet treats the text that is typed into them.

use rust_xlsxwriter::{Color, Format, FormatBorder, Worksheet};

use crate::domain::Column;

/// The author of the notes.
const AUTHOR: &str = "User Import";

/// Puts all columns of a sheet on one page, for paper, and names the author of its notes.
pub(super) fn set_up(sheet: &mut Worksheet) {
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_default_note_author(AUTHOR);
}

/// Text: a spreadsheet keeps what is typed, leading zeros included, and computes nothing.
pub(super) fn text() -> Format {
    Format::new().set_num_format("@")
}

/// A cell of a header.
pub(super) fn header() -> Format {
    text()
        .set_bold()
        .set_background_color(Color::RGB(0x00DC_E6F1))
        .set_border_bottom(FormatBorder::Thin)
}

/// A cell with a fault.
pub(super) fn faulty() -> Format {
    text()
        .set_background_color(Color::RGB(0x00FF_C7CE))
        .set_font_color(Color::RGB(0x009C_0006))
}

/// Fewest and most characters that a column is wide.
const WIDTHS: (usize, usize) = (8, 60);

/// The width of a column, in characters, whose longest value has this many.
pub(super) fn width(longest: usize) -> u8 {
    let characters = longest.saturating_add(2).clamp(WIDTHS.0, WIDTHS.1);
    u8::try_from(characters).unwrap_or(u8::MAX)
}

/// The rules of a column, as the note on its header cell.
pub(super) fn rules(column: Column) -> String {
    let kind = match column.is_required() {
        true => "Required",
        false => "Optional",
    };
    let rule = column.rule().replace('`', "\"");
    let mut letters = rule.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let sentence: String = first.chain(letters).collect();
    let cleared = match column.is_cleared_by_blank() {
        true => " A blank cell clears it.",
        false => "",
    };
    format!("{kind}. {sentence}.{cleared}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_note_on_a_header_cell_is_the_columns_rule() {
        let rules = Column::ALL.map(|column| format!("{column}: {}", rules(column)));
        assert_snapshot!(rules.join("\n"), @r#"
        EXTERNAL_ID: Optional. 1–255 characters. Finds the user whose external ID is exactly this; a blank cell creates a user with a generated external ID.
        EMAIL: Required. An email address, at most 254 bytes, unique.
        BADGE_NUMBER: Required. At most 64 characters, unique; leading zeros count.
        FIRST_NAME: Required. At most 128 characters.
        LAST_NAME: Required. At most 128 characters.
        STATUS: Required. "Active" or "Inactive".
        USERNAME: Required. At most 128 characters without white space, unique.
        ROLE: Required. The name of a role of the organisation.
        SUPERVISOR_EMAIL: Optional. The email of a user, who may be new in the same file. A blank cell clears it.
        LOCATION: Optional. Reserved: accepted, not stored.
        RANK: Optional. The name of a rank of the organisation. A blank cell clears it.
        EVIDENCE_GROUP_EXT_ID: Optional. The external ID of an active group. A blank cell clears it.
        PHONE: Optional. A number with its country code, stored as "+12025550123". A blank cell clears it.
        "#);
    }

    #[test]
    fn a_column_is_neither_too_narrow_to_read_nor_wider_than_a_screen() {
        assert_eq!([0, 10, 500].map(width), [8, 12, 60]);
    }
}
