//! What the final state means for each row, as the model finds it: its outcome, and what else is wrong with a rejected
//! row (semantics §5, end).

use super::{FinalPerson, KEYS, ModelIssue, ReferenceModel, position, taken};
use crate::domain::{Column, IssueCode};
use crate::plan::Outcome;

impl ReferenceModel<'_> {
    /// Returns the issues of `row`. For a rejected row, adds everything else that is wrong with it in the final state.
    pub(super) fn final_issues(&self, row: usize) -> Vec<ModelIssue> {
        let mut issues = self.issues[row].clone();
        if self.rejected_at[row].is_none() {
            return issues;
        }
        let everybody = self.everybody();
        let id = self.sound(row, Column::ExternalId);
        let user = self.user(row);
        let is_own = |one: &FinalPerson| match user {
            Some(_) => one.user == user,
            None => id.as_ref() == Some(&one.external_id),
        };
        for (key, column) in KEYS.into_iter().enumerate() {
            let Some(value) = self.sound(row, column) else {
                continue;
            };
            let holder = everybody
                .iter()
                .find(|one| one.keys[key] == value && !is_own(one));
            let Some(holder) = holder.filter(|_| !self.is_unsound(row, Column::ExternalId)) else {
                continue;
            };
            let giver = holder.row.map(|row| self.number(row));
            let duplicate = (IssueCode::DuplicateInFile, Some(column), giver);
            let is_known = issues.iter().any(|f| f.0 == taken(column))
                || giver.is_some() && issues.contains(&duplicate);
            if !is_known {
                issues.push((taken(column), Some(column), giver));
            }
        }
        if let Some(email) = self.sound(row, Column::SupervisorEmail) {
            let is_self = self.sound(row, Column::Email).as_ref() == Some(&email);
            if is_self || position(&everybody, &email).is_some() {
                return issues;
            }
            let code = IssueCode::SupervisorNotFound;
            if issues.iter().all(|issue| issue.0 != code) {
                issues.push((code, Some(Column::SupervisorEmail), None));
            }
        }
        issues
    }

    pub(super) fn outcome(&self, row: usize) -> Outcome {
        if let Some(original) = self.copy_of[row] {
            return match self.outcome(original) {
                Outcome::Rejected => Outcome::Rejected,
                _ => Outcome::Unchanged,
            };
        }
        if self.rejected_at[row].is_some() {
            return Outcome::Rejected;
        }
        let everybody = self.everybody();
        let after = everybody.iter().find(|one| one.row == Some(row)).unwrap();
        let Some(user) = after.user else {
            return Outcome::Created;
        };
        let (data, present) = (&self.rows[row], &self.users[user]);
        let texts = [present.email(), present.badge_number(), present.username()];
        let id = self.sound(row, Column::ExternalId);
        let same = id.is_none_or(|id| id == present.external_id())
            && KEYS.map(|column| data.value(column).unwrap_or_default()) == texts
            && after.status == present.status
            && self.role(row) == present.role
            && after.supervisor == self.present_supervisor(user);
        if same {
            Outcome::Unchanged
        } else {
            Outcome::Updated
        }
    }
}
