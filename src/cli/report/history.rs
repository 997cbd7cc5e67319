//! The table of past imports.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::{
    Look,
    text::{duration, grouped, millis_between, moment, printable},
};
use crate::proto::Import;

const HEADINGS: [&str; 11] = [
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
];
/// The columns before this one are text, the others numbers.
const FIRST_NUMBER: usize = 4;

/// One line for each import, in the order given.
#[must_use]
pub fn history_table(imports: &[Import], look: Look) -> String {
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
    for import in imports {
        table.add_row(cells(import).map(Cell::new_owned));
    }
    // An ID that is broken in two cannot be copied.
    if let Some(id) = table.column_mut(1) {
        id.set_constraint(ColumnConstraint::ContentWidth);
    }
    for number in table.column_iter_mut().skip(FIRST_NUMBER) {
        number.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn cells(import: &Import) -> [String; 11] {
    [
        import.started_at.as_ref().map(moment).unwrap_or_default(),
        printable(&import.import_id).into_owned(),
        state(import),
        printable(&import.source).into_owned(),
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

fn state(import: &Import) -> String {
    let name = import.state().as_str_name();
    let name = name.trim_start_matches("IMPORT_STATE_").to_lowercase();
    match import.validate_only {
        true => format!("{name}, dry run"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use pbjson_types::Timestamp;

    use super::*;
    use crate::proto::ImportState;

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
        assert_snapshot!(history_table(&[running, done], Look::default()), @r"
        ┌─────────────────────┬────────┬───────────────────┬───────────────┬───────┬─────────┬─────────┬───────────┬──────────┬─────────────┬──────────┐
        │ Started (UTC)       ┆ ID     ┆ State             ┆ Source        ┆  Rows ┆ Created ┆ Updated ┆ Unchanged ┆ Rejected ┆ Deactivated ┆ Duration │
        ╞═════════════════════╪════════╪═══════════════════╪═══════════════╪═══════╪═════════╪═════════╪═══════════╪══════════╪═════════════╪══════════╡
        │ 2026-11-22 04:00:00 ┆ 0198-b ┆ applying, dry run ┆               ┆     0 ┆       0 ┆       0 ┆         0 ┆        0 ┆           0 ┆          │
        │ 2026-11-22 03:00:00 ┆ 0198-a ┆ completed         ┆ nightly\u{1b} ┆ 2,000 ┆      12 ┆   1,300 ┆       687 ┆        1 ┆           0 ┆   75.0 s │
        └─────────────────────┴────────┴───────────────────┴───────────────┴───────┴─────────┴─────────┴───────────┴──────────┴─────────────┴──────────┘
        ");
    }
}
