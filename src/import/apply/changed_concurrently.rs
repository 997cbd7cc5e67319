//! Rows and users that somebody else has changed during the import: which rows are planned again, and the
//! issues of those that no longer fit. Pure.

use std::collections::HashSet;

use uuid::Uuid;

use crate::import::review::{PlannedImport, UserToDeactivate};
use crate::{
    domain::{Column, Issue, IssueCode, Row},
    plan::{ByRow, Outcome, RowIndex},
    proto::{RowOutcome, RowResult},
};

/// The unwritten rows without the rejected ones.
pub(crate) fn remaining(unwritten: &[RowIndex], rejected: &[RowIndex]) -> Vec<RowIndex> {
    let rejected: HashSet<RowIndex> = rejected.iter().copied().collect();
    let mut rest = unwritten.to_vec();
    rest.retain(|row| !rejected.contains(row));
    rest
}

pub(crate) fn cloned_rows(planned: &PlannedImport, rows: &[RowIndex]) -> ByRow<Row> {
    rows.iter()
        .map(|&row| planned.plan.request.rows[row].clone())
        .collect()
}

/// Returns the rows of the old plan that now have another user: their new user exists by now, or `match_by` finds
/// another user or none.
pub(crate) fn rows_of_changed_users(
    old: &PlannedImport,
    rows: &[RowIndex],
    new: &PlannedImport,
) -> Vec<RowIndex> {
    let user = |planned: &PlannedImport, row| {
        let user = planned.plan.request.user_of(row)?;
        Some(user.id)
    };
    // A row matched by external ID may create its user again; a row matched by another key must not.
    let is_found = |planned: &PlannedImport, row| {
        planned.plan.request.terms.matching.key().is_some() && user(planned, row).is_some()
    };
    let is_changed = |&(&row, now): &(&RowIndex, RowIndex)| {
        let was_new = old.plan.decisions[row].outcome == Outcome::Created;
        match was_new {
            true => user(new, now).is_some(),
            false => is_found(old, row) && user(old, row) != user(new, now),
        }
    };
    let pairs = rows.iter().zip(new.plan.decisions.indices());
    pairs.filter(is_changed).map(|(row, _)| *row).collect()
}

pub(crate) fn given_up_results(old: &PlannedImport, rows: &[RowIndex]) -> Vec<RowResult> {
    rows.iter().map(|&row| given_up_result(old, row)).collect()
}

/// The result of a row that was tried too often, or whose user somebody else has created.
fn given_up_result(old: &PlannedImport, row: RowIndex) -> RowResult {
    let mut result = old.result(row, false);
    if old.plan.decisions[row].outcome == Outcome::Created {
        result
            .issues
            .push((&external_id_taken(&result.external_id)).into());
        result.user_id.clear();
    }
    rejected_as_changed(result)
}

/// Turns a result into a rejection because the directory changed.
pub(crate) fn rejected_as_changed(mut result: RowResult) -> RowResult {
    let message = "The directory changed while the import was being written, and this row no \
        longer fits; import it again.";
    let issue = Issue::row_error(IssueCode::ChangedConcurrently, message.to_owned());
    result.outcome = RowOutcome::Rejected.into();
    result.changes.clear();
    result.issues.push((&issue).into());
    result
}

fn external_id_taken(external_id: &str) -> Issue {
    let message = format!(
        "EXTERNAL_ID \"{external_id}\" was given to a user by somebody else while the import was \
         being written; import the row again to update that user."
    );
    Issue::error(
        IssueCode::ExternalIdTaken,
        Column::ExternalId,
        external_id,
        message,
    )
    .about_user(external_id)
}

pub(crate) fn user_ids(users: &[UserToDeactivate]) -> Vec<Uuid> {
    users.iter().map(|user| user.id).collect()
}

/// Splits `users` into the deactivated ones and the others.
pub(crate) fn split_deactivated(
    users: &[UserToDeactivate],
    written: &[Uuid],
) -> (Vec<UserToDeactivate>, Vec<UserToDeactivate>) {
    let written: HashSet<&Uuid> = written.iter().collect();
    let users = users.iter().cloned();
    users.partition(|user| written.contains(&user.id))
}

/// How many skipped users are named. With the plan's warnings they must fit into one message.
const NAMED: usize = 100;

/// Users who were to be deactivated and are not. The first of them are named in the warnings.
#[derive(Clone, Debug, Default)]
pub(crate) struct SkippedDeactivations {
    named: Vec<Issue>,
    more: usize,
}

impl SkippedDeactivations {
    /// Adds users.
    pub(crate) fn add(&mut self, users: &[UserToDeactivate]) {
        let room = NAMED - self.named.len();
        let (named, more) = users.split_at(room.min(users.len()));
        self.named.extend(named.iter().map(skipped_warning));
        self.more += more.len();
    }

    /// The warnings about these users.
    pub(crate) fn warnings(&self) -> Vec<Issue> {
        let mut warnings = self.named.clone();
        if self.more > 0 {
            let message = format!(
                "{} more users who are not listed were left as they are for the same reasons.",
                self.more
            );
            let code = IssueCode::ChangedConcurrently;
            warnings.push(Issue::warning(code, Column::ExternalId, "", message));
        }
        warnings
    }
}

/// The warning that a user was to be deactivated and is not.
fn skipped_warning(user: &UserToDeactivate) -> Issue {
    let external_id = &user.external_id;
    let message = format!(
        "User \"{external_id}\" is not listed, but could not be deactivated: when its turn came, \
         it was protected, inactive already, in a privileged role, or without its role, rank or \
         group. It was left as it is."
    );
    let code = IssueCode::ChangedConcurrently;
    Issue::warning(code, Column::ExternalId, external_id, message).about_user(external_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(count: usize) -> Vec<UserToDeactivate> {
        let user = |number| UserToDeactivate {
            id: Uuid::from_u128(number),
            external_id: format!("P-{number}"),
            email: String::new(),
        };
        (1..).map(user).take(count).collect()
    }

    #[test]
    fn skipped_users_are_named_up_to_a_limit_and_then_counted() {
        let mut skipped = SkippedDeactivations::default();
        assert!(skipped.warnings().is_empty());
        skipped.add(&users(NAMED));
        assert_eq!(skipped.warnings().len(), NAMED);
        skipped.add(&users(3));
        skipped.add(&users(2));
        let warnings = skipped.warnings();
        assert_eq!(warnings.len(), NAMED + 1);
        assert_eq!(&*warnings[0].related_external_id, "P-1");
        assert!(warnings[NAMED].message.contains("5 more"));
    }

    #[test]
    fn users_who_are_not_deactivated_are_skipped() {
        let all = users(3);
        let (done, skipped) = split_deactivated(&all, &user_ids(&all[1..2]));
        assert_eq!(done, all[1..2]);
        assert_eq!(skipped, [all[0].clone(), all[2].clone()]);
    }
}
