//! Finds the order of writing (semantics §5, Writing).
//!
//! A row is written after
//! - the row that frees a key which it takes, and,
//! - where it creates its user or changes its supervisor (call it a *mover*): the nearest mover above
//!   it in the final tree of supervisors, whatever users lie between them.
//!
//! Rows that come before each other in a circle are one group and share one transaction.
//!
//! # Why every commit leaves a valid directory
//! A commit leaves a set W of written rows that has, with each row, all that come before it.
//! - *Keys.* A key that a row of W takes was nobody's, or its holder's row frees it and is in W too.
//!   In the final state nobody else takes it, and who is not written holds what it held: no key is
//!   held twice.
//! - *Supervisors exist.* A row of W that names a created user as supervisor is a mover, and that
//!   user's row is the nearest mover above it, hence in W.
//! - *No cycle.* The directory had none, so a cycle would pass through a mover v of W. Walk up from v:
//!   who is no mover has the same supervisor before and after, and the next mover above v is in W and
//!   so has its final one. The walk is a walk in the final tree, which has no cycle.

use super::components::Components;
use super::write_order::WriteOrder;
use crate::domain::Column;
use crate::plan::index::FinalUser;
use crate::plan::index::Key;
use crate::plan::index::{Links, Lists, indices};
use crate::plan::judge::State;
use crate::plan::report::{Decision, Outcome};

/// The order in which the created and updated rows are written: row order, but for what must come
/// before.
pub(crate) fn find_order(state: &State<'_>, decisions: &[Decision]) -> WriteOrder {
    let writes = |row: &u32| is_write(&decisions[*row as usize]);
    let before = find_before(state, decisions);
    let mut components = Components::new(&before, decisions.len());
    let rows = indices(decisions).filter(writes);
    let mut order = WriteOrder::with_room(rows.clone().count());
    for row in rows {
        components.pass(row, |mut group| {
            group.sort_unstable();
            order.push_group(group);
        });
    }
    order.set_before(before);
    order
}

fn is_write(decision: &Decision) -> bool {
    matches!(decision.outcome, Outcome::Created | Outcome::Updated)
}

/// True where the row gives its user a supervisor or a place among the supervisors.
fn is_mover(decision: &Decision) -> bool {
    decision.outcome == Outcome::Created || decision.changes.contains(Column::SupervisorEmail)
}

/// By row: the rows that are written before it.
fn find_before(state: &State<'_>, decisions: &[Decision]) -> Lists {
    // In most files nobody gets another supervisor.
    let mut ancestors = None;
    let mut before = Vec::new();
    for row in indices(decisions).filter(|&row| is_write(&decisions[row as usize])) {
        let freeing = Key::MOVABLE.map(|key| freed_by(state, key, row));
        let above = is_mover(&decisions[row as usize])
            .then(|| state.supervisor(state.roster.person(row)))
            .flatten();
        let above = above.and_then(|above| {
            let ancestors = ancestors.get_or_insert_with(|| Ancestors::new(state, decisions));
            ancestors.nearest_mover(Some(above))
        });
        let all = freeing.into_iter().flatten().chain(above);
        before.extend(all.map(|earlier| (row, earlier)));
    }
    Lists::collect(decisions.len(), before.iter().copied())
}

/// The row whose user has the key in the directory that `row` takes.
fn freed_by(state: &State<'_>, key: Key, row: u32) -> Option<u32> {
    let holder = state.roster.holder(key, state.roster.wanted(key, row)?)?;
    let freeing = state.row_of(FinalUser::User(holder))?;
    (freeing != row).then_some(freeing)
}

/// Movers above others in the final tree of supervisors. Each answer is kept for everybody on the
/// way to it, so that all together cost one step for each person.
struct Ancestors<'a> {
    state: &'a State<'a>,
    decisions: &'a [Decision],
    known: Vec<bool>,
    movers: Links,
}

impl<'a> Ancestors<'a> {
    fn new(state: &'a State<'a>, decisions: &'a [Decision]) -> Self {
        Self {
            state,
            decisions,
            known: vec![false; state.roster.nodes()],
            movers: Links::none(state.roster.nodes()),
        }
    }

    /// The row of the first mover from `person` upwards, `person` included.
    fn nearest_mover(&mut self, person: Option<FinalUser>) -> Option<u32> {
        let mut way = Vec::new();
        let mut at = person;
        let found = loop {
            let person = at?;
            let node = self.state.roster.node(person);
            if std::mem::replace(&mut self.known[node as usize], true) {
                break self.movers.get(node);
            }
            way.push(node);
            if let Some(row) = self.mover(person) {
                break Some(row);
            }
            at = self.state.supervisor(person);
        };
        for node in way {
            self.movers.set(node, found);
        }
        found
    }

    fn mover(&self, person: FinalUser) -> Option<u32> {
        let row = self.state.row_of(person)?;
        is_mover(&self.decisions[row as usize]).then_some(row)
    }
}
