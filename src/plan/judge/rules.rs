//! The rules that look at the whole import, in their order (semantics §5 c to f), until no rule rejects a row. Owns the
//! rounds and their order; knows nothing of what a rule looks for.
//!
//! # Rounds
//! Each rule judges against one state, and its rejections take effect together; then judging starts again at the first
//! rule. Rounds show in the findings: whether a supervisor is found depends on the rows rejected so far.
//!
//! # Cost
//! There can be as many rounds as rows (each row takes the badge number that the next row frees, and the last row is
//! rejected). So a rule never looks at all rows twice. It receives the rows that were rejected, notes the rows whose
//! decision this can change, and judges only these. A row is noted once for each of its keys and once for its
//! supervisor, since it loses each of them at most once. So all rounds together take linear time; cycles take
//! logarithmic time in each step.

use std::cell::OnceCell;

use super::cycles::CycleRule;
use super::decision::Decision;
use super::finding::Findings;
use super::judgement_state::JudgementState;
use super::permissions::PermissionRule;
use super::supervisors::SupervisorRule;
use super::uniqueness::UniquenessRule;
use crate::plan::index::{ByRow, KeyId, ListsByIndex, RosterIndex, RowIndex};

/// A rule of the judgement.
pub(crate) trait Rule {
    /// Judges the rows whose decision may have changed since the last call (the first call: all rows), each against the
    /// same `state`. Returns the rows to reject, and adds the reasons to `findings`.
    fn judge(&mut self, state: &JudgementState<'_>, findings: &mut Findings) -> Vec<RowIndex>;

    /// Notes that the rows in `rejected`, which stood until now, no longer stand.
    fn note(&mut self, state: &JudgementState<'_>, rejected: &[RowIndex]);
}

/// Rejects rows until no rule rejects any.
pub(crate) fn judge(
    decisions: &ByRow<Decision>,
    state: &mut JudgementState<'_>,
    findings: &mut Findings,
) {
    let reports = ReportsByEmail::new(state.roster);
    let permissions = PermissionRule::new(state, decisions, &reports);
    let mut rules: [Box<dyn Rule + '_>; 4] = [
        Box::new(UniquenessRule::new()),
        Box::new(SupervisorRule::new(&reports)),
        Box::new(CycleRule::new(&reports)),
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

/// Returns the rejections of the first rule that rejects a row, or `None` if no rule does.
fn first_rejections(
    rules: &mut [Box<dyn Rule + '_>],
    state: &JudgementState<'_>,
    findings: &mut Findings,
) -> Option<Vec<RowIndex>> {
    rules
        .iter_mut()
        .map(|rule| rule.judge(state, findings))
        .find(|rejected| !rejected.is_empty())
}

/// The rows that a rule judges in its next call.
#[derive(Default)]
pub(crate) struct DueRows {
    /// Every row that stands is due, also if `rows` does not have it.
    all: bool,
    rows: Vec<RowIndex>,
}

impl DueRows {
    /// Makes every standing row due.
    pub(crate) const fn all() -> Self {
        Self {
            all: true,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = RowIndex>) {
        if !self.all {
            self.rows.extend(rows);
        }
    }

    /// Returns the due rows that still stand, each once, in order. Afterwards no row is due.
    pub(crate) fn take(&mut self, state: &JudgementState<'_>) -> Vec<RowIndex> {
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

/// Rows by the email of the supervisor they name. Built on first use: if no row is rejected, no rule needs it.
pub(crate) struct ReportsByEmail<'a> {
    roster: &'a RosterIndex<'a>,
    lists: OnceCell<ListsByIndex<KeyId, RowIndex>>,
}

impl<'a> ReportsByEmail<'a> {
    pub(crate) const fn new(roster: &'a RosterIndex<'a>) -> Self {
        Self {
            roster,
            lists: OnceCell::new(),
        }
    }

    /// Returns the rows, standing or not, that name the email of this number.
    pub(crate) fn to(&self, email: KeyId) -> &[RowIndex] {
        self.lists.get_or_init(|| self.roster.reports()).get(email)
    }
}
