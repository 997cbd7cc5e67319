//! `audit`: lists the audit events, or verifies their chain.

use clap::{Args, ValueEnum};

use super::connection::OrganizationArgs;
use crate::audit::NotedHead;
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{AUDIT, AUDIT_CSV, OutputFormat, PrintableList, Verbosity, audit_cells, audit_record},
};

/// List who did what to an organisation, newest first; or verify that no event was changed
///
/// Each event has the hash of the one before it. `audit verify` reads them all, hashes them again on
/// this machine, and says at which event the chain is broken. A trail without events fails too.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    user-import audit --organization my-department --limit 50\n  \
    user-import audit verify --organization my-department")]
pub(crate) struct AuditArgs {
    /// What to do
    #[arg(value_enum, value_name = "WHAT", default_value_t = AuditMode::List)]
    mode: AuditMode,
    /// List at most this many
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_LIMIT",
        default_value_t = 20
    )]
    limit: u32,
    /// Format of the list
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,
    /// Output of an earlier `audit verify`: the chain must still have that event
    #[arg(long, value_name = "SEQUENCE:HASH", env = "USER_IMPORT_AUDIT_EXPECT")]
    expect: Option<NotedHead>,
    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AuditMode {
    /// List the newest events
    List,
    /// Verify the whole chain
    Verify,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the chain is broken.
pub(crate) async fn run(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    match args.mode {
        AuditMode::Verify => verify(args, verbosity).await,
        AuditMode::List if args.expect.is_some() => {
            Err(UsageError::new("--expect goes with `audit verify`.").into())
        }
        AuditMode::List => list(args, verbosity).await,
    }
}

async fn list(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.audit_events(&organization, args.limit).await?,
        nothing: format!("Nothing has been done to {organization} yet.\n"),
        table: (AUDIT, audit_cells),
        csv: (AUDIT_CSV, audit_record),
    };
    list.print(args.format)?;
    Ok(ExitStatus::Done)
}

async fn verify(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let head = match client.verify_audit(&organization, args.expect).await? {
        Ok(head) => head,
        Err(found) => anyhow::bail!(
            "the audit trail of {organization} is broken: {found}. Events before that are as they \
             were appended; keep a copy of the database before anything else is done to it."
        ),
    };
    if head.sequence == 0 {
        anyhow::bail!(
            "the audit trail of {organization} has no event, so there is nothing to verify. \
             Making an organisation is an event: if it was not made by a release before audit \
             trails, its events were erased. The server's log has the heads that it had."
        );
    }
    verbosity.confirm(&format!(
        "The audit trail of {organization} is whole: {} events, none changed, removed or added.\n",
        head.sequence
    ))?;
    verbosity.confirm(&format!(
        "Note this outside the database; given to a later `audit verify`, it shows that the \
         trail was not made anew:\n  --expect {head}\n"
    ))?;
    Ok(ExitStatus::Done)
}
