//! The summary of an import as text.

use std::fmt::{self, Write};

use super::{
    CollectedResults, TerminalStyle,
    collected_results::RowWarnings,
    consequences::consequence_lines,
    request_words::for_people,
    text::{count, deactivated_name, duration, grouped, millis_between, printable},
};
use crate::proto::{ImportState, ImportSummary};

/// What the command was given, which decides what the summary suggests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SummaryOptions {
    /// The command writes the rejected rows to a file.
    pub errors_file: bool,
    /// The command that applies a dry run's plan, without the digest at its end; `None` if the
    /// import was made by another command.
    pub apply: Option<String>,
    /// Options that continuing the import needs, besides its ID; each with a space before it.
    pub resume: String,
}

/// The summary: what became of the import, the counts, and what to do next.
#[must_use]
pub(crate) fn summary_text(
    summary: &ImportSummary,
    collected: &CollectedResults,
    options: &SummaryOptions,
    style: TerminalStyle,
) -> String {
    let mut writer = SummaryWriter {
        text: String::new(),
        style,
    };
    // Writing to a string cannot fail.
    let _ = writer.write(summary, collected, options);
    writer.text
}

/// Up to this many warnings of one kind are shown one by one.
const ALIKE: u32 = 2;

/// Rows that are listed for one kind of warnings.
const NAMED_ROWS: usize = 20;

/// A summary that is being written.
struct SummaryWriter {
    text: String,
    style: TerminalStyle,
}

impl SummaryWriter {
    fn write(
        &mut self,
        summary: &ImportSummary,
        collected: &CollectedResults,
        options: &SummaryOptions,
    ) -> fmt::Result {
        self.headline(summary)?;
        self.refusals(summary)?;
        self.counts(summary)?;
        self.consequences(summary)?;
        self.warnings(summary, collected)?;
        self.deactivated(summary, collected)?;
        self.next(summary, options)
    }

    fn headline(&mut self, summary: &ImportSummary) -> fmt::Result {
        let what = match (summary.validate_only, summary.undoes.is_empty()) {
            (false, true) => "Import",
            (true, true) => "Dry run",
            (false, false) => "Undo",
            (true, false) => "Dry run of an undo",
        };
        let style = self.style;
        let (end, note): (String, &str) = match summary.state() {
            ImportState::Completed => (style.bold("completed"), ""),
            ImportState::Refused => (style.red("refused"), " Nothing was written."),
            ImportState::Held => (style.yellow("held for review"), " Nothing was written."),
            ImportState::Cancelled => {
                (style.red("cancelled"), " Rows written before stay written.")
            }
            _ => (style.red("interrupted"), " Some of it may be written."),
        };
        let note = match summary.validate_only {
            true => " Nothing was written.",
            false => note,
        };
        // A file that could not be read has no rows to speak of.
        let rows = match summary.rows {
            0 => String::new(),
            rows => format!(": {}{}", count(rows, "row"), pace(summary)),
        };
        writeln!(self.text, "{what} {end}{rows}.{note}")
    }

    fn refusals(&mut self, summary: &ImportSummary) -> fmt::Result {
        for refusal in &summary.refusals {
            writeln!(
                self.text,
                "  - {}",
                printable(&for_people(&refusal.message))
            )?;
        }
        Ok(())
    }

    fn counts(&mut self, summary: &ImportSummary) -> fmt::Result {
        let refused = summary.state() == ImportState::Refused;
        if refused && summary.rows == 0 {
            return Ok(());
        }
        let intro = match summary.state() {
            ImportState::Refused => "\nIf it had not been refused:\n",
            ImportState::Held => "\nIf it is approved:\n",
            _ => "\n",
        };
        self.text.push_str(intro);
        self.count("created", summary.created, TerminalStyle::green)?;
        self.count("updated", summary.updated, TerminalStyle::green)?;
        self.count("unchanged", summary.unchanged, |_, text| text.to_owned())?;
        self.count("rejected", summary.rejected, TerminalStyle::red)?;
        self.count("deactivated", summary.deactivated, TerminalStyle::yellow)?;
        if summary.protected_skipped > 0 {
            self.count(
                "protected",
                summary.protected_skipped,
                TerminalStyle::yellow,
            )?;
            self.text
                .insert_str(self.text.len() - 1, "  not listed, but kept active");
        }
        if summary.identity_changes > 0 {
            self.count("replaced", summary.identity_changes, TerminalStyle::yellow)?;
            self.text
                .insert_str(self.text.len() - 1, "  another person in a user's place");
        }
        Ok(())
    }

