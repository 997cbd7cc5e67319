//! `catalog get` and `catalog apply`: roles, ranks and groups as one JSON document.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{Exit, failure::UsageError, output::print, server::OrganizationArgs};
use crate::proto::Catalog;

/// Show or replace an organisation's roles, ranks and groups
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    Get(GetArgs),
    Apply(ApplyArgs),
}

/// Print the catalog as a JSON document
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import catalog get --organization my-department > catalog.json")]
pub struct GetArgs {
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Replace the catalog by a JSON document, as `catalog get` prints it
///
/// The document is the whole catalog: what is not in it is removed. A role or rank that users have, or a
/// group they are in, cannot be removed; `previousName` in a role or rank renames it. A group is given to
/// users only with `"active": true`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    echo '{\"roles\": [{\"name\": \"Officer\"}], \"ranks\": [{\"name\": \"Sergeant\"}],\n    \
    \"groups\": [{\"externalId\": \"PATROL\", \"name\": \"Patrol\", \"active\": true}]}' |\n    \
    user-import catalog apply - --organization my-department")]
pub struct ApplyArgs {
    /// JSON file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Where the document cannot be read, or the server refuses.
pub async fn run(command: CatalogCommand) -> anyhow::Result<Exit> {
    match command {
        CatalogCommand::Get(args) => get(&args.organization).await,
        CatalogCommand::Apply(args) => apply(&args).await,
    }
}

async fn get(organization: &OrganizationArgs) -> anyhow::Result<Exit> {
    let mut client = organization.connect().await?;
    let catalog = client.catalog(&organization.organization).await?;
    let mut document = serde_json::to_string_pretty(&catalog)?;
    document.push('\n');
    print(&document)?;
    Ok(Exit::Done)
}

async fn apply(args: &ApplyArgs) -> anyhow::Result<Exit> {
    let catalog = parse(&read(&args.file)?)?;
    let mut client = args.organization.connect().await?;
    let organization = &args.organization.organization;
    let catalog = client.update_catalog(organization, catalog).await?;
    print(&format!("{organization} now has {}.\n", contents(&catalog)))?;
    Ok(Exit::Done)
}

fn read(file: &Path) -> Result<String, UsageError> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| UsageError::new(format!("{} cannot be read: {error}.", file.display())))
}

fn parse(document: &str) -> Result<Catalog, UsageError> {
    // Windows' editors put a byte order mark before JSON.
    let document = document.trim_start_matches('\u{feff}');
    serde_json::from_str(document)
        .map_err(|error| UsageError::new(format!("This is not a catalog: {error}.")))
}

fn contents(catalog: &Catalog) -> String {
    let inactive = catalog.groups.iter().filter(|group| !group.active).count();
    let note = match inactive {
        0 => String::new(),
        inactive => format!(" ({inactive} not active)"),
    };
    format!(
        "{} roles, {} ranks and {} groups{note}",
        catalog.roles.len(),
        catalog.ranks.len(),
        catalog.groups.len()
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_example_catalog_is_one() {
        let catalog = parse(include_str!("../../examples/catalog.json")).unwrap();
        assert_snapshot!(contents(&catalog), @"5 roles, 5 ranks and 4 groups (1 not active)");
    }

    #[test]
    fn a_document_with_a_misspelt_field_is_not_half_applied() {
        let error = parse("{\n  \"rolls\": []\n}").unwrap_err();
        assert!(error.to_string().contains("rolls"), "{error}");
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn what_get_prints_apply_reads() {
        let catalog = parse(include_str!("../../examples/catalog.json")).unwrap();
        let printed = serde_json::to_string_pretty(&catalog).unwrap();
        assert_eq!(parse(&format!("\u{feff}{printed}")).unwrap(), catalog);
    }
}
