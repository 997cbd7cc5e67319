//! What is wrong with rows (semantics §5): the checks of each row against its user and the catalog, then the
//! rules that look at all rows on the final state, one file for each, until none rejects.

mod choices;
mod copies;
mod cycles;
mod damaged_values;
mod duplicates;
mod field_checks;
mod finding;
mod forest;
mod permissions;
mod rules;
mod state;
mod supervisor_names;
mod supervisors;
mod uniqueness;

pub(crate) use choices::Named;
pub(crate) use copies::Copies;
pub(crate) use damaged_values::Mistaken;
pub(crate) use duplicates::reject_duplicates;
pub(crate) use field_checks::{CheckMarks, Checked, check, is_kept};
pub(crate) use finding::{Circle, Finding, Findings};
pub use permissions::Permitted;
pub(crate) use permissions::PrivilegedRoles;
pub(crate) use rules::judge;
pub(crate) use state::State;
pub(crate) use supervisor_names::{SupervisorNames, renaming_row};
