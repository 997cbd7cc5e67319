//! What is decided about a plan before anything is written: guards, the verdicts that the client gets, and
//! the warnings of the first plan, which a later plan must not lose.

mod first_plan_warnings;
pub(crate) mod guard;
pub(crate) mod planned_import;

pub use first_plan_warnings::Noted;
pub use planned_import::{Judged, Terms};
