//! `profile list`: lists the profiles as this program reads them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::profile::{ConnectionProfile, ProfileFile, TokenLocation};
use crate::cli::{
    ExitStatus,
    output::{ListColumn, ListFormatArgs, PrintableList},
};

/// List the profiles, which name servers and organisations that commands use by default
///
/// Profiles are in a TOML file: `$USER_IMPORT_CONFIG`, else user-import/config.toml in `$XDG_CONFIG_HOME`, else in
/// ~/.config. An option overrides a variable, and a variable overrides the profile. With the file below, `user-import
/// import roster.csv` needs no options.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  \
    user-import profile list\n\n\
    Example of the file. A profile may also have client_cert and client_key, and it may have token_env,\n\
    the name of a variable, in place of token_file. Relative paths begin at the file's own folder:\n\n  \
    default_profile = \"my-department\"\n\n  \
    [profiles.my-department]\n  \
    endpoint = \"https://import.example:50051\"\n  \
    organization = \"my-department\"\n  \
    token_file = \"my-department.token\"\n  \
    ca_cert = \"ca.pem\"")]
pub(crate) enum ProfileCommand {
    List(ListArgs),
}

/// List the profiles, and check the file
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  user-import profile list")]
pub(crate) struct ListArgs {
    /// File of profiles [default: user-import/config.toml in `$XDG_CONFIG_HOME` or ~/.config]
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    format: ListFormatArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the file is malformed, or standard output is closed.
pub(crate) fn run(command: &ProfileCommand) -> anyhow::Result<ExitStatus> {
    let ProfileCommand::List(args) = command;
    let file = ProfileFile::read(args.config.as_deref())?;
    let lines: Vec<ProfileLine> = file.map(lines).unwrap_or_default();
    let list = PrintableList {
        items: &lines,
        nothing: "There are no profiles; user-import profile --help shows how to make one.\n"
            .to_owned(),
        columns: &PROFILES,
        csv: (PROFILES_CSV, record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

/// A profile in the list. A setting that it lacks is blank.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileLine {
    name: String,
    is_default: bool,
    endpoint: String,
    organization: String,
    token: String,
    ca_cert: String,
}

fn lines(file: ProfileFile) -> Vec<ProfileLine> {
    let default = file.profiles.default;
    let line = |(name, profile): (String, ConnectionProfile)| ProfileLine {
        is_default: default.as_ref() == Some(&name),
        name,
        endpoint: profile
            .endpoint
            .map(|it| it.to_string())
            .unwrap_or_default(),
        organization: profile.organization.unwrap_or_default(),
        token: profile.token.as_ref().map(place).unwrap_or_default(),
        ca_cert: profile.ca_cert.as_deref().map(shown).unwrap_or_default(),
    };
    file.profiles.by_name.into_iter().map(line).collect()
}

fn place(token: &TokenLocation) -> String {
    match token {
        TokenLocation::File(path) => shown(path),
        TokenLocation::Variable(name) => format!("${name}"),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

const PROFILES: [ListColumn<ProfileLine>; 6] = [
    ListColumn::text("Profile", |line| line.name.clone(), 10),
    ListColumn::whole("Default", |line| default(line).to_owned()),
    ListColumn::text("Endpoint", |line| line.endpoint.clone(), 20),
    ListColumn::text("Organisation", |line| line.organization.clone(), 12),
    ListColumn::text("Token", |line: &ProfileLine| line.token.clone(), 20).if_room(),
    ListColumn::text(
        "CA certificate",
        |line: &ProfileLine| line.ca_cert.clone(),
        20,
    )
    .if_wide(),
];

const PROFILES_CSV: [&str; 6] = [
    "profile",
    "default",
    "endpoint",
    "organization",
    "token",
    "ca_cert",
];

fn record(line: &ProfileLine) -> [String; 6] {
    [
        line.name.clone(),
        default(line).to_owned(),
        line.endpoint.clone(),
        line.organization.clone(),
        line.token.clone(),
        line.ca_cert.clone(),
    ]
}

const fn default(line: &ProfileLine) -> &'static str {
    if line.is_default { "yes" } else { "" }
}
