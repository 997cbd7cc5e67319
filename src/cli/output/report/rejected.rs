//! The table of rejected rows.

use std::collections::BTreeMap;

use comfy_table::{
    Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use super::{
    CollectedResults, TerminalStyle,
    request_words::for_people,
    text::{count, printable},
};
use crate::proto::{Issue, IssueSeverity, RowResult};

const HEADINGS: [&str; 7] = [
    "Row",
    "Line",
    "External ID",
    "Column",
    "Value",
    "What is wrong",
    "Suggestion",
];
/// The columns that a narrow terminal has room for. The sentence itself names the values of the others.
const NARROW_HEADINGS: [&str; 4] = ["Row", "Line", "External ID", "What is wrong"];
/// Columns of a terminal that has room for all.
const WIDE: u16 = 150;

/// The rejected rows as a table, an error a line, with a sentence if there are more than are
/// shown. Empty if no row is rejected.
#[must_use]
pub(crate) fn rejected_table(
    rows: &BTreeMap<u32, RowResult>,
    rejected: u32,
    style: TerminalStyle,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .force_no_tty();
    if style.colours {
        table.enforce_styling();
    }
    if is_narrow(style) {
        table.set_header(NARROW_HEADINGS);
    } else {
        table.set_header(HEADINGS);
    }
    for result in rows.values().take(CollectedResults::SHOWN) {
        add_row(&mut table, result, style);
    }
    if let Some(width) = style.width {
        fit(&mut table, width);
    }
    for column in table.column_iter_mut().take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n{}", more(rows.len(), rejected))
}

fn is_narrow(style: TerminalStyle) -> bool {
    style.width.is_some_and(|width| width < WIDE)
}

/// Leaves most of a terminal's width to the sentences: other long columns wrap first.
fn fit(table: &mut Table, width: u16) {
    let whole = ColumnConstraint::ContentWidth;
    let narrow = ColumnConstraint::UpperBoundary(Width::Fixed(16));
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    let wide = [whole, whole, narrow, whole, narrow];
    let count = if width < WIDE { 3 } else { wide.len() };
    for (column, constraint) in table.column_iter_mut().zip(wide.into_iter().take(count)) {
        column.set_constraint(constraint);
    }
}

fn more(held: usize, rejected: u32) -> String {
    let shown = u32::try_from(held.min(CollectedResults::SHOWN)).unwrap_or(u32::MAX);
    match rejected.saturating_sub(shown) {
        0 => String::new(),
        more => format!(
            "and {}; --errors FILE.csv has them all.\n",
            count(more, "more rejected row")
        ),
    }
}

/// A row's first error has its numbers; the others are below it.
fn add_row(table: &mut Table, result: &RowResult, style: TerminalStyle) {
    let errors = result
        .issues
        .iter()
        .filter(|issue| issue.severity() == IssueSeverity::Error);
    let mut numbers = [
        result.row.to_string(),
        if result.line == 0 {
            String::new()
        } else {
            result.line.to_string()
        },
        printable(&result.external_id).into_owned(),
    ];
    for issue in errors {
        let mut cells: Vec<Cell> = std::mem::take(&mut numbers).map(Cell::new_owned).into();
        cells.extend(issue_cells(issue, style));
        table.add_row(cells);
    }
}

fn issue_cells(issue: &Issue, style: TerminalStyle) -> Vec<Cell> {
    let cell = |text: &str| Cell::new_owned(printable(text).into_owned());
    if is_narrow(style) {
        return vec![cell(&sentence(issue))];
    }
    let mut suggestion = cell(&issue.suggestion);
    if style.colours {
        suggestion = suggestion.fg(Color::Green);
    }
    vec![
        cell(&issue.column),
        cell(&issue.value),
        cell(&for_people(&issue.message)),
        suggestion,
    ]
}

/// The error, with its column and suggestion if these have no columns of their own.
fn sentence(issue: &Issue) -> String {
    let column = match issue.message.contains(&issue.column) {
        true => String::new(),
        false => format!("{}: ", issue.column),
    };
    let suggestion = match issue.message.contains(&issue.suggestion) {
        true => String::new(),
        false => format!(" Did you mean \"{}\"?", issue.suggestion),
    };
    format!("{column}{}{suggestion}", for_people(&issue.message))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{IssueCode, RowOutcome};

    fn error(column: &str, value: &str, message: &str, suggestion: &str) -> Issue {
        Issue {
            severity: IssueSeverity::Error.into(),
            code: IssueCode::UnknownRole.into(),
            column: column.to_owned(),
            value: value.to_owned(),
            message: message.to_owned(),
            suggestion: suggestion.to_owned(),
            ..Issue::default()
        }
    }

    fn rejected(row: u32, line: u32, external_id: &str, issues: Vec<Issue>) -> (u32, RowResult) {
        let result = RowResult {
            row,
            line,
            outcome: RowOutcome::Rejected.into(),
            external_id: external_id.to_owned(),
            issues,
            ..RowResult::default()
        };
        (row, result)
    }

    fn unknown_role() -> Issue {
        let message = "ROLE \"Oficer\" is not a role here; choose one of the catalog's roles.";
        error("ROLE", "Oficer", message, "Officer")
    }

    #[test]
    fn every_error_of_a_row_is_a_line_below_its_number() {
        let mut warning = error("PHONE", "+1 555", "PHONE is not assigned.", "");
        warning.severity = IssueSeverity::Warning.into();
        let email = error("EMAIL", "", "EMAIL is blank; give an email address.", "");
        let rows = BTreeMap::from([
            rejected(2, 3, "X-17", vec![unknown_role(), email, warning]),
            rejected(
                14,
                0,
                "",
                vec![error("", "", "The row has 3 fields; the header has 8.", "")],
            ),
        ]);
        assert_snapshot!(rejected_table(&rows, 2, TerminalStyle::default()), @r#"
        ┌─────┬──────┬─────────────┬────────┬────────┬──────────────────────────────────────────────────────────────────────┬────────────┐
        │ Row ┆ Line ┆ External ID ┆ Column ┆ Value  ┆ What is wrong                                                        ┆ Suggestion │
        ╞═════╪══════╪═════════════╪════════╪════════╪══════════════════════════════════════════════════════════════════════╪════════════╡
        │   2 ┆    3 ┆ X-17        ┆ ROLE   ┆ Oficer ┆ ROLE "Oficer" is not a role here; choose one of the catalog's roles. ┆ Officer    │
        │     ┆      ┆             ┆ EMAIL  ┆        ┆ EMAIL is blank; give an email address.                               ┆            │
        │  14 ┆      ┆             ┆        ┆        ┆ The row has 3 fields; the header has 8.                              ┆            │
        └─────┴──────┴─────────────┴────────┴────────┴──────────────────────────────────────────────────────────────────────┴────────────┘
        "#);
    }

    #[test]
    fn on_a_narrow_terminal_the_text_wraps_inside_its_column() {
        let rows = BTreeMap::from([rejected(2, 3, "X-17", vec![unknown_role()])]);
        let style = TerminalStyle {
            colours: false,
            width: Some(80),
        };
        assert_snapshot!(rejected_table(&rows, 1, style), @r#"
        ┌─────┬──────┬─────────────┬───────────────────────────────────────────────────┐
        │ Row ┆ Line ┆ External ID ┆ What is wrong                                     │
        ╞═════╪══════╪═════════════╪═══════════════════════════════════════════════════╡
        │   2 ┆    3 ┆ X-17        ┆ ROLE "Oficer" is not a role here; choose one of   │
        │     ┆      ┆             ┆ the catalog's roles. Did you mean "Officer"?      │
        └─────┴──────┴─────────────┴───────────────────────────────────────────────────┘
        "#);
    }

    #[test]
    fn beyond_the_first_hundred_rows_the_rest_is_counted() {
        let rows = (1..=130)
            .map(|row| rejected(row, row + 1, "", vec![unknown_role()]))
            .collect();
        let text = rejected_table(&rows, 1130, TerminalStyle::default());
        assert_eq!(text.matches("Oficer\" is").count(), 100);
        let last = text.lines().last();
        assert_eq!(
            last,
            Some("and 1,030 more rejected rows; --errors FILE.csv has them all.")
        );
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        let issue = error(
            "EMAIL",
            "\u{1b}]0;x\u{7}",
            "EMAIL has a control character.",
            "",
        );
        let rows = BTreeMap::from([rejected(1, 2, "\u{202e}", vec![issue])]);
        let text = rejected_table(&rows, 1, TerminalStyle::default());
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
}
