//! Reviews a plan before anything is written: the guards, the results for the client, and the warnings of the
//! first plan, which a later plan must not lose.

mod first_plan_warnings;
pub(crate) mod guard;
pub(crate) mod planned_import;
mod planning;

pub(super) use first_plan_warnings::FirstPlanWarnings;
pub use planned_import::PlannedImport;
pub use planning::PlanningInput;
pub(crate) use planning::{plan_rows, plan_rows_to_write};
