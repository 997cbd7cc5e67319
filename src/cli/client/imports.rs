//! `imports` lists the imports of an organisation, and `cancel` stops one.

use clap::Args;

use super::{connection::OrganizationArgs, import_id::ImportIdArg};
use crate::cli::{
    ExitStatus,
    output::{
        HISTORY, HISTORY_CSV, LimitArgs, ListFormatArgs, PrintableList, Verbosity, history_record,
        printable,
    },
};
use crate::proto::ImportState;

/// List an organisation's imports, newest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import imports --organization my-department --limit 5")]
pub(crate) struct ImportsArgs {
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    format: ListFormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Stop an import between two of its transactions, or discard one that is held for review
///
/// Rows that are written stay written, and `watch` shows them.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import cancel 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    import: ImportIdArg,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Lists imports.
///
/// # Errors
/// Fails if the server refuses, or standard output is closed.
pub(crate) async fn list(args: ImportsArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.imports(&organization, args.limit.limit).await?,
        nothing: format!("Nothing has been imported into {organization}.\n"),
        columns: &HISTORY,
        csv: (HISTORY_CSV, history_record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

/// Cancels an import.
///
/// # Errors
/// Fails if the server refuses: the import is unknown, or is not being applied.
pub(crate) async fn cancel(args: CancelArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let import_id = args.import.resolve(&mut client, &organization).await?;
    let import = client.cancel(&organization, &import_id).await?;
    let id = printable(&import.import_id).into_owned();
    let applied = import
        .progress
        .as_ref()
        .map_or(0, |progress| progress.rows_applied);
    let done = match import.state() {
        // It had not begun to write.
        ImportState::Cancelled if applied == 0 => "discarded; nothing was written.\n".to_owned(),
        _ => format!("asked to stop. To see what it has written:\n  user-import watch {id}\n"),
    };
    verbosity.confirm(&format!("Import {id} has been {done}"))?;
    Ok(ExitStatus::Done)
}
