//! A page's blocks: its commands, and the output that it shows for them.

use std::env;

/// Commands that a page shows, and their output.
#[derive(Debug, Default)]
pub struct PageStep {
    /// The line on which the block begins.
    pub line: usize,
    pub commands: String,
    /// The output that the page shows for them; `None` if it shows none.
    pub output: Option<String>,
    /// Another program that the commands need; `None` if they need only ours.
    pub needs: Option<String>,
    /// The reason why the commands cannot run; `None` if they can.
    not_run: Option<String>,
}

impl PageStep {
    /// Returns `true` if the commands can run. A server runs beside all of them.
    pub fn is_run(&self) -> bool {
        self.may_run() && self.missing_tool().is_none()
    }

    fn may_run(&self) -> bool {
        self.not_run.is_none() && self.commands.trim() != "user-import serve"
    }

    /// Returns the program that the commands need and that this machine does not have, if any.
    pub fn missing_tool(&self) -> Option<&str> {
        let paths = env::var_os("PATH").unwrap_or_default();
        let is_there = |tool: &str| env::split_paths(&paths).any(|path| path.join(tool).is_file());
        self.needs.as_deref().filter(|tool| !is_there(tool))
    }
}

const NOT_RUN: &str = "not run: ";
const NEEDS: &str = "needs: ";
const OUTPUT_OF: &str = "output of: ";
const SETUP: &str = "setup: ";

/// Returns the steps of a page, in the page's order.
pub fn steps(page: &str, text: &str) -> Vec<PageStep> {
    let mut steps: Vec<PageStep> = Vec::new();
    let mut directive = "";
    // `true` if the last block had commands, and only text has followed it.
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let place = format!("{page}, line {}", number + 1);
        if let Some(comment) = comment(line) {
            if let Some(commands) = comment.strip_prefix(SETUP) {
                steps.push(PageStep {
                    line: number + 1,
                    commands: commands.to_owned(),
                    ..PageStep::default()
                });
            }
            directive = comment;
        } else if let Some(kind) = line.trim().strip_prefix("```") {
            let indent = line.len() - line.trim_start().len();
            let content = content(&mut lines, indent);
            match kind {
                "sh" => steps.push(shown(number + 1, content, directive)),
                "text" => expect(&mut steps, number + 1, content, directive, &place),
                _ => {}
            }
            directive = "";
        } else if !line.trim().is_empty() {
            directive = "";
        }
    }
    steps
}

fn comment(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix("<!-- ")?;
    text.strip_suffix(" -->")
}

/// Returns the lines up to the end of the block, without its indent.
fn content<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, indent: usize) -> String {
    let lines = lines.map(|(_, line)| line);
    let inside = lines.take_while(|line| line.trim() != "```");
    let inside = inside.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n");
    inside.collect()
}

fn shown(line: usize, commands: String, directive: &str) -> PageStep {
    PageStep {
        line,
        commands,
        output: None,
        needs: directive.strip_prefix(NEEDS).map(str::to_owned),
        not_run: directive.strip_prefix(NOT_RUN).map(str::to_owned),
    }
}

/// Adds the output that a page shows for a step.
fn expect(steps: &mut Vec<PageStep>, line: usize, output: String, directive: &str, place: &str) {
    if let Some(commands) = directive.strip_prefix(OUTPUT_OF) {
        steps.push(PageStep {
            line,
            commands: commands.to_owned(),
            output: Some(output),
            ..PageStep::default()
        });
    } else if !directive.starts_with(NOT_RUN) {
        let step = steps.last_mut().filter(|step| step.output.is_none());
        let step = step.unwrap_or_else(|| panic!("{place}: what prints this?"));
        assert!(
            step.may_run(),
            "{place}: what is not run prints nothing that can be compared"
        );
        step.output = Some(output);
    }
}
