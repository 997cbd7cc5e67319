//! Rows that replace the person of their user (semantics §7), as the model finds them: each value of the row is compared
//! with the user's.

use super::{KEYS, ReferenceModel};
use crate::domain::{Column, IssueCode};
use crate::plan::{Outcome, Plan, RowIndex};

impl ReferenceModel<'_> {
    /// Returns `true` if `row` changes at least three of email, badge number, username and both names together.
    pub(super) fn replaces_person(&self, row: usize) -> bool {
        if self.user(row).is_none() || self.copy_of[row].is_some() {
            return false;
        }
        let keys = KEYS.into_iter().filter(|&column| self.differs(row, column));
        let names = [Column::FirstName, Column::LastName];
        let names = names.into_iter().all(|column| self.differs(row, column));
        self.outcome(row) == Outcome::Updated && keys.count() + usize::from(names) >= 3
    }

    /// Returns `true` if `row` has another value than its user, apart from case and leading zeros.
    pub(super) fn differs(&self, row: usize, column: Column) -> bool {
        let Some(user) = self.user(row).map(|user| &self.users[user]) else {
            return false;
        };
        let comparable = |text: &str| match column {
            Column::BadgeNumber => text.trim_start_matches('0').to_owned(),
            _ => text.to_lowercase(),
        };
        let stored = user.value(column).unwrap_or_default();
        let given = self.rows[row].value(column).unwrap_or(stored);
        comparable(given) != comparable(stored)
    }

    /// Returns how many rows replace their person, and how many match a user.
    pub(super) fn identity_changes(&self) -> (u32, u32) {
        let count = |rows: usize| u32::try_from(rows).unwrap();
        let rows = 0..self.rows.len();
        let replaced = rows.filter(|&row| self.replaces_person(row)).count();
        let matched = self.standing().filter(|&row| self.user(row).is_some());
        (count(replaced), count(matched.count()))
    }
}

/// Returns `true` if `plan` warns that `row` replaces its person.
pub(super) fn planned_replacement(plan: &Plan, row: RowIndex) -> bool {
    let mut issues = plan.issues(row).into_iter();
    issues.any(|issue| issue.code == IssueCode::IdentityReplaced)
}
