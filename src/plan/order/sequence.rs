//! Finds the order in which rows are written (semantics §5, Writing).
//!
//! A *mover* is a row that creates its user or changes its user's supervisor. A row is written after
//! - the row that frees a key that it takes, and,
//! - if it is a mover, the nearest mover above it in the final tree of supervisors. Users without a mover may lie
//!   between them.
//!
//! Rows that come before each other in a circle form one group and share one transaction.
//!
//! # Why every commit leaves a valid directory
//! A commit leaves a set W of written rows. With each row, W has all rows that come before it.
//! - *Keys.* A key that a row of W takes had no holder, or its holder's row frees it and is in W too. In the final
//!   state no other user takes it, and users that are not written keep their keys. So no key is held twice.
//! - *Supervisors exist.* A row of W that names a created user as supervisor is a mover. That user's row is the nearest
//!   mover above it, hence in W.
//! - *No cycle.* The directory had no cycle, so a cycle would pass through a mover v of W. Walk up from v. A user
//!   without a mover has the same supervisor before and after. The next mover above v is in W, so it has its final
//!   supervisor. So the walk is a walk in the final tree, which has no cycle.

use super::components::GraphComponents;
use super::write_order::WriteOrder;
use crate::domain::Column;
use crate::plan::index::{ByRow, FinalUser, IndexVec, Key, ListsByIndex, Node, RowIndex};
use crate::plan::judge::{Decision, JudgementState, Outcome};

/// Returns the order in which the created and updated rows are written. This is row order, except that a row comes
/// after the rows that must be written before it.
pub(crate) fn find_order(state: &JudgementState<'_>, decisions: &ByRow<Decision>) -> WriteOrder {
    let before = find_before(state, decisions);
    let mut components = GraphComponents::new(&before, decisions.len());
    let mut groups = ListsByIndex::with_room(written_rows(decisions).count());
    for row in written_rows(decisions) {
        components.pass(row, |mut group| {
            group.sort_unstable();
            groups.push(group);
        });
    }
    WriteOrder::new(groups, before)
}

fn written_rows(decisions: &ByRow<Decision>) -> impl Iterator<Item = RowIndex> {
    let is_write =
        |row: &RowIndex| matches!(decisions[*row].outcome, Outcome::Created | Outcome::Updated);
    decisions.indices().filter(is_write)
}

/// Returns `true` if the row creates its user or changes its user's supervisor.
fn is_mover(decision: &Decision) -> bool {
    decision.outcome == Outcome::Created || decision.changes.contains(Column::SupervisorEmail)
}

/// Returns, by row, the rows that are written before it.
fn find_before(
    state: &JudgementState<'_>,
    decisions: &ByRow<Decision>,
) -> ListsByIndex<RowIndex, RowIndex> {
    // In most files no user gets another supervisor.
    let mut ancestors = None;
    let mut before = Vec::new();
    for row in written_rows(decisions) {
        let freeing = Key::MOVABLE.map(|key| freed_by(state, key, row));
        let above = is_mover(&decisions[row])
            .then(|| state.supervisor(state.roster.person(row)))
            .flatten();
        let above = above.and_then(|above| {
            let ancestors = ancestors.get_or_insert_with(|| NearestMovers::new(state, decisions));
            ancestors.nearest_mover(Some(above))
        });
        let all = freeing.into_iter().flatten().chain(above);
        before.extend(all.map(|earlier| (row, earlier)));
    }
    ListsByIndex::collect(decisions.len(), before.iter().copied())
}

/// Returns the row whose user has, in the directory, the key that `row` takes. Returns `None` if there is no other such
/// row.
fn freed_by(state: &JudgementState<'_>, key: Key, row: RowIndex) -> Option<RowIndex> {
    let holder = state.roster.holder(state.roster.wanted(key, row)?)?;
    let freeing = state.row_of(FinalUser::User(holder))?;
    (freeing != row).then_some(freeing)
}

/// The nearest movers above users in the final tree of supervisors. Each answer is stored for every user on the way to
/// it, so that all look-ups together take one step for each user.
struct NearestMovers<'a> {
    state: &'a JudgementState<'a>,
    decisions: &'a ByRow<Decision>,
    known: IndexVec<Node, bool>,
    movers: IndexVec<Node, Option<RowIndex>>,
}

impl<'a> NearestMovers<'a> {
    fn new(state: &'a JudgementState<'a>, decisions: &'a ByRow<Decision>) -> Self {
        Self {
            state,
            decisions,
            known: IndexVec::repeat(false, state.roster.node_count()),
            movers: IndexVec::repeat(None, state.roster.node_count()),
        }
    }

    /// Returns the row of the first mover from `person` upwards, `person` included.
    fn nearest_mover(&mut self, person: Option<FinalUser>) -> Option<RowIndex> {
        let mut way = Vec::new();
        let mut at = person;
        let found = loop {
            let person = at?;
            let node = self.state.roster.node(person);
            if std::mem::replace(&mut self.known[node], true) {
                break self.movers[node];
            }
            way.push(node);
            if let Some(row) = self.mover(person) {
                break Some(row);
            }
            at = self.state.supervisor(person);
        };
        for node in way {
            self.movers[node] = found;
        }
        found
    }

    fn mover(&self, person: FinalUser) -> Option<RowIndex> {
        let row = self.state.row_of(person)?;
        is_mover(&self.decisions[row]).then_some(row)
    }
}
