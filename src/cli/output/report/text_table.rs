//! Lists as tables for people, and as CSV for spreadsheets and programs.

use std::ops::Range;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::{TerminalStyle, text::printable};
use crate::domain::CsvSheet;

/// The columns of a table.
pub(crate) struct TextTable<const N: usize> {
    /// The headings.
    pub headings: [&'static str; N],
    /// The columns with numbers, which are aligned to the right.
    pub numbers: Range<usize>,
    /// A column that is never wrapped: an ID in two pieces cannot be copied.
    pub unbroken: Option<usize>,
}

impl<const N: usize> TextTable<N> {
    /// The table; one line for each of `rows`, in the order given.
    #[must_use]
    pub(crate) fn text(
        &self,
        rows: impl IntoIterator<Item = [String; N]>,
        style: TerminalStyle,
    ) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .force_no_tty();
        table.set_header(self.headings);
        if let Some(width) = style.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        for row in rows {
            table.add_row(row.map(|text| Cell::new_owned(printable(&text).into_owned())));
        }
        if let Some(unbroken) = self.unbroken.and_then(|column| table.column_mut(column)) {
            unbroken.set_constraint(ColumnConstraint::ContentWidth);
        }
        for column in self.numbers.clone() {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("{table}\n")
    }
}

/// CSV text, a record a line. Characters that could steer a terminal are written visibly, line breaks
/// inside a value too, so that a record is never more than a line.
pub(crate) struct CsvText(CsvSheet);

impl CsvText {
    /// Nothing yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self(CsvSheet::default())
    }

    /// A whole page: a header row, and the records below it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn of<const N: usize>(
        header: &[&str; N],
        records: impl IntoIterator<Item = [String; N]>,
    ) -> anyhow::Result<String> {
        let mut page = Self::new();
        page.push(header)?;
        for record in records {
            page.push(&record)?;
        }
        page.text()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Never fails, because records go to memory. The error comes from the writer's type.
    pub(crate) fn push(&mut self, record: &[impl AsRef<str>]) -> anyhow::Result<()> {
        let fields = record.iter().map(|field| printable(field.as_ref()));
        Ok(self.0.push(fields)?)
    }

    /// Returns the text that has been added.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn text(self) -> anyhow::Result<String> {
        let bytes = self.0.into_bytes()?;
        Ok(String::from_utf8(bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn no_spreadsheet_computes_a_cell() {
        let record = [
            "-Main St".to_owned(),
            "=1+1".to_owned(),
            "+1".to_owned(),
            "@x".to_owned(),
        ];
        let page = CsvText::of(&["a", "b", "c", "d"], [record]).unwrap();
        assert_eq!(
            page,
            "a,b,c,d\n\u{200B}-Main St,\u{200B}=1+1,\u{200B}+1,\u{200B}@x\n"
        );
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let record = ["a,b".to_owned(), "line\nbreak \"x\" \u{1b}[2J".to_owned()];
        assert_snapshot!(CsvText::of(&["id", "text"], [record]).unwrap(), @r#"
        id,text
        "a,b","line\u{a}break ""x"" \u{1b}[2J"
        "#);
    }
}
