//! What a caller does with an import that is held for review: looks at its plan, or approves it. Pure, and knows no
//! message.

use time::OffsetDateTime;
use uuid::Uuid;

use super::planned_import::PlannedImport;
use crate::import::Refusal;
use crate::{domain::ImportState, store::ImportRecord};

/// The word that confirms that users are deactivated.
const CONFIRMATION: &str = "Confirm";

/// What a caller does with a held import.
#[derive(Clone, Debug)]
pub(crate) enum HeldAction {
    /// Look at what it would do now.
    Review,
    /// Apply it.
    Approve(ApprovalTerms),
}

/// What an approval states.
#[derive(Clone, Debug)]
pub(crate) struct ApprovalTerms {
    /// The digest of the plan that was reviewed.
    pub(crate) plan_digest: [u8; 32],
    /// `Confirm` if users may be deactivated.
    pub(crate) confirmation: String,
}

/// The held import that a session runs on.
#[derive(Clone, Debug)]
pub(crate) struct HeldRun {
    pub(crate) action: HeldAction,
    /// The principal who sent the import.
    pub(crate) sender: String,
    /// When it expires.
    pub(crate) until: Option<OffsetDateTime>,
}

impl HeldRun {
    /// Returns `true` if nothing is to be written or recorded.
    pub(crate) const fn is_review(&self) -> bool {
        matches!(self.action, HeldAction::Review)
    }

    /// Gives a new record the sender of the import and the time when it expires.
    pub(crate) fn adopt(&self, record: &mut ImportRecord) {
        record.principal.clone_from(&self.sender);
        record.held_until = self.until;
    }

    /// Returns why the approval does not hold for this plan. The guards count as approved.
    pub(crate) fn check(&self, planned: &PlannedImport) -> Vec<Refusal> {
        let HeldAction::Approve(approval) = &self.action else {
            return Vec::new();
        };
        let mut refusals = Vec::new();
        if planned.plan.digest != approval.plan_digest {
            let message = "Today's plan is not the one that was reviewed: the directory or the catalog has changed \
                since, or another credential may do more or less. The import stays held; review it again.";
            let subject = "expected_plan_digest";
            refusals.push(Refusal::precondition("PLAN_DIFFERS", subject, message));
        }
        let going = planned.plan.going_inactive;
        if going > 0 && approval.confirmation != CONFIRMATION {
            let users = if going == 1 { "user" } else { "users" };
            let message = format!(
                "{going} {users} would be deactivated, which needs the confirmation \"Confirm\". The import stays held."
            );
            let subject = "confirmation";
            refusals.push(Refusal::invalid("CONFIRMATION_REQUIRED", subject, message));
        }
        refusals
    }
}

/// Returns `true` if an import with these refusals may be held: all are guards, and the plan is the expected one.
pub(crate) fn may_hold(refusals: &[Refusal]) -> bool {
    refusals
        .iter()
        .all(|refusal| guard_code(refusal.code).is_some())
}

/// Returns the code of a guard that holds an import, or `None` if it is none.
pub(crate) fn guard_code(code: &str) -> Option<&'static str> {
    const GUARDS: [&str; 7] = [
        "TOO_MANY_REJECTED_ROWS",
        "ROWS_REJECTED",
        "UNCERTAIN_ROWS",
        "MASS_DEACTIVATION",
        "TOO_MANY_DEACTIVATIONS",
        "MASS_IDENTITY_CHANGE",
        "TOO_MANY_IDENTITY_CHANGES",
    ];
    GUARDS.into_iter().find(|guard| *guard == code)
}

/// The refusal to review or approve an import that is in this state.
pub(crate) fn not_held(import: Uuid, state: ImportState) -> Refusal {
    let message = format!(
        "Import {import} is not held for review (its state is {}).",
        state.name().to_uppercase()
    );
    Refusal::precondition("NOT_HELD", &import.to_string(), message)
}
