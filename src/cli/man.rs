//! `man`: the help of every command as manual pages.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::{
    Cli, ExitStatus,
    output::{Verbosity, write_whole},
};
use crate::private_files;

/// Write a manual page for each command
#[derive(Args, Debug)]
#[command(
    after_help = "Example: then `man user-import-import` shows the page of `import`\n  \
    user-import man --output ~/.local/share/man/man1"
)]
pub(super) struct ManArgs {
    /// Folder to write them to; it is created if it does not exist
    #[arg(long, short, value_name = "DIR", env = "USER_IMPORT_OUTPUT")]
    output: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Fails if the pages cannot be written.
pub(super) fn run(args: &ManArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let folder = &args.output;
    private_files::create_folder(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let mut program = Cli::command();
    program.build();
    let count = write(&program, folder)?;
    verbosity.confirm(&format!(
        "{count} manual pages are in {}.\n",
        folder.display()
    ))?;
    Ok(ExitStatus::Done)
}

/// Writes a command's page, and those of the commands below it; how many these are.
fn write(command: &Command, folder: &Path) -> anyhow::Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text)?;
    // The examples below the options.
    let text = String::from_utf8(text)?.replacen(".SH EXTRA", ".SH EXAMPLES", 1);
    write_whole(&folder.join(format!("{name}.1")), text.as_bytes())?;
    let below = command.get_subcommands();
    let mut count = 1;
    for command in below.filter(|command| command.get_name() != "help") {
        count += write(command, folder)?;
    }
    Ok(count)
}
