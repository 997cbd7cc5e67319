//! The rows of a push: one from `--set` options, or those of a CSV file, read by this program.

use prost::bytes::BytesMut;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::{
    cli::failure::UsageError,
    client::{ClientError, SentRoster},
    domain::{Cell, Column, RawRow, Row},
    input::{CsvDecoder, CsvOptions, FileFault, Header, InputLimits, column_named},
    proto::{ImportStarted, UserRow},
};

/// Most rows of one push.
const MAX_ROWS: u32 = 1_000;

/// Lines that are no rows and are listed one by one.
const LISTED: usize = 10;

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// The rows of one push.
#[derive(Debug, Default)]
pub(super) struct PushedRows {
    /// The rows, in order.
    pub rows: Vec<UserRow>,
    /// The line of each row in its file.
    pub lines: Vec<u32>,
    /// How the file is read.
    pub started: ImportStarted,
    /// The file, or `None` if there is none.
    pub sent: Option<SentRoster>,
}

/// One value of a row that `--set` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetValue {
    column: Column,
    value: String,
}

impl SetValue {
    /// Parses `COLUMN=VALUE`.
    ///
    /// # Errors
    /// Fails if there is no `=`, or no such column.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("it is COLUMN=VALUE")?;
        let column = column_named(name).map_err(|near| match near {
            Some(near) => format!("there is no column {name}; did you mean {}?", near.header()),
            None => format!("there is no column {name}"),
        })?;
        Ok(Self {
            column,
            value: value.to_owned(),
        })
    }
}

impl PushedRows {
    /// The one row that has these values.
    ///
    /// # Errors
    /// Fails if a column has two.
    pub(super) fn of_values(values: &[SetValue]) -> Result<Self, UsageError> {
        let mut row = UserRow::default();
        for SetValue { column, value } in values {
            if row.field_mut(*column).replace(value.clone()).is_some() {
                let column = column.header();
                let message = format!("--set gives {column} twice; give each column one value.");
                return Err(UsageError::new(message));
            }
        }
        Ok(Self {
            rows: vec![row],
            ..Self::default()
        })
    }

    /// Reads the rows of a CSV file. The status says why the file cannot be pushed.
    ///
    /// # Errors
    /// Fails if the file cannot be read to its end.
    pub(super) async fn read(
        mut file: impl AsyncRead + Unpin,
        options: &CsvOptions,
    ) -> Result<Result<Self, Status>, ClientError> {
        let limits = InputLimits {
            max_rows: MAX_ROWS,
            ..InputLimits::default()
        };
        let mut reading = match FileReading::begin(options, limits) {
            Ok(reading) => reading,
            Err(faults) => return Ok(Err(unusable(&faults))),
        };
        let mut chunk = BytesMut::with_capacity(CHUNK);
        loop {
            chunk.clear();
            let read = file.read_buf(&mut chunk).await;
            let is_last = read.map_err(ClientError::Input)? == 0;
            let taken = match is_last {
                false => reading.take(&chunk),
                true => return Ok(reading.finish()),
            };
            if let Err(faults) = taken {
                return Ok(Err(unusable(&faults)));
            }
        }
    }
}

/// A file that is being read.
struct FileReading {
    decoder: CsvDecoder,
    sha256: Sha256,
    read: PushedRows,
    /// Lines that are no rows, and what is wrong with them.
    broken: Vec<(u32, String)>,
}

