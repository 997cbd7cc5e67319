//! The rules that look at the whole import, in their order (semantics §5 c to f), until none rejects.
//!
//! # Rounds
//! Each rule judges against one state, and what it rejects takes effect together; then judging starts
//! again at the first rule. Rounds show in the verdicts: whether a supervisor is found depends on who
//! has been rejected by then.
//!
//! # Cost
//! There can be as many rounds as rows (each row takes the badge number that the next one frees, and
//! the last is rejected). So a rule never looks at all rows twice: it is told which rows fell, notes
//! whose verdict that can change, and judges those alone. A row is noted once for each of its keys and
//! once for its supervisor, since each of these is lost at most once: all rounds together are linear,
//! and logarithmic in each step for cycles.

use std::cell::OnceCell;

use super::cycles::Cycles;
use super::finding::Findings;
use super::permissions::Permissioning;
use super::state::State;
use super::supervisors::Supervisors;
use super::uniqueness::Uniqueness;
use crate::plan::Request;
use crate::plan::index::Lists;
use crate::plan::index::Roster;
use crate::plan::report::Decision;

/// A rule of the judgement.
pub(crate) trait Rule {
    /// Judges the rows whose verdict may have changed since the last time (all of them, the first
    /// time), each against `state` as it is. Returns those to reject, and says why.
    fn judge(&mut self, state: &State<'_>, findings: &mut Findings) -> Vec<u32>;

    /// Takes note that `rejected`, which stood until now, stand no more.
    fn note(&mut self, state: &State<'_>, rejected: &[u32]);
}

/// Rejects rows until no rule has anything to say.
pub(crate) fn judge(
    request: &Request<'_>,
    decisions: &[Decision],
    state: &mut State<'_>,
    findings: &mut Findings,
) {
    let reports = Reports::new(state.roster);
    let permissions = Permissioning::new(request, state, decisions, &reports);
    let mut rules: [Box<dyn Rule + '_>; 4] = [
        Box::new(Uniqueness::new()),
        Box::new(Supervisors::new(&reports)),
        Box::new(Cycles::new(&reports)),
        Box::new(permissions),
    ];
    while let Some(rejected) = first_rejections(&mut rules, state, findings) {
        for &row in &rejected {
            state.reject(row);
        }
        for rule in &mut rules {
            rule.note(state, &rejected);
        }
    }
}

/// What the first rule that rejects anything rejects.
fn first_rejections(
    rules: &mut [Box<dyn Rule + '_>],
    state: &State<'_>,
    findings: &mut Findings,
) -> Option<Vec<u32>> {
    rules
        .iter_mut()
        .map(|rule| rule.judge(state, findings))
        .find(|rejected| !rejected.is_empty())
}

/// The rows that a rule is to judge when it is asked next.
#[derive(Default)]
pub(crate) struct Due {
    /// Every row that stands, whatever `rows` says.
    all: bool,
    rows: Vec<u32>,
}

impl Due {
    /// Every row that stands.
    pub(crate) const fn all() -> Self {
        Self {
            all: true,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = u32>) {
        if !self.all {
            self.rows.extend(rows);
        }
    }

    /// The rows that still stand, each once, in order. After that nothing is due.
    pub(crate) fn take(&mut self, state: &State<'_>) -> Vec<u32> {
        if std::mem::take(&mut self.all) {
            return state.standing();
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|&row| state.stands(row));
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// Rows by the email of the supervisor they name. Listed when first asked for: where nothing is rejected
/// nobody asks.
pub(crate) struct Reports<'a> {
    roster: &'a Roster<'a>,
    lists: OnceCell<Lists>,
}

impl<'a> Reports<'a> {
    pub(crate) const fn new(roster: &'a Roster<'a>) -> Self {
        Self {
            roster,
            lists: OnceCell::new(),
        }
    }

    /// The rows, standing or not, that name the email of this number.
    pub(crate) fn to(&self, email: u32) -> &[u32] {
        self.lists.get_or_init(|| self.roster.reports()).get(email)
    }
}
