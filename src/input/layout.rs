//! Records into raw rows: one cell a column, or a misfit.

use std::cmp::Ordering;

use super::blank::is_blank;
use super::charset::Charset;
use super::record::Record;
use crate::domain::{Cell, Column, RawRow};

/// Which column each field of a record belongs to. However many of them are ignored, a record costs no more.
pub(super) struct Layout {
    /// Fields of a whole record.
    width: usize,
    /// The fields that are not ignored, by position.
    known: Vec<(usize, Column)>,
    /// Fields up to the last one that a record must have.
    least: usize,
    charset: Charset,
}

impl Layout {
    /// A layout with these columns, by position; `None`: the field is ignored.
    pub fn new(slots: &[Option<Column>], charset: Charset) -> Self {
        let known = slots.iter().enumerate();
        let known: Vec<_> = known
            .filter_map(|(at, slot)| Some((at, (*slot)?)))
            .collect();
        let last = known.iter().rfind(|(_, column)| column.is_required());
        Self {
            width: slots.len(),
            least: last.map_or(0, |(at, _)| at + 1),
            known,
            charset,
        }
    }

    /// Data row number `number` (from 1), made of `record`.
    pub fn row<'a>(&self, number: u32, record: Record<'a>) -> RawRow<'a> {
        let fits = self.fits(record);
        RawRow {
            number,
            line: record.line,
            cells: if fits {
                self.cells(record)
            } else {
                [Cell::Absent; Column::COUNT]
            },
            misfit: (!fits).then(|| (count(self.width), count(record.len()))),
        }
    }

    /// True where a record has a field for each column, but for optional ones at its end, and
    /// nothing beyond them. A last record without a line end may have been cut off anywhere, so it
    /// must have them all.
    fn fits(&self, record: Record<'_>) -> bool {
        match record.len().cmp(&self.width) {
            Ordering::Equal => true,
            Ordering::Less => record.terminated && record.len() >= self.least,
            Ordering::Greater => record.fields().skip(self.width).all(is_blank),
        }
    }

    fn cells<'a>(&self, record: Record<'a>) -> [Cell<'a>; Column::COUNT] {
        // Nearly always the whole record is valid, and checking it at once is cheaper.
        let text = str::from_utf8(record.text).ok();
        let mut cells = [Cell::Absent; Column::COUNT];
        for &(index, column) in &self.known {
            cells[column as usize] = match record.span(index) {
                None => Cell::Text(""),
                // `get`: two fields, each malformed, may together look valid.
                Some(span) => text
                    .and_then(|text| text.get(span.clone()))
                    .map_or_else(|| self.charset.cell(&record.text[span]), Cell::Text),
            };
        }
        cells
    }
}

