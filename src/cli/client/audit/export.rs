//! `audit export`: an archive of a trail, which is verified without a server.
//!
//! Each line is an event in the contract's JSON mapping, with its hash and that of the event before it. So an archive
//! in parts is one chain: each part begins after the last event of the previous part.

use std::io::{BufWriter, IntoInnerError, Write};

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser};

use super::follow_trail;
use crate::audit::{AuditChain, NotedHead};
use crate::cli::{
    ExitStatus,
    client::connection::OrganizationArgs,
    failure::UsageError,
    output::{OutputFileArgs, OutputTarget, Verbosity},
};
use crate::proto::AuditEvent;

/// Verify an organisation's audit trail, and write its events as JSON lines
///
/// The file appears once the whole trail is verified. `audit verify --file` verifies it without a server.
#[derive(Args, Debug)]
#[command(
    after_help = "Example: archive the events every night, so that the server may remove old ones\n  \
    user-import audit export --organization my-department --output audit.jsonl --record"
)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    file: OutputFileArgs,
    /// Write only the events after this one, for an archive in parts. Give the head that the previous export printed
    #[arg(long, value_name = "SEQUENCE:HASH", env = "USER_IMPORT_AUDIT_AFTER")]
    after: Option<NotedHead>,
    /// Record in the trail that these events are archived, once the file is complete. A server with --audit-days
    /// removes them when they are that old. Keep the file: it will be the only copy. Needs the permission
    /// organizations.write
    #[arg(long, env = "USER_IMPORT_AUDIT_RECORD")]
    #[arg(value_parser = BoolishValueParser::new())]
    record: bool,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, the chain is broken, or the file cannot be written. Then no file is left.
pub(super) async fn run(args: ExportArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let target = OutputTarget::create(&args.file.output)?;
    if args.record && !target.is_replaced_file() {
        return Err(UsageError::new(
            "--record needs a file as --output: with a pipe, this command cannot know whether all \
             events arrived.",
        )
        .into());
    }
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mut output = BufWriter::new(target);
    let archived = args.after.as_ref().map_or(0, |after| after.sequence);
    let mut count = 0_u64;
    let write = |event: &AuditEvent| {
        if event.sequence <= archived {
            return Ok(());
        }
        count += 1;
        serde_json::to_writer(&mut output, event)?;
        output.write_all(b"\n")
    };
    let mut chain = AuditChain::new(&organization).expect_noted(args.after.clone());
    let head = follow_trail(&mut client, &organization, &mut chain, write).await?;
    let output = output.into_inner().map_err(IntoInnerError::into_error);
    output
        .context("the archive cannot be written")?
        .complete()?;
    let mut recorded = "";
    if args.record && head.sequence > 0 {
        client
            .record_audit_archive(&organization, archived, &head)
            .await
            .context(
                "the archive is written, but could not be recorded, so its events stay in the \
                trail",
            )?;
        recorded = "The trail records this archive. ";
    }
    verbosity.notice(&format!(
        "{count} events of the audit trail of {organization} are in the archive. {recorded}The next part begins after \
         this head; note it outside the database:\n  --after {head}"
    ));
    Ok(ExitStatus::Done)
}
