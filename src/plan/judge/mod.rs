//! Judges rows (semantics §5). First it checks each row against its user and the catalog. Then the rules
//! judge all rows on the final state, over and over until no rule rejects a row; each rule has its own file. It knows
//! findings, not the sentences that report them.

mod catalog_choices;
mod cycles;
mod damaged_values;
mod decision;
mod duplicates;
mod field_checks;
mod finding;
mod forest;
mod judgement_state;
mod outcome;
mod permissions;
mod row_copies;
mod rules;
mod supervisor_names;
mod supervisors;
mod typographic_keys;
mod uniqueness;

pub(crate) use catalog_choices::CatalogKind;
pub use decision::{Decision, Outcome};
pub(crate) use duplicates::reject_duplicates;
pub(crate) use field_checks::{check, is_kept};
pub(crate) use finding::{Finding, Findings, SupervisorCircle};
pub(crate) use judgement_state::JudgementState;
pub(crate) use outcome::finish_outcomes;
pub use permissions::PlanPermissions;
pub(crate) use permissions::PrivilegedRoles;
pub(crate) use row_copies::RowCopies;
pub(crate) use rules::judge;
pub(crate) use supervisor_names::{MeantSupervisor, SupervisorNames, renaming_row};
