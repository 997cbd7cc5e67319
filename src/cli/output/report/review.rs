//! The changes of an import, value by value, for a review.

use std::collections::BTreeMap;

use super::{
    CollectedResults, TerminalStyle,
    rows::{issue_text, outcome_text},
    text::{count, printable},
};
use crate::proto::{ColumnChange, RowOutcome, RowResult};

/// Every row that would make or change a user, with its values before and after. `names` has the names
/// of people, by row. Empty if nothing changes.
#[must_use]
pub(crate) fn review_text(
    collected: &CollectedResults,
    names: &BTreeMap<u32, String>,
    style: TerminalStyle,
) -> String {
    let mut text = String::new();
    for result in collected.changed.values() {
        let name = names.get(&result.row).map_or("", String::as_str);
        text += &entry(result, name, style);
    }
    let shown = u32::try_from(collected.changed.len()).unwrap_or(u32::MAX);
    match collected.changed_count.saturating_sub(shown) {
        0 => {}
        more => {
            let more = count(more, "more changed row");
            text.extend(["and ", &more, "; --diff --format csv has them all.\n"]);
        }
    }
    text
}

fn entry(result: &RowResult, name: &str, style: TerminalStyle) -> String {
    let outcome = outcome_text(result.outcome(), style);
    let mut head = format!(
        "row {:>3}  {outcome}  {}",
        result.row,
        style.bold(&printable(&result.external_id))
    );
    if !name.is_empty() {
        head.extend(["  ", &printable(name)]);
    }
    let mut lines = vec![head];
    match result.outcome() {
        RowOutcome::Created => lines[0] += &essentials(result, style),
        _ => lines.extend(
            result
                .changes
                .iter()
                .map(|change| change_text(change, style)),
        ),
    }
    lines.extend(result.issues.iter().map(|issue| issue_text(issue, style)));
    lines.join("\n         ") + "\n"
}

/// The values that identify a new user, and those that say what the user may do. `--format csv` has all values.
fn essentials(result: &RowResult, style: TerminalStyle) -> String {
    let value = |column: &str| {
        let mut changes = result.changes.iter();
        let change = changes.find(|change| change.column == column)?;
        change.after.as_deref().filter(|value| !value.is_empty())
    };
    // A new user is Active unless the row says otherwise.
    let status = value("STATUS").filter(|status| *status != "Active");
    let values = [value("EMAIL"), value("ROLE"), value("RANK"), status];
    let values = values.into_iter().flatten();
    let values = values.map(|value| format!("  {}", style.green(&printable(value))));
    values.collect()
}

fn change_text(change: &ColumnChange, style: TerminalStyle) -> String {
    let before = style.red(&shown(change.before.as_ref()));
    let after = style.green(&shown(change.after.as_ref()));
    format!("{}: {before} → {after}", printable(&change.column))
}

fn shown(value: Option<&String>) -> String {
    match value.map(String::as_str) {
        None | Some("") => "(blank)".to_owned(),
        Some(value) => printable(value).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn change(column: &str, before: Option<&str>, after: Option<&str>) -> ColumnChange {
        ColumnChange {
            column: column.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn a_changed_user_has_each_value_before_and_after_and_a_new_one_is_a_line() {
        let updated = RowResult {
            row: 4,
            outcome: RowOutcome::Updated.into(),
            external_id: "P-1004".to_owned(),
            changes: vec![
                change("RANK", Some("Sergeant"), Some("Lieutenant")),
                change("PHONE", Some("+12025550143"), None),
                change("SUPERVISOR_EMAIL", None, Some("x\u{1b}@y.example")),
            ],
            ..RowResult::default()
        };
        let created = RowResult {
            row: 12,
            outcome: RowOutcome::Created.into(),
            external_id: "P-1013".to_owned(),
            changes: vec![
                change("EMAIL", None, Some("ruth@pd.example")),
                change("FIRST_NAME", None, Some("Ruth")),
                change("STATUS", None, Some("Inactive")),
                change("ROLE", None, Some("Officer")),
            ],
            ..RowResult::default()
        };
        let mut collected = CollectedResults::default();
        collected.changed = [updated, created].map(|result| (result.row, result)).into();
        collected.changed_count = 5;
        let names = BTreeMap::from([(4, "Dana Whitfield".to_owned())]);
        assert_snapshot!(review_text(&collected, &names, TerminalStyle::default()), @r"
        row   4  updated    P-1004  Dana Whitfield
                 RANK: Sergeant → Lieutenant
                 PHONE: +12025550143 → (blank)
                 SUPERVISOR_EMAIL: (blank) → x\u{1b}@y.example
        row  12  created    P-1013  ruth@pd.example  Officer  Inactive
        and 3 more changed rows; --diff --format csv has them all.
        ");
    }
}
