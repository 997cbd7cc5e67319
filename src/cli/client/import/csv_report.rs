//! An import's answers as CSV: a record for each row, or for each change if `--diff` is given.

use crate::cli::output::{CsvText, word};
use crate::proto::{
    ColumnChange, DeactivatedUser, ImportUsersResponse, Issue, IssueSeverity, RowOutcome,
    RowResult, import_users_response::Message,
};

/// What a record of the CSV is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvReport {
    /// One row, or one deactivated user.
    Rows,
    /// One changed value, one error, or one deactivated user; unchanged rows have none.
    Changes,
}

const ROWS: [&str; 10] = [
    "row",
    "line",
    "outcome",
    "user_id",
    "external_id",
    "changed_columns",
    "error_codes",
    "warning_codes",
    "messages",
    "suggestions",
];

const CHANGES: [&str; 9] = [
    "row",
    "line",
    "outcome",
    "external_id",
    "column",
    "before",
    "after",
    "code",
    "message",
];

impl CsvReport {
    /// The header row.
    pub(super) fn header(self) -> anyhow::Result<String> {
        let mut page = CsvText::new();
        match self {
            Self::Rows => page.push(&ROWS)?,
            Self::Changes => page.push(&CHANGES)?,
        }
        page.text()
    }

    /// The records of one answer.
    pub(super) fn records(self, answer: &ImportUsersResponse) -> anyhow::Result<String> {
        let mut page = CsvText::new();
        match &answer.message {
            Some(Message::Results(results)) => {
                for result in &results.results {
                    self.push_row(&mut page, result)?;
                }
            }
            Some(Message::Deactivations(more)) => {
                for user in &more.users {
                    match self {
                        Self::Rows => page.push(&missing(user))?,
                        Self::Changes => page.push(&missing_change(user))?,
                    }
                }
            }
            _ => {}
        }
        page.text()
    }

    fn push_row(self, page: &mut CsvText, result: &RowResult) -> anyhow::Result<()> {
        if self == Self::Rows {
            return page.push(&row(result));
        }
        for change in &result.changes {
            page.push(&changed(result, change))?;
        }
        let rejected = result.outcome() == RowOutcome::Rejected;
        for issue in result.issues.iter().filter(|_| rejected) {
            page.push(&fault(result, issue))?;
        }
        Ok(())
    }
}

fn outcome(result: &RowResult) -> String {
    word(result.outcome().as_str_name(), "ROW_OUTCOME_")
}

fn code(issue: &Issue) -> String {
    word(issue.code().as_str_name(), "ISSUE_CODE_")
}

fn row(result: &RowResult) -> [String; 10] {
    let columns: Vec<_> = result.changes.iter().map(|c| c.column.as_str()).collect();
    let codes = |severity| {
        let issues = result.issues.iter();
        let of = issues.filter(|issue| issue.severity() == severity);
        of.map(code).collect::<Vec<_>>().join(" ")
    };
    let messages: Vec<_> = result.issues.iter().map(|i| i.message.as_str()).collect();
    let suggested = result.issues.iter().filter(|i| !i.suggestion.is_empty());
    let suggestions: Vec<_> = suggested
        .map(|issue| format!("{}: {}", issue.column, issue.suggestion))
        .collect();
    [
        result.row.to_string(),
        line(result),
        outcome(result),
        result.user_id.clone(),
        result.external_id.clone(),
        columns.join(" "),
        codes(IssueSeverity::Error),
        codes(IssueSeverity::Warning),
        messages.join(" "),
        suggestions.join("; "),
    ]
}

/// Blank for typed rows, which are on no line.
fn line(result: &RowResult) -> String {
    match result.line {
        0 => String::new(),
        line => line.to_string(),
    }
}

fn missing(user: &DeactivatedUser) -> [String; 10] {
    let mut record = <[String; 10]>::default();
    "DEACTIVATED".clone_into(&mut record[2]);
    record[3].clone_from(&user.user_id);
    record[4].clone_from(&user.external_id);
    "STATUS".clone_into(&mut record[5]);
    record
}

fn changed(result: &RowResult, change: &ColumnChange) -> [String; 9] {
    [
        result.row.to_string(),
        line(result),
        outcome(result),
        result.external_id.clone(),
        change.column.clone(),
        change.before.clone().unwrap_or_default(),
        change.after.clone().unwrap_or_default(),
        String::new(),
        String::new(),
    ]
}

fn fault(result: &RowResult, issue: &Issue) -> [String; 9] {
    [
        result.row.to_string(),
        line(result),
        outcome(result),
        result.external_id.clone(),
        issue.column.clone(),
        String::new(),
        issue.value.clone(),
        code(issue),
        issue.message.clone(),
    ]
}

fn missing_change(user: &DeactivatedUser) -> [String; 9] {
    [
        "",
        "",
        "DEACTIVATED",
        &user.external_id,
        "STATUS",
        "Active",
        "Inactive",
        "",
        "",
    ]
    .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::proto::{Deactivations, IssueCode, RowResults};

    fn answers() -> [ImportUsersResponse; 2] {
        let updated = RowResult {
            row: 1,
            line: 2,
            outcome: RowOutcome::Updated.into(),
            user_id: "0198".to_owned(),
            external_id: "P-1".to_owned(),
            changes: vec![ColumnChange {
                column: "RANK".to_owned(),
                before: Some("Sergeant, acting".to_owned()),
                after: None,
            }],
            ..RowResult::default()
        };
        let rejected = RowResult {
            row: 2,
            line: 3,
            outcome: RowOutcome::Rejected.into(),
            issues: vec![Issue {
                severity: IssueSeverity::Error.into(),
                code: IssueCode::UnknownRole.into(),
                column: "ROLE".to_owned(),
                value: "Oficer".to_owned(),
                message: "ROLE \"Oficer\" is not a role.".to_owned(),
                suggestion: "Officer".to_owned(),
                ..Issue::default()
            }],
            ..RowResult::default()
        };
        let users = vec![DeactivatedUser {
            user_id: "0199".to_owned(),
            external_id: "P-9".to_owned(),
            ..DeactivatedUser::default()
        }];
        let results = vec![updated, rejected];
        [
            Message::Results(RowResults::new(results)),
            Message::Deactivations(Deactivations { users }),
        ]
        .map(|message| ImportUsersResponse {
            message: Some(message),
        })
    }

    fn page(sheet: CsvReport) -> String {
        let records = answers().map(|answer| sheet.records(&answer).unwrap());
        sheet.header().unwrap() + &records.concat()
    }

    #[test]
    fn every_row_and_every_deactivated_user_is_a_record() {
        assert_snapshot!(page(CsvReport::Rows), @r#"
        row,line,outcome,user_id,external_id,changed_columns,error_codes,warning_codes,messages,suggestions
        1,2,UPDATED,0198,P-1,RANK,,,,
        2,3,REJECTED,,,,UNKNOWN_ROLE,,"ROLE ""Oficer"" is not a role.",ROLE: Officer
        ,,DEACTIVATED,0199,P-9,STATUS,,,,
        "#);
    }

    #[test]
    fn every_change_and_every_error_is_a_record() {
        assert_snapshot!(page(CsvReport::Changes), @r#"
        row,line,outcome,external_id,column,before,after,code,message
        1,2,UPDATED,P-1,RANK,"Sergeant, acting",,,
        2,3,REJECTED,,ROLE,,Oficer,UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role."
        ,,DEACTIVATED,P-9,STATUS,Active,Inactive,,
        "#);
    }
}
