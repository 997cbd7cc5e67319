//! The list of past imports.

use super::{
    ListColumn,
    text::{duration, grouped, millis_between, minute_text, principal_text, rfc3339, word},
};
use crate::proto::{Import, ImportState};

/// The columns of imports.
pub(crate) const HISTORY: [ListColumn<Import>; 15] = [
    ListColumn::id("ID", |import| import.import_id.clone()),
    ListColumn::whole("Started (UTC)", |import| {
        minute_text(import.started_at.as_ref())
    }),
    ListColumn::text("State", state, 9),
    ListColumn::text("Source", source, 8),
    ListColumn::text("By", |import| principal_text(&import.principal), 6),
    ListColumn::number("Rows", |import| grouped(import.rows)),
    ListColumn::number("Created", |import: &Import| grouped(import.created)).if_room(),
    ListColumn::number("Updated", |import: &Import| grouped(import.updated)).if_room(),
    ListColumn::number("Deactivated", |import: &Import| grouped(import.deactivated)).if_room(),
    ListColumn::number("Rejected", |import| grouped(import.rejected)),
    ListColumn::whole("Undo until", undo_until).if_room(),
    ListColumn::number("Duration", took).if_room(),
    ListColumn::number("Unchanged", |import: &Import| grouped(import.unchanged)).if_wide(),
    ListColumn::whole("Finished (UTC)", |import: &Import| {
        minute_text(import.finished_at.as_ref())
    })
    .if_wide(),
    ListColumn::text("Principal", |import: &Import| import.principal.clone(), 20).if_wide(),
];

/// The header row of imports as CSV.
pub(crate) const HISTORY_CSV: [&str; 16] = [
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
    "undoes",
    "undone_by",
    "undoable_until",
];

/// An import's record in the CSV.
#[must_use]
pub(crate) fn history_record(import: &Import) -> [String; 16] {
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
        import.undoes.clone(),
        import.undone_by.clone(),
        rfc3339(import.undoable_until.as_ref()),
    ]
}

/// Returns the state in words. A completed dry run is just a "dry run".
fn state(import: &Import) -> String {
    let name = word(import.state().as_str_name(), "IMPORT_STATE_").to_lowercase();
    match (import.validate_only, import.state()) {
        (true, ImportState::Completed) => "dry run".to_owned(),
        (true, _) => format!("dry, {name}"),
        (false, _) if !import.undone_by.is_empty() => "undone".to_owned(),
        (false, _) => name,
    }
}

/// Returns the source as the client named it, or for an undo the import that it reverses.
fn source(import: &Import) -> String {
    match (import.undoes.get(..8), import.source.is_empty()) {
        (Some(undone), true) => format!("undo of {undone}"),
        _ => import.source.clone(),
    }
}

/// The last day on which the import can be undone.
fn undo_until(import: &Import) -> String {
    let Some(until) = &import.undoable_until else {
        return String::new();
    };
    let day = minute_text(Some(until));
    day.get(..10).unwrap_or_default().to_owned()
}

fn took(import: &Import) -> String {
    millis_between(import.started_at.as_ref(), import.finished_at.as_ref())
        .map(duration)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::{TerminalStyle, list_text};
    use super::*;
    use crate::proto::Timestamp;

    fn imports() -> [Import; 3] {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let done = Import {
            import_id: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
            state: ImportState::Completed.into(),
            source: "nightly export of the county\u{1b}.csv".to_owned(),
            principal: "token 018f4e9e-5c7b-7000-8000-000000000009 (nightly-cad)".to_owned(),
            rows: 2_000,
            created: 12,
            updated: 1_300,
            unchanged: 687,
            rejected: 1,
            started_at: at(1_795_316_400),
            finished_at: at(1_795_316_475),
            undoable_until: at(1_797_908_475),
            ..Import::default()
        };
        let refused = Import {
            import_id: "018f4ea0-0000-7000-8000-000000000002".to_owned(),
            state: ImportState::Refused.into(),
            validate_only: true,
            source: "roster.csv".to_owned(),
            principal: "local".to_owned(),
            started_at: at(1_795_320_000),
            finished_at: at(1_795_320_000),
            undoable_until: None,
            ..done.clone()
        };
        let running = Import {
            import_id: "018f4ea1-0000-7000-8000-000000000003".to_owned(),
            state: ImportState::Applying.into(),
            started_at: at(1_795_330_000),
            undoes: done.import_id.clone(),
            ..Import::default()
        };
        [running, refused, done]
    }

    fn at(width: Option<u16>, is_wide: bool) -> String {
        let style = TerminalStyle {
            colours: false,
            width,
        };
        list_text(&imports(), &HISTORY, is_wide, style)
    }

    #[test]
    fn an_import_is_one_line_on_a_narrow_terminal() {
        assert_snapshot!(at(Some(80), false), @"
        ID        Started (UTC)     State        Source      By           Rows  Rejected
        018f4ea1  2026-11-22 06:46  applying     undo of 0…                  0         0
        018f4ea0  2026-11-22 04:00  dry, refus…  roster.csv  local       2,000         1
        018f4e9e  2026-11-22 03:00  completed    nightly e…  token nig…  2,000         1
        ");
    }

    #[test]
    fn a_terminal_with_room_has_the_counts_and_how_long_an_import_can_be_undone() {
        assert_snapshot!(at(Some(140), false), @"
        ID        Started (UTC)     State         Source               By                  Rows  Created  Updated  Deactivated  Rejected  Undo until
        018f4ea1  2026-11-22 06:46  applying      undo of 018f4e9e                            0        0        0            0         0
        018f4ea0  2026-11-22 04:00  dry, refused  roster.csv           local              2,000       12    1,300            0         1
        018f4e9e  2026-11-22 03:00  completed     nightly export of…   token nightly-cad  2,000       12    1,300            0         1  2026-12-22
        ");
    }

    #[test]
    fn a_wide_list_on_a_narrow_terminal_has_a_line_for_each_value() {
        assert_snapshot!(at(Some(80), true).split("\n\n").next().unwrap(), @"
        ID              018f4ea1-0000-7000-8000-000000000003
        Started (UTC)   2026-11-22 06:46
        State           applying
        Source          undo of 018f4e9e
        Rows            0
        Created         0
        Updated         0
        Deactivated     0
        Rejected        0
        Unchanged       0
        ");
    }

    #[test]
    fn a_script_gets_whole_ids_and_a_line_for_each_import() {
        assert_snapshot!(at(None, false), @r"
        ID                                    Started (UTC)     State         Source                                  By                  Rows  Created  Updated  Deactivated  Rejected  Undo until  Duration
        018f4ea1-0000-7000-8000-000000000003  2026-11-22 06:46  applying      undo of 018f4e9e                        -                      0        0        0            0         0  -                  -
        018f4ea0-0000-7000-8000-000000000002  2026-11-22 04:00  dry, refused  roster.csv                              local              2,000       12    1,300            0         1  -               0 ms
        018f4e9e-5c7b-7000-8000-000000000001  2026-11-22 03:00  completed     nightly export of the county\u{1b}.csv  token nightly-cad  2,000       12    1,300            0         1  2026-12-22    75.0 s
        ");
    }
}
