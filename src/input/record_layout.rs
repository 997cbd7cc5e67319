//! Turns records into raw rows: one cell for each column, or the fault of the record as a whole.

use super::FileFault;
use super::charset::Charset;
use super::comparable_name::ComparableName;
use super::foreign_lines::{ForeignLineDetector, padded_report_line, report_line};
use super::record::{Record, StrayQuotePlace};
use crate::domain::{Cell, Column, ForeignLine, RawRow, StrayQuote, ValueFault};

/// Assigns a column to each field of a record. Ignored columns do not add to the cost of a record.
pub(super) struct RecordLayout {
    /// Number of fields of a complete record.
    width: usize,
    /// The fields that are not ignored, by position.
    known: Vec<(usize, Column)>,
    /// Number of fields up to the last one that a record must have.
    least: usize,
    /// Position of STATUS. `None` if a mapping computes it.
    status: Option<usize>,
    /// The name of STATUS in the header, if it begins like a status.
    status_name: Option<ComparableName>,
    /// The numbers of blank fields that a record may have beyond `width`.
    surplus: Vec<usize>,
    foreign: ForeignLineDetector,
    charset: Charset,
}

impl RecordLayout {
    /// Returns a layout with these columns, by position. `None` is a field that is ignored. The header has `surplus`
    /// blank cells after the columns. If `is_exact`, no record may lack a field; each has at least `least` fields.
    pub(super) fn new(
        slots: &[Option<Column>],
        (surplus, is_exact): (usize, bool),
        least: usize,
        foreign: ForeignLineDetector,
        charset: Charset,
    ) -> Self {
        let known = slots.iter().enumerate();
        let known: Vec<_> = known
            .filter_map(|(at, slot)| Some((at, (*slot)?)))
            .collect();
        let last = known.iter().rfind(|(_, column)| column.is_required());
        let status = known.iter().find(|(_, column)| *column == Column::Status);
        let status = status.map(|(at, _)| *at);
        Self {
            width: slots.len(),
            least: match is_exact {
                true => slots.len(),
                false => last.map_or(0, |(at, _)| at + 1).max(least),
            },
            status_name: status.and_then(|at| foreign.name_like_status(at)),
            status,
            known,
            surplus: vec![surplus],
            foreign,
            charset,
        }
    }