impl FileReading {
    fn begin(options: &CsvOptions, limits: InputLimits) -> Result<Self, Vec<FileFault>> {
        Ok(Self {
            decoder: CsvDecoder::new(options, limits)?,
            sha256: Sha256::new(),
            read: PushedRows::default(),
            broken: Vec::new(),
        })
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Vec<FileFault>> {
        self.sha256.update(chunk);
        let Self {
            decoder,
            read,
            broken,
            ..
        } = self;
        decoder.push(chunk, &mut |raw| add(read, broken, raw))
    }

    fn finish(mut self) -> Result<PushedRows, Status> {
        let Self {
            decoder,
            read,
            broken,
            ..
        } = &mut self;
        let ended = decoder.finish(&mut |raw| add(read, broken, raw));
        ended.map_err(|faults| unusable(&faults))?;
        if !self.broken.is_empty() {
            return Err(no_rows(&self.broken));
        }
        Ok(PushedRows {
            started: self.decoder.header().map(started).unwrap_or_default(),
            sent: Some(SentRoster {
                byte_count: self.decoder.bytes(),
                sha256: self.sha256.finalize().into(),
            }),
            ..self.read
        })
    }
}

/// Adds a row. If the line is no row, adds what is wrong with it.
fn add(read: &mut PushedRows, broken: &mut Vec<(u32, String)>, raw: &RawRow<'_>) {
    let is_text = |cell: &Cell<'_>| !matches!(cell, Cell::Invalid { .. } | Cell::Failed(_));
    if raw.misfit.is_some() || !raw.cells.iter().all(is_text) {
        let row = Row::parse(raw);
        let issue = row.issues().find(crate::domain::Issue::is_error);
        let message = issue.map(|issue| issue.message.into_string());
        broken.push((raw.line, message.unwrap_or_default()));
        return;
    }
    let mut row = UserRow::default();
    for column in Column::ALL {
        if let Cell::Text(text) = raw.cell(column) {
            *row.field_mut(column) = Some(text.to_owned());
        }
    }
    read.rows.push(row);
    read.lines.push(raw.line);
}

fn started(header: &Header) -> ImportStarted {
    let columns = header.columns.iter();
    ImportStarted {
        columns: columns.map(|column| column.header().to_owned()).collect(),
        ignored_columns: header.ignored.clone(),
        charset: header.charset.to_owned(),
        delimiter: header.delimiter.to_string(),
        ..ImportStarted::default()
    }
}

/// The status that says why the file cannot be pushed.
fn unusable(faults: &[FileFault]) -> Status {
    let too_many = |fault: &FileFault| matches!(fault, FileFault::TooManyRows { .. });
    if faults.iter().any(too_many) {
        let message = format!(
            "The file has more than {MAX_ROWS} rows, which is the most that a push takes. Send it with \
             `user-import import`."
        );
        return Status::resource_exhausted(message);
    }
    let faults = faults.iter();
    invalid(
        faults
            .map(|fault| (fault.subject(), fault.message()))
            .collect(),
    )
}

/// The status for a file with lines that are no rows. An import would reject these lines alone.
fn no_rows(broken: &[(u32, String)]) -> Status {
    let mut faults: Vec<_> = broken.iter().take(LISTED).collect::<Vec<_>>();
    faults.sort_unstable();
    let mut faults: Vec<(String, String)> = faults
        .into_iter()
        .map(|(line, message)| (format!("line {line}"), format!("line {line}: {message}")))
        .collect();
    if let Some(more) = broken.len().checked_sub(LISTED + 1) {
        let more = more + 1;
        faults.push((
            "more".to_owned(),
            format!("{more} more lines are not rows."),
        ));
    }
    let lead = "The file has lines that are not rows, so nothing was sent. Correct them, or send \
        the file with `user-import import`, which rejects only such lines.";
    faults.insert(0, (String::new(), lead.to_owned()));
    invalid(faults)
}

/// A status with a violation for each fault, the first in its message.
fn invalid(faults: Vec<(String, String)>) -> Status {
    let message = faults.first().map(|(_, message)| message.clone());
    let violations = faults
        .into_iter()
        .map(|(subject, message)| FieldViolation::new(subject, message));
    let details = ErrorDetails::with_bad_request(violations.collect::<Vec<_>>());
    Status::with_error_details(Code::InvalidArgument, message.unwrap_or_default(), details)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(csv: &str) -> Result<PushedRows, Status> {
        let read = PushedRows::read(csv.as_bytes(), &CsvOptions::default()).await;
        read.unwrap()
    }

    fn header() -> String {
        let required = Column::ALL
            .into_iter()
            .filter(|column| column.is_required());
        let names: Vec<_> = required.map(Column::header).collect();
        names.join(";")
    }

    #[tokio::test]
    async fn the_rows_of_a_file_are_read_as_a_server_reads_them() {
        let csv = format!("{}; phone\n\na@x.org;1;A;B;Active;a;Officer;\n", header());
        let read = read(&csv).await.unwrap();
        assert_eq!(read.lines, [3]);
        let row = &read.rows[0];
        assert_eq!(row.email.as_deref(), Some("a@x.org"));
        // Blank is not absent.
        assert_eq!(
            (row.phone.as_deref(), row.rank.as_deref()),
            (Some(""), None)
        );
        assert_eq!(&*read.started.delimiter, ";");
        let sent = read.sent.unwrap();
        assert_eq!(sent.byte_count, csv.len() as u64);
        assert_eq!(sent.sha256, <[u8; 32]>::from(Sha256::digest(&csv)));
    }

    #[tokio::test]
    async fn what_cannot_be_pushed_is_said_before_anything_is_sent() {
        let header = header();
        let rows = |count| format!("{header}\n{}", "a;b;c;d;e;f;g\n".repeat(count));
        assert_eq!(read(&rows(1_000)).await.unwrap().rows.len(), 1_000);
        let told = |status: Status| {
            let bad = status
                .get_details_bad_request()
                .map(|bad| bad.field_violations);
            let bad = bad.into_iter().flatten().map(|fault| fault.description);
            let bad: Vec<_> = bad.collect();
            format!(
                "{:?}: {}\n{}",
                status.code(),
                status.message(),
                bad.join("\n")
            )
        };
        insta::assert_snapshot!(told(read(&rows(1_001)).await.unwrap_err()), @"ResourceExhausted: The file has more than 1000 rows, which is the most that a push takes. Send it with `user-import import`.");
        let unknown = format!("{header};SHIFT\na;b;c;d;e;f;g;h\n");
        insta::assert_snapshot!(told(read(&unknown).await.unwrap_err()), @r#"
        InvalidArgument: Unknown column "SHIFT"; remove it, or set ignore_unknown_columns.
        Unknown column "SHIFT"; remove it, or set ignore_unknown_columns.
        "#);
        let broken = format!("{}a;b\n", rows(1));
        insta::assert_snapshot!(told(read(&broken).await.unwrap_err()), @"
        InvalidArgument: The file has lines that are not rows, so nothing was sent. Correct them, or send the file with `user-import import`, which rejects only such lines.
        The file has lines that are not rows, so nothing was sent. Correct them, or send the file with `user-import import`, which rejects only such lines.
        line 3: The line has 2 of the header's 7 fields. If it is a title, a total or a note, delete the line; if it is a user, add what is missing.
        ");
        let broken = format!("{}{}", rows(1), "a;b\n".repeat(12));
        let told = told(read(&broken).await.unwrap_err());
        assert!(told.ends_with("\n2 more lines are not rows."), "{told}");
    }

    #[test]
    fn a_value_is_set_by_the_name_that_a_header_has() {
        let set = |text| SetValue::parse(text).map(|set| (set.column, set.value));
        assert_eq!(set("email=a=b"), Ok((Column::Email, "a=b".to_owned())));
        assert_eq!(set("First name="), Ok((Column::FirstName, String::new())));
        assert_eq!(
            set("EMIAL=a").unwrap_err(),
            "there is no column EMIAL; did you mean EMAIL?"
        );
        assert_eq!(set("SHIFT=a").unwrap_err(), "there is no column SHIFT");
        assert_eq!(set("EMAIL").unwrap_err(), "it is COLUMN=VALUE");
    }

    #[test]
    fn values_make_one_row_and_each_column_has_one() {
        let values = |texts: &[&str]| -> Vec<SetValue> {
            texts
                .iter()
                .map(|text| SetValue::parse(text).unwrap())
                .collect()
        };
        let row = PushedRows::of_values(&values(&["EMAIL=a@x.org", "PHONE="]));
        let row = row.unwrap().rows.remove(0);
        let expected = UserRow {
            email: Some("a@x.org".to_owned()),
            phone: Some(String::new()),
            ..UserRow::default()
        };
        assert_eq!(row, expected);
        let twice = PushedRows::of_values(&values(&["EMAIL=a", "email=b"]));
        assert!(twice.unwrap_err().to_string().contains("EMAIL twice"));
    }
}
