//! What the audit trail says of imports.

use time::OffsetDateTime;

use super::{AuditEntry, ImportRecord};
use crate::{
    domain::Actor,
    proto::{AuditAction, AuditOutcome, ImportState},
};

/// An attempt that ends without having begun to apply, and the codes of why it was refused: what it is
/// told as, if at all. One that broke off has done nothing.
pub(super) fn attempt_ended(
    record: &ImportRecord,
    actor: &Actor,
    refusals: &str,
) -> Option<AuditEntry> {
    let is_completed = record.state == i32::from(ImportState::Completed);
    let at = record.finished_at.unwrap_or(record.started_at);
    if !refusals.is_empty() {
        let entry = AuditEntry::done(at, actor, AuditAction::ImportRefused, &record.id)
            .ending(AuditOutcome::Refused)
            .with("refusals", &refusals)
            .with("validate_only", &record.validate_only);
        return Some(counted(entry, record));
    }
    (record.validate_only && is_completed).then(|| {
        let entry = AuditEntry::done(at, actor, AuditAction::ImportPreviewed, &record.id);
        counted(entry.ending(AuditOutcome::Completed), record)
    })
}

/// An import begins applying.
pub(super) fn begun(record: &ImportRecord, actor: &Actor, at: OffsetDateTime) -> AuditEntry {
    AuditEntry::done(at, actor, AuditAction::ImportBegun, &record.id).with("rows", &record.rows)
}

/// An import that had begun applying ends in this state; the record has the counts.
pub(super) fn ended(
    record: &ImportRecord,
    state: ImportState,
    actor: &Actor,
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
