//! Shows an import as it goes and as it ends, to a person or to a program.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    super::report::{Asked, Findings, Look, Progress, rejected_table, summary_text},
    shown::Shown,
};
use crate::{
    client::Ended,
    proto::{ImportState, ImportUsersResponse, import_users_response::Message},
};

/// Whom the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A person: tables and sentences.
    Table,
    /// A program: one JSON object a line, in the contract's JSON mapping, and nothing else.
    Json,
}

/// Shows one import, however many attempts it takes.
pub struct Report {
    format: Format,
    asked: Asked,
    look: Look,
    progress: Progress,
    findings: Findings,
    shown: Shown,
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
            shown: Shown::default(),
        }
    }

    /// Shows what is to be seen at once of one answer, unless an earlier attempt has told the same.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn answer(&mut self, answer: ImportUsersResponse) -> io::Result<()> {
        let Some(answer) = self.shown.news(answer) else {
            return Ok(());
        };
        self.findings.note(&answer);
        match &answer.message {
            Some(Message::Progress(progress)) => self.progress.show(progress),
            // There may be another attempt, and only the last summary counts.
            Some(Message::Summary(_)) => return Ok(()),
            _ => {}
        }
        match self.format {
            Format::Table => Ok(()),
            Format::Json => write_line(&mut io::stdout().lock(), &answer),
        }
    }

    /// Tells the person who waits what is going on, on standard error.
    pub fn notice(&self, text: &str) {
        self.progress.interrupt(|| eprintln!("{text}"));
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
        let mut out = io::stdout().lock();
        if self.format == Format::Table {
            out.write_all(self.page(ended).as_bytes())?;
            return out.flush();
        }
        let Some(summary) = ended.summary.clone() else {
            return Ok(());
        };
        let message = Some(Message::Summary(summary));
        write_line(&mut out, &ImportUsersResponse { message })
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

    /// True where the import's last message has come.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.findings.ended
    }

    /// True where the summary that was shown tells how to go on.
    #[must_use]
    pub fn has_told_how_to_go_on(&self, ended: &Ended) -> bool {
        self.format == Format::Table && ended.state() == Some(ImportState::Interrupted)
    }

    /// What was found.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// Writes a message as a line of JSON, at once: whoever reads it may be following along.
///
/// # Errors
/// Where it cannot be written.
pub fn write_line(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    // In one piece: standard output looks through everything that is written for line ends.
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{ImportSummary, Refusal, RowOutcome, RowResult, RowResults};

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
