//! A planned import: its rows, the snapshot it was planned on, and the result of each row.

use std::sync::Arc;

use uuid::Uuid;

use super::FirstPlanWarnings;
use super::planning::PlanningInput;
use crate::{
    domain::{Column, Issue, IssueCode, OutcomeCounts},
    plan::{self, ByRow, Decision, Outcome, Plan, PlanRequest, RowIndex},
};

/// How many skipped users the summary names: it must fit into one message.
pub(crate) const NAMED_SKIPPED: usize = 200;

/// A user to deactivate, who is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserToDeactivate {
    pub(crate) id: Uuid,
    pub(crate) external_id: String,
    pub(crate) email: String,
}

/// Rows with the decision on each. Results, changes and issues are derived from this when they are needed.
#[derive(Debug)]
pub struct PlannedImport {
    /// The organisation's revision at the snapshot.
    pub revision: i64,
    /// The plan, with its rows and its snapshot.
    pub plan: Plan,
    /// The warnings of the first plan, if this is a later one.
    pub(crate) first_plan_warnings: Option<Arc<FirstPlanWarnings>>,
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
        let users = (snapshot.users, snapshot.extent);
        let request = PlanRequest::new(rows, users, snapshot.catalog, import, terms);
        let request = request.with_last_imports(snapshot.last_imports);
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

    /// The users to deactivate because they are not listed.
    pub(crate) fn missing(&self) -> impl Iterator<Item = UserToDeactivate> {
        self.plan.deactivations.iter().map(|&user| {
            let user = &self.plan.request.snapshot.users()[user];
            UserToDeactivate {
                id: user.id,
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
        let users = self.plan.request.snapshot.users();
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
    pub fn counts(&self) -> OutcomeCounts {
        let mut counts = OutcomeCounts {
            deactivated: u32::try_from(self.plan.deactivations.len()).unwrap_or(u32::MAX),
            protected_skipped: self.plan.protected_skipped,
            ..OutcomeCounts::default()
        };
        for decision in self.plan.decisions.iter() {
            count(&mut counts, decision.outcome);
        }
        counts
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
pub(crate) const fn count(counts: &mut OutcomeCounts, outcome: Outcome) {
    match outcome {
        Outcome::Created => counts.created += 1,
        Outcome::Updated => counts.updated += 1,
        Outcome::Unchanged => counts.unchanged += 1,
        Outcome::Rejected => counts.rejected += 1,
    }
}
