//! Shows the progress and the end of an import, to a person or to a program.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{csv_report::CsvReport, reported_results::ReportedResults};
use crate::cli::output::{
    CollectLimits, CollectedResults, OutputFormat, PagerArgs, ProgressDisplay, SummaryOptions,
    TerminalStyle, Verbosity, changed_line, count, print_error, rejected_table, review_text,
    summary_text, write_line,
};
use crate::{
    client::ImportEnd,
    proto::{
        ImportState, ImportUsersResponse, RowOutcome, RowResult, RowResults,
        import_users_response::Message,
    },
};

/// How an import is shown.
#[derive(Clone, Debug)]
pub(crate) struct ReportOptions {
    /// The format of the output.
    pub format: OutputFormat,
    /// Whether every change is shown, value by value.
    pub review: bool,
    /// Whether each changed row is shown as soon as it is known.
    pub follow: bool,
    /// Whether a long review may be shown through a pager.
    pub pager: PagerArgs,
    /// What the summary may suggest.
    pub summary_options: SummaryOptions,
    /// How much is printed.
    pub verbosity: Verbosity,
}

impl ReportOptions {
    /// Returns `true` if a person reads the output.
    fn is_text(&self) -> bool {
        self.format == OutputFormat::Table && !self.verbosity.quiet
    }

    fn csv_report(&self) -> CsvReport {
        match self.review {
            true => CsvReport::Changes,
            false => CsvReport::Rows,
        }
    }
}

/// Shows one import, however many attempts it takes.
pub(crate) struct ImportReport {
    view: ReportOptions,
    style: TerminalStyle,
    progress: ProgressDisplay,
    collected: CollectedResults,
    reported_results: ReportedResults,
    /// Answers that are printed only with the end; `None` if they are printed at once.
    deferred: Option<Vec<ImportUsersResponse>>,
    /// How many changed rows have come, if each is shown.
    followed: usize,
    /// Whether the header row of the CSV has been printed.
    is_headed: bool,
    /// Room for a line of JSON.
    line: Vec<u8>,
}

impl ImportReport {
    /// Begins to show an import.
    #[must_use]
    pub(crate) fn new(view: ReportOptions) -> Self {
        let progress = match view.is_text() {
            true => ProgressDisplay::on_stderr(),
            false => ProgressDisplay::hidden(),
        };
        let keep = CollectLimits {
            all_rejected: view.summary_options.errors_file,
            review: view.review && view.is_text(),
        };
        Self {
            style: TerminalStyle::of_stdout(),
            progress,
            collected: CollectedResults::new(keep),
            reported_results: ReportedResults::default(),
            deferred: None,
            followed: 0,
            is_headed: false,
            line: Vec::new(),
            view,
        }
    }

    /// Like [`Self::new`], but answers are printed only by [`Self::finish`]. Progress is shown at once.
    #[must_use]
    pub(crate) fn deferred(view: ReportOptions) -> Self {
        Self {
            progress: ProgressDisplay::on_stderr(),
            deferred: Some(Vec::new()),
            ..Self::new(view)
        }
    }

    /// Shows one answer, without results that an earlier attempt has shown.
    ///
    /// # Errors
    /// Fails if standard output is closed.
    pub(crate) fn show(&mut self, answer: ImportUsersResponse) -> io::Result<()> {
        let Some(answer) = self.reported_results.retain_new(answer) else {
            return Ok(());
        };
        self.collected.note(&answer);
        match &answer.message {
            Some(Message::Progress(progress)) => self.progress.show(progress),
            Some(Message::Results(results)) if self.view.follow => self.follow(results)?,
            // Another attempt may follow, and only the last summary counts.
            Some(Message::Summary(_)) => return Ok(()),
            _ => {}
        }
        match &mut self.deferred {
            Some(deferred) if self.view.format != OutputFormat::Table => deferred.push(answer),
            _ => self.write(&answer)?,
        }
        Ok(())
    }

    /// Prints the rows that made or changed a user, a line each, as far as a person may want to read them.
    fn follow(&mut self, results: &RowResults) -> io::Result<()> {
        if !self.view.is_text() {
            return Ok(());
        }
        let mut text = String::new();
        let is_change =
            |row: &&RowResult| matches!(row.outcome(), RowOutcome::Created | RowOutcome::Updated);
        for row in results.results.iter().filter(is_change) {
            if self.followed < CollectedResults::REVIEWED {
                text += &changed_line(row, self.style);
            }
            self.followed += 1;
        }
        let mut printed = Ok(());
        self.progress.interrupt(|| {
            let mut out = io::stdout().lock();
            printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        });
        printed
    }

    /// How many changed rows were not shown.
    fn not_followed(&self) -> String {
        match self.followed.saturating_sub(CollectedResults::REVIEWED) {
            0 => String::new(),
            more => format!(
                "and {}; --format csv has them all.\n",
                count(more as u64, "more changed row")
            ),
        }
    }

    /// Prints one answer for a program.
    fn write(&mut self, answer: &ImportUsersResponse) -> io::Result<()> {
        match self.view.format {
            OutputFormat::Table => Ok(()),
            OutputFormat::Json => write_line(&mut io::stdout().lock(), &mut self.line, answer),
            OutputFormat::Csv => self.write_records(Some(answer)),
        }
    }

