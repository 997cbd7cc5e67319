//! `audit verify`: of a trail, of its archives without a server, or of both together.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    path::PathBuf,
};

use anyhow::{Context, anyhow, bail};
use clap::{Args, builder::BoolishValueParser};

use super::follow_trail;
use crate::audit::{AuditChain, ChainBreak, NotedHead};
use crate::cli::{
    ExitStatus, client::connection::OrganizationArgs, failure::UsageError, output::Verbosity,
};
use crate::proto::{AuditEvent, AuditHead};

/// Verify that no event of an audit trail, or of its archives, was changed, removed or added
///
/// A trail may be without its first events if a later event records that they were archived. The command then says
/// so. To verify those events too, give the archives with --file and add --with-trail.
#[derive(Args, Debug)]
#[command(after_help = "Examples: a trail, an archive, and both together\n  \
    user-import audit verify --organization my-department\n  \
    user-import audit verify --organization my-department --file audit.jsonl\n  \
    user-import audit verify --organization my-department --file 2025.jsonl --file 2026.jsonl --with-trail")]
pub(super) struct VerifyArgs {
    /// Event that an earlier `audit verify` or `audit export` printed. The command fails if the chain does not have
    /// it any more
    #[arg(long, value_name = "SEQUENCE:HASH", env = "USER_IMPORT_AUDIT_EXPECT")]
    expect: Option<NotedHead>,
    /// Verify this file of `audit export`, without a server. May be given several times: the files are read in this
    /// order, as one chain, and may overlap
    #[arg(long = "file", value_name = "FILE", env = "USER_IMPORT_AUDIT_FILE")]
    files: Vec<PathBuf>,
    /// Event after which the first file begins, if that file is a part
    #[arg(
        long,
        value_name = "SEQUENCE:HASH",
        env = "USER_IMPORT_AUDIT_AFTER",
        requires = "files"
    )]
    after: Option<NotedHead>,
    /// Read the server's trail after the files, and verify that no event is missing in between
    #[arg(long, env = "USER_IMPORT_AUDIT_WITH_TRAIL", requires = "files")]
    #[arg(value_parser = BoolishValueParser::new())]
    with_trail: bool,
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the server refuses, a file cannot be read, or the chain is broken.
pub(super) async fn run(args: VerifyArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let (said, head) = match (args.files.is_empty(), args.with_trail) {
        (true, _) => trail(&args, verbosity).await?,
        (false, true) => archives_and_trail(&args, verbosity).await?,
        (false, false) => archives(&args)?,
    };
    verbosity.confirm(&format!(
        "{said}\nNote this option outside the database. A later `audit verify` with it shows whether the \
         trail was replaced:\n  --expect {head}\n"
    ))?;
    Ok(ExitStatus::Done)
}

async fn trail(args: &VerifyArgs, verbosity: Verbosity) -> anyhow::Result<(String, NotedHead)> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mut chain = AuditChain::new(&organization).expect_noted(args.expect.clone());
    let head = follow_trail(&mut client, &organization, &mut chain, |_| Ok(())).await?;
    if head.sequence == 0 {
        bail!(
            "the audit trail of {organization} has no event, so there is nothing to verify. To \
             create an organisation is an event. So the events were erased, unless a release \
             without audit trails created the organisation. The server's log has the heads of the \
             trail."
        );
    }
    let count = head.sequence - chain.first() + 1;
    let said = format!(
        "The audit trail of {organization} is whole: {count} events, none changed, removed or added.{}",
        before_first(&chain)
    );
    Ok((said, head))
}

/// Says which events are archived, and which are nowhere else.
fn before_first(chain: &AuditChain) -> String {
    let Some(archived) = chain.archived() else {
        return String::new();
    };
    let (last, recorded_by) = (archived.last.sequence, archived.recorded_by);
    let archived = format!("\nEvent {recorded_by} records that events up to {last} were archived.");
    match chain.first() {
        1 => archived,
        first => format!(
            "{archived} Events up to {} are not in the trail any more, but only in archives. \
             Verify those with --file; add --with-trail to verify them together with the trail.",
            first - 1
        ),
    }
}

