//! `audit`: lists the audit events, verifies their chain, or writes them to an archive.

mod export;
mod verify;

use std::io;

use clap::{Args, Subcommand};

use super::connection::OrganizationArgs;
use crate::audit::{AuditChain, ChainBreak, NotedHead};
use crate::cli::{
    ExitStatus,
    output::{
        AUDIT, AUDIT_CSV, FormatArgs, LimitArgs, PrintableList, Verbosity, audit_cells,
        audit_record,
    },
};
use crate::client::ServiceClient;
use crate::proto::AuditEvent;

/// List who did what to an organisation, newest first; verify that no event was changed; or archive all events
///
/// Each event has the hash of the one before it. `audit verify` reads them all, hashes them again on
/// this machine, and says at which event the chain is broken. A trail without events fails too.
/// `audit export` verifies them in the same way and writes them as JSON lines, which `audit verify --file`
/// verifies without a server.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  \
    user-import audit --organization my-department --limit 50\n  \
    user-import audit verify --organization my-department\n  \
    user-import audit export --organization my-department --output audit.jsonl")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Verify(verify::VerifyArgs),
    Export(export::ExportArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, or the chain is broken.
pub(crate) async fn run(args: AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    match args.command {
        None => list(args.list, verbosity).await,
        Some(AuditCommand::Verify(args)) => verify::run(args, verbosity).await,
        Some(AuditCommand::Export(args)) => export::run(args, verbosity).await,
    }
}

async fn list(args: ListArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let list = PrintableList {
        items: &client.audit_events(&organization, args.limit.limit).await?,
        nothing: format!("Nothing has been done to {organization} yet.\n"),
        table: (AUDIT, audit_cells),
        csv: (AUDIT_CSV, audit_record),
    };
    list.print(args.format.format)?;
    Ok(ExitStatus::Done)
}

/// Follows the trail of an organisation to its end. Gives each event to `take` once it is verified.
///
/// # Errors
/// Fails if the server refuses, the trail is broken, or `take` fails.
async fn follow_trail(
    client: &mut ServiceClient,
    organization: &str,
    chain: &mut AuditChain,
    take: impl FnMut(&AuditEvent) -> io::Result<()>,
) -> anyhow::Result<NotedHead> {
    let found = match client.verify_audit(chain, organization, take).await? {
        Ok(head) => return Ok(head),
        Err(found) => found,
    };
    if let (ChainBreak::NotAsNoted(noted), Some(_)) = (&found, chain.noted_before_first()) {
        anyhow::bail!(
            "event {noted} is not in the audit trail of {organization} any more: it was removed after it was \
             archived. Its archive has it: `audit verify --file ARCHIVE --with-trail`. An export can begin after a \
             later event, or without --after."
        );
    }
    let is_missing = matches!(found, ChainBreak::Missing { .. });
    if is_missing && client.first_audit_event(organization).await? > chain.first() {
        anyhow::bail!(
            "archived events of the audit trail of {organization} were removed while it was read. Run the command \
             again."
        );
    }
    anyhow::bail!(
        "the audit trail of {organization} is broken: {found}. Events before that are as they \
         were appended; keep a copy of the database before anything else is done to it."
    )
}
