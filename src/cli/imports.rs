//! `imports`: what has been imported; and `cancel`.

use std::io;

use clap::Args;

use super::{
    Exit,
    import::{Format, write_line},
    output::print,
    report::{Look, history_table, printable},
    server::OrganizationArgs,
};
use crate::client::ClientError;

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
pub async fn list(args: ImportsArgs) -> anyhow::Result<Exit> {
    let mut client = args.organization.connect().await?;
    let organization = &args.organization.organization;
    let imports = client.imports(organization, args.limit).await?;
    match args.format {
        Format::Json => {
            let mut out = io::stdout().lock();
            for import in &imports {
                write_line(&mut out, import).map_err(ClientError::Output)?;
            }
        }
        Format::Table if imports.is_empty() => {
            print(&format!("Nothing has been imported into {organization}.\n"))?;
        }
        Format::Table => print(&history_table(&imports, Look::of_stdout()))?,
    }
    Ok(Exit::Done)
}

/// Cancels an import.
///
/// # Errors
/// Where the server refuses: the import is unknown, or is not being applied.
pub async fn cancel(args: CancelArgs) -> anyhow::Result<Exit> {
    let mut client = args.organization.connect().await?;
    let organization = &args.organization.organization;
    let import = client.cancel(organization, &args.import_id).await?;
    let id = printable(&import.import_id).into_owned();
    print(&format!(
        "Import {id} has been asked to stop. To see what it has written:\n  user-import watch {id}\n"
    ))?;
    Ok(Exit::Done)
}
