//! The question before an import deactivates the users that the roster does not list: it shows them, and
//! asks for a word (semantics §7).

use std::{
    fmt::Write as _,
    io::{self, BufRead, IsTerminal, Write},
};

use anyhow::Context;
use uuid::Uuid;

use super::command_line::CommandLine;
use crate::cli::{
    failure::UsageError,
    output::{CollectedResults, Verbosity, count, deactivated_name, printable},
};
use crate::proto::{ImportStart, ImportSummary, ResultFilter};

/// The confirmation that the server requires.
pub(crate) const WORD: &str = "Confirm";

/// How many users the question lists.
const SHOWN: usize = 20;

/// Whether a person can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PromptMode {
    /// There is a terminal.
    Terminal,
    /// There is none: a script, the roster on standard input, or `--quiet`.
    Unavailable,
}

impl PromptMode {
    /// Finds out whether a person can be asked.
    #[must_use]
    pub(crate) fn of_process(roster_on_stdin: bool, verbosity: Verbosity) -> Self {
        let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        match is_there && !roster_on_stdin && !verbosity.quiet {
            true => Self::Terminal,
            false => Self::Unavailable,
        }
    }
}

/// The dry run that shows which users `start` would deactivate. It has an ID of its own, because the ID of an import is
/// bound to the import's options.
pub(super) fn dry_run(start: &ImportStart) -> ImportStart {
    ImportStart {
        import_id: Uuid::new_v4().to_string(),
        validate_only: true,
        include_values: false,
        result_filter: ResultFilter::Rejections.into(),
        ..start.clone()
    }
}

/// The text before the word is asked for.
pub(super) fn question(
    organization: &str,
    summary: &ImportSummary,
    collected: &CollectedResults,
    command: &CommandLine,
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_question(&mut text, organization, summary, collected, command);
    text
}

fn write_question(
    text: &mut String,
    organization: &str,
    summary: &ImportSummary,
    collected: &CollectedResults,
    command: &CommandLine,
) -> std::fmt::Result {
    let users = count(summary.deactivated, "user");
    writeln!(
        text,
        "{users} of {} would be deactivated, because the roster does not list them:",
        printable(organization)
    )?;
    for user in collected.deactivated.iter().take(SHOWN) {
        writeln!(text, "  - {}", deactivated_name(user))?;
    }
    let shown = u32::try_from(SHOWN).unwrap_or(u32::MAX);
    if summary.deactivated > shown {
        let more = count(summary.deactivated - shown, "more");
        let more = more.trim_end_matches('s');
        writeln!(
            text,
            "  - and {more}; to see all of them:\n    {}",
            command.diff_command()
        )?;
    }
    if summary.protected_skipped > 0 {
        let users = count(summary.protected_skipped, "protected user");
        writeln!(text, "Not listed either, but kept active: {users}.")?;
    }
    writeln!(
        text,
        "The roster's own rows: {} created, {} updated, {} unchanged, {} rejected.",
        summary.created, summary.updated, summary.unchanged, summary.rejected
    )
}

/// Asks for the word, and returns the answer. Asks again as long as the answer is the word in another case.
///
/// # Errors
/// Fails if the terminal is gone.
pub(crate) async fn ask() -> anyhow::Result<String> {
    let typed = tokio::task::spawn_blocking(|| answer(&mut io::stdin().lock(), &mut io::stderr()));
    typed.await?.context("the terminal gives no answer")
}

fn answer(terminal: &mut impl BufRead, screen: &mut impl Write) -> io::Result<String> {
    let mut question = format!("Type {WORD} to go on: ");
    loop {
        write!(screen, "{question}")?;
        screen.flush()?;
        let mut line = String::new();
        terminal.read_line(&mut line)?;
        let typed = line.trim();
        if typed == WORD || !typed.eq_ignore_ascii_case(WORD) {
            return Ok(line);
        }
        question = format!("Type exactly {WORD} to go on: ");
    }
}

/// Checks that `typed` is the word.
///
/// # Errors
/// Fails if it is not.
pub(crate) fn confirm(typed: &str) -> Result<(), UsageError> {
    match typed.trim() == WORD {
        true => Ok(()),
        false => Err(UsageError::new(format!(
            "Not confirmed, so nothing was written: the word is {WORD}."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::DeactivatedUser;

    #[test]
    fn only_the_word_confirms() {
        for (typed, confirmed) in [
            ("Confirm", true),
            ("Confirm\r\n", true),
            ("confirm\n", false),
            ("yes\n", false),
            ("", false),
        ] {
            assert_eq!(confirm(typed).is_ok(), confirmed, "{typed:?}");
        }
    }

    #[test]
    fn the_word_in_another_case_is_asked_for_again() {
        let answered = |mut typed: &[u8]| {
            let mut screen = Vec::new();
            let answer = answer(&mut typed, &mut screen).unwrap();
            (
                answer,
                String::from_utf8(screen)
                    .unwrap()
                    .matches("go on: ")
                    .count(),
            )
        };
        assert_eq!(answered(b"Confirm\n"), ("Confirm\n".to_owned(), 1));
        assert_eq!(
            answered(b"confirm\nCONFIRM\r\nConfirm\n"),
            ("Confirm\n".to_owned(), 3)
        );
        assert_eq!(answered(b"confirm\nno\nConfirm\n"), ("no\n".to_owned(), 2));
        assert_eq!(answered(b"confirm\n"), (String::new(), 2));
        assert_eq!(answered(b""), (String::new(), 1));
    }

    fn asked(deactivated: u32) -> String {
        let mut collected = CollectedResults::default();
        collected.deactivated = (1..=deactivated)
            .map(|n| DeactivatedUser {
                external_id: format!("P-{n}"),
                email: format!("p{n}@pd.example"),
                ..DeactivatedUser::default()
            })
            .collect();
        let summary = ImportSummary {
            deactivated,
            protected_skipped: 1,
            updated: 3,
            ..ImportSummary::default()
        };
        let words = ["user-import", "import", "r.csv", "--deactivate-missing"];
        question(
            "pd",
            &summary,
            &collected,
            &CommandLine::from_words(words.map(Into::into)),
        )
    }

    #[test]
    fn whoever_is_asked_sees_whom_it_is_about() {
        assert_snapshot!(asked(2), @r"
        2 users of pd would be deactivated, because the roster does not list them:
          - P-1  p1@pd.example
          - P-2  p2@pd.example
        Not listed either, but kept active: 1 protected user.
        The roster's own rows: 0 created, 3 updated, 0 unchanged, 0 rejected.
        ");
    }

    #[test]
    fn beyond_the_first_twenty_the_rest_is_counted_with_how_to_see_all() {
        let text = asked(23);
        assert_eq!(text.matches("@pd.example").count(), 20);
        assert!(
            text.contains(
                "  - and 3 more; to see all of them:\n    user-import import r.csv --deactivate-missing --diff\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_dry_run_asks_for_the_same_under_an_id_of_its_own() {
        let start = ImportStart {
            organization: "pd".to_owned(),
            import_id: "0198".to_owned(),
            max_deactivations: Some(4),
            include_values: true,
            ..ImportStart::default()
        };
        let dry = dry_run(&start);
        assert!(dry.validate_only && !dry.include_values && dry.import_id != "0198");
        assert_eq!(dry.max_deactivations, Some(4));
    }
}