    fn consequences(&mut self, summary: &ImportSummary) -> fmt::Result {
        let mut lines = summary
            .consequences
            .iter()
            .flat_map(consequence_lines)
            .peekable();
        if lines.peek().is_some() {
            writeln!(self.text, "\n{}", self.style.yellow("Consequences"))?;
        }
        lines.try_for_each(|line| writeln!(self.text, "  - {line}"))
    }

    /// Says how a held import is reviewed, applied and discarded.
    fn how_to_decide(&mut self, summary: &ImportSummary) -> fmt::Result {
        let id = printable(&summary.import_id);
        let digest = hex::encode(&summary.plan_digest);
        writeln!(
            self.text,
            "\nTo see what it would do now, to apply exactly this plan, or to discard it:\n  \
             user-import review {id}\n  \
             user-import approve {id} --expected-plan-digest {digest}\n  \
             user-import cancel {id}"
        )
    }

    /// One count, coloured unless it is 0.
    fn count(
        &mut self,
        what: &str,
        number: u32,
        paint: fn(TerminalStyle, &str) -> String,
    ) -> fmt::Result {
        let text = format!("{:>9}", grouped(number));
        let text = if number == 0 {
            text
        } else {
            paint(self.style, &text)
        };
        writeln!(self.text, "  {what:<12}{text}")
    }

    fn warnings(&mut self, summary: &ImportSummary, collected: &CollectedResults) -> fmt::Result {
        if summary.warnings.is_empty() && collected.warnings.is_empty() {
            return Ok(());
        }
        writeln!(self.text, "\n{}", self.style.yellow("Warnings"))?;
        for issue in &summary.warnings {
            writeln!(self.text, "  - {}", printable(&for_people(&issue.message)))?;
        }
        let mut kinds: Vec<_> = collected.warnings.values().collect();
        kinds.sort_by_key(|kind| kind.messages.keys().next());
        kinds
            .into_iter()
            .try_for_each(|kind| self.row_warnings(kind))
    }

    /// The warnings of one kind: each by itself if they are few, otherwise the first and the numbers of the rows.
    fn row_warnings(&mut self, kind: &RowWarnings) -> fmt::Result {
        let mut messages = kind.messages.iter();
        if kind.count <= ALIKE {
            return messages.try_for_each(|(row, message)| {
                writeln!(self.text, "  - row {row}: {}", printable(message))
            });
        }
        let Some((first, message)) = messages.next() else {
            return Ok(());
        };
        let (count, message) = (grouped(kind.count), printable(message));
        writeln!(self.text, "  - {count} rows like row {first}: {message}")?;
        let rows: Vec<_> = kind.messages.keys().take(NAMED_ROWS).collect();
        let named: Vec<_> = rows.iter().map(ToString::to_string).collect();
        write!(self.text, "    rows {}", named.join(", "))?;
        let named = u32::try_from(named.len()).unwrap_or(u32::MAX);
        match kind.count - named {
            0 => writeln!(self.text),
            more => writeln!(
                self.text,
                " and {} more; --format json has them all",
                grouped(more)
            ),
        }
    }

    fn deactivated(
        &mut self,
        summary: &ImportSummary,
        collected: &CollectedResults,
    ) -> fmt::Result {
        if collected.deactivated.is_empty() {
            return Ok(());
        }
        let tense = match summary.state() {
            ImportState::Completed if !summary.validate_only => "Deactivated, because",
            ImportState::Completed | ImportState::Refused | ImportState::Held => {
                "Would be deactivated, because"
            }
            _ => "Deactivated or to be deactivated, because",
        };
        writeln!(self.text, "\n{tense} the roster does not list them")?;
        for user in &collected.deactivated {
            writeln!(self.text, "  - {}", deactivated_name(user))?;
        }
        self.more(
            summary.deactivated,
            collected.deactivated.len(),
            "user",
            "users",
        )
    }

