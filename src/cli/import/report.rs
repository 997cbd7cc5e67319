//! Shows an import as it goes and as it ends, to a person or to a program.

use std::io::{self, Write};

use clap::ValueEnum;

use super::super::report::{Asked, Findings, Look, Progress, rejected_table, summary_text};
use crate::{
    client::Ended,
    proto::{ImportUsersResponse, import_users_response::Message},
};

/// Whom the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A person: the rejected rows as a table, then the summary.
    Table,
    /// A program: each answer of the server as one line of JSON, in the contract's JSON mapping.
    Json,
}

/// Shows one import.
pub struct Report {
    format: Format,
    asked: Asked,
    look: Look,
    progress: Progress,
    findings: Findings,
}

impl Report {
    /// Begins to show an import.
    #[must_use]
    pub fn new(format: Format, asked: Asked, look: Look) -> Self {
        let progress = match format {
            Format::Table => Progress::on_stderr(),
            Format::Json => Progress::hidden(),
        };
        Self {
            format,
            asked,
            look,
            progress,
            findings: Findings::new(asked.errors_file),
        }
    }

    /// Shows what is to be seen at once of one answer.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn answer(&mut self, answer: &ImportUsersResponse) -> io::Result<()> {
        self.findings.note(answer);
        if let Some(Message::Progress(progress)) = &answer.message {
            self.progress.show(progress);
        }
        match self.format {
            Format::Table => Ok(()),
            Format::Json => write_line(&mut io::stdout().lock(), answer),
        }
    }

    /// Takes the progress bar away.
    pub fn close(&self) {
        self.progress.clear();
    }

    /// Shows the end.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn end(&self, ended: &Ended) -> io::Result<()> {
        if self.format == Format::Json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(self.page(ended).as_bytes())?;
        out.flush()
    }

    /// The rejected rows, then the summary.
    fn page(&self, ended: &Ended) -> String {
        let findings = &self.findings;
        let mut page = rejected_table(&findings.rejected, findings.rejected_count, self.look);
        if let Some(summary) = &ended.summary {
            if !page.is_empty() {
                page.push('\n');
            }
            page.push_str(&summary_text(summary, findings, self.asked, self.look));
        }
        page
    }

    /// True where the summary that was shown gives the reasons.
    #[must_use]
    pub fn has_told_why(&self, ended: &Ended) -> bool {
        let summary = ended.summary.as_ref();
        self.format == Format::Table && summary.is_some_and(|summary| !summary.refusals.is_empty())
    }

    /// What was found.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// Writes one answer as a line of JSON, at once: whoever reads it may be following along.
fn write_line(out: &mut impl Write, answer: &ImportUsersResponse) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{ImportState, ImportSummary, Refusal, RowOutcome, RowResult, RowResults};

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
            message: Some(Message::Results(RowResults { results })),
        }
    }

    #[test]
    fn an_answer_is_one_line_of_the_contracts_json() {
        let mut out = Vec::new();
        write_line(&mut out, &results()).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"results":{"results":[{"row":1,"line":2,"outcome":"ROW_OUTCOME_CREATED","externalId":"P-1\n"}]}}"#);
    }

    #[test]
    fn reasons_shown_in_the_summary_are_not_told_again() {
        let ended = Ended {
            summary: Some(ImportSummary {
                state: ImportState::Refused.into(),
                refusals: vec![Refusal::default()],
                ..ImportSummary::default()
            }),
            ..Ended::default()
        };
        for (format, told) in [(Format::Table, true), (Format::Json, false)] {
            let report = Report::new(format, Asked::default(), Look::default());
            assert_eq!(report.has_told_why(&ended), told);
            assert!(!report.has_told_why(&Ended::default()));
        }
    }
}
