//! `audit`: lists the audit events, verifies their chain, or writes them to an archive.

mod archive;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::OrganizationArgs;
use crate::audit::{ChainBreak, NotedHead};
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{AUDIT, AUDIT_CSV, OutputFormat, PrintableList, Verbosity, audit_cells, audit_record},
};

/// List who did what to an organisation, newest first; verify that no event was changed; or archive all events
///
/// Each event has the hash of the one before it. `audit verify` reads them all, hashes them again on
/// this machine, and says at which event the chain is broken. A trail without events fails too.
/// `audit export` verifies them in the same way and writes them as JSON lines, which `audit verify --file`
/// verifies without a server.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    user-import audit --organization my-department --limit 50\n  \
    user-import audit verify --organization my-department\n  \
    user-import audit export --organization my-department --output audit.jsonl\n  \
    user-import audit verify --organization my-department --file audit.jsonl")]
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
    /// Output of an earlier `audit verify` or `audit export`: the chain must still have that event
    #[arg(long, value_name = "SEQUENCE:HASH", env = "USER_IMPORT_AUDIT_EXPECT")]
    expect: Option<NotedHead>,
    /// File for `audit export` to write; `-` is standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = "USER_IMPORT_OUTPUT",
        default_value = "-"
    )]
    output: PathBuf,
    /// Have `audit export` write only what follows this event, for an archive in parts; `audit verify --file` expects a
    /// part that begins after it
    #[arg(long, value_name = "SEQUENCE:HASH", env = "USER_IMPORT_AUDIT_AFTER")]
    after: Option<NotedHead>,
    /// Have `audit verify` read this file of `audit export`, and not ask a server
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_AUDIT_FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AuditMode {
    /// List the newest events
    List,
    /// Verify the whole chain
    Verify,
    /// Verify the whole chain, and write its events as JSON lines
    Export,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the chain is broken.
pub(crate) async fn run(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    use AuditMode::{Export, List, Verify};
    let (has_file, has_after) = (args.file.is_some(), args.after.is_some());
    let misplaced = match args.mode {
        List if args.expect.is_some() => "--expect goes with `audit verify`.",
        List | Export if has_file => "--file goes with `audit verify`.",
        List if has_after => "--after goes with `audit export`, and with `audit verify --file`.",
        Verify if has_after && !has_file => {
            "--after goes with `audit export`, and with `audit verify --file`; --expect names an event that the \
             trail must have."
        }
        Export if args.expect.is_some() => {
            "--expect goes with `audit verify`; --after names the event that the trail must have."
        }
        List => return list(args, verbosity).await,
        Verify if has_file => return archive::verify(&args, verbosity),
        Verify => return verify(args, verbosity).await,
        Export => return archive::export(&args, verbosity).await,
    };
    Err(UsageError::new(misplaced).into())
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
    let head = match client
        .verify_audit(&organization, args.expect, |_| Ok(()))
        .await?
    {
        Ok(head) => head,
        Err(found) => return Err(broken(&organization, &found)),
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
    note(&head, verbosity)?;
    Ok(ExitStatus::Done)
}

fn broken(organization: &str, found: &ChainBreak) -> anyhow::Error {
    anyhow::anyhow!(
        "the audit trail of {organization} is broken: {found}. Events before that are as they \
         were appended; keep a copy of the database before anything else is done to it."
    )
}

fn note(head: &NotedHead, verbosity: Verbosity) -> anyhow::Result<()> {
    verbosity.confirm(&format!(
        "Note this outside the database; given to a later `audit verify`, it shows that the \
         trail was not made anew:\n  --expect {head}\n"
    ))
}
