//! What a command says beside its results, and whether it says it at all (`--quiet`).

use std::io::{self, Write};

use clap::{Args, builder::BoolishValueParser};

use super::output_file::print;

/// How much a command says.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct Voice {
    /// Print errors alone, on standard error, and leave the rest to the exit code
    ///
    /// No progress, notices or warnings; no results and summary of `import` and `watch`, unless --format
    /// json or csv asks for them as data; no word that something was done. Lists, exports, templates and
    /// tokens are printed all the same, as they are what was asked for.
    #[arg(long, short, global = true, env = "USER_IMPORT_QUIET")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub quiet: bool,
}

impl Voice {
    /// Tells a person what is going on, on standard error.
    pub fn notice(self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// Says on standard output that something was done.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn confirm(self, text: &str) -> anyhow::Result<()> {
        match self.quiet {
            true => Ok(()),
            false => print(text),
        }
    }
}

/// Says what went wrong, on standard error, whoever wants to hear it. Unlike `eprintln!`, it survives
/// a reader that has gone.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
