//! `imports`: what has been imported; and `cancel`.

use clap::Args;

use super::connection::OrganizationArgs;
use crate::cli::{
    Exit,
    output::{Format, HISTORY, HISTORY_CSV, List, Voice, history_cells, history_record, printable},
};

/// List an organisation's imports, newest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import imports --organization my-department --limit 5")]
pub struct ImportsArgs {
    /// At most this many
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_LIMIT",
        default_value_t = 20
    )]
    limit: u32,
    /// For whom to print
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Stop an import between two of its transactions
///
/// What is written stays written, and `watch` shows it.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import cancel 018f4e9e-5c7b-7000-8000-000000000001 --organization my-department")]
pub struct CancelArgs {
    /// ID of the import, as `import` and `imports` tell it
    #[arg(value_name = "IMPORT_ID")]
    import_id: String,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Lists imports.
///
/// # Errors
/// Where the server refuses, or standard output is closed.
pub async fn list(args: ImportsArgs, voice: Voice) -> anyhow::Result<Exit> {
    let (mut client, organization) = args.organization.connect(voice).await?;
    let list = List {
        items: &client.imports(&organization, args.limit).await?,
        nothing: format!("Nothing has been imported into {organization}.\n"),
        table: (HISTORY, history_cells),
        csv: (HISTORY_CSV, history_record),
    };
    list.print(args.format)?;
    Ok(Exit::Done)
}

/// Cancels an import.
///
/// # Errors
/// Where the server refuses: the import is unknown, or is not being applied.
pub async fn cancel(args: CancelArgs, voice: Voice) -> anyhow::Result<Exit> {
    let (mut client, organization) = args.organization.connect(voice).await?;
    let import = client.cancel(&organization, &args.import_id).await?;
    let id = printable(&import.import_id).into_owned();
    voice.confirm(&format!(
        "Import {id} has been asked to stop. To see what it has written:\n  user-import watch {id}\n"
    ))?;
    Ok(Exit::Done)
}
