//! `template`: a file to start a roster from.

use clap::Args;

use super::connection::OrganizationArgs;
use crate::cli::{
    ExitStatus,
    output::{OutputFileArgs, SpreadsheetArgs, Verbosity, format_of, write_whole},
};
use crate::proto::{FileFormat, GetImportTemplateRequest};

/// Write a file to begin a roster with: the header row and four example rows
///
/// A file whose name ends in `.xlsx` is a workbook. Its cells are text. The cells of a status, role, rank or group
/// offer the valid values. A note on each header has the rules of its column. Any other file is CSV.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    user-import template --organization my-department --output roster.csv\n  \
    user-import template --organization my-department --output roster.xlsx")]
pub(crate) struct TemplateArgs {
    #[command(flatten)]
    file: OutputFileArgs,
    #[command(flatten)]
    spreadsheet: SpreadsheetArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the file cannot be written.
pub(crate) async fn run(args: TemplateArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let format = format_of("--output", &args.file.output)?;
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let request = GetImportTemplateRequest {
        organization,
        byte_order_mark: args.spreadsheet.has_byte_order_mark(),
        format: format.into(),
    };
    let template = client.template(request).await?;
    let file = match format {
        FileFormat::Xlsx => &template.workbook,
        _ => &template.csv,
    };
    write_whole(&args.file.output, file)?;
    Ok(ExitStatus::Done)
}