    /// Returns data row number `number` (from 1), made of `record`.
    ///
    /// # Errors
    /// `ANOTHER_HEADER`.
    pub(super) fn row<'a>(&self, number: u32, record: Record<'a>) -> Result<RawRow<'a>, FileFault> {
        let misfit = self.misfit(record)?;
        Ok(RawRow {
            number,
            line: record.line,
            cells: match misfit {
                None => self.cells(record),
                Some(_) => [Cell::Absent; Column::COUNT],
            },
            misfit,
        })
    }

    /// Returns the number of blank fields that `record` has beyond the header's fields, if records may not have that
    /// number yet.
    pub(super) fn new_surplus(&self, record: Record<'_>) -> Option<usize> {
        let surplus = record.len().checked_sub(self.width)?;
        (surplus > 0 && !self.surplus.contains(&surplus) && record.filled() <= self.width)
            .then_some(surplus)
    }

    /// Allows records to have this number of blank fields beyond the header's fields.
    pub(super) fn allow_surplus(&mut self, surplus: usize) {
        self.surplus.push(surplus);
    }

    /// Returns the fault of a record as a whole, or `None` if the record is sound.
    fn misfit(&self, record: Record<'_>) -> Result<Option<ValueFault>, FileFault> {
        if let Some(stray) = record.stray {
            return Ok(Some(ValueFault::StrayQuote(
                self.stray_quote(record, stray),
            )));
        }
        let fits = self.fits(record) && !self.is_shifted(record);
        if fits && self.may_be_row(record) {
            return Ok(None);
        }
        if let Some(line) = self.foreign.recognise(record)? {
            return Ok(Some(ValueFault::NotARow(line)));
        }
        Ok(match fits {
            // In a file without STATUS, a record with few fields is a row too.
            true if self.status.is_none() => None,
            true => padded_report_line(record)
                .map(|line| ValueFault::NotARow(ForeignLine::OfReport(line))),
            false => Some(self.miscount(record)),
        })
    }

    /// Returns `true` if the record has a field for each column. Optional columns at its end may be missing, and the
    /// allowed numbers of blank fields may follow. A last record without a line end may have been cut off anywhere, so
    /// it must have all fields.
    fn fits(&self, record: Record<'_>) -> bool {
        match record.len().checked_sub(self.width) {
            Some(0) => true,
            None => record.terminated && record.len() >= self.least,
            Some(surplus) => self.surplus.contains(&surplus) && record.filled() <= self.width,
        }
    }

    /// Returns `true` if a delimiter is missing in front of STATUS. Such a record lacks a value before STATUS, not
    /// optional columns at its end, and its user cannot be identified.
    fn is_shifted(&self, record: Record<'_>) -> bool {
        let is_status = |at: usize| {
            let value = record.span(at).map(|span| record.text[span].trim_ascii());
            value.is_some_and(|value| {
                value.eq_ignore_ascii_case(b"active") || value.eq_ignore_ascii_case(b"inactive")
            })
        };
        record.len() < self.width
            && self.status.is_some_and(|at| {
                let before = at.checked_sub(1);
                before.is_some_and(is_status) && !is_status(at)
            })
    }

    /// Returns `false` if the record's STATUS cannot be the STATUS of a row.
    fn may_be_row(&self, record: Record<'_>) -> bool {
        let status = self.status.and_then(|at| record.span(at));
        let status = status.map_or(&b""[..], |span| &record.text[span]);
        let is_name = |name: &ComparableName| {
            str::from_utf8(status).is_ok_and(|text| ComparableName::parse(text) == *name)
        };
        matches!(status.first(), Some(b'A' | b'a' | b'I' | b'i'))
            && !self.status_name.as_ref().is_some_and(is_name)
    }

    fn miscount(&self, record: Record<'_>) -> ValueFault {
        let (expected, found) = (self.width.into(), record.len().into());
        if record.len() > self.width {
            return match record.filled() <= self.width {
                true => ValueFault::SurplusBlanks { expected, found },
                false => ValueFault::FieldCount { expected, found },
            };
        }
        match report_line(record, self.least) {
            Some(line) => ValueFault::ReportLine {
                expected,
                found,
                line,
            },
            None => ValueFault::FieldCount { expected, found },
        }
    }

    fn stray_quote(
        &self,
        record: Record<'_>,
        StrayQuotePlace { fault, field }: StrayQuotePlace,
    ) -> StrayQuote {
        let column = self.known.iter().find(|(at, _)| *at == field);
        StrayQuote {
            fault,
            column: column.map(|&(_, column)| column),
            lines: record.lines.into(),
        }
    }

    fn cells<'a>(&self, record: Record<'a>) -> [Cell<'a>; Column::COUNT] {
        // Nearly always the complete record is valid UTF-8. One check of all its text is cheaper than one for each
        // field.
        let text = str::from_utf8(record.text).ok();
        let mut cells = [Cell::Absent; Column::COUNT];
        for &(index, column) in &self.known {
            cells[column as usize] = match record.span(index) {
                None => Cell::Text(""),
                // `get` checks boundaries: two fields, each malformed, may look valid together.
                Some(span) => text
                    .and_then(|text| text.get(span.clone()))
                    .map_or_else(|| self.charset.cell(&record.text[span]), Cell::Text),
            };
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder_harness::{REQUIRED, declared, header, ignoring, read, read_with};
    use super::super::{CsvOptions, Header};
    use crate::domain::Column as C;

    /// More than the required columns: optional ones before and behind.
    const WIDE: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,\
                        PHONE,RANK";

    /// Expects that `records` below the required columns are read as `shown`.
    #[track_caller]
    fn assert_rows(records: &str, shown: &[&str]) {
        assert_eq!(
            read(format!("{REQUIRED}\n{records}")),
            shown.join("\n"),
            "{records:?}"
        );
    }

    /// Expects the same below all columns of [`WIDE`].
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
            file_columns: Vec::new(),
        };
        assert_eq!(header(&ignoring(), input), expected);
    }

    #[test]
    fn a_record_with_too_many_fields_is_a_misfit_unless_they_are_blank_in_the_first_two_alike() {
        assert_rows(
            "e,b,f,l,s,u,r,,\ne,b,f,l,s,u,r, ,\u{A0}\ne,b,f,l,s,u,r,x\ne,b,f,l,s,u,r,,x,\ne,b,f,l,s,u,r,\n\
             e,b,f,l,s,u,r\n",
            &[
                "1@2: e|b|f|l|s|u|r",
                "2@3: e|b|f|l|s|u|r",
                "3@4: misfit, 8 for 7",
                "4@5: misfit, 10 for 7",
                "5@6: misfit, 8 for 7, the last of them blank",
                "6@7: e|b|f|l|s|u|r",
            ],
        );
    }

    #[test]
    fn a_surplus_blank_field_of_one_record_is_a_shift() {
        let blank = "misfit, 8 for 7, the last of them blank";
        let row = "e|b|f|l|s|u|r";
        assert_rows("e,b,f,l,s,u,r,\n", &[&*format!("1@2: {blank}")]);
        assert_rows("\ne,b,f,l,s,u,r,", &[&*format!("1@3: {blank}")]);
        assert_rows(
            "e,b,f,l,s,u,r,\n,\ne,b,f,l,s,u,r\ne,b,f,l,s,u,r,\n",
            &[
                &*format!("1@2: {blank}"),
                &*format!("2@4: {row}"),
                &*format!("3@5: {blank}"),
            ],
        );
        assert_rows(
            "e,b,f,l,s,u,r,\ne,b,f,l,s,u,r,x\n",
            &[&*format!("1@2: {blank}"), "2@3: misfit, 8 for 7"],
        );
        assert_rows(
            "e,b,f,l,s,u,r\ne,b,f,l,s,u,r,\ne,b,f,l,s,u,r,\n",
            &[
                &*format!("1@2: {row}"),
                &*format!("2@3: {blank}"),
                &*format!("3@4: {blank}"),
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
                "4@5: misfit, 1 for 10: a line of a report (Other)",
            ],
        );
    }

    #[test]
    fn a_record_that_lacks_a_delimiter_in_front_of_the_status_is_a_misfit() {
        assert_wide(
            "xe,b,f,l,Active,ann,r,p,k\nx,e,b,fl,inactive,u,r,p,k\nx,e,b,f,Active,Active,u,r\nx,e,b,f,l,Active,u,r,p\nx,e,b,f,Active,?,u,r,p,k\n",
            &[
                "1@2: misfit, 9 for 10",
                "2@3: misfit, 9 for 10",
                "3@4: x|e|b|f|Active|Active|u|r||",
                "4@5: x|e|b|f|l|Active|u|r||p",
                "5@6: x|e|b|f|Active|?|u|r|k|p",
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
    fn a_line_of_a_report_that_is_padded_to_the_header_is_no_row() {
        for (line, shown) in [
            ("Total: 3,,,,,,", "Total"),
            (" total records 3 ,,,,,,", "Total"),
            ("Count,12,,,,,", "Total"),
            (",,Total:,,,,\"1,203\"", "Total"),
            ("Grand total,,,,,,3", "Total"),
            ("Employees: 3,,,,,,", "Total"),
            ("# of records 3,,,,,,", "Total"),
            ("(3 rows affected),,,,,,", "RowCount"),
            ("3 rows selected.,,,,,,", "RowCount"),
            ("No rows,,,,,,2024-01-05", "RowCount"),
            ("End of report,,,,,,", "End"),
            ("Page 1 of 2,,,,,,", "End"),
        ] {
            assert_rows(
                &format!("{line}\n"),
                &[&*format!("1@2: not a row (OfReport({shown}))")],
            );
        }
    }

    #[test]
    fn a_row_that_lacks_values_is_a_row_however_it_begins() {
        for (line, shown) in [
            ("Page,,,,,,", "Page||||||"),
            ("ROW-0017,,,,,,", "ROW-0017||||||"),
            ("3-rows,,,,,,", "3-rows||||||"),
            ("Sum,ada@x,,,,,", "Sum|ada@x|||||"),
            ("Total,,,,,,", "Total||||||"),
            ("Page,12,,,,,", "Page|12|||||"),
            ("E7: 12,,,,,,", "E7: 12||||||"),
            ("Total: 3,1,2,,,,", "Total: 3|1|2||||"),
            (
                "Harbor Police Department,,,,,,",
                "Harbor Police Department||||||",
            ),
            ("Total: 3,,,,Active,,", "Total: 3||||Active||"),
        ] {
            assert_rows(&format!("{line}\n"), &[&*format!("1@2: {shown}")]);
        }
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
                "{REQUIRED},, \ne,b,f,l,s,u,r,,\ne,b,f,l,s,u,r\ne,b,f,l,s,u,r,x\ne,b,f,l,s,u,r,\n"
            )),
            "1@2: e|b|f|l|s|u|r\n2@3: e|b|f|l|s|u|r\n3@4: misfit, 8 for 7\n4@5: misfit, 8 for 7, the last of them blank"
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
