//! `completions`: prints a script that makes a shell complete this program's commands and options.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, ExitStatus, output::print};

/// Print a script that makes a shell complete commands, options and their values
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: files in which bash, zsh and fish look for the script\n  \
    user-import completions bash > ~/.local/share/bash-completion/completions/user-import\n  \
    user-import completions zsh > ~/.zfunc/_user-import\n  \
    user-import completions fish > ~/.config/fish/completions/user-import.fish"
)]
pub(super) struct CompletionsArgs {
    /// Shell that the script is for
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// Fails if standard output is closed.
pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitStatus> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "user-import", &mut script);
    // clap_complete 4.6 takes the hyphen in this program's name for a step to a subcommand in some
    // places of bash's script and not in others, and so completes nothing behind a subcommand.
    let script = String::from_utf8(script)?.replace("user__subcmd__import", "user__import");
    print(&script)?;
    Ok(ExitStatus::Done)
}
