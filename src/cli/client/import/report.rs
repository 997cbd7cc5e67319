//! Shows an import as it goes and as it ends, to a person or to a program.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{sheet::Sheet, shown::Shown};
use crate::cli::output::{
    Asked, Findings, Format, Keep, Look, Progress, Voice, complain, rejected_table, review_text,
    summary_text, write_line,
};
use crate::{
    client::Ended,
    proto::{ImportState, ImportUsersResponse, import_users_response::Message},
};

/// For whom an import is shown, and how much of it.
#[derive(Clone, Debug)]
pub struct View {
    /// For whom.
    pub format: Format,
    /// Whether every change is shown, value by value.
    pub review: bool,
    /// What was asked for, and can be asked for again.
    pub asked: Asked,
    /// How much is said.
    pub voice: Voice,
}

impl View {
    /// True where a person reads what is printed.
    fn is_page(&self) -> bool {
        self.format == Format::Table && !self.voice.quiet
    }

    fn sheet(&self) -> Sheet {
        match self.review {
            true => Sheet::Changes,
            false => Sheet::Rows,
        }
    }
}

/// Shows one import, however many attempts it takes.
pub struct Report {
    view: View,
    look: Look,
    progress: Progress,
    findings: Findings,
    shown: Shown,
    /// Answers for a program that are printed with the end.
    held: Option<Vec<ImportUsersResponse>>,
    /// Whether the header row of the CSV has been printed.
    is_headed: bool,
    /// Room for a line of JSON.
    line: Vec<u8>,
}

impl Report {
    /// Begins to show an import.
    #[must_use]
    pub fn new(view: View) -> Self {
        let progress = match view.is_page() {
            true => Progress::on_stderr(),
            false => Progress::hidden(),
        };
        let keep = Keep {
            all_rejected: view.asked.errors_file,
            review: view.review && view.is_page(),
        };
        Self {
            look: Look::of_stdout(),
            progress,
            findings: Findings::new(keep),
            shown: Shown::default(),
            held: None,
            is_headed: false,
            line: Vec::new(),
            view,
        }
    }

    /// Begins to show somebody who waits an import that is printed only if it comes to [`Self::end`].
    #[must_use]
    pub fn held_back(view: View) -> Self {
        Self {
            progress: Progress::on_stderr(),
            held: Some(Vec::new()),
            ..Self::new(view)
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
        match &mut self.held {
            Some(held) if self.view.format != Format::Table => held.push(answer),
            _ => self.write(&answer)?,
        }
        Ok(())
    }

    /// Prints one answer for a program.
    fn write(&mut self, answer: &ImportUsersResponse) -> io::Result<()> {
        match self.view.format {
            Format::Table => Ok(()),
            Format::Json => write_line(&mut io::stdout().lock(), &mut self.line, answer),
            Format::Csv => self.write_records(Some(answer)),
        }
    }

    /// Writes the records of an answer, below the header row.
    fn write_records(&mut self, answer: Option<&ImportUsersResponse>) -> io::Result<()> {
        let sheet = self.view.sheet();
        let mut text = String::new();
        if !std::mem::replace(&mut self.is_headed, true) {
            text += &sheet.header().map_err(io::Error::other)?;
        }
        if let Some(answer) = answer {
            text += &sheet.records(answer).map_err(io::Error::other)?;
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Tells the person who waits what is going on, on standard error.
    pub fn notice(&self, text: &str) {
        self.progress.interrupt(|| self.view.voice.notice(text));
    }

    /// Takes the progress bar away.
    pub fn close(&self) {
        self.progress.clear();
    }

    /// Shows the end; `names` has people's names by row, for a review.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn end(&mut self, ended: &Ended, names: &BTreeMap<u32, String>) -> io::Result<()> {
        for answer in self.held.take().into_iter().flatten() {
            self.write(&answer)?;
        }
        match self.view.format {
            Format::Table if self.view.voice.quiet => Ok(()),
            Format::Table => {
                let mut out = io::stdout().lock();
                out.write_all(self.page(ended, names).as_bytes())?;
                out.flush()
            }
            Format::Json => {
                let Some(summary) = ended.summary.clone() else {
                    return Ok(());
                };
                let message = Some(Message::Summary(summary));
                let message = ImportUsersResponse { message };
                write_line(&mut io::stdout().lock(), &mut self.line, &message)
            }
            Format::Csv => {
                self.write_records(None)?;
                let summary = self.summary(ended, Look::default());
                self.view.voice.notice(summary.trim_end());
                Ok(())
            }
        }
    }

    /// What changes, where that is reviewed; the rejected rows; the summary.
    fn page(&self, ended: &Ended, names: &BTreeMap<u32, String>) -> String {
        let findings = &self.findings;
        let review = match self.view.review {
            true => review_text(findings, names, self.look),
            false => String::new(),
        };
        let parts = [
            review,
            rejected_table(&findings.rejected, findings.rejected_count, self.look),
            self.summary(ended, self.look),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    fn summary(&self, ended: &Ended, look: Look) -> String {
        let summary = ended.summary.as_ref();
        let text =
            summary.map(|summary| summary_text(summary, &self.findings, &self.view.asked, look));
        text.unwrap_or_default()
    }

    /// True where the summary that was shown gives the reasons.
    #[must_use]
    pub fn has_told_why(&self, ended: &Ended) -> bool {
        let summary = ended.summary.as_ref();
        self.tells_summary() && summary.is_some_and(|summary| !summary.refusals.is_empty())
    }

    /// True where the import's last message has come.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.findings.ended
    }

    /// Says how to go on with an interrupted import, unless the summary that was shown has.
    pub fn tell_how_to_go_on(&self, ended: &Ended) {
        if self.tells_summary() && ended.state() == Some(ImportState::Interrupted) {
            return;
        }
        complain(&format!(
            "If it had begun to write, it may go on without this command. To see how it ends, or to \
             continue it, repeat the command with\n  --import-id {}{}",
            ended.import_id, self.view.asked.resume
        ));
    }

    /// True where a person reads the summary.
    fn tells_summary(&self) -> bool {
        !self.view.voice.quiet && self.view.format != Format::Json
    }

    /// What was found.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{ImportSummary, Refusal};

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
        for (format, quiet, told) in [
            (Format::Table, false, true),
            (Format::Table, true, false),
            (Format::Json, false, false),
            (Format::Csv, false, true),
        ] {
            let report = Report::new(View {
                format,
                review: false,
                asked: Asked::default(),
                voice: Voice { quiet },
            });
            assert_eq!(report.has_told_why(&ended), told);
            assert!(!report.has_told_why(&Ended::default()));
        }
    }
}
