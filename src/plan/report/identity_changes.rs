//! Finds rows that replace the person of their user (semantics §7, mass change of identity).
//!
//! A spreadsheet sorted by one column alone gives every external ID another person's data. As a set that is a valid
//! rotation of keys, so no rule of the judgement rejects it.

use crate::domain::{Column, ColumnSet, Row, User, email_key, fold, strip_leading_zeros};
use crate::plan::index::{ByRow, Key};
use crate::plan::judge::{Decision, Finding, Findings, JudgementState, Outcome};

/// The columns of a person's identity. Both names together count as one.
const IDENTITY: [Column; 5] = [
    Column::Email,
    Column::BadgeNumber,
    Column::FirstName,
    Column::LastName,
    Column::Username,
];

/// A row that changes this many of email, badge number, username and both names makes another person.
const REPLACED: usize = 3;

/// The counts for the identity guard. Each user of the directory counts once, for the row that stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IdentityChanges {
    /// Number of rows that replace the person of their user.
    pub(crate) replaced: u32,
    /// Number of rows that match a user.
    pub(crate) matched: u32,
}

/// Warns about each standing row that replaces the person of its user, and counts these rows.
pub(crate) fn warn_of_replaced_identities(
    state: &JudgementState<'_>,
    decisions: &ByRow<Decision>,
    findings: &mut Findings,
) -> IdentityChanges {
    let mut found = IdentityChanges::default();
    for (row, decision) in decisions.enumerate() {
        let Some(user) = state.roster.user(row).filter(|_| state.stands(row)) else {
            continue;
        };
        found.matched += 1;
        let (data, user) = (&state.roster.rows[row], &state.roster.users[user]);
        if decision.outcome == Outcome::Updated && is_replaced(data, user, decision.changes) {
            findings.push(row, Finding::IdentityReplaced);
            found.replaced += 1;
        }
    }
    found
}

fn is_replaced(row: &Row, user: &User, changes: ColumnSet) -> bool {
    // Most rows change little or nothing: only rows with many changes are compared.
    count(changes) >= REPLACED && count(replaced_columns(row, user, changes)) >= REPLACED
}

/// Returns how many of email, badge number, username and both names are in `columns`.
fn count(columns: ColumnSet) -> usize {
    let keys = Key::MOVABLE
        .into_iter()
        .filter(|key| columns.contains(key.column()));
    let names = columns.contains(Column::FirstName) && columns.contains(Column::LastName);
    keys.count() + usize::from(names)
}

/// Returns the columns of `changes` whose new value can be another person's. A change of case or of leading zeros does
/// not count. One name alone is left out, since people marry.
pub(crate) fn replaced_columns(row: &Row, user: &User, changes: ColumnSet) -> ColumnSet {
    let differs = |&column: &Column| changes.contains(column) && is_other(row, user, column);
    let mut columns: ColumnSet = IDENTITY.into_iter().filter(differs).collect();
    if !(columns.contains(Column::FirstName) && columns.contains(Column::LastName)) {
        columns.remove(Column::FirstName);
        columns.remove(Column::LastName);
    }
    columns
}

fn is_other(row: &Row, user: &User, column: Column) -> bool {
    let given = row.value(column).unwrap_or_default();
    match column {
        Column::Email => email_key(given) != email_key(user.email()),
        Column::Username => fold(given) != fold(user.username()),
        Column::FirstName => fold(given) != fold(user.first_name()),
        Column::LastName => fold(given) != fold(user.last_name()),
        _ => strip_leading_zeros(given) != strip_leading_zeros(user.badge_number()),
    }
}