    fn more(&mut self, all: u32, shown: usize, one: &str, many: &str) -> fmt::Result {
        let shown = u32::try_from(shown).unwrap_or(u32::MAX);
        match all.saturating_sub(shown) {
            0 => Ok(()),
            1 => writeln!(self.text, "  - 1 more {one}; --format json has them all"),
            more => writeln!(
                self.text,
                "  - {} more {many}; --format json has them all",
                grouped(more)
            ),
        }
    }

    fn next(&mut self, summary: &ImportSummary, options: &SummaryOptions) -> fmt::Result {
        let is_undo = !summary.undoes.is_empty();
        if summary.rejected > 0
            && !options.errors_file
            && !is_undo
            && summary.state() != ImportState::Held
        {
            self.how_to_correct(summary)?;
        }
        match summary.state() {
            // The undo is applied next.
            ImportState::Completed if is_undo && options.apply.is_none() => Ok(()),
            ImportState::Completed if summary.validate_only => self.how_to_apply(summary, options),
            ImportState::Held => self.how_to_decide(summary),
            ImportState::Interrupted if !is_overtaken(summary) => writeln!(
                self.text,
                "\nTo continue, repeat the import with --import-id {}{}",
                printable(&summary.import_id),
                options.resume
            ),
            _ => Ok(()),
        }
    }

    fn how_to_apply(&mut self, summary: &ImportSummary, options: &SummaryOptions) -> fmt::Result {
        let digest = hex::encode(&summary.plan_digest);
        match &options.apply {
            Some(command) => writeln!(
                self.text,
                "\nTo apply exactly this plan, or nothing if the directory has changed by then:\n  \
                 {command} {digest}"
            ),
            None => writeln!(
                self.text,
                "\nTo apply exactly this plan, repeat the command without --validate-only and with\n  \
                 --expected-plan-digest {digest}"
            ),
        }
    }

    /// A finished import returns its recorded results for its ID, and writes nothing again.
    fn how_to_correct(&mut self, summary: &ImportSummary) -> fmt::Result {
        let applied = summary.state() == ImportState::Completed && !summary.validate_only;
        let id = if applied {
            format!("--import-id {} ", printable(&summary.import_id))
        } else {
            String::new()
        };
        writeln!(
            self.text,
            "\nTo get the rejected rows in a file to correct and import, repeat the import with\n  \
             {id}--errors FILE.csv"
        )
    }
}

/// Returns `true` if the import cannot be continued any more; its refusals say what to do instead.
fn is_overtaken(summary: &ImportSummary) -> bool {
    let mut refusals = summary.refusals.iter();
    refusals.any(|refusal| refusal.code == "OVERTAKEN")
}

