//! Supervisor cycles on the final state (semantics §5 e): of the rows on a cycle, those that set a supervisor their
//! user does not already have are rejected.
//!
//! Everybody has at most one supervisor, so two cycles never share a person. If no row sets a new supervisor, there can
//! be no new cycle and the check ends. Otherwise the first check walks up from everybody once; in most files it finds
//! no cycle and ends. If it finds one, rejecting its rows gives their users back the supervisors they had. That may
//! close other cycles, over as many rounds as there are rows. From then on a [`Forest`] follows the changes. It leaves
//! each cycle open at one person, whose supervisor is then below that person.

use super::finding::{Finding, Findings, SHOWN, SupervisorCircle};
use super::forest::Forest;
use super::judgement_state::JudgementState;
use super::rules::{ReportsByEmail, Rule};
use crate::plan::index::{DenseIndex, FinalUser, IndexVec, Key, Node, RowIndex, SupervisorChange};

/// By person: its supervisor.
type SupervisorOf = IndexVec<Node, Option<Node>>;

/// Rejects rows that close a cycle.
pub(crate) struct CycleRule<'a> {
    reports: &'a ReportsByEmail<'a>,
    /// `None` until the first cycle is found.
    forest: Option<Forest>,
    /// Persons whose supervisor in the forest may be out of date.
    moved: Vec<Node>,
}

impl<'a> CycleRule<'a> {
    /// Starts without having looked for cycles.
    pub(crate) fn new(reports: &'a ReportsByEmail<'a>) -> Self {
        Self {
            reports,
            forest: None,
            moved: Vec::new(),
        }
    }

    /// Brings the forest up to date. Returns the persons at which a cycle is left open.
    fn find_open(&mut self, state: &JudgementState<'_>) -> Vec<Node> {
        let mut moved = std::mem::take(&mut self.moved);
        moved.sort_unstable();
        moved.dedup();
        if let Some(forest) = &mut self.forest {
            return relink(forest, &moved, state);
        }
        let roster = state.roster;
        let mut persons = roster.rows.indices().map(|row| roster.person(row));
        if !persons.any(|person| sets_new_supervisor(state, person)) {
            return Vec::new();
        }
        let supervisors = all_supervisors(state);
        let open = find_cycles(&supervisors);
        if !open.is_empty() {
            self.forest = Some(plant(state, supervisors, &open));
        }
        open
    }
}

impl Rule for CycleRule<'_> {
    fn judge(&mut self, state: &JudgementState<'_>, findings: &mut Findings) -> Vec<RowIndex> {
        let open = self.find_open(state);
        let Some(forest) = &mut self.forest else {
            return Vec::new();
        };
        let mut rejected = Vec::new();
        for node in open {
            let Some(supervisor) = supervisor_of(state, node) else {
                continue;
            };
            let before = rejected.len();
            while let Some(closing) = forest.take_mark(supervisor) {
                rejected.extend(state.row_of(state.roster.at(closing)));
            }
            if rejected.len() > before {
                self.moved.push(node);
            }
        }
        for &row in &rejected {
            let circle = show(state, state.roster.person(row));
            let circle = findings.add_circle(circle);
            findings.push(row, Finding::SupervisorCycle { circle });
        }
        rejected
    }

    /// A rejected row may change the supervisor of its user, and of every user whose row names the email that the
    /// rejected row would have given.
    fn note(&mut self, state: &JudgementState<'_>, rejected: &[RowIndex]) {
        if self.forest.is_none() {
            return;
        }
        let roster = state.roster;
        for &row in rejected {
            let email = roster.wanted(Key::Email, row);
            let reports = email.map_or(&[][..], |email| self.reports.to(email));
            let persons = reports.iter().chain([&row]);
            let nodes = persons.map(|&row| roster.node(roster.person(row)));
            self.moved.extend(nodes);
        }
    }
}

fn supervisor_of(state: &JudgementState<'_>, node: Node) -> Option<Node> {
    let supervisor = state.supervisor(state.roster.at(node));
    supervisor.map(|person| state.roster.node(person))
}

fn all_supervisors(state: &JudgementState<'_>) -> SupervisorOf {
    let nodes = (0..state.roster.node_count()).map(Node::new);
    nodes.map(|node| supervisor_of(state, node)).collect()
}

/// Returns `true` if `person` has a row that sets a supervisor that its user does not already have.
fn sets_new_supervisor(state: &JudgementState<'_>, person: FinalUser) -> bool {
    let change = state
        .row_of(person)
        .map(|row| state.roster.supervisor_change(row));
    matches!(
        change,
        Some(SupervisorChange::Email(_) | SupervisorChange::User(_))
    ) && state.supervisor(person) != state.present_supervisor(person)
}

/// Returns one person of each cycle among `supervisors`.
fn find_cycles(supervisors: &SupervisorOf) -> Vec<Node> {
    let mut seen_from = SupervisorOf::repeat(None, supervisors.len());
    let mut cycles = Vec::new();
    for start in supervisors.indices() {
        let mut at = Some(start);
        while let Some(node) = at.filter(|&node| seen_from[node].is_none()) {
            seen_from[node] = Some(start);
            at = supervisors[node];
        }
        // A walk that meets its own nodes has found a cycle; a walk that meets an earlier walk has not.
        cycles.extend(at.filter(|&node| seen_from[node] == Some(start)));
    }
    cycles
}

/// Builds the forest of `supervisors`, left open at one person of each cycle.
fn plant(state: &JudgementState<'_>, mut supervisors: SupervisorOf, open: &[Node]) -> Forest {
    for &node in open {
        supervisors[node] = None;
    }
    let all = supervisors.enumerate();
    Forest::new(
        all.map(|(node, &above)| (above, sets_new_supervisor(state, state.roster.at(node)))),
    )
}

/// Gives the `moved` persons their current supervisors. Returns the persons whose supervisor is below them; they are
/// left without one in the forest.
fn relink(forest: &mut Forest, moved: &[Node], state: &JudgementState<'_>) -> Vec<Node> {
    for &node in moved {
        forest.cut(node);
        forest.set_mark(node, sets_new_supervisor(state, state.roster.at(node)));
    }
    let mut open = Vec::new();
    for &node in moved {
        match supervisor_of(state, node) {
            None => {}
            Some(supervisor) if forest.root(supervisor) == node => open.push(node),
            Some(supervisor) => forest.link(node, supervisor),
        }
    }
    open
}

/// Returns the cycle through `person` as messages show it, cut after `SHOWN` persons.
fn show(state: &JudgementState<'_>, person: FinalUser) -> SupervisorCircle {
    let up = std::iter::successors(Some(person), |&at| state.supervisor(at));
    let mut rest = up.skip(1);
    let mut shown = [None; SHOWN];
    shown[0] = Some(state.email_source(person));
    let mut next = rest.next();
    for place in &mut shown[1..] {
        let Some(at) = next.filter(|&at| at != person) else {
            break;
        };
        *place = Some(state.email_source(at));
        next = rest.next();
    }
    SupervisorCircle {
        shown,
        has_more: next != Some(person),
    }
}