/// A number of fields, which the cap on a record keeps far below `u32::MAX`.
fn count(fields: usize) -> u32 {
    u32::try_from(fields).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::harness::{REQUIRED, declared, header, ignoring, read, read_with};
    use super::super::{CsvOptions, Header};
    use crate::domain::Column as C;

    /// More than the required columns: optional ones before and behind.
    const WIDE: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,\
                        PHONE,RANK";

    /// Expects `shown` of `records` below the required columns.
    #[track_caller]
    fn assert_rows(records: &str, shown: &[&str]) {
        assert_eq!(
            read(format!("{REQUIRED}\n{records}")),
            shown.join("\n"),
            "{records:?}"
        );
    }

    /// The same below all of [`WIDE`].
    #[track_caller]
    fn assert_wide(records: &str, shown: &[&str]) {
        assert_eq!(
            read(format!("{WIDE}\n{records}")),
            shown.join("\n"),
            "{records:?}"
        );
    }

    #[test]
    fn a_row_has_its_cells_as_received() {
        assert_rows(
            " e ,007,\"F \"\"x\"\"\",l\u{301},s,\"u\nv\",r\n",
            &["1@2:  e |007|F \"x\"|l\u{301}|s|u\nv|r"],
        );
    }

    #[test]
    fn cells_follow_the_header_in_whatever_order() {
        let input = "role;E-mail_;STATUS;last name;FIRST NAME;username;badge-number;email;Phone\n\
                     r;x;s;l;f;u;b;e;p\n";
        assert_eq!(read_with(&ignoring(), input), "1@2: e|b|f|l|s|u|r|p");
        let expected = Header {
            columns: vec![
                C::Role,
                C::Status,
                C::LastName,
                C::FirstName,
                C::Username,
                C::BadgeNumber,
                C::Email,
                C::Phone,
            ],
            ignored: vec!["E-mail_".to_owned()],
            charset: "UTF-8",
            delimiter: ';',
        };
        assert_eq!(header(&ignoring(), input), expected);
    }

    #[test]
    fn a_record_with_too_many_fields_is_a_misfit_unless_they_are_blank() {
        assert_rows(
            "e,b,f,l,s,u,r,,\ne,b,f,l,s,u,r, ,\u{A0}\ne,b,f,l,s,u,r,x\ne,b,f,l,s,u,r,,x,\n",
            &[
                "1@2: e|b|f|l|s|u|r",
                "2@3: e|b|f|l|s|u|r",
                "3@4: misfit, 8 for 7",
                "4@5: misfit, 10 for 7",
            ],
        );
    }

    #[test]
    fn a_record_may_lack_optional_columns_at_its_end_and_no_others() {
        assert_wide(
            "x,e,b,f,l,s,u,r,p\nx,e,b,f,l,s,u,r\nx,e,b,f,l,s,u\nx\n",
            &[
                "1@2: x|e|b|f|l|s|u|r||p",
                "2@3: x|e|b|f|l|s|u|r||",
                "3@4: misfit, 7 for 10",
                "4@5: misfit, 1 for 10",
            ],
        );
    }

    #[test]
    fn a_last_record_without_a_line_end_must_be_whole() {
        assert_wide("x,e,b,f,l,s,u,r,p", &["1@2: misfit, 9 for 10"]);
        assert_wide("x,e,b,f,l,s,u,r,p\r", &["1@2: x|e|b|f|l|s|u|r||p"]);
        assert_wide("x,e,b,f,l,s,u,r,p,", &["1@2: x|e|b|f|l|s|u|r||p"]);
        assert_wide("x,e,b,f,l,s,u,r,p,k", &["1@2: x|e|b|f|l|s|u|r|k|p"]);
    }

    #[test]
    fn ignored_columns_are_fields_and_may_lack_at_the_end_too() {
        let input = format!(
            "IMPORT_ERRORS,{REQUIRED},Import Error Codes\nx,e,b,f,l,s,u,r,y\nx,e,b,f,l,s,u,r\n\
             e,b,f,l,s,u,r\n"
        );
        assert_eq!(
            read(&input),
            "1@2: e|b|f|l|s|u|r\n2@3: e|b|f|l|s|u|r\n3@4: misfit, 7 for 9"
        );
        let header = header(&CsvOptions::default(), &input);
        assert_eq!(header.ignored, ["IMPORT_ERRORS", "Import Error Codes"]);
    }

    #[test]
    fn cells_under_blank_header_cells_at_the_end_must_be_blank() {
        assert_eq!(
            read(format!(
                "{REQUIRED},, \ne,b,f,l,s,u,r,,\ne,b,f,l,s,u,r\ne,b,f,l,s,u,r,x\n"
            )),
            "1@2: e|b|f|l|s|u|r\n2@3: e|b|f|l|s|u|r\n3@4: misfit, 8 for 7"
        );
    }

    #[test]
    fn malformed_bytes_spoil_their_own_cell() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,b,Mu\xF1oz,\xC3,s,\xA9,r\ne,b,f,l,s,u,r\n");
        assert_eq!(
            read(&input),
            "1@2: e|b|<F1 not UTF-8>|<C3 not UTF-8>|s|<A9 not UTF-8>|r\n2@3: e|b|f|l|s|u|r"
        );
        assert_eq!(
            read_with(&declared("windows-1252"), &input),
            "1@2: e|b|Muñoz|Ã|s|©|r\n2@3: e|b|f|l|s|u|r"
        );
    }

    #[test]
    fn two_malformed_fields_that_look_valid_together_are_malformed() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,b,\xC3,\xA9,s,u,r\n");
        assert_eq!(read(&input), "1@2: e|b|<C3 not UTF-8>|<A9 not UTF-8>|s|u|r");
    }

    #[test]
    fn malformed_bytes_of_another_charset_spoil_their_own_cell() {
        let mut input = format!("{REQUIRED}\n").into_bytes();
        input.extend(b"e,\x83\x65,f\x81,l,s\xA0,u,r\n");
        assert_eq!(
            read_with(&declared("sjis"), &input),
            "1@2: e|テ|<81 not Shift_JIS>|l|<A0 not Shift_JIS>|u|r"
        );
    }
}
