//! `user list`, `user show`, `user protect` and `user unprotect`.

mod key;
mod list;
mod protect;
mod show;
mod touched;

use clap::Subcommand;

use crate::cli::{ExitStatus, output::Verbosity};
use crate::proto::{User, UserStatus};

/// List and show users, and protect them from imports
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example: who is this, and which imports changed the account\n  \
    user-import user show P-1001 --organization my-department"
)]
pub(crate) enum UserCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Protect(protect::ProtectArgs),
    Unprotect(protect::UnprotectArgs),
}

/// Runs the command.
///
/// # Errors
/// Fails if the user is unknown, or the server refuses.
pub(crate) async fn run(command: UserCommand, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    match command {
        UserCommand::List(args) => list::run(args, verbosity).await,
        UserCommand::Show(args) => show::run(args, verbosity).await,
        UserCommand::Protect(args) => protect::protect(args, verbosity).await,
        UserCommand::Unprotect(args) => protect::unprotect(args, verbosity).await,
    }
}

/// First and last name.
fn name(user: &User) -> String {
    format!("{} {}", user.first_name, user.last_name)
        .trim()
        .to_owned()
}

/// The status as a roster has it.
fn status(user: &User) -> &'static str {
    match user.status() {
        UserStatus::Active => "Active",
        UserStatus::Inactive => "Inactive",
        UserStatus::Unspecified => "",
    }
}
