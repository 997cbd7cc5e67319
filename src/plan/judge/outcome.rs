//! Decides the outcome of each standing row (semantics §4), created, updated or unchanged, and the attributes that
//! change.

use super::decision::{Decision, Outcome};
use super::judgement_state::JudgementState;
use crate::domain::{Column, ColumnSet, Row, User};
use crate::plan::index::{ByRow, FinalUser, parallel, resulting};

/// Completes the decisions, in which the checks have set the changes that [`changing`] returns.
pub(crate) fn finish_outcomes(state: &JudgementState<'_>, decisions: &mut ByRow<Decision>) {
    parallel::change(decisions, |row, decision| {
        if !state.stands(row) {
            decision.changes = ColumnSet::EMPTY;
            if state.original(row).is_some_and(|first| state.stands(first)) {
                decision.outcome = Outcome::Unchanged;
            }
            return;
        }
        let person = state.roster.person(row);
        decision.supervisor = state.supervisor(person);
        if let FinalUser::Row(_) = person {
            decision.changes = values(&state.roster.rows[row], decision);
            decision.outcome = Outcome::Created;
            return;
        }
        if decision.supervisor != state.present_supervisor(person) {
            decision.changes.insert(Column::SupervisorEmail);
        }
        decision.outcome = match decision.changes.is_empty() {
            true => Outcome::Unchanged,
            false => Outcome::Updated,
        };
    });
}

/// Returns the attributes that change for a user of the directory. A change of case alone counts. The supervisor is
/// left out, since it depends on the other rows.
pub(crate) fn changing(row: &Row, user: &User, decision: &Decision) -> ColumnSet {
    let apart = user.apart_from(row);
    // A value that the user has exactly as the row writes it does not change.
    let is_as_written = |column: Column| {
        let written = row.written(column);
        written.is_some() && written == user.value(column)
    };
    let is_apart = |column: Column| apart.contains(column) && !is_as_written(column);
    let differs = |&column: &Column| match column {
        Column::Role => decision.role != user.role,
        Column::Rank => decision.rank != user.rank,
        Column::EvidenceGroupExtId => decision.group != user.group,
        Column::SupervisorEmail | Column::Location => false,
        // If it is blank, the user keeps its external ID.
        Column::ExternalId => row.sound(column).is_some() && is_apart(column),
        Column::Status => row.status().is_some_and(|status| status != user.status),
        _ => row.has(column) && is_apart(column),
    };
    Column::ALL.into_iter().filter(differs).collect()
}

/// Returns the attributes of a new user that get a value.
fn values(row: &Row, decision: &Decision) -> ColumnSet {
    let is_set = |column| match column {
        Column::ExternalId | Column::Role => true,
        Column::Rank => decision.rank.is_some(),
        Column::EvidenceGroupExtId => decision.group.is_some(),
        Column::SupervisorEmail => decision.supervisor.is_some(),
        _ => !resulting(row, None, column).is_empty(),
    };
    Column::ALL.into_iter().filter(|&c| is_set(c)).collect()
}
