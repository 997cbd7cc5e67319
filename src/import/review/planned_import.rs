//! A planned import: its rows, the snapshot it was planned on, and the result of each row.

use std::{borrow::Cow, sync::Arc};

use uuid::Uuid;

use super::first_plan_warnings::{FirstPlanWarnings, is_about_others};
use super::planning::PlanningInput;
use crate::{
    domain::{Column, Issue, IssueCode, Tally},
    plan::{self, ByRow, Decision, Outcome, Plan, Request, RowIndex},
    proto::{self, ColumnChange, DeactivatedUser, RowOutcome, RowResult},
};

/// How many skipped users the summary names: it must fit into one message.
pub(crate) const NAMED_SKIPPED: usize = 200;

/// Rows with the decision on each. Results, changes and issues are derived from this when they are needed.
#[derive(Debug)]
pub struct PlannedImport {
    /// The organisation's revision at the snapshot.
    pub revision: i64,
    /// The plan, with its rows and its snapshot.
    pub plan: Plan,
    /// The warnings of the first plan, if this is a later one.
    first_plan_warnings: Option<Arc<FirstPlanWarnings>>,
    /// IDs of the users that rows create; nil for other rows. Empty if no row creates a user, and in a dry run.
    ids: ByRow<Uuid>,
}

impl PlannedImport {
    /// Plans `input`. Pure computation that takes seconds for a million rows. Returns `None` if `wanted` turned
    /// `false` before the end.
    #[must_use]
    pub fn new(input: PlanningInput, wanted: &dyn Fn() -> bool) -> Option<Self> {
        let PlanningInput {
            rows,
            snapshot,
            import,
            terms,
        } = input;
        let request = Request::new(rows, snapshot.users, snapshot.catalog, import, terms);
        Some(Self {
            revision: snapshot.revision,
            plan: plan::plan_while(request, wanted)?,
            first_plan_warnings: None,
            ids: ByRow::default(),
        })
    }

    /// Makes this a later plan of rows for which the first plan had these warnings.
    #[must_use]
    pub fn after(mut self, first_plan_warnings: &Arc<FirstPlanWarnings>) -> Self {
        self.first_plan_warnings = Some(Arc::clone(first_plan_warnings));
        self
    }

    /// The warnings of the rows to write, as far as they are about other users.
    #[must_use]
    pub fn first_plan_warnings(&self) -> FirstPlanWarnings {
        let warned = |row: &RowIndex| self.plan.codes(*row).any(is_about_others);
        let rows = self.plan.order.rows().iter().copied().filter(warned);
        let mut first_plan_warnings = FirstPlanWarnings::default();
        first_plan_warnings.add(rows.map(|row| self.result(row, false)));
        first_plan_warnings
    }

    /// Gives new users their IDs.
    pub fn assign_ids(&mut self) {
        let creates = |decision: &Decision| decision.outcome == Outcome::Created;
        let id = |decision: &Decision| match creates(decision) {
            true => Uuid::now_v7(),
            false => Uuid::nil(),
        };
        let decisions = &self.plan.decisions;
        self.ids = match decisions.iter().any(creates) {
            true => decisions.iter().map(id).collect(),
            false => ByRow::default(),
        };
    }

    /// The ID of the user that a row creates or matches, or `None` if it has no user.
    #[must_use]
    pub fn user_id(&self, row: RowIndex) -> Option<Uuid> {
        match self.plan.request.user_of(row) {
            Some(user) => Some(user.id),
            None => self.ids.get(row).copied().filter(|id| !id.is_nil()),
        }
    }

    /// The rows that are not written: rejected and unchanged ones.
    pub fn rows_not_written(&self) -> impl Iterator<Item = RowIndex> {
        self.plan
            .decisions
            .enumerate()
            .filter(|(_, d)| matches!(d.outcome, Outcome::Rejected | Outcome::Unchanged))
            .map(|(row, _)| row)
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

    pub(crate) fn issues(&self, row: RowIndex) -> Vec<proto::Issue> {
        let issues = self.plan.issues(row);
        let issues = issues.iter().map(proto::Issue::from).collect();
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

    /// The users to deactivate because they are not listed.
    pub fn missing(&self) -> impl Iterator<Item = DeactivatedUser> {
        self.plan.deactivations.iter().map(|&user| {
            let user = &self.plan.request.directory.users()[user];
            DeactivatedUser {
                user_id: user.id.to_string(),
                external_id: user.external_id().to_owned(),
                email: user.email().to_owned(),
            }
        })
    }

    /// Warnings about missing users who stay active because the caller may not deactivate them. The first
    /// `NAMED_SKIPPED` are named, and the others counted.
    #[must_use]
    pub fn skipped(&self) -> Vec<Issue> {
        let skipped = &self.plan.privileged_skipped;
        let users = self.plan.request.directory.users();
        let named = skipped.iter().take(NAMED_SKIPPED);
        let mut warnings: Vec<_> = named
            .map(|&user| left_active(users[user].external_id()))
            .collect();
        let more = skipped.len() - warnings.len();
        if more > 0 {
            let message = format!("{more} more users with a privileged role are left Active.");
            let code = IssueCode::RoleNotGrantable;
            warnings.push(Issue::warning(code, Column::ExternalId, "", message));
        }
        warnings
    }

    /// The planned counts.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            deactivated: u32::try_from(self.plan.deactivations.len()).unwrap_or(u32::MAX),
            protected_skipped: self.plan.protected_skipped,
            ..Tally::default()
        };
        for decision in self.plan.decisions.iter() {
            count(&mut tally, decision.outcome);
        }
        tally
    }
}

fn left_active(external_id: &str) -> Issue {
    let message = format!(
        "User \"{external_id}\" is not listed but has a privileged role, and is left Active: to \
         deactivate such a user needs the permission users.grant-privileged."
    );
    let code = IssueCode::RoleNotGrantable;
    Issue::warning(code, Column::ExternalId, external_id, message).about_user(external_id)
}

/// Counts one row.
pub(crate) const fn count(tally: &mut Tally, outcome: Outcome) {
    match outcome {
        Outcome::Created => tally.created += 1,
        Outcome::Updated => tally.updated += 1,
        Outcome::Unchanged => tally.unchanged += 1,
        Outcome::Rejected => tally.rejected += 1,
    }
}
