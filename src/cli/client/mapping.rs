//! `mapping`: how the exports of an organisation's other systems are read, saved under names.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{connection::OrganizationArgs, mapping_file};
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{ListColumn, ListFormatArgs, PrintableList, Verbosity, minute_text, print, rfc3339},
};
use crate::proto::{Mapping, NamedMapping};

/// Save, show and delete mappings, which say how to read the export of another system
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example: save a mapping, for imports with --mapping cad\n  \
    user-import mapping save cad cad-mapping.toml --organization my-department"
)]
pub(crate) enum MappingCommand {
    List(ListArgs),
    Get(GetArgs),
    Save(SaveArgs),
    Delete(DeleteArgs),
}

/// List an organisation's saved mappings
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import mapping list --organization my-department")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Print a saved mapping as the TOML file that `mapping save` and `import --mapping` read
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import mapping get cad --organization my-department > cad-mapping.toml")]
pub(crate) struct GetArgs {
    /// Name of the mapping
    name: String,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Save a mapping under a name, and replace the mapping that has this name already
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import mapping save cad cad-mapping.toml --organization my-department")]
pub(crate) struct SaveArgs {
    /// Name of the mapping: lower-case letters, digits and hyphens
    name: String,
    /// TOML file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Delete a saved mapping
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import mapping delete cad --organization my-department")]
pub(crate) struct DeleteArgs {
    /// Name of the mapping
    name: String,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if a file cannot be read, or the server refuses.
pub(crate) async fn run(
    command: MappingCommand,
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    match command {
        MappingCommand::List(args) => list(&args, verbosity).await,
        MappingCommand::Get(args) => get(&args, verbosity).await,
        MappingCommand::Save(args) => save(&args, verbosity).await,
        MappingCommand::Delete(args) => delete(&args, verbosity).await,
    }
}

async fn list(args: &ListArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.mappings(&organization).await?,
        nothing: format!("{organization} has no saved mappings.\n"),
        columns: &MAPPINGS,
        csv: (MAPPINGS_CSV, record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

const MAPPINGS: [ListColumn<NamedMapping>; 4] = [
    ListColumn::text("Name", |named| named.name.clone(), 20),
    ListColumn::number("Columns", |named| {
        entries(named, |mapping| mapping.columns.len())
    }),
    ListColumn::number("Templates", |named| {
        entries(named, |mapping| mapping.templates.len())
    }),
    ListColumn::whole("Saved (UTC)", |named| {
        minute_text(named.updated_at.as_ref())
    }),
];

const MAPPINGS_CSV: [&str; 4] = ["name", "columns", "templates", "updated_at"];

fn record(named: &NamedMapping) -> [String; 4] {
    [
        named.name.clone(),
        entries(named, |mapping| mapping.columns.len()),
        entries(named, |mapping| mapping.templates.len()),
        rfc3339(named.updated_at.as_ref()),
    ]
}

fn entries(named: &NamedMapping, count: fn(&Mapping) -> usize) -> String {
    named.mapping.as_ref().map_or(0, count).to_string()
}

async fn get(args: &GetArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mapping = client.mapping(&organization, &args.name).await?;
    print(&mapping_file::render(&mapping)?)?;
    Ok(ExitStatus::Done)
}

async fn save(args: &SaveArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let mapping = read(&args.file)?;
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let name = &args.name;
    client.save_mapping(&organization, name, mapping).await?;
    verbosity.confirm(&format!(
        "{organization} has the mapping {name}. To import an export with it:\n  \
         user-import import FILE --mapping {name}\n"
    ))?;
    Ok(ExitStatus::Done)
}

async fn delete(args: &DeleteArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let name = &args.name;
    client.delete_mapping(&organization, name).await?;
    verbosity.confirm(&format!(
        "{organization} no longer has the mapping {name}.\n"
    ))?;
    Ok(ExitStatus::Done)
}

fn read(file: &Path) -> Result<Mapping, UsageError> {
    if file.as_os_str() != "-" {
        return mapping_file::read(&file.to_string_lossy()).map_err(UsageError::new);
    }
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| UsageError::unreadable(file, &error))?;
    let problem = |problem| UsageError::new(format!("Standard input is not a mapping: {problem}"));
    mapping_file::parse(&text).map_err(problem)
}
