//! Reviews a plan before anything is written: the planned import, its counts and warnings, and the guards. Knows no
//! message but those that keep the warnings of the first plan.

mod approval;
mod first_plan_warnings;
pub(crate) mod guard;
pub(crate) mod planned_import;
mod planning;
mod selection;

pub(crate) use approval::{ApprovalTerms, HeldAction, HeldRun, guard_code, may_hold, not_held};
pub(crate) use first_plan_warnings::{FirstPlanWarnings, is_about_others};
pub use planned_import::PlannedImport;
pub(crate) use planned_import::UserToDeactivate;
pub use planning::PlanningInput;
pub(crate) use planning::{plan_rows, plan_rows_to_write};
pub(crate) use selection::{DeactivationGuard, select_users};
