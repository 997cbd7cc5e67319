//! `org list` and `org create`: the organisations of a server.

use clap::{Args, Subcommand};

use super::connection::ServerArgs;
use crate::cli::{
    ExitStatus,
    output::{
        ListColumn, ListFormatArgs, PrintableList, Verbosity, minute_text, printable, rfc3339,
    },
};
use crate::proto::Organization;

/// List and create organisations
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  user-import org create my-department")]
pub(crate) enum OrgCommand {
    List(ListArgs),
    Create(CreateArgs),
}

/// List the organisations that the token may see
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  user-import org list")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    server: ServerArgs,
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
    match command {
        OrgCommand::List(args) => list(&args, verbosity).await,
        OrgCommand::Create(args) => create(&args, verbosity).await,
    }
}

const ORGANIZATIONS: [ListColumn<Organization>; 3] = [
    ListColumn::text("Slug", |found| found.organization.clone(), 20),
    ListColumn::text("Name", |found| found.display_name.clone(), 20),
    ListColumn::whole("Created (UTC)", |found| {
        minute_text(found.created_at.as_ref())
    }),
];

const ORGANIZATIONS_CSV: [&str; 3] = ["organization", "display_name", "created_at"];

fn record(found: &Organization) -> [String; 3] {
    [
        found.organization.clone(),
        found.display_name.clone(),
        rfc3339(found.created_at.as_ref()),
    ]
}

async fn list(args: &ListArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let mut client = args.server.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.organizations().await?,
        nothing: "There are no organisations; user-import org create SLUG makes one.\n".to_owned(),
        columns: &ORGANIZATIONS,
        csv: (ORGANIZATIONS_CSV, record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

async fn create(args: &CreateArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
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
