//! What each standing row comes to (semantics §4): created, updated or unchanged, and which
//! attributes change.

use super::decision::{Decision, Outcome, Supervisor};
use crate::domain::{Column, ColumnSet, Row, User};
use crate::plan::index::FinalUser;
use crate::plan::index::parallel;
use crate::plan::index::{resulting, stored};
use crate::plan::judge::State;

/// Completes the decisions, where the checks have put in what [`changing`] says.
pub(crate) fn finish_outcomes(state: &State<'_>, decisions: &mut [Decision]) {
    parallel::change(decisions, |row, decision| {
        if !state.stands(row) {
            decision.changes = ColumnSet::EMPTY;
            if state.original(row).is_some_and(|first| state.stands(first)) {
                decision.outcome = Outcome::Unchanged;
            }
            return;
        }
        let person = state.roster.person(row);
        decision.supervisor = state.supervisor(person).into();
        if let FinalUser::Row(_) = person {
            let data = &state.roster.rows[row as usize];
            decision.changes = values(data, decision);
            decision.outcome = Outcome::Created;
            return;
        }
        if decision.supervisor != state.present_supervisor(person).into() {
            decision.changes.insert(Column::SupervisorEmail);
        }
        decision.outcome = match decision.changes.is_empty() {
            true => Outcome::Unchanged,
            false => Outcome::Updated,
        };
    });
}

/// The attributes of a user of the directory that change, but for the supervisor, whom the other rows
/// decide; a change of case alone is one.
pub(crate) fn changing(row: &Row, user: &User, decision: &Decision) -> ColumnSet {
    let apart = user.apart_from(row);
    // What the user has just as the row writes it stays so.
    let is_as_written = |column: Column| {
        let written = row.written(column);
        written.is_some() && written == stored(user, column)
    };
    let is_apart = |column: Column| apart.contains(column) && !is_as_written(column);
    let differs = |&column: &Column| match column {
        Column::Role => decision.role != user.role,
        Column::Rank => decision.rank != user.rank,
        Column::EvidenceGroupExtId => decision.group != user.group,
        Column::SupervisorEmail | Column::Location => false,
        // Blank: the user keeps the one it has.
        Column::ExternalId => row.sound(column).is_some() && is_apart(column),
        Column::Status => row.status().is_some_and(|status| status != user.status),
        _ => row.has(column) && is_apart(column),
    };
    Column::ALL.into_iter().filter(differs).collect()
}

/// The attributes of a new user that get a value.
fn values(row: &Row, decision: &Decision) -> ColumnSet {
    let is_set = |column| match column {
        Column::ExternalId | Column::Role => true,
        Column::Rank => decision.rank.is_some(),
        Column::EvidenceGroupExtId => decision.group.is_some(),
        Column::SupervisorEmail => decision.supervisor != Supervisor::None,
        _ => !resulting(row, None, column).is_empty(),
    };
    Column::ALL.into_iter().filter(|&c| is_set(c)).collect()
}
