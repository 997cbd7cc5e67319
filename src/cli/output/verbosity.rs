//! What a command prints besides its results, and how `--quiet` limits it.

use std::io::{self, Write};

use clap::{Args, builder::BoolishValueParser};

use super::output_file::print;

/// How much a command prints.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Verbosity {
    /// Print only errors, on standard error; the exit code says how the command ended
    ///
    /// Progress, notices, warnings and confirmations are not printed. Nor are the results and the summary of `import`
    /// and `watch`, unless --format json or csv asks for them as data. Lists, exports, templates and tokens are still
    /// printed, as they are the requested data.
    #[arg(long, short, global = true, env = "USER_IMPORT_QUIET")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub quiet: bool,
}

impl Verbosity {
    /// Prints a notice on standard error.
    pub(crate) fn notice(self, text: &str) {
        if !self.quiet {
            print_error(text);
        }
    }

    /// Prints a confirmation on standard output.
    ///
    /// # Errors
    /// Fails if standard output is closed.
    pub(crate) fn confirm(self, text: &str) -> anyhow::Result<()> {
        match self.quiet {
            true => Ok(()),
            false => print(text),
        }
    }
}

/// Prints an error on standard error, even with `--quiet`. Unlike `eprintln!`, it survives
/// a reader that has gone.
pub(crate) fn print_error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
