//! `template`: a CSV file to start a roster from.

use clap::{Args, builder::BoolishValueParser};

use super::connection::OrganizationArgs;
use crate::cli::{
    ExitStatus,
    output::{OutputFileArgs, Verbosity, write_whole},
};

/// Write a CSV file to start a roster from: the header row and four example rows
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import template --organization my-department --output roster.csv")]
pub(crate) struct TemplateArgs {
    #[command(flatten)]
    file: OutputFileArgs,
    /// Begin with a byte order mark, so that a spreadsheet reads the file as UTF-8
    #[arg(long, env = "USER_IMPORT_BYTE_ORDER_MARK")]
    #[arg(value_parser = BoolishValueParser::new())]
    byte_order_mark: bool,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the file cannot be written.
pub(crate) async fn run(args: TemplateArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let template = client.template(&organization, args.byte_order_mark).await?;
    write_whole(&args.file.output, &template.csv)?;
    Ok(ExitStatus::Done)
}
