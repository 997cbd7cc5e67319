//! What becomes of rows and users that a changed directory overtakes: which rows are planned again,
//! and what is said of those that no longer fit. Pure.

use std::collections::HashSet;

use uuid::Uuid;

use super::verdict::{self, Judged};
use crate::{
    domain::{Column, Issue, IssueCode, Row},
    plan::Outcome,
    proto::{DeactivatedUser, Deactivations, RowOutcome, RowResult},
};

/// The rows that are still to be written, without those rejected.
pub(super) fn remaining(unwritten: &[u32], rejected: &[u32]) -> Vec<u32> {
    let rejected: HashSet<u32> = rejected.iter().copied().collect();
    let mut rest = unwritten.to_vec();
    rest.retain(|row| !rejected.contains(row));
    rest
}

pub(super) fn cloned(judged: &Judged, rows: &[u32]) -> Vec<Row> {
    rows.iter()
        .map(|&row| judged.rows[row as usize].clone())
        .collect()
}

/// Of `rows` of the old plan, those that were to create a user who is there by now.
pub(super) fn overtaken(old: &Judged, rows: &[u32], new: &Judged) -> Vec<u32> {
    let overtaken = |&(row, now): &(&u32, u32)| {
        old.plan.decisions[*row as usize].outcome == Outcome::Created
            && new.directory.user_of(now).is_some()
    };
    let pairs = rows.iter().zip(0..);
    pairs.filter(overtaken).map(|(row, _)| *row).collect()
}

pub(super) fn given_up_results(old: &Judged, rows: &[u32]) -> Vec<RowResult> {
    rows.iter()
        .map(|&row| given_up_result(old, row as usize))
        .collect()
}

/// The verdict on a row that has been tried too often, or whose user somebody else has made.
fn given_up_result(old: &Judged, row: usize) -> RowResult {
    let mut result = old.result(row, false);
    if old.plan.decisions[row].outcome == Outcome::Created {
        result.issues.push((&taken(&result.external_id)).into());
        result.user_id.clear();
    }
    changed(result)
}

/// A verdict turned into a rejection because the directory changed.
pub(super) fn changed(mut result: RowResult) -> RowResult {
    let message = "The directory changed while the import was being written, and this row no \
        longer fits; import it again.";
    let issue = Issue::row_error(IssueCode::ChangedConcurrently, message.to_owned());
    result.outcome = RowOutcome::Rejected.into();
    result.changes.clear();
    result.issues.push((&issue).into());
    result
}

fn taken(external_id: &str) -> Issue {
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

pub(super) fn ids(users: &[DeactivatedUser]) -> Vec<Uuid> {
    let ids = users.iter().map(|user| Uuid::try_parse(&user.user_id));
    ids.filter_map(Result::ok).collect()
}

/// Those who have been deactivated, as messages, and a warning for each of the others.
pub(super) fn split(
    users: &[DeactivatedUser],
    written: &[Uuid],
) -> (Vec<Deactivations>, Vec<crate::proto::Issue>) {
    let written: HashSet<String> = written.iter().map(Uuid::to_string).collect();
    let (done, skipped): (Vec<&DeactivatedUser>, Vec<_>) = users
        .iter()
        .partition(|user| written.contains(&user.user_id));
    let done = verdict::deactivations(done.into_iter().cloned()).collect();
    (done, skipped.into_iter().map(left_alone).collect())
}

/// Says that a user was to be deactivated and is not.
fn left_alone(user: &DeactivatedUser) -> crate::proto::Issue {
    let external_id = &user.external_id;
    let message = format!(
        "User \"{external_id}\" is not listed and was to be deactivated, but was protected, inactive \
         already, or in a privileged role when its turn came; it was left as it is."
    );
    let code = IssueCode::ChangedConcurrently;
    let issue = Issue::warning(code, Column::ExternalId, external_id, message);
    (&issue.about_user(external_id)).into()
}
