//! Results row by row, for a roster small enough to be read whole.

use super::{TerminalStyle, request_words::for_people, text::printable};
use crate::proto::{ColumnChange, Issue, IssueSeverity, RowOutcome, RowResult};

/// One row's result: a line, and below it the changes and the issues.
#[must_use]
pub(crate) fn row_lines(result: &RowResult, style: TerminalStyle) -> String {
    let row = result.row;
    let outcome = outcome_text(result.outcome(), style);
    let external_id = printable(&result.external_id);
    let mut lines = vec![format!("row {row:>3}  {outcome}  {external_id}")];
    // The values of a new user are in its row; only changes are shown.
    if result.outcome() == RowOutcome::Updated {
        lines.extend(
            result
                .changes
                .iter()
                .map(|change| change_text(change, style)),
        );
    }
    lines.extend(result.issues.iter().map(|issue| issue_text(issue, style)));
    lines.join("\n         ") + "\n"
}

/// The outcome of a row, padded to the same width.
pub(crate) fn outcome_text(outcome: RowOutcome, style: TerminalStyle) -> String {
    match outcome {
        RowOutcome::Created => style.green("created  "),
        RowOutcome::Updated => style.green("updated  "),
        RowOutcome::Rejected => style.red("rejected "),
        RowOutcome::Unchanged | RowOutcome::Unspecified => "unchanged".to_owned(),
    }
}

/// A row that made or changed a user, in a line with the columns that it changed.
#[must_use]
pub(crate) fn changed_line(result: &RowResult, style: TerminalStyle) -> String {
    let row = result.row;
    let outcome = outcome_text(result.outcome(), style);
    let external_id = style.bold(&printable(&result.external_id));
    let mut line = format!("row {row:>3}  {outcome}  {external_id}");
    if result.outcome() == RowOutcome::Updated {
        let columns = result.changes.iter();
        let columns = columns.map(|change| printable(&change.column));
        let columns = columns.collect::<Vec<_>>().join(", ");
        line.extend(["  ", &*columns]);
    }
    line + "\n"
}

fn change_text(change: &ColumnChange, style: TerminalStyle) -> String {
    let value = |value: &Option<String>| match value {
        Some(value) => format!("\"{}\"", printable(value)),
        None => "blank".to_owned(),
    };
    let column = printable(&change.column);
    let before = style.red(&value(&change.before));
    let after = style.green(&value(&change.after));
    format!("{column}: {before} is now {after}")
}

/// An error or a warning, in a line.
pub(crate) fn issue_text(issue: &Issue, style: TerminalStyle) -> String {
    let kind = if issue.severity() == IssueSeverity::Warning {
        style.yellow("warning:")
    } else {
        style.red("error:")
    };
    let message = for_people(&issue.message);
    let message = printable(&message);
    if issue.suggestion.is_empty() || issue.message.contains(&issue.suggestion) {
        return format!("{kind} {message}");
    }
    let suggestion = printable(&issue.suggestion);
    format!("{kind} {message} Did you mean \"{suggestion}\"?")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn result(row: u32, outcome: RowOutcome, external_id: &str) -> RowResult {
        RowResult {
            row,
            outcome: outcome.into(),
            external_id: external_id.to_owned(),
            ..RowResult::default()
        }
    }

    fn issue(severity: IssueSeverity, message: &str, suggestion: &str) -> Issue {
        Issue {
            severity: severity.into(),
            message: message.to_owned(),
            suggestion: suggestion.to_owned(),
            ..Issue::default()
        }
    }

    #[test]
    fn an_update_shows_each_value_before_and_after() {
        let mut updated = result(5, RowOutcome::Updated, "P-1005");
        updated.changes = vec![
            ColumnChange {
                column: "BADGE_NUMBER".to_owned(),
                before: Some("0421".to_owned()),
                after: Some("0422".to_owned()),
            },
            ColumnChange {
                column: "PHONE".to_owned(),
                before: Some("+12025550143".to_owned()),
                after: None,
            },
        ];
        assert_snapshot!(row_lines(&updated, TerminalStyle::default()), @r#"
        row   5  updated    P-1005
                 BADGE_NUMBER: "0421" is now "0422"
                 PHONE: "+12025550143" is now blank
        "#);
    }

    #[test]
    fn a_changed_row_is_a_line_with_its_columns() {
        let mut updated = result(5, RowOutcome::Updated, "P-1005\u{1b}");
        updated.changes = ["BADGE_NUMBER", "PHONE"]
            .map(|column| ColumnChange {
                column: column.to_owned(),
                ..ColumnChange::default()
            })
            .into();
        let style = TerminalStyle::default();
        assert_snapshot!(changed_line(&updated, style).trim_end(), @r"row   5  updated    P-1005\u{1b}  BADGE_NUMBER, PHONE");
        let created = result(12, RowOutcome::Created, "P-1014");
        assert_snapshot!(changed_line(&created, style).trim_end(), @"row  12  created    P-1014");
    }

    #[test]
    fn a_new_user_is_one_line_and_its_warnings() {
        let mut created = result(12, RowOutcome::Created, "P-1014");
        created.changes = vec![ColumnChange::default()];
        created.issues = vec![issue(IssueSeverity::Warning, "LOCATION is not stored.", "")];
        assert_snapshot!(row_lines(&created, TerminalStyle::default()), @r"
        row  12  created    P-1014
                 warning: LOCATION is not stored.
        ");
    }

    #[test]
    fn a_suggestion_is_added_where_the_message_has_none() {
        let mut rejected = result(16, RowOutcome::Rejected, "P-1018");
        rejected.issues = vec![
            issue(
                IssueSeverity::Error,
                "ROLE \"Oficer\" is not a role here.",
                "Officer",
            ),
            issue(
                IssueSeverity::Error,
                "RANK \"X\" is unknown; did you mean \"Chief\"?",
                "Chief",
            ),
        ];
        assert_snapshot!(row_lines(&rejected, TerminalStyle::default()), @r#"
        row  16  rejected   P-1018
                 error: ROLE "Oficer" is not a role here. Did you mean "Officer"?
                 error: RANK "X" is unknown; did you mean "Chief"?
        "#);
    }
}
