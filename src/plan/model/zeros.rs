//! Warnings of lost zeros (semantics §2), as the model finds them: each value is compared with every other.

use super::ReferenceModel;
use crate::domain::{Column, IssueCode};
use crate::plan::{Outcome, Plan, RowIndex};

/// A warning: its column, and the user or the row that has the value with other zeros.
pub(super) type LostZeros = (Column, Option<String>, Option<u32>);

impl ReferenceModel<'_> {
    /// Returns the warnings of `row`. A rejected copy has the warnings of the row that it equals.
    pub(super) fn lost_zeros(&self, row: usize) -> Vec<LostZeros> {
        match self.copy_of[row] {
            Some(original) if self.outcome(row) == Outcome::Rejected => self.lost_zeros(original),
            Some(_) => Vec::new(),
            None => [Column::ExternalId, Column::BadgeNumber]
                .into_iter()
                .filter_map(|column| self.lost_zeros_of(row, column))
                .collect(),
        }
    }

    fn lost_zeros_of(&self, row: usize, column: Column) -> Option<LostZeros> {
        let value = self.sound(row, column)?;
        let held = |user: usize| match column {
            Column::ExternalId => self.users[user].external_id(),
            _ => self.users[user].badge_number(),
        };
        let own = self.user(row);
        if own.is_some_and(|user| held(user) == value) {
            return None;
        }
        let bare = |text: &str| text.trim_start_matches('0').to_owned();
        let is_alike = |other: &str| other != value && bare(other) == bare(&value);
        let users = (0..self.users.len()).filter(|&user| is_alike(held(user)));
        if let Some(user) = users.min_by_key(|&user| (Some(user) != own, held(user))) {
            let id = self.users[user].external_id().to_owned();
            return Some((column, Some(id), None));
        }
        let gives = |&other: &usize| {
            self.sound(other, column)
                .is_some_and(|text| is_alike(&text))
        };
        let other = (0..self.rows.len()).find(gives)?;
        Some((column, None, Some(self.number(other))))
    }
}

/// Returns the warnings of `row` in `plan`.
pub(super) fn planned_zeros(plan: &Plan, row: RowIndex) -> Vec<LostZeros> {
    let issues = plan.issues(row);
    let lost = issues
        .into_iter()
        .filter(|issue| issue.code == IssueCode::LeadingZerosLost);
    let read = lost.map(|issue| {
        let id = issue.related_external_id.to_string();
        let id = Some(id).filter(|id| !id.is_empty());
        (issue.column.unwrap(), id, issue.related_row)
    });
    read.collect()
}
