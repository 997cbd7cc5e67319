//! `catalog get` and `catalog apply`: roles, ranks and groups as one JSON document.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, builder::BoolishValueParser};

use super::connection::OrganizationArgs;
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{
        CsvText, ListColumn, OutputFormat, TerminalStyle, Verbosity, list_text, print, printable,
    },
};
use crate::{domain::privilege_warnings, proto::Catalog};

/// Show or replace an organisation's roles, ranks and groups
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples: change the catalog by hand\n  \
    user-import catalog get --organization my-department > catalog.json\n  \
    user-import catalog apply catalog.json --organization my-department")]
pub(crate) enum CatalogCommand {
    Get(GetArgs),
    Apply(ApplyArgs),
}

/// Print the catalog, as a JSON document that `catalog apply` reads, or as a table
#[derive(Args, Debug)]
#[command(after_help = "Examples: to change it, or to look at it\n  \
    user-import catalog get --organization my-department > catalog.json\n  \
    user-import catalog get --organization my-department --format table")]
pub(crate) struct GetArgs {
    /// Format of the output; `json` is one document
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = OutputFormat::Json)]
    format: OutputFormat,
    /// Show names of any length in full in the table
    #[arg(long, env = "USER_IMPORT_WIDE", value_parser = BoolishValueParser::new())]
    wide: bool,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Replace the catalog by a JSON document of the form that `catalog get` prints
///
/// The document is the whole catalog: entries that are not in it are removed. A role, rank or group that users have
/// cannot be removed. To rename a role or a rank, give its old name in `previousName`. Users can get a group only if
/// it has `"active": true`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    echo '{\"roles\": [{\"name\": \"Officer\"}], \"ranks\": [{\"name\": \"Sergeant\"}],\n    \
    \"groups\": [{\"externalId\": \"PATROL\", \"name\": \"Patrol\", \"active\": true}]}' |\n    \
    user-import catalog apply - --organization my-department")]
pub(crate) struct ApplyArgs {
    /// JSON file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the document cannot be read, or the server refuses.
pub(crate) async fn run(
    command: CatalogCommand,
    verbosity: Verbosity,
) -> anyhow::Result<ExitStatus> {
    match command {
        CatalogCommand::Get(args) => get(&args, verbosity).await,
        CatalogCommand::Apply(args) => apply(&args, verbosity).await,
    }
}

async fn get(args: &GetArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let catalog = client.catalog(&organization).await?;
    print(&match args.format {
        OutputFormat::Json => serde_json::to_string_pretty(&catalog)? + "\n",
        OutputFormat::Csv => CsvText::of(&ENTRIES_CSV, entries(&catalog))?,
        OutputFormat::Table => list_text(
            &entries(&catalog),
            &ENTRIES,
            args.wide,
            TerminalStyle::of_stdout(),
        ),
    })?;
    Ok(ExitStatus::Done)
}

const ENTRIES: [ListColumn<[String; 5]>; 5] = [
    ListColumn::whole("Kind", |entry| entry[0].clone()),
    ListColumn::text("Name", |entry| entry[1].clone(), 20),
    ListColumn::text("External ID", |entry| entry[2].clone(), 14),
    ListColumn::whole("Privileged", |entry| entry[3].clone()),
    ListColumn::whole("Active", |entry| entry[4].clone()),
];

const ENTRIES_CSV: [&str; 5] = ["kind", "name", "external_id", "privileged", "active"];

/// Every role, rank and group, then the rules for values that are set. A cell is blank if its kind has no
/// such attribute.
fn entries(catalog: &Catalog) -> Vec<[String; 5]> {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let entry = |fields: [&str; 5]| fields.map(str::to_owned);
    let roles = catalog.roles.iter();
    let roles = roles.map(|role| entry(["role", &role.name, "", yes(role.privileged), ""]));
    let ranks = catalog.ranks.iter();
    let ranks = ranks.map(|rank| entry(["rank", &rank.name, "", "", ""]));
    let groups = catalog.groups.iter();
    let groups = groups.map(|group| {
        entry([
            "group",
            &group.name,
            &group.external_id,
            "",
            yes(group.active),
        ])
    });
    let rules = [
        ("phone region", &catalog.phone_region),
        ("badge number pattern", &catalog.badge_number_pattern),
        ("external ID pattern", &catalog.external_id_pattern),
    ];
    let rules = rules.iter().filter(|(_, rule)| !rule.is_empty());
    let rules = rules.map(|(kind, rule)| entry([kind, rule, "", "", ""]));
    roles.chain(ranks).chain(groups).chain(rules).collect()
}

async fn apply(args: &ApplyArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let catalog = parse(&read(&args.file)?).map_err(|fault| not_a_catalog(&args.file, &fault))?;
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let catalog = client.update_catalog(&organization, catalog).await?;
    verbosity.confirm(&format!("{organization} now has {}.\n", contents(&catalog)))?;
    let roles = catalog.roles.iter();
    for warning in privilege_warnings(roles.map(|role| (&*role.name, role.privileged))) {
        verbosity.notice(&format!("warning: {}.", printable(&warning)));
    }
    Ok(ExitStatus::Done)
}

fn read(file: &Path) -> Result<String, UsageError> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| UsageError::unreadable(file, &error))
}

fn parse(document: &str) -> serde_json::Result<Catalog> {
    // Windows' editors put a byte order mark before JSON.
    serde_json::from_str(document.trim_start_matches('\u{feff}'))
}

fn not_a_catalog(file: &Path, fault: &serde_json::Error) -> UsageError {
    UsageError::new(format!(
        "{} is not a catalog: {fault}. To get the present catalog, change it and apply it:\n  \
         user-import catalog get > catalog.json",
        file.display()
    ))
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
        let catalog = parse(include_str!("../../../examples/catalog.json")).unwrap();
        assert_snapshot!(contents(&catalog), @"5 roles, 5 ranks and 4 groups (1 not active)");
    }

    #[test]
    fn the_example_catalog_marks_its_administrator_and_needs_no_warning() {
        let catalog = parse(include_str!("../../../examples/catalog.json")).unwrap();
        let roles = || {
            catalog
                .roles
                .iter()
                .map(|role| (&*role.name, role.privileged))
        };
        assert!(roles().any(|role| role == ("Administrator", true)));
        assert_eq!(privilege_warnings(roles()), Vec::<String>::new());
    }

    #[test]
    fn the_table_shows_the_rules_for_values() {
        let catalog = Catalog {
            phone_region: "US".to_owned(),
            external_id_pattern: "E[0-9]+".to_owned(),
            ..Catalog::default()
        };
        let style = TerminalStyle {
            colours: false,
            width: Some(80),
        };
        assert_snapshot!(list_text(&entries(&catalog), &ENTRIES, false, style), @"
        Kind                 Name     External ID  Privileged  Active
        phone region         US
        external ID pattern  E[0-9]+
        ");
    }

    #[test]
    fn a_document_with_a_misspelt_field_is_not_half_applied() {
        let error = parse("{\n  \"rolls\": []\n}").unwrap_err();
        assert!(error.to_string().contains("rolls"), "{error}");
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn what_get_prints_apply_reads() {
        let catalog = parse(include_str!("../../../examples/catalog.json")).unwrap();
        let printed = serde_json::to_string_pretty(&catalog).unwrap();
        assert_eq!(parse(&format!("\u{feff}{printed}")).unwrap(), catalog);
    }
}
