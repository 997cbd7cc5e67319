//! The warnings of an import's first plan. Pure.
//!
//! A later plan, after an interruption or a changed directory, sees users that the import itself has written or
//! deactivated. A row's result must not show that: it must be the result of an undisturbed run (semantics §8).

use std::collections::BTreeMap;

use prost::Message;

use crate::{
    domain::column_in_file,
    plan::{supervisor_inactive, zeros_lost},
    proto::{Issue, IssueCode, IssueSeverity, RowResult},
};

/// The first plan's warnings about other users, by row number, encoded. Messages that follow from the other fields
/// are left out and made again when they are read.
#[derive(Debug, Default)]
pub struct FirstPlanWarnings {
    /// The offset in `encoded` of each row's warnings.
    starts: BTreeMap<u32, usize>,
    encoded: Vec<u8>,
}

/// Codes that depend on other users before or after the import.
const OF_OTHERS: [IssueCode; 3] = [
    IssueCode::LeadingZerosLost,
    IssueCode::SupervisorInactive,
    IssueCode::ExportArtifact,
];

impl FirstPlanWarnings {
    /// Adds the warnings of these results, as far as they are about other users.
    pub fn add(&mut self, results: impl IntoIterator<Item = RowResult>) {
        for RowResult {
            row, mut issues, ..
        } in results
        {
            issues.retain(is_of_others);
            for issue in issues.iter_mut().filter(|issue| says_all(issue)) {
                issue.message.clear();
            }
            if !issues.is_empty() {
                let warnings = RowResult {
                    issues,
                    ..RowResult::default()
                };
                self.starts.insert(row, self.encoded.len());
                self.encoded
                    .extend_from_slice(&warnings.encode_length_delimited_to_vec());
            }
        }
    }

    /// The warnings as results for the record: row number and issues only.
    pub fn results(&self) -> impl Iterator<Item = RowResult> {
        self.starts.iter().map(|(&row, &start)| RowResult {
            row,
            issues: self.read(start),
            ..RowResult::default()
        })
    }

    /// Merges a row's `issues` in a later plan with the first plan: warnings about other users are the first plan's,
    /// all other issues are the later plan's.
    #[must_use]
    pub fn merge_warnings(&self, row: u32, mut issues: Vec<Issue>) -> Vec<Issue> {
        issues.retain(|issue| !is_of_others(issue));
        let first = self.starts.get(&row);
        issues.extend(first.into_iter().flat_map(|&start| self.read(start)));
        issues
    }

    fn read(&self, start: usize) -> Vec<Issue> {
        let result = RowResult::decode_length_delimited(&self.encoded[start..]);
        let mut issues = result.unwrap_or_default().issues;
        let cleared = issues.iter_mut().filter(|issue| says_all(issue));
        cleared.for_each(word);
        issues
    }
}

/// Returns `true` if warnings with this code are about other users.
pub(crate) fn is_about_others(code: crate::domain::IssueCode) -> bool {
    let code = i32::from(code as u8);
    OF_OTHERS.iter().any(|&other| i32::from(other) == code)
}

/// Makes the message of a warning again.
fn word(issue: &mut Issue) {
    let column = column_in_file(&issue.column, &issue.file_column);
    let named = format!("{column} \"{}\"", issue.value);
    issue.message = match issue.code() {
        IssueCode::LeadingZerosLost => zeros_lost(&named, &issue.suggestion),
        _ => supervisor_inactive(&named),
    };
}

/// Returns `true` if the message follows from the issue's other fields. A message that quotes another row does not.
fn says_all(issue: &Issue) -> bool {
    issue.code() != IssueCode::ExportArtifact && issue.related_row == 0
}

fn is_of_others(issue: &Issue) -> bool {
    issue.severity() == IssueSeverity::Warning && OF_OTHERS.contains(&issue.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(code: IssueCode) -> Issue {
        let message = match code {
            IssueCode::LeadingZerosLost => zeros_lost("BADGE_NUMBER \"42\"", "042"),
            IssueCode::SupervisorInactive => {
                supervisor_inactive("SUPERVISOR_EMAIL \"a@b.example\"")
            }
            _ => "Something else.".to_owned(),
        };
        let (column, value, suggestion) = match code {
            IssueCode::LeadingZerosLost => ("BADGE_NUMBER", "42", "042"),
            IssueCode::SupervisorInactive => ("SUPERVISOR_EMAIL", "a@b.example", ""),
            _ => ("", "", ""),
        };
        Issue {
            code: code.into(),
            column: column.to_owned(),
            value: value.to_owned(),
            suggestion: suggestion.to_owned(),
            message,
            severity: IssueSeverity::Warning.into(),
            ..Issue::default()
        }
    }

    fn first_plan_warnings(issues: Vec<Issue>) -> FirstPlanWarnings {
        let mut first_plan_warnings = FirstPlanWarnings::default();
        first_plan_warnings.add([RowResult {
            row: 3,
            issues,
            ..RowResult::default()
        }]);
        first_plan_warnings
    }

    #[test]
    fn what_a_later_plan_sees_of_other_users_does_not_show() {
        let zeros = || issue(IssueCode::LeadingZerosLost);
        assert_eq!(
            first_plan_warnings(Vec::new()).merge_warnings(3, vec![zeros()]),
            []
        );
        assert_eq!(
            first_plan_warnings(vec![zeros()]).merge_warnings(3, Vec::new()),
            [zeros()]
        );
        assert_eq!(
            first_plan_warnings(vec![zeros()]).merge_warnings(4, vec![zeros()]),
            []
        );
    }

    #[test]
    fn a_sentence_that_quotes_another_row_or_an_artefact_stays_as_it_was() {
        let quoting = Issue {
            related_row: 7,
            message: "BADGE_NUMBER \"42\" equals \"042\" of row 7.".to_owned(),
            ..issue(IssueCode::LeadingZerosLost)
        };
        let artefact = issue(IssueCode::ExportArtifact);
        let both = || vec![quoting.clone(), artefact.clone()];
        assert_eq!(
            first_plan_warnings(both()).merge_warnings(3, Vec::new()),
            both()
        );
        let rejecting = Issue {
            severity: IssueSeverity::Error.into(),
            ..artefact.clone()
        };
        assert_eq!(
            first_plan_warnings(Vec::new()).merge_warnings(3, vec![rejecting.clone()]),
            [rejecting]
        );
    }

    #[test]
    fn what_it_finds_in_the_row_itself_does() {
        let inactive = || issue(IssueCode::SupervisorInactive);
        let phone = || issue(IssueCode::InvalidPhone);
        let group = || issue(IssueCode::InactiveGroup);
        let settled = first_plan_warnings(vec![phone(), inactive()])
            .merge_warnings(3, vec![group(), phone()]);
        assert_eq!(settled, [group(), phone(), inactive()]);
        assert_eq!(
            first_plan_warnings(vec![group()]).merge_warnings(3, Vec::new()),
            []
        );
    }

    #[test]
    fn what_is_recorded_is_what_the_first_plan_said_of_others() {
        let both = || {
            vec![
                issue(IssueCode::LeadingZerosLost),
                issue(IssueCode::SupervisorInactive),
            ]
        };
        let mut first_plan_warnings = first_plan_warnings(both());
        first_plan_warnings.add([RowResult {
            row: 2,
            issues: vec![issue(IssueCode::InvalidPhone)],
            ..RowResult::default()
        }]);
        let recorded: Vec<_> = first_plan_warnings.results().collect();
        let rows: Vec<_> = recorded.iter().map(|r| (r.row, r.issues.clone())).collect();
        assert_eq!(rows, [(3, both())]);
    }
}
