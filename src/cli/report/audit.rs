//! The table of audit events.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{
    Look,
    text::{moment, printable},
};
use crate::proto::AuditEvent;

const HEADINGS: [&str; 8] = [
    "#", "At (UTC)", "Who", "From", "Did", "To", "Outcome", "Details",
];

/// One line for each event, in the order given.
#[must_use]
pub fn audit_table(events: &[AuditEvent], look: Look) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .force_no_tty();
    table.set_header(HEADINGS);
    if let Some(width) = look.width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    for event in events {
        table.add_row(cells(event).map(Cell::new_owned));
    }
    if let Some(sequence) = table.column_mut(0) {
        sequence.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn cells(event: &AuditEvent) -> [String; 8] {
    let details = event.details.iter();
    let details = details.map(|(name, value)| format!("{name}={value}"));
    let action = event.action().as_str_name();
    let outcome = event.outcome().as_str_name();
    [
        event.sequence.to_string(),
        event.at.as_ref().map(moment).unwrap_or_default(),
        printable(&event.principal).into_owned(),
        printable(&event.address).into_owned(),
        words(action.trim_start_matches("AUDIT_ACTION_")),
        printable(&event.subject).into_owned(),
        words(outcome.trim_start_matches("AUDIT_OUTCOME_")),
        printable(&details.collect::<Vec<_>>().join(" ")).into_owned(),
    ]
}

fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use pbjson_types::Timestamp;

    use super::*;
    use crate::proto::{AuditAction, AuditOutcome};

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
        assert_snapshot!(audit_table(&[event], Look::default()), @r"
        ┌────┬─────────────────────┬─────────────────────┬────────────────┬────────────────┬────────┬─────────┬────────────────────────────────────┐
        │  # ┆ At (UTC)            ┆ Who                 ┆ From           ┆ Did            ┆ To     ┆ Outcome ┆ Details                            │
        ╞════╪═════════════════════╪═════════════════════╪════════════════╪════════════════╪════════╪═════════╪════════════════════════════════════╡
        │ 12 ┆ 2026-11-22 03:00:00 ┆ token:nightly\u{1b} ┆ 192.0.2.1:4711 ┆ import refused ┆ 0198-a ┆ refused ┆ refusals=MASS_DEACTIVATION rows=20 │
        └────┴─────────────────────┴─────────────────────┴────────────────┴────────────────┴────────┴─────────┴────────────────────────────────────┘
        ");
    }
}
