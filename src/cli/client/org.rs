//! `org create`: a new organisation.

use clap::{Args, Subcommand};

use super::connection::ServerArgs;
use crate::cli::{
    ExitStatus,
    output::{Verbosity, printable},
};

/// Make organisations
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  user-import org create my-department")]
pub(crate) enum OrgCommand {
    Create(CreateArgs),
}

/// Create an organisation with an empty catalog
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import org create my-department --name \"My Department\"")]
pub(crate) struct CreateArgs {
    /// Slug: 1-63 lower-case letters, digits and hyphens
    slug: String,
    /// Name for people [default: the slug]
    #[arg(long, env = "USER_IMPORT_NAME")]
    name: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses.
pub(crate) async fn run(command: OrgCommand, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let OrgCommand::Create(args) = command;
    let mut client = args.server.connect(verbosity).await?;
    let name = args.name.as_deref().unwrap_or_default();
    let made = client.create_organization(&args.slug, name).await?;
    let slug = printable(&made.organization).into_owned();
    verbosity.confirm(&format!(
        "Created the organisation {slug}.\nNext, give it roles, ranks and groups: \
         user-import catalog apply FILE --organization {slug}\n"
    ))?;
    Ok(ExitStatus::Done)
}
