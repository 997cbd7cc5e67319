//! `export`: an organisation's users as a roster that imports unchanged.

use clap::{Args, builder::BoolishValueParser};

use super::{connection::OrganizationArgs, user_filters::UserFilterArgs};
use crate::cli::{
    ExitStatus,
    output::{OutputFileArgs, OutputTarget, SpreadsheetArgs, Verbosity, format_of},
};
use crate::proto::{ExportUsersRequest, FileFormat};

/// Write an organisation's users as CSV or as a workbook, with the columns that `import` reads
///
/// A file whose name ends in `.xlsx` is a workbook. Its cells are text. The cells of a status, role, rank or group
/// offer the valid values. A note on each header has the rules of its column. Any other file is CSV.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    the active officers, to a workbook:\n    \
    user-import export --organization my-department --status active --role Officer \\\n      \
    --output officers.xlsx\n\n  \
    all users, as CSV for Excel:\n    \
    user-import export --organization my-department --excel --output users.csv")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    file: OutputFileArgs,
    /// Make values harmless that a spreadsheet would take for formulas. An import of the file still reads the
    /// original values
    #[arg(long, env = "USER_IMPORT_NEUTRALIZE_FORMULAS")]
    #[arg(value_parser = BoolishValueParser::new())]
    neutralize_formulas: bool,
    #[command(flatten)]
    spreadsheet: SpreadsheetArgs,
    #[command(flatten)]
    filters: UserFilterArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

impl ExportArgs {
    fn request(&self, organization: String, format: FileFormat) -> ExportUsersRequest {
        let filters = &self.filters;
        ExportUsersRequest {
            organization,
            status: filters.status().into(),
            role: filters.role.clone().unwrap_or_default(),
            group: filters.group.clone().unwrap_or_default(),
            text: filters.text.clone().unwrap_or_default(),
            neutralize_formulas: self.neutralize_formulas || self.spreadsheet.excel,
            byte_order_mark: self.spreadsheet.has_byte_order_mark(),
            format: format.into(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the file cannot be written. Then no file is left.
pub(crate) async fn run(args: ExportArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let format = format_of("--output", &args.file.output)?;
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mut output = OutputTarget::create(&args.file.output)?;
    let request = args.request(organization, format);
    client.export(request, &mut output).await?;
    output.complete()?;
    Ok(ExitStatus::Done)
}
