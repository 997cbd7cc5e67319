//! What `doctor` finds, on the side of the server and on the side of a client.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::{
    ExitStatus,
    output::{TerminalStyle, print},
};

/// The column in which the text of a result begins.
const TEXT: usize = 24;

/// The result of one check.
#[derive(Debug)]
pub(super) struct CheckResult {
    pub level: CheckLevel,
    pub about: &'static str,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckLevel {
    Well,
    Warning,
    Wrong,
}

impl CheckResult {
    pub(super) fn new(level: CheckLevel, about: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { level, about, text }
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            CheckLevel::Well => "ok",
            CheckLevel::Warning => "warning",
            CheckLevel::Wrong => "WRONG",
        };
        writeln!(f, "{level:<8} {:<14} {}", self.about, self.text)
    }
}

/// Prints the results, and how many things are wrong.
///
/// # Errors
/// Fails if standard output is closed.
pub(super) fn report(results: &[CheckResult]) -> anyhow::Result<ExitStatus> {
    let wrong = results
        .iter()
        .filter(|f| f.level == CheckLevel::Wrong)
        .count();
    let summary = match wrong {
        0 => "Nothing is wrong.\n".to_owned(),
        1 => "1 thing is wrong.\n".to_owned(),
        more => format!("{more} things are wrong.\n"),
    };
    let lines: String = results.iter().map(ToString::to_string).collect();
    let lines = match TerminalStyle::of_stdout().width {
        Some(width) => wrapped(&lines, usize::from(width)),
        None => lines,
    };
    print(&format!("{lines}{summary}"))?;
    Ok(match wrong {
        0 => ExitStatus::Done,
        _ => ExitStatus::Failed,
    })
}

/// Lines that are no wider than the terminal. What does not fit goes on below the text of its result.
fn wrapped(lines: &str, width: usize) -> String {
    let mut text = String::new();
    for line in lines.lines() {
        let begin = line.floor_char_boundary(TEXT);
        let (head, rest) = line.split_at(begin);
        let (mut shown, mut column) = (head.to_owned(), head.width());
        for word in rest.split(' ') {
            let is_first = column == begin.min(TEXT);
            let gap = usize::from(!is_first);
            if !is_first && column + gap + word.width() > width {
                shown.push('\n');
                shown += &" ".repeat(TEXT);
                column = TEXT;
            } else {
                shown += &" ".repeat(gap);
                column += gap;
            }
            shown += word;
            column += word.width();
        }
        text += &shown;
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_long_finding_goes_on_below_its_text() {
        let found = CheckResult::new(
            CheckLevel::Warning,
            "clock",
            "this machine is 180 s ahead of the server: set the clock",
        );
        assert_snapshot!(wrapped(&found.to_string(), 50), @"
        warning  clock          this machine is 180 s
                                ahead of the server: set
                                the clock
        ");
        assert_eq!(wrapped(&found.to_string(), 90), found.to_string());
    }
}
