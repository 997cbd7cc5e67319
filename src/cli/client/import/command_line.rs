//! The command line of this process, and how to repeat it with other options: to apply a dry run's plan,
//! or to see more. No token is in the text.

use std::ffi::OsString;

use crate::cli::output::printable;

/// The words of a command line, without its token.
#[derive(Clone, Debug, Default)]
pub(in crate::cli::client) struct CommandLine {
    words: Vec<String>,
}

/// Options of dry runs that take no value, and their variables.
const DRY: [(&str, &str); 2] = [
    ("--diff", "USER_IMPORT_DIFF"),
    ("--validate-only", "USER_IMPORT_VALIDATE_ONLY"),
];
const DIGEST: &str = "--expected-plan-digest";
const TOKEN: &str = "--token";

impl CommandLine {
    /// Returns the command line of this process.
    #[must_use]
    pub(in crate::cli::client) fn of_process() -> Self {
        Self::from_words(std::env::args_os())
    }

    /// Returns the command line of these words; the program's name is the first.
    #[must_use]
    pub(super) fn from_words(words: impl IntoIterator<Item = OsString>) -> Self {
        let words = words.into_iter();
        Self {
            words: without_token(words.map(|word| word.to_string_lossy().into_owned())),
        }
    }

    /// The command that applies a dry run's plan, without the digest at its end.
    #[must_use]
    pub(super) fn apply_command(&self) -> String {
        let is_set = |variable| std::env::var_os(variable).is_some();
        let off = DRY.iter().filter(|(_, variable)| is_set(variable));
        let mut words: Vec<String> = off
            .map(|(_, variable)| format!("{variable}=false"))
            .collect();
        words.extend(self.words_without_dry_run());
        words.push(DIGEST.to_owned());
        words.join(" ")
    }

    /// The command that shows every change.
    #[must_use]
    pub(super) fn diff_command(&self) -> String {
        let mut words = self.words_without_dry_run();
        words.push("--diff".to_owned());
        words.join(" ")
    }

    /// Another command on the same file and the same server: the first word `from` becomes `to`, the options `without`
    /// and their values are left out, and `added` comes at its end.
    #[must_use]
    pub(in crate::cli::client) fn as_command(
        &self,
        (from, to): (&str, &str),
        without: &[&str],
        added: &[String],
    ) -> String {
        let mut kept = Vec::new();
        let mut words = self.words.iter();
        let mut is_found = false;
        while let Some(word) = words.next() {
            if without.contains(&&**word) || word == "-o" {
                words.next();
            } else if word.starts_with("-o") {
            } else if word == from && !is_found {
                is_found = true;
                kept.push(to.to_owned());
            } else if !without
                .iter()
                .any(|option| word.starts_with(&format!("{option}=")))
            {
                kept.push(quoted(word));
            }
        }
        kept.extend(added.iter().map(|word| quoted(word)));
        kept.join(" ")
    }

    fn words_without_dry_run(&self) -> Vec<String> {
        let mut kept = Vec::new();
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if word == DIGEST {
                words.next();
            } else if !word.starts_with(&format!("{DIGEST}="))
                && !DRY.iter().any(|(option, _)| option == word)
            {
                kept.push(quoted(word));
            }
        }
        kept
    }
}

/// The text may be copied into a chat or a log, so it names the variable instead of the token.
fn without_token(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let is_token = kept.last().is_some_and(|before| before == TOKEN);
        if is_token || word.starts_with("--token=") {
            if !is_token {
                kept.push(TOKEN.to_owned());
            }
            kept.push("$USER_IMPORT_TOKEN".to_owned());
        } else {
            kept.push(word);
        }
    }
    kept
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    match word {
        "$USER_IMPORT_TOKEN" => format!("\"{word}\""),
        word if !word.is_empty() && word.chars().all(is_plain) => word.to_owned(),
        word => format!("'{}'", printable(word).replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &[&str]) -> CommandLine {
        CommandLine::from_words(line.iter().map(OsString::from))
    }

    #[test]
    fn what_a_dry_run_showed_is_applied_by_the_same_command_without_the_dry_run() {
        for (line, apply) in [
            (
                &["user-import", "import", "r.csv", "--diff"][..],
                "user-import import r.csv --expected-plan-digest",
            ),
            (
                &[
                    "ui",
                    "import",
                    "--validate-only",
                    "a b.csv",
                    "--expected-plan-digest",
                    "0f",
                    "-q",
                ],
                "ui import 'a b.csv' -q --expected-plan-digest",
            ),
            (
                &["ui", "import", "it's.csv", "--expected-plan-digest=0f"],
                "ui import 'it'\\''s.csv' --expected-plan-digest",
            ),
        ] {
            assert_eq!(command(line).apply_command(), apply);
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        for line in [
            &["ui", "--token", "uit_x", "import"][..],
            &["ui", "--token=uit_x", "import"],
        ] {
            let shown = command(line).diff_command();
            assert_eq!(shown, "ui --token \"$USER_IMPORT_TOKEN\" import --diff");
        }
    }
}
