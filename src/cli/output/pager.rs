//! Shows a long text through a pager, if a person reads it on a terminal.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::{Command, Stdio},
};

use clap::{Args, builder::BoolishValueParser};

use super::verbosity::print_error;

/// The pager if `PAGER` names none. It ends at once if the text fits on the screen, keeps colours, and leaves the text
/// on the screen.
const DEFAULT: &str = "less";

/// What `less` does if `LESS` does not say it.
const LESS: &str = "FRX";

/// Whether a long text may be shown through a pager.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct PagerArgs {
    /// Print a long diff without a pager. Otherwise a terminal shows it in the pager that PAGER names, or in less
    #[arg(long, env = "USER_IMPORT_NO_PAGER", value_parser = BoolishValueParser::new())]
    #[arg(help_heading = "Output")]
    no_pager: bool,
}

impl PagerArgs {
    /// Prints `text` on standard output, through a pager if it is longer than the terminal.
    ///
    /// # Errors
    /// Fails if standard output is closed. If the reader leaves the pager early, that is no error.
    pub(crate) fn print(self, text: &str) -> io::Result<()> {
        if self.is_wanted() && text.lines().count() >= screen_lines() {
            match page(text) {
                Ok(()) => return Ok(()),
                Err(reason) => reason.inspect(|reason| print_error(reason)),
            };
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn is_wanted(self) -> bool {
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.no_pager && !is_dumb && io::stdout().is_terminal() && io::stdin().is_terminal()
    }
}

/// The command of the pager: what `PAGER` says, or `less`. `None` if `PAGER` is set to nothing, or to `cat`.
fn command() -> Option<(Command, bool)> {
    let Some(given) = env::var_os("PAGER") else {
        return Some((Command::new(DEFAULT), false));
    };
    let given = given.to_string_lossy();
    let given = given.trim();
    if given.is_empty() || given == "cat" {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " /._+-=".contains(c);
    let mut words = given.split_whitespace();
    let mut command = match words.next() {
        // Only a shell knows what quotes and variables mean.
        Some(program) if given.chars().all(is_plain) => Command::new(program),
        _ => {
            let mut shell = Command::new("sh");
            shell.args(["-c", given]);
            return Some((shell, true));
        }
    };
    command.args(words);
    Some((command, true))
}

/// Shows the text through the pager, and waits until its reader leaves it.
///
/// # Errors
/// Fails if there is no pager or it does not work, with a message if the user has chosen it.
fn page(text: &str) -> Result<(), Option<String>> {
    let (mut command, is_chosen) = command().ok_or(None)?;
    let failed = |reason: &dyn std::fmt::Display| {
        is_chosen.then(|| format!("warning: the pager that PAGER names does not work: {reason}."))
    };
    command.stdin(Stdio::piped());
    for (variable, value) in [("LESS", LESS), ("LV", "-c")] {
        if env::var_os(variable).is_none() {
            command.env(variable, value);
        }
    }
    let mut pager = command.spawn().map_err(|error| failed(&error))?;
    if let Some(mut input) = pager.stdin.take() {
        // A reader who has seen enough closes the pager before it has the whole text.
        let _ = input.write_all(text.as_bytes());
    }
    let status = pager.wait().map_err(|error| failed(&error))?;
    // A pager that was ended by a signal has been left by its reader.
    match status.success() || status.code().is_none() {
        true => Ok(()),
        false => Err(failed(&status)),
    }
}

/// Lines of the terminal.
#[cfg(unix)]
fn screen_lines() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(DEFAULT_LINES, |size| usize::from(size.ws_row))
}

#[cfg(not(unix))]
const fn screen_lines() -> usize {
    DEFAULT_LINES
}

/// Lines of a terminal that does not say how many it has.
const DEFAULT_LINES: usize = 24;