/// The duration and the rows a second; empty if the server does not give the times.
fn pace(summary: &ImportSummary) -> String {
    let (start, end) = (summary.started_at.as_ref(), summary.finished_at.as_ref());
    let Some(millis @ 1..) = millis_between(start, end) else {
        return String::new();
    };
    let rate = u64::from(summary.rows) * 1000 / millis;
    format!(" ({}, {} rows/s)", duration(millis), grouped(rate))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{
        Consequence, ConsequenceExample, ConsequenceKind, DeactivatedUser, Issue, Refusal,
        Timestamp,
    };

    fn summary(state: ImportState) -> ImportSummary {
        let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
        ImportSummary {
            import_id: "0198f3c2-0000-7000-8000-000000000001".to_owned(),
            state: state.into(),
            rows: 2_000,
            created: 12,
            updated: 1_300,
            unchanged: 688,
            plan_digest: vec![0xab; 4],
            started_at: at(100, 900_000_000),
            finished_at: at(102, 400_000_000),
            ..ImportSummary::default()
        }
    }

    fn text(summary: &ImportSummary, collected: &CollectedResults) -> String {
        summary_text(
            summary,
            collected,
            &SummaryOptions::default(),
            TerminalStyle::default(),
        )
    }

    fn warning(message: &str) -> Issue {
        Issue {
            message: message.to_owned(),
            ..Issue::default()
        }
    }

    #[test]
    fn a_good_import_is_its_counts() {
        assert_snapshot!(text(&summary(ImportState::Completed), &CollectedResults::default()), @r"
        Import completed: 2,000 rows (1.5 s, 1,333 rows/s).

          created            12
          updated         1,300
          unchanged         688
          rejected            0
          deactivated         0
        ");
    }

    #[test]
    fn a_dry_run_says_how_to_apply_exactly_its_plan() {
        let dry = ImportSummary {
            validate_only: true,
            ..summary(ImportState::Completed)
        };
        assert_snapshot!(text(&dry, &CollectedResults::default()), @r"
        Dry run completed: 2,000 rows (1.5 s, 1,333 rows/s). Nothing was written.

          created            12
          updated         1,300
          unchanged         688
          rejected            0
          deactivated         0

        To apply exactly this plan, repeat the command without --validate-only and with
          --expected-plan-digest abababab
        ");
    }

    #[test]
    fn a_dry_run_has_written_nothing_however_it_ends() {
        for state in [ImportState::Interrupted, ImportState::Cancelled] {
            let dry = ImportSummary {
                validate_only: true,
                ..summary(state)
            };
            let text = text(&dry, &CollectedResults::default());
            let (headline, _) = text.split_once('\n').unwrap();
            assert!(headline.ends_with("Nothing was written."), "{headline}");
        }
    }

    #[test]
    fn a_refused_import_begins_with_the_reasons() {
        let refusal = |message: &str| Refusal {
            message: message.to_owned(),
            ..Refusal::default()
        };
        let refused = ImportSummary {
            refusals: vec![
                refusal(
                    "41 of 60 active users would be deactivated; allow it with max_deactivations.",
                ),
                refusal("3 rows are rejected; 2 are allowed."),
            ],
            deactivated: 41,
            rejected: 3,
            ..summary(ImportState::Refused)
        };
        assert_snapshot!(text(&refused, &CollectedResults::default()), @r"
        Import refused: 2,000 rows (1.5 s, 1,333 rows/s). Nothing was written.
          - 41 of 60 active users would be deactivated; allow it with --max-deactivations.
          - 3 rows are rejected; 2 are allowed.

        If it had not been refused:
          created            12
          updated         1,300
          unchanged         688
          rejected            3
          deactivated        41

        To get the rejected rows in a file to correct and import, repeat the import with
          --errors FILE.csv
        ");
    }

    #[test]
    fn a_file_that_cannot_be_read_has_no_counts() {
        let refused = ImportSummary {
            rows: 0,
            refusals: vec![Refusal {
                message: "The required column EMAIL is missing; add it.".to_owned(),
                ..Refusal::default()
            }],
            ..ImportSummary::default()
        };
        let refused = ImportSummary {
            state: ImportState::Refused.into(),
            ..refused
        };
        assert_snapshot!(text(&refused, &CollectedResults::default()), @r"
        Import refused. Nothing was written.
          - The required column EMAIL is missing; add it.
        ");
    }

    #[test]
    fn warnings_and_deactivations_are_listed() {
        let with = ImportSummary {
            warnings: vec![warning("LOCATION is not stored.")],
            rejected: 1,
            deactivated: 2,
            protected_skipped: 1,
            identity_changes: 3,
            ..summary(ImportState::Completed)
        };
        let user = DeactivatedUser {
            external_id: "P-9".to_owned(),
            email: "p9@example.org".to_owned(),
            ..DeactivatedUser::default()
        };
        let mut collected = CollectedResults::default();
        for (code, rows) in [(1, 7..8), (2, 10..50)] {
            let message = |row| (row, format!("BADGE_NUMBER \"{row}\" was \"00{row}\"."));
            let messages: BTreeMap<_, _> = rows.map(message).collect();
            let count = u32::try_from(messages.len()).unwrap();
            let kind = (code, "BADGE_NUMBER".to_owned());
            collected
                .warnings
                .insert(kind, RowWarnings { count, messages });
        }
        collected.deactivated.push(user);
        assert_snapshot!(text(&with, &collected), @r#"
        Import completed: 2,000 rows (1.5 s, 1,333 rows/s).

          created            12
          updated         1,300
          unchanged         688
          rejected            1
          deactivated         2
          protected           1  not listed, but kept active
          replaced            3  another person in a user's place

        Warnings
          - LOCATION is not stored.
          - row 7: BADGE_NUMBER "7" was "007".
          - 40 rows like row 10: BADGE_NUMBER "10" was "0010".
            rows 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 and 20 more; --format json has them all

        Deactivated, because the roster does not list them
          - P-9  p9@example.org
          - 1 more user; --format json has them all

        To get the rejected rows in a file to correct and import, repeat the import with
          --import-id 0198f3c2-0000-7000-8000-000000000001 --errors FILE.csv
        "#);
    }

    #[test]
    fn consequences_come_after_the_counts() {
        let example = |id: &str, detail: &str| ConsequenceExample {
            external_id: id.to_owned(),
            detail: detail.to_owned(),
            ..ConsequenceExample::default()
        };
        let with = ImportSummary {
            consequences: vec![
                Consequence {
                    kind: ConsequenceKind::ReportsLoseSupervisor.into(),
                    count: 2,
                    examples: vec![example("E1", "E9"), example("E2", "E9")],
                },
                Consequence {
                    kind: ConsequenceKind::PrivilegedRoleGained.into(),
                    count: 1,
                    examples: vec![example("E3", "Admin")],
                },
            ],
            ..summary(ImportState::Completed)
        };
        assert_snapshot!(text(&with, &CollectedResults::default()), @r"
        Import completed: 2,000 rows (1.5 s, 1,333 rows/s).

          created            12
          updated         1,300
          unchanged         688
          rejected            0
          deactivated         0

        Consequences
          - 2 people lose their supervisor: E1, E2
          - E3 becomes Admin
        ");
    }

    #[test]
    fn an_interrupted_import_says_how_to_continue() {
        assert_snapshot!(text(&summary(ImportState::Interrupted), &CollectedResults::default()), @r"
        Import interrupted: 2,000 rows (1.5 s, 1,333 rows/s). Some of it may be written.

          created            12
          updated         1,300
          unchanged         688
          rejected            0
          deactivated         0

        To continue, repeat the import with --import-id 0198f3c2-0000-7000-8000-000000000001
        ");
    }

    #[test]
    fn an_overtaken_import_says_what_it_wrote_and_not_to_continue() {
        let overtaken = ImportSummary {
            refusals: vec![Refusal {
                code: "OVERTAKEN".to_owned(),
                message: "Import 0198-bb has begun applying since.".to_owned(),
                ..Refusal::default()
            }],
            ..summary(ImportState::Interrupted)
        };
        assert_snapshot!(text(&overtaken, &CollectedResults::default()), @r"
        Import interrupted: 2,000 rows (1.5 s, 1,333 rows/s). Some of it may be written.
          - Import 0198-bb has begun applying since.

          created            12
          updated         1,300
          unchanged         688
          rejected            0
          deactivated         0
        ");
    }

    #[test]
    fn a_cancelled_import_says_that_something_stays() {
        let text = text(
            &summary(ImportState::Cancelled),
            &CollectedResults::default(),
        );
        assert!(text.starts_with("Import cancelled: 2,000 rows"), "{text}");
        assert!(text.contains("stay written"), "{text}");
    }

    #[test]
    fn an_instant_import_has_no_rate() {
        let mut instant = summary(ImportState::Completed);
        instant.finished_at.clone_from(&instant.started_at);
        assert!(!text(&instant, &CollectedResults::default()).contains("rows/s"));
    }
}
