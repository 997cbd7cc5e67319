//! The list of audit events.

use super::{
    TextTable,
    text::{rfc3339, time_text, word},
};
use crate::proto::AuditEvent;

/// The table of audit events.
pub(crate) const AUDIT: TextTable<8> = TextTable {
    headings: [
        "#", "At (UTC)", "Who", "From", "Did", "To", "Outcome", "Details",
    ],
    numbers: 0..1,
    unbroken: None,
};

/// The header row of audit events as CSV.
pub(crate) const AUDIT_CSV: [&str; 9] = [
    "sequence",
    "at",
    "principal",
    "address",
    "action",
    "subject",
    "outcome",
    "details",
    "hash",
];

/// An event's line in the table.
#[must_use]
pub(crate) fn audit_cells(event: &AuditEvent) -> [String; 8] {
    [
        event.sequence.to_string(),
        event.at.as_ref().map(time_text).unwrap_or_default(),
        event.principal.clone(),
        event.address.clone(),
        words(&action(event)),
        event.subject.clone(),
        words(&outcome(event)),
        details(event),
    ]
}

/// An event's record in the CSV.
#[must_use]
pub(crate) fn audit_record(event: &AuditEvent) -> [String; 9] {
    [
        event.sequence.to_string(),
        rfc3339(event.at.as_ref()),
        event.principal.clone(),
        event.address.clone(),
        action(event),
        event.subject.clone(),
        outcome(event),
        details(event),
        hex::encode(&event.hash),
    ]
}

fn action(event: &AuditEvent) -> String {
    word(event.action().as_str_name(), "AUDIT_ACTION_")
}

fn outcome(event: &AuditEvent) -> String {
    word(event.outcome().as_str_name(), "AUDIT_OUTCOME_")
}

fn details(event: &AuditEvent) -> String {
    let pairs = event.details.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::TerminalStyle;
    use super::*;
    use crate::proto::{AuditAction, AuditOutcome, Timestamp};

    #[test]
    fn an_event_is_one_line() {
        let event = AuditEvent {
            sequence: 12,
            at: Some(Timestamp {
                seconds: 1_795_316_400,
                nanos: 0,
            }),
            principal: "token:nightly\u{1b}".to_owned(),
            address: "192.0.2.1:4711".to_owned(),
            action: AuditAction::ImportRefused.into(),
            subject: "0198-a".to_owned(),
            outcome: AuditOutcome::Refused.into(),
            details: [("refusals", "MASS_DEACTIVATION"), ("rows", "20")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..AuditEvent::default()
        };
        assert_snapshot!(AUDIT.text([audit_cells(&event)], TerminalStyle::default()), @r"
        ┌────┬─────────────────────┬─────────────────────┬────────────────┬────────────────┬────────┬─────────┬────────────────────────────────────┐
        │  # ┆ At (UTC)            ┆ Who                 ┆ From           ┆ Did            ┆ To     ┆ Outcome ┆ Details                            │
        ╞════╪═════════════════════╪═════════════════════╪════════════════╪════════════════╪════════╪═════════╪════════════════════════════════════╡
        │ 12 ┆ 2026-11-22 03:00:00 ┆ token:nightly\u{1b} ┆ 192.0.2.1:4711 ┆ import refused ┆ 0198-a ┆ refused ┆ refusals=MASS_DEACTIVATION rows=20 │
        └────┴─────────────────────┴─────────────────────┴────────────────┴────────────────┴────────┴─────────┴────────────────────────────────────┘
        ");
    }
}
