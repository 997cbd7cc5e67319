//! `template`: a CSV file to start a roster from.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output::write_whole, server::OrganizationArgs, voice::Voice};

/// Write a CSV file to start a roster from: the header row and four example rows
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import template --organization my-department --output roster.csv")]
pub struct TemplateArgs {
    /// File to write; `-` is standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = "USER_IMPORT_OUTPUT",
        default_value = "-"
    )]
    output: PathBuf,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Where the server refuses, or the file cannot be written.
pub async fn run(args: TemplateArgs, voice: Voice) -> anyhow::Result<Exit> {
    let (mut client, organization) = args.organization.connect(voice).await?;
    let template = client.template(&organization).await?;
    write_whole(&args.output, &template.csv)?;
    Ok(Exit::Done)
}
