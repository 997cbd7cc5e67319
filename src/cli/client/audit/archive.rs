//! `audit export` and `audit verify --file`: an archive of a trail, which is verified without a server.
//!
//! Each line is an event in the contract's JSON mapping, with its hash and that of the event before it. So an archive in
//! parts is one chain: each part begins after the head that the one before ended with.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, ErrorKind, IntoInnerError, Write},
    path::Path,
};

use anyhow::{Context, anyhow, bail};

use super::{AuditArgs, broken, note};
use crate::audit::{AuditChain, ChainBreak, NotedHead};
use crate::cli::{
    ExitStatus,
    failure::UsageError,
    output::{OutputTarget, Verbosity},
};
use crate::proto::AuditEvent;

/// Writes the events of a trail that are not archived yet. The file appears once the whole trail is verified.
///
/// # Errors
/// Fails if the server refuses, the chain is broken, or the file cannot be written. Then no file is left.
pub(super) async fn export(args: &AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mut output = BufWriter::new(OutputTarget::create(&args.output)?);
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
    let followed = client.verify_audit(&organization, args.after.clone(), write);
    let head = match followed.await? {
        Ok(head) => head,
        Err(found) => return Err(broken(&organization, &found)),
    };
    let output = output.into_inner().map_err(IntoInnerError::into_error);
    output
        .context("the archive cannot be written")?
        .complete()?;
    verbosity.notice(&format!(
        "{count} events of the audit trail of {organization} are in the archive. The next part begins after this \
         head; note it outside the database:\n  --after {head}"
    ));
    Ok(ExitStatus::Done)
}

/// Verifies a file of [`export`].
///
/// # Errors
/// Fails if the file cannot be read, or its chain is broken.
pub(super) fn verify(args: &AuditArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let organization = args.organization.slug()?;
    let path = args.file.as_deref().unwrap_or(Path::new("-"));
    let file = File::open(path).map_err(|error| UsageError::unreadable(path, &error))?;
    let chain = match &args.after {
        Some(after) => AuditChain::after(&organization, after.clone()),
        None => AuditChain::new(&organization),
    };
    let chain = chain.expect_noted(args.expect.clone());
    let shown = path.display();
    let head = follow(BufReader::new(file), chain)
        .with_context(|| shown.to_string())?
        .map_err(|found| anyhow!("the archive {shown} of {organization} is broken: {found}"))?;
    if head.sequence == args.after.as_ref().map_or(0, |after| after.sequence) {
        bail!("the archive {shown} has no event, so there is nothing to verify");
    }
    let first = args.after.as_ref().map_or(1, |after| after.sequence + 1);
    verbosity.confirm(&format!(
        "The archive {shown} of {organization} is whole: events {first} to {}, none changed, removed or added. \
         Only a head that was noted shows whether it was cut off at its end, or made anew.\n",
        head.sequence
    ))?;
    note(&head, verbosity)?;
    Ok(ExitStatus::Done)
}

/// Follows the chain through the lines of a file. Returns its end, or where it is broken.
fn follow(
    lines: impl BufRead,
    mut chain: AuditChain,
) -> anyhow::Result<Result<NotedHead, ChainBreak>> {
    for (index, line) in lines.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => anyhow!("line {number} is not UTF-8"),
            _ => error.into(),
        })?;
        let event: AuditEvent = serde_json::from_str(&line)
            .map_err(|_| anyhow!("line {number} is no audit event; it was changed or cut off"))?;
        if let Err(found) = chain.follow(&event) {
            return Ok(Err(found));
        }
    }
    let head = chain.verified();
    Ok(chain.end(&head))
}
