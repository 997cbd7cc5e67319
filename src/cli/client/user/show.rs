//! `user show`: one user, and the imports that touched the account.

use std::io;

use clap::{Args, value_parser};
use serde::Serialize;

use super::{
    key::UserArg,
    list::{USERS_CSV, record},
    name, status,
    touched::{self, TOUCHED, TouchingImport},
};
use crate::cli::{
    ExitStatus,
    client::connection::OrganizationArgs,
    output::{
        CsvText, ListFormatArgs, OutputFormat, TerminalStyle, Verbosity, count, list_text,
        minute_text, print, printable, write_line,
    },
};
use crate::client::ClientError;
use crate::proto::User;

/// Show a user, and the imports that created, changed or deactivated the account
///
/// Lists the imports whose results the server still keeps. Always names the import that changed the user last.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: by external ID, or by email, with more imports\n  \
    user-import user show P-1001 --organization my-department\n  \
    user-import user show ana.lima@pd.example --organization my-department --imports 200"
)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    user: UserArg,
    /// List at most this many imports, newest first
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_IMPORTS",
        default_value_t = 20,
        value_parser = value_parser!(u32).range(1..)
    )]
    imports: u32,
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// A user and its imports, for programs.
#[derive(Serialize)]
struct UserWithImports<'a> {
    user: &'a User,
    imports: &'a [TouchingImport],
}

/// Runs the command.
///
/// # Errors
/// Fails if the user is unknown, or the server refuses.
pub(super) async fn run(args: ShowArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let user = args.user.find(&mut client, &organization).await?;
    let format = args.format.format.format;
    if format == OutputFormat::Csv {
        print(&CsvText::of(&USERS_CSV, [record(&user)])?)?;
        return Ok(ExitStatus::Done);
    }
    let (imports, has_more) =
        touched::find(&mut client, &organization, &user, args.imports).await?;
    match format {
        OutputFormat::Json => {
            let shown = UserWithImports {
                user: &user,
                imports: &imports,
            };
            let mut out = io::stdout().lock();
            write_line(&mut out, &mut Vec::new(), &shown).map_err(ClientError::Output)?;
        }
        _ => print(&page(&user, &imports, has_more, &args))?,
    }
    Ok(ExitStatus::Done)
}

/// Returns the page for a person.
fn page(user: &User, imports: &[TouchingImport], has_more: bool, args: &ShowArgs) -> String {
    let style = TerminalStyle::of_stdout();
    let mut text = values(user, style);
    if imports.is_empty() {
        text += "\nNo import has touched this user.\n";
        return text;
    }
    let which = match has_more {
        true => format!(
            "The last {} that touched this user",
            count(args.imports, "import")
        ),
        false => "Imports that touched this user".to_owned(),
    };
    let listed = list_text(imports, &TOUCHED, args.format.wide, style);
    format!("{text}\n{which}\n{listed}")
}

/// A line for each value that the user has.
fn values(user: &User, style: TerminalStyle) -> String {
    let protected = match user.protected {
        true => ", protected: no import makes this user inactive",
        false => "",
    };
    let lines = [
        ("External ID", user.external_id.clone()),
        ("Name", name(user)),
        ("Email", user.email.clone()),
        ("Badge number", user.badge_number.clone()),
        ("Status", format!("{}{protected}", status(user))),
        ("Username", user.username.clone()),
        ("Role", user.role.clone()),
        ("Rank", user.rank.clone()),
        ("Group", user.evidence_group_external_id.clone()),
        ("Supervisor", user.supervisor_email.clone()),
        ("Phone", user.phone.clone()),
        ("Created (UTC)", minute_text(user.created_at.as_ref())),
        ("Changed (UTC)", minute_text(user.updated_at.as_ref())),
        ("ID", user.id.clone()),
    ];
    let lines = lines.iter().filter(|(_, value)| !value.is_empty());
    let lines = lines.map(|(heading, value)| {
        let room = " ".repeat(15 - heading.len());
        format!("{}{room}{}\n", style.bold(heading), printable(value))
    });
    lines.collect()
}
