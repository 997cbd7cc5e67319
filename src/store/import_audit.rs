//! Describes imports for the audit trail.

use std::collections::BTreeMap;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{AuditEntry, ImportRecord};
use crate::{
    audit::{AuditAction, AuditOutcome, few_names},
    domain::{AuditActor, ImportState},
};

/// How an attempt ended, for the audit trail.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptEnd<'a> {
    /// The codes of its refusals, separated by commas; empty if it was not refused.
    pub refusals: &'a str,
    /// Its options, as `name` or `name=value`, separated by spaces.
    pub options: &'a str,
}

/// How many users get and lose each privileged role, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGrants {
    /// Users who get it.
    pub granted: BTreeMap<String, u32>,
    /// Users who lose it.
    pub taken: BTreeMap<String, u32>,
}

impl RoleGrants {
    /// Returns `true` if nobody gets or loses one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.taken.is_empty()
    }
}

/// Describes an attempt that ends without having begun applying, if it was refused or was a completed dry run. An
/// attempt that broke off has done nothing, and has no event.
pub(super) fn attempt_ended(
    record: &ImportRecord,
    actor: &AuditActor,
    AttemptEnd { refusals, options }: AttemptEnd<'_>,
) -> Option<AuditEntry> {
    let is_completed = record.state() == ImportState::Completed;
    let at = record.finished_at.unwrap_or(record.started_at);
    if !refusals.is_empty() {
        let entry = AuditEntry::done(at, actor, AuditAction::ImportRefused, &record.id)
            .ending(AuditOutcome::Refused)
            .with("refusals", &refusals)
            .with("validate_only", &record.validate_only);
        return Some(described(counted(entry, record), record, options));
    }
    (record.validate_only && is_completed).then(|| {
        let entry = AuditEntry::done(at, actor, AuditAction::ImportPreviewed, &record.id);
        let entry = counted(entry.ending(AuditOutcome::Completed), record);
        described(entry, record, options)
    })
}

/// Describes an attempt that is held for review.
pub(super) fn held(
    record: &ImportRecord,
    actor: &AuditActor,
    AttemptEnd { refusals, options }: AttemptEnd<'_>,
) -> AuditEntry {
    let at = record.finished_at.unwrap_or(record.started_at);
    let entry = AuditEntry::done(at, actor, AuditAction::ImportHeld, &record.id)
        .ending(AuditOutcome::Refused)
        .with("refusals", &refusals);
    let until = record
        .held_until
        .and_then(|until| until.format(&Rfc3339).ok());
    let entry = entry.with("held_until", &until.unwrap_or_default());
    described(counted(entry, record), record, options)
}

/// Describes the approval of a held import, which begins applying.
pub(super) fn approved(
    record: &ImportRecord,
    actor: &AuditActor,
    at: OffsetDateTime,
) -> AuditEntry {
    AuditEntry::done(at, actor, AuditAction::ImportApproved, &record.id)
        .with("plan_digest", &hex::encode(&record.plan_digest))
        .with("sent_by", &record.principal)
}

/// Describes an import that begins applying.
pub(super) fn begun(
    record: &ImportRecord,
    options: &str,
    actor: &AuditActor,
    at: OffsetDateTime,
) -> AuditEntry {
    let entry = AuditEntry::done(at, actor, AuditAction::ImportBegun, &record.id);
    described(entry.with("rows", &record.rows), record, options)
}

/// Describes users that get or lose privileged roles, in the transaction that writes them.
pub(super) fn roles_granted(
    import: Uuid,
    grants: &RoleGrants,
    actor: &AuditActor,
    at: OffsetDateTime,
) -> AuditEntry {
    let action = AuditAction::PrivilegedRolesGranted;
    let entry = AuditEntry::done(at, actor, action, &import);
    let parts = [("granted", &grants.granted), ("taken", &grants.taken)];
    let counted = parts.into_iter().filter(|(_, counts)| !counts.is_empty());
    counted.fold(entry, |entry, (name, counts)| {
        let counts = counts
            .iter()
            .map(|(role, users)| format!("{role}: {users}"));
        entry.with(name, &few_names(&counts.collect::<Vec<_>>()))
    })
}

/// Adds the options, and the digests of the input and the plan.
fn described(mut entry: AuditEntry, record: &ImportRecord, options: &str) -> AuditEntry {
    if !options.is_empty() {
        entry = entry.with("options", &options);
    }
    for (name, digest) in [
        ("input_sha256", &record.input_sha256),
        ("plan_digest", &record.plan_digest),
    ] {
        if !digest.is_empty() {
            entry = entry.with(name, &hex::encode(digest));
        }
    }
    entry
}

/// Describes an import that had begun applying and ends in this state, with the record's counts.
pub(super) fn ended(
    record: &ImportRecord,
    state: ImportState,
    actor: &AuditActor,
    at: OffsetDateTime,
) -> AuditEntry {
    let outcome = match state {
        ImportState::Completed => AuditOutcome::Completed,
        ImportState::Cancelled => AuditOutcome::Cancelled,
        _ => AuditOutcome::Interrupted,
    };
    let entry = AuditEntry::done(at, actor, AuditAction::ImportEnded, &record.id).ending(outcome);
    counted(entry, record)
}

fn counted(entry: AuditEntry, record: &ImportRecord) -> AuditEntry {
    entry
        .with("rows", &record.rows)
        .with("created", &record.created)
        .with("updated", &record.updated)
        .with("unchanged", &record.unchanged)
        .with("rejected", &record.rejected)
        .with("deactivated", &record.deactivated)
        .with("protected_skipped", &record.protected_skipped)
}
