//! The formats of results: for a person, a program, or a spreadsheet.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    options::ListFormatArgs,
    output_file::print,
    report::{CsvText, ListColumn, TerminalStyle, list_text},
};
use crate::client::ClientError;

/// The reader of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people: tables and sentences.
    Table,
    /// For programs: one JSON object a line, in the JSON form of the API's messages, and nothing else.
    Json,
    /// For spreadsheets and programs: CSV with a header row, one record a line.
    Csv,
}

/// An item's fields, one for each column.
pub(super) type ItemFields<T, const N: usize> = fn(&T) -> [String; N];

/// A list that can be printed in every format.
pub(crate) struct PrintableList<'a, T: 'static, const CSV: usize> {
    /// The items of the list.
    pub items: &'a [T],
    /// The sentence if the list is empty.
    pub nothing: String,
    /// The columns for people.
    pub columns: &'a [ListColumn<T>],
    /// The header row of the CSV, and an item's record below it.
    pub csv: ([&'static str; CSV], ItemFields<T, CSV>),
}

impl<T: Serialize, const CSV: usize> PrintableList<'_, T, CSV> {
    /// Prints it.
    ///
    /// # Errors
    /// Fails if standard output is closed.
    pub(crate) fn print(&self, view: ListFormatArgs) -> anyhow::Result<()> {
        match view.format.format {
            OutputFormat::Json => {
                let (mut out, mut line) = (io::stdout().lock(), Vec::new());
                let mut items = self.items.iter();
                let lines = items.try_for_each(|item| write_line(&mut out, &mut line, item));
                Ok(lines.map_err(ClientError::Output)?)
            }
            OutputFormat::Csv => {
                let (header, record) = &self.csv;
                print(&CsvText::of(header, self.items.iter().map(record))?)
            }
            OutputFormat::Table if self.items.is_empty() => print(&self.nothing),
            OutputFormat::Table => {
                let style = TerminalStyle::of_stdout();
                print(&list_text(self.items, self.columns, view.wide, style))
            }
        }
    }
}

/// Writes a message as a line of JSON, and flushes it for readers that follow along. `line` is a buffer that
/// the next call can use again; its content is overwritten.
///
/// # Errors
/// Fails if it cannot be written.
pub(crate) fn write_line(
    out: &mut impl Write,
    line: &mut Vec<u8>,
    message: &impl Serialize,
) -> io::Result<()> {
    // In one piece: standard output searches each piece for line ends.
    line.clear();
    serde_json::to_writer(&mut *line, message)?;
    line.push(b'\n');
    out.write_all(line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{
        ImportUsersResponse, RowOutcome, RowResult, RowResults, import_users_response::Message,
    };

    fn results() -> ImportUsersResponse {
        let result = RowResult {
            row: 1,
            line: 2,
            outcome: RowOutcome::Created.into(),
            external_id: "P-1\n".to_owned(),
            ..RowResult::default()
        };
        let results = vec![result];
        ImportUsersResponse {
            message: Some(Message::Results(RowResults::new(results))),
        }
    }

    #[test]
    fn an_answer_is_one_line_of_the_contracts_json() {
        let mut out = Vec::new();
        write_line(&mut out, &mut Vec::new(), &results()).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"results":{"results":[{"row":1,"line":2,"outcome":"ROW_OUTCOME_CREATED","externalId":"P-1\n"}]}}"#);
    }
}
