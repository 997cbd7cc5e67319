//! Rows that replace the person of their user (semantics §7), as the model finds them: each value of the row is compared
//! with the user's.

use super::{KEYS, Model};
use crate::domain::{Column, IssueCode};
use crate::plan::{Outcome, Plan, RowIndex};

impl Model<'_> {
    /// Returns `true` if `row` changes at least three of email, badge number, username and both names together.
    pub(super) fn replaces_person(&self, row: usize) -> bool {
        let Some(user) = self.user(row).filter(|_| self.copy_of[row].is_none()) else {
            return false;
        };
        let user = &self.users[user];
        let differs = |column: Column| {
            let comparable = |text: &str| match column {
                Column::BadgeNumber => text.trim_start_matches('0').to_owned(),
                _ => text.to_lowercase(),
            };
            let stored = user.value(column).unwrap_or_default();
            let given = self.rows[row].value(column).unwrap_or(stored);
            comparable(given) != comparable(stored)
        };
        let keys = KEYS.into_iter().filter(|&column| differs(column)).count();
        let names = differs(Column::FirstName) && differs(Column::LastName);
        self.outcome(row) == Outcome::Updated && keys + usize::from(names) >= 3
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
