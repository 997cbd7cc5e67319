//! The results of a planned import as the contract's messages.

use std::borrow::Cow;

use crate::{
    domain::Column,
    import::review::{FirstPlanWarnings, PlannedImport, is_about_others},
    plan::RowIndex,
    proto::{ColumnChange, Issue, RowOutcome, RowResult},
};

impl PlannedImport {
    /// The warnings of the rows to write, as far as they are about other users.
    #[must_use]
    pub fn first_plan_warnings(&self) -> FirstPlanWarnings {
        let warned = |row: &RowIndex| self.plan.codes(*row).any(is_about_others);
        let rows = self.plan.order.rows().iter().copied().filter(warned);
        let mut first_plan_warnings = FirstPlanWarnings::default();
        first_plan_warnings.add(rows.map(|row| self.result(row, false)));
        first_plan_warnings
    }

    /// The result of one row.
    #[must_use]
    pub fn result(&self, row: RowIndex, include_values: bool) -> RowResult {
        let (input, decision) = (&self.plan.request.rows[row], &self.plan.decisions[row]);
        RowResult {
            row: input.number,
            line: input.line,
            outcome: RowOutcome::from(decision.outcome).into(),
            user_id: self
                .user_id(row)
                .map(|id| id.to_string())
                .unwrap_or_default(),
            external_id: self
                .plan
                .external_id(row)
                .map(Cow::into_owned)
                .unwrap_or_default(),
            changes: self.changes(row, include_values),
            issues: self.issues(row),
        }
    }

    pub(crate) fn issues(&self, row: RowIndex) -> Vec<Issue> {
        let issues = self.plan.issues(row);
        let issues = issues.iter().map(Issue::from).collect();
        match &self.first_plan_warnings {
            Some(first_plan_warnings) => {
                first_plan_warnings.merge_warnings(self.plan.request.rows[row].number, issues)
            }
            None => issues,
        }
    }

    pub(crate) fn changes(&self, row: RowIndex, include_values: bool) -> Vec<ColumnChange> {
        let changed = self.plan.decisions[row].changes.iter();
        let change = |column: Column| {
            let (before, after) = match include_values {
                true => self.plan.change_values(row, column),
                false => (None, None),
            };
            ColumnChange {
                column: column.header().to_owned(),
                before: before.map(Cow::into_owned),
                after: after.map(Cow::into_owned),
            }
        };
        changed.map(change).collect()
    }
}
