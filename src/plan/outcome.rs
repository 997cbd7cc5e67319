//! What each standing row comes to (semantics §4): created, updated or unchanged, and which
//! attributes change.

use super::attributes::{resulting, stored};
use super::cores;
use super::decision::{Decision, Outcome, Supervisor};
use super::state::State;
use crate::domain::{Column, ColumnSet, Row, User};

/// Completes the decisions on the rows that stand.
pub(super) fn settle(state: &State<'_>, decisions: &mut [Decision]) {
    cores::change(decisions, |row, decision| {
        if !state.stands(row) {
            return;
        }
        let person = state.roster.person(row);
        let data = &state.roster.rows[row as usize];
        decision.supervisor = state.supervisor(person).into();
        let present = state.present_supervisor(person).into();
        let user = decision.user.map(|u| &state.roster.users[u as usize]);
        decision.changes = match user {
            Some(user) => changes(data, user, present, decision),
            None => values(data, decision),
        };
        decision.outcome = match user {
            None => Outcome::Created,
            Some(_) if decision.changes.is_empty() => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
        };
    });
}

/// The attributes of a user of the directory that change; a change of case alone is one.
fn changes(row: &Row, user: &User, present: Supervisor, decision: &Decision) -> ColumnSet {
    let changes = |&column: &Column| match column {
        Column::SupervisorEmail => decision.supervisor != present,
        _ => differs(row, user, decision, column),
    };
    Column::ALL.into_iter().filter(changes).collect()
}

/// True where any attribute but the supervisor changes.
pub(super) fn attributes_differ(row: &Row, user: &User, decision: &Decision) -> bool {
    let mut attributes = Column::ALL.into_iter();
    attributes.any(|column| differs(row, user, decision, column))
}

/// True where this attribute changes; never of the supervisor, whom the other rows decide.
fn differs(row: &Row, user: &User, decision: &Decision, column: Column) -> bool {
    match column {
        Column::Role => decision.role != user.role,
        Column::Rank => decision.rank != user.rank,
        Column::EvidenceGroupExtId => decision.group != user.group,
        Column::SupervisorEmail | Column::Location => false,
        Column::Status => row.status().is_some_and(|status| status != user.status),
        _ => stored(user, column).is_some_and(|text| text != resulting(row, Some(user), column)),
    }
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
