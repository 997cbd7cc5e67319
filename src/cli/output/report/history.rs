//! The list of past imports.

use super::{
    TextTable,
    text::{duration, grouped, millis_between, rfc3339, time_text, word},
};
use crate::proto::Import;

/// The table of imports; the columns before `Rows` are text, the others numbers.
pub(crate) const HISTORY: TextTable<11> = TextTable {
    headings: [
        "Started (UTC)",
        "ID",
        "State",
        "Source",
        "Rows",
        "Created",
        "Updated",
        "Unchanged",
        "Rejected",
        "Deactivated",
        "Duration",
    ],
    numbers: 4..11,
    unbroken: Some(1),
};

/// The header row of imports as CSV.
pub(crate) const HISTORY_CSV: [&str; 13] = [
    "import_id",
    "state",
    "validate_only",
    "source",
    "principal",
    "rows",
    "created",
    "updated",
    "unchanged",
    "rejected",
    "deactivated",
    "started_at",
    "finished_at",
];

/// An import's line in the table.
#[must_use]
pub(crate) fn history_cells(import: &Import) -> [String; 11] {
    [
        import
            .started_at
            .as_ref()
            .map(time_text)
            .unwrap_or_default(),
        import.import_id.clone(),
        state(import),
        import.source.clone(),
        grouped(import.rows),
        grouped(import.created),
        grouped(import.updated),
        grouped(import.unchanged),
        grouped(import.rejected),
        grouped(import.deactivated),
        millis_between(import.started_at.as_ref(), import.finished_at.as_ref())
            .map(duration)
            .unwrap_or_default(),
    ]
}

/// An import's record in the CSV.
#[must_use]
pub(crate) fn history_record(import: &Import) -> [String; 13] {
    [
        import.import_id.clone(),
        word(import.state().as_str_name(), "IMPORT_STATE_"),
        import.validate_only.to_string(),
        import.source.clone(),
        import.principal.clone(),
        import.rows.to_string(),
        import.created.to_string(),
        import.updated.to_string(),
        import.unchanged.to_string(),
        import.rejected.to_string(),
        import.deactivated.to_string(),
        rfc3339(import.started_at.as_ref()),
        rfc3339(import.finished_at.as_ref()),
    ]
}

fn state(import: &Import) -> String {
    let name = word(import.state().as_str_name(), "IMPORT_STATE_").to_lowercase();
    match import.validate_only {
        true => format!("{name}, dry run"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::TerminalStyle;
    use super::*;
    use crate::proto::{ImportState, Timestamp};

    #[test]
    fn an_import_is_one_line() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let done = Import {
            import_id: "0198-a".to_owned(),
            state: ImportState::Completed.into(),
            source: "nightly\u{1b}".to_owned(),
            rows: 2_000,
            created: 12,
            updated: 1_300,
            unchanged: 687,
            rejected: 1,
            started_at: at(1_795_316_400),
            finished_at: at(1_795_316_475),
            ..Import::default()
        };
        let running = Import {
            import_id: "0198-b".to_owned(),
            state: ImportState::Applying.into(),
            validate_only: true,
            started_at: at(1_795_320_000),
            ..Import::default()
        };
        assert_snapshot!(HISTORY.text([running, done].iter().map(history_cells), TerminalStyle::default()), @r"
        ┌─────────────────────┬────────┬───────────────────┬───────────────┬───────┬─────────┬─────────┬───────────┬──────────┬─────────────┬──────────┐
        │ Started (UTC)       ┆ ID     ┆ State             ┆ Source        ┆  Rows ┆ Created ┆ Updated ┆ Unchanged ┆ Rejected ┆ Deactivated ┆ Duration │
        ╞═════════════════════╪════════╪═══════════════════╪═══════════════╪═══════╪═════════╪═════════╪═══════════╪══════════╪═════════════╪══════════╡
        │ 2026-11-22 04:00:00 ┆ 0198-b ┆ applying, dry run ┆               ┆     0 ┆       0 ┆       0 ┆         0 ┆        0 ┆           0 ┆          │
        │ 2026-11-22 03:00:00 ┆ 0198-a ┆ completed         ┆ nightly\u{1b} ┆ 2,000 ┆      12 ┆   1,300 ┆       687 ┆        1 ┆           0 ┆   75.0 s │
        └─────────────────────┴────────┴───────────────────┴───────────────┴───────┴─────────┴─────────┴───────────┴──────────┴─────────────┴──────────┘
        ");
    }
}
