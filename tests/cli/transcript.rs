//! The output of a command, to be compared with a snapshot.

use regex::Regex;

use crate::{
    department::{Department, text},
    terminal::Terminal,
};

/// Replaces the parts that differ in each run with text of the same width.
pub fn neutral(shown: &str) -> String {
    let mut text = shown.replace("\r\n", "\n");
    for (what, neutral) in [
        (r"\d{4}-\d\d-\d\d", "2026-11-30"),
        (r" \d\d:\d\d\b", " 06:31"),
        (r"(?m)^Duration .*$", "Duration        12 ms"),
        (r" \([^()]*/s\)", ""),
        (r"\S*/user-import ", "user-import "),
        (r"\b[0-9a-f]{64}\b", "6e6f20646967657374"),
        (r"(?m)([ \d]{5} ms|[ \d.]{6} s)(  |$)", "   12 ms$2"),
    ] {
        let what = Regex::new(what).unwrap();
        text = what.replace_all(&text, neutral).into_owned();
    }
    text
}

/// Returns the list as it is shown on terminals of 80 and of 140 columns, and as a script gets it. Fails if a line is
/// wider than the terminal.
pub fn transcripts(department: &Department, words: &[&str]) -> String {
    shown(department, words, |line, columns| {
        assert!(line.chars().count() <= columns, "{line}");
    })
}

/// Does the same for a command that also shows sentences and commands to copy, which may be wider than the terminal.
pub fn page_transcripts(department: &Department, words: &[&str]) -> String {
    shown(department, words, |_, _| {})
}

fn shown(department: &Department, words: &[&str], check: impl Fn(&str, usize)) -> String {
    let command = format!("$ user-import {}\n", words.join(" "));
    let mut shown = String::new();
    for columns in [80_u16, 140] {
        let mut program = department.command(words);
        program.env("NO_COLOR", "1");
        let (exit, text) = Terminal::start_at(columns, program).end();
        assert_eq!(exit, Some(0), "{text}");
        let text = neutral(&text);
        text.lines()
            .for_each(|line| check(line, usize::from(columns)));
        shown = format!("{shown}--- {columns} columns\n{command}{text}\n");
    }
    let output = department.run(words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    shown
        + &format!(
            "--- no terminal\n{command}{}",
            neutral(&text(&output.stdout))
        )
}
