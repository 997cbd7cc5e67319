//! Reviews a plan before anything is written: the planned import, its counts and warnings, and the guards. Knows no
//! message.

pub(crate) mod guard;
pub(crate) mod planned_import;
mod planning;
mod selection;

pub(crate) use planned_import::MissingUser;
pub use planned_import::PlannedImport;
pub use planning::PlanningInput;
pub(crate) use planning::{plan_rows, plan_rows_to_write};
pub(crate) use selection::{DeactivationGuard, select_users};
