//! `org create`: a new organisation.

use clap::{Args, Subcommand};

use super::{Exit, report::printable, server::ServerArgs};

/// Make organisations
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    Create(CreateArgs),
}

/// Create an organisation with an empty catalog
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import org create my-department --name \"My Department\"")]
pub struct CreateArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Slug: 1-63 lower-case letters, digits and hyphens
    slug: String,
    /// Name for people [default: the slug]
    #[arg(long, env = "USER_IMPORT_NAME")]
    name: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the server refuses.
pub async fn run(command: OrgCommand) -> anyhow::Result<Exit> {
    let OrgCommand::Create(args) = command;
    let mut client = args.server.connect().await?;
    let name = args.name.as_deref().unwrap_or_default();
    let made = client.create_organization(&args.slug, name).await?;
    let slug = printable(&made.organization).into_owned();
    println!("Created the organisation {slug}.");
    println!(
        "Next, give it roles, ranks and groups: user-import catalog apply FILE --organization {slug}"
    );
    Ok(Exit::Done)
}