    /// Writes the records of an answer, below the header row.
    fn write_records(&mut self, answer: Option<&ImportUsersResponse>) -> io::Result<()> {
        let csv_report = self.view.csv_report();
        let mut text = String::new();
        if !std::mem::replace(&mut self.is_headed, true) {
            text += &csv_report.header().map_err(io::Error::other)?;
        }
        if let Some(answer) = answer {
            text += &csv_report.records(answer).map_err(io::Error::other)?;
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Prints a notice on standard error.
    pub(crate) fn notice(&self, text: &str) {
        self.progress.interrupt(|| self.view.verbosity.notice(text));
    }

    /// Removes the progress bar.
    pub(crate) fn close(&self) {
        self.progress.clear();
    }

    /// Shows the end; `names` has people's names by row, for a review.
    ///
    /// # Errors
    /// Fails if standard output is closed.
    pub(crate) fn finish(
        &mut self,
        ended: &ImportEnd,
        names: &BTreeMap<u32, String>,
    ) -> io::Result<()> {
        for answer in self.deferred.take().into_iter().flatten() {
            self.write(&answer)?;
        }
        match self.view.format {
            OutputFormat::Table if self.view.verbosity.quiet => Ok(()),
            OutputFormat::Table => {
                let (changes, end) = self.text(ended, names);
                self.view.pager.print(&changes)?;
                let mut out = io::stdout().lock();
                out.write_all(end.as_bytes())?;
                out.flush()
            }
            OutputFormat::Json => {
                let Some(summary) = ended.summary.clone() else {
                    return Ok(());
                };
                let message = Some(Message::Summary(summary));
                let message = ImportUsersResponse { message };
                write_line(&mut io::stdout().lock(), &mut self.line, &message)
            }
            OutputFormat::Csv => {
                self.write_records(None)?;
                let summary = self.summary(ended, TerminalStyle::default());
                self.view.verbosity.notice(summary.trim_end());
                Ok(())
            }
        }
    }

    /// The changes if they are reviewed; and what comes after them: the rejected rows, and the summary.
    fn text(&self, ended: &ImportEnd, names: &BTreeMap<u32, String>) -> (String, String) {
        let collected = &self.collected;
        let changes = match self.view.review {
            true => review_text(collected, names, self.style),
            false => self.not_followed(),
        };
        let parts = [
            rejected_table(&collected.rejected, collected.rejected_count, self.style),
            self.summary(ended, self.style),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let mut end = parts.join("\n");
        let follows = !changes.is_empty() || self.followed > 0;
        if follows && !end.is_empty() {
            end.insert(0, '\n');
        }
        (changes, end)
    }

    fn summary(&self, ended: &ImportEnd, style: TerminalStyle) -> String {
        let summary = ended.summary.as_ref();
        let text = summary.map(|summary| {
            summary_text(summary, &self.collected, &self.view.summary_options, style)
        });
        text.unwrap_or_default()
    }

    /// Returns `true` if the summary was shown and gives the reasons of a refusal.
    #[must_use]
    pub(crate) fn has_shown_refusals(&self, ended: &ImportEnd) -> bool {
        let summary = ended.summary.as_ref();
        self.shows_summary() && summary.is_some_and(|summary| !summary.refusals.is_empty())
    }

    /// Returns `true` if the import's last message was received.
    #[must_use]
    pub(crate) const fn has_ended(&self) -> bool {
        self.collected.ended
    }

    /// Says how to continue an interrupted import, unless the shown summary says it.
    pub(crate) fn explain_how_to_continue(&self, ended: &ImportEnd) {
        if self.shows_summary() && ended.state() == Some(ImportState::Interrupted) {
            return;
        }
        print_error(&format!(
            "If the import had begun to write, it may continue without this command. To see how it \
             ends, or to continue it, repeat the command with\n  --import-id {}{}",
            ended.import_id, self.view.summary_options.resume
        ));
    }

    /// Returns `true` if the summary is shown.
    fn shows_summary(&self) -> bool {
        !self.view.verbosity.quiet && self.view.format != OutputFormat::Json
    }

    /// Returns the results that were collected from the answers.
    #[must_use]
    pub(crate) const fn collected(&self) -> &CollectedResults {
        &self.collected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{ImportSummary, Refusal};

    #[test]
    fn reasons_shown_in_the_summary_are_not_shown_again() {
        let ended = ImportEnd {
            summary: Some(ImportSummary {
                state: ImportState::Refused.into(),
                refusals: vec![Refusal::default()],
                ..ImportSummary::default()
            }),
            ..ImportEnd::default()
        };
        for (format, quiet, told) in [
            (OutputFormat::Table, false, true),
            (OutputFormat::Table, true, false),
            (OutputFormat::Json, false, false),
            (OutputFormat::Csv, false, true),
        ] {
            let report = ImportReport::new(ReportOptions {
                format,
                review: false,
                follow: false,
                pager: PagerArgs::default(),
                summary_options: SummaryOptions::default(),
                verbosity: Verbosity { quiet },
            });
            assert_eq!(report.has_shown_refusals(&ended), told);
            assert!(!report.has_shown_refusals(&ImportEnd::default()));
        }
    }
}