fn archives(args: &VerifyArgs) -> anyhow::Result<(String, NotedHead)> {
    let organization = args.organization.slug()?;
    let chain = read_archives(args, &organization)?.expect_noted(args.expect.clone());
    let shown = shown(&args.files);
    let head = chain
        .end(&chain.verified())
        .map_err(|found| anyhow!("the archive {shown} of {organization} is broken: {found}"))?;
    let said = format!(
        "The archive {shown} of {organization} is whole: events {} to {}, none changed, removed or added. \
         To see whether it was cut off at its end or replaced, add --expect or --with-trail.",
        chain.first(),
        head.sequence
    );
    Ok((said, head))
}

async fn archives_and_trail(
    args: &VerifyArgs,
    verbosity: Verbosity,
) -> anyhow::Result<(String, NotedHead)> {
    let (mut client, organization) = args.organization.connect(verbosity).await?;
    let mut whole = read_archives(args, &organization)?;
    whole.begin_part();
    // The trail by itself must be whole too. It is compared with the archives up to the first difference.
    let mut misfit = None;
    let join = |event: &AuditEvent| {
        if misfit.is_none() {
            misfit = whole.follow(event).err();
        }
        Ok(())
    };
    let mut trail = AuditChain::new(&organization);
    let head = follow_trail(&mut client, &organization, &mut trail, join).await?;
    let head = AuditHead {
        sequence: head.sequence,
        hash: head.hash,
    };
    let whole = whole.expect_noted(args.expect.clone());
    let head = misfit.map_or_else(|| whole.end(&head), Err).map_err(|found| {
        let shown = shown(&args.files);
        anyhow!("the archive {shown} and the audit trail of {organization} are not one chain: {found}")
    })?;
    let said = format!(
        "The archive {} and the audit trail of {organization} together are whole: events {} to {}, none changed, \
         removed or added. The trail by itself begins with event {}.",
        shown(&args.files),
        whole.first(),
        head.sequence,
        trail.first()
    );
    Ok((said, head))
}

fn shown(files: &[PathBuf]) -> String {
    let files = files.iter().map(|file| file.display().to_string());
    files.collect::<Vec<_>>().join(", ")
}

/// Follows the files as parts of one chain.
fn read_archives(args: &VerifyArgs, organization: &str) -> anyhow::Result<AuditChain> {
    let mut chain = match &args.after {
        Some(after) => AuditChain::after(organization, after.clone()),
        None => AuditChain::new(organization),
    };
    for path in &args.files {
        let file = File::open(path).map_err(|error| UsageError::unreadable(path, &error))?;
        chain.begin_part();
        let shown = path.display();
        follow_lines(BufReader::new(file), &mut chain)
            .with_context(|| shown.to_string())?
            .map_err(|found| anyhow!("the archive {shown} of {organization} is broken: {found}"))?;
    }
    if chain.verified().sequence < chain.first() {
        let shown = shown(&args.files);
        bail!("the archive {shown} has no event, so there is nothing to verify");
    }
    Ok(chain)
}

/// Follows the chain through the lines of a file. Returns where it is broken, if it is.
fn follow_lines(
    lines: impl BufRead,
    chain: &mut AuditChain,
) -> anyhow::Result<Result<(), ChainBreak>> {
    for (index, line) in lines.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => anyhow!("line {number} is not UTF-8"),
            _ => error.into(),
        })?;
        let event: AuditEvent = serde_json::from_str(&line).map_err(|_| {
            anyhow!("line {number} is not an audit event; it was changed or cut off")
        })?;
        if let Err(found) = chain.follow(&event) {
            return Ok(Err(found));
        }
    }
    Ok(Ok(()))
}
