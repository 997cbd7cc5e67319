//! The warnings of an import's first plan. Pure.
//!
//! Rows that are planned again, after an interruption or on a directory that has changed, are planned
//! on users that the import has written itself, and without those it is going to deactivate. That
//! must not show: a row's result is that of an undisturbed run (semantics §8).

use std::collections::BTreeMap;

use crate::proto::{Issue, IssueCode, RowResult};

/// Warnings by row number.
#[derive(Debug, Default)]
pub struct Noted(BTreeMap<u32, Vec<Issue>>);

/// What is judged by how other users were before the import, or will be after it.
const OF_OTHERS: [IssueCode; 2] = [IssueCode::LeadingZerosLost, IssueCode::SupervisorInactive];

impl Noted {
    /// Takes over the warnings of rows that are to be written.
    pub fn add(&mut self, results: impl IntoIterator<Item = RowResult>) {
        let warned = results.into_iter().filter(|row| !row.issues.is_empty());
        self.0.extend(warned.map(|row| (row.row, row.issues)));
    }

    /// The same for the record: row numbers and warnings, and nothing else of a result.
    pub fn results(&self) -> impl Iterator<Item = RowResult> {
        self.0.iter().map(|(&row, issues)| RowResult {
            row,
            issues: issues.clone(),
            ..RowResult::default()
        })
    }

    /// What is said of a row in whose later plan `issues` were found: of other users what the first
    /// plan said, of the row itself what the later one says.
    #[must_use]
    pub fn settle(&self, row: u32, issues: Vec<Issue>) -> Vec<Issue> {
        let first = self.0.get(&row).map_or(&[][..], Vec::as_slice);
        let lasting = |issue: &&Issue| is_of_others(issue) || issues.contains(issue);
        let mut settled: Vec<Issue> = first.iter().filter(lasting).cloned().collect();
        for issue in issues {
            if !is_of_others(&issue) && !settled.contains(&issue) {
                settled.push(issue);
            }
        }
        settled
    }
}

fn is_of_others(issue: &Issue) -> bool {
    OF_OTHERS.contains(&issue.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(code: IssueCode) -> Issue {
        Issue {
            code: code.into(),
            ..Issue::default()
        }
    }

    fn noted(issues: Vec<Issue>) -> Noted {
        let mut noted = Noted::default();
        noted.add([RowResult {
            row: 3,
            issues,
            ..RowResult::default()
        }]);
        noted
    }

    #[test]
    fn what_a_later_plan_sees_of_other_users_does_not_show() {
        let zeros = || issue(IssueCode::LeadingZerosLost);
        assert_eq!(noted(Vec::new()).settle(3, vec![zeros()]), []);
        assert_eq!(noted(vec![zeros()]).settle(3, Vec::new()), [zeros()]);
        assert_eq!(noted(vec![zeros()]).settle(4, vec![zeros()]), []);
    }

    #[test]
    fn what_it_finds_in_the_row_itself_does() {
        let inactive = || issue(IssueCode::SupervisorInactive);
        let phone = || issue(IssueCode::InvalidPhone);
        let group = || issue(IssueCode::InactiveGroup);
        let settled = noted(vec![phone(), inactive()]).settle(3, vec![group(), phone()]);
        assert_eq!(settled, [phone(), inactive(), group()]);
        assert_eq!(noted(vec![group()]).settle(3, Vec::new()), []);
    }
}
