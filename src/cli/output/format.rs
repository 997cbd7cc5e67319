//! For whom results are printed: a person, a program, or a spreadsheet.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    output_file::print,
    report::{CsvPage, Listing, Look},
};
use crate::client::ClientError;

/// Whom the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A person: tables and sentences.
    Table,
    /// A program: one JSON object a line, in the contract's JSON mapping, and nothing else.
    Json,
    /// A spreadsheet or a program: CSV with a header row, one record a line.
    Csv,
}

/// An item's fields, one for each column.
pub type Fields<T, const N: usize> = fn(&T) -> [String; N];

/// A list that can be printed in every format.
pub struct List<'a, T, const TABLE: usize, const CSV: usize> {
    /// What is listed.
    pub items: &'a [T],
    /// What a person is told where there is nothing.
    pub nothing: String,
    /// The table, and an item's line in it.
    pub table: (Listing<TABLE>, Fields<T, TABLE>),
    /// The header row of the CSV, and an item's record below it.
    pub csv: ([&'static str; CSV], Fields<T, CSV>),
}

impl<T: Serialize, const TABLE: usize, const CSV: usize> List<'_, T, TABLE, CSV> {
    /// Prints it.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn print(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => {
                let (mut out, mut line) = (io::stdout().lock(), Vec::new());
                let mut items = self.items.iter();
                let lines = items.try_for_each(|item| write_line(&mut out, &mut line, item));
                Ok(lines.map_err(ClientError::Output)?)
            }
            Format::Csv => {
                let (header, record) = &self.csv;
                print(&CsvPage::of(header, self.items.iter().map(record))?)
            }
            Format::Table if self.items.is_empty() => print(&self.nothing),
            Format::Table => {
                let (table, cells) = &self.table;
                print(&table.text(self.items.iter().map(cells), Look::of_stdout()))
            }
        }
    }
}

/// Writes a message as a line of JSON, at once: whoever reads it may be following along. `line` is room that
/// can be used for the next one again; what is in it is overwritten.
///
/// # Errors
/// Where it cannot be written.
pub fn write_line(
    out: &mut impl Write,
    line: &mut Vec<u8>,
    message: &impl Serialize,
) -> io::Result<()> {
    // In one piece: standard output looks through everything that is written for line ends.
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
