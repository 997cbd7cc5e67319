//! The schema: one file for each step, the newest last. SQLite and PostgreSQL have the same tables and rules. Each key
//! of a table whose rows belong to an organisation begins with the organisation.

pub(crate) mod steps;

mod m20261122_000001_directory;
mod m20261122_000002_imports;
mod m20261123_000003_tokens;
mod m20261123_000004_privileged_roles;
mod m20261123_000005_audit;
mod m20261123_000006_references;
mod m20261123_000007_side_by_side;
mod m20261123_000008_uploads;
mod m20261129_000009_credential_sources;
mod m20261129_000010_removals;
mod m20261129_000011_digest_secrets;
mod m20261129_000012_append_only_audit;
mod m20261129_000013_values;
mod m20261129_000014_next_lease;
mod m20261129_000015_expiring_results;
mod m20261129_000016_expiring_history;
mod m20261129_000017_few_references;
mod m20261129_000018_external_id_case;
mod m20261129_000019_archived_audit_events;
mod m20261129_000020_unset_references;
mod m20261130_000021_mappings;
mod m20261130_000022_undo;
mod m20261130_000023_consequences;
mod m20261130_000024_held_imports;

use steps::NamedStep;

/// Declares the module of a step, and its name, which is that of its file.
macro_rules! step {
    ($name:ident) => {
        (stringify!($name), Box::new($name::Migration))
    };
}

/// All steps, oldest first.
pub(crate) fn all() -> Vec<NamedStep> {
    vec![
        step!(m20261122_000001_directory),
        step!(m20261122_000002_imports),
        step!(m20261123_000003_tokens),
        step!(m20261123_000004_privileged_roles),
        step!(m20261123_000005_audit),
        step!(m20261123_000006_references),
        step!(m20261123_000007_side_by_side),
        step!(m20261123_000008_uploads),
        step!(m20261129_000009_credential_sources),
        step!(m20261129_000010_removals),
        step!(m20261129_000011_digest_secrets),
        step!(m20261129_000012_append_only_audit),
        step!(m20261129_000013_values),
        step!(m20261129_000014_next_lease),
        step!(m20261129_000015_expiring_results),
        step!(m20261129_000016_expiring_history),
        step!(m20261129_000017_few_references),
        step!(m20261129_000018_external_id_case),
        step!(m20261129_000019_archived_audit_events),
        step!(m20261129_000020_unset_references),
        step!(m20261130_000021_mappings),
        step!(m20261130_000022_undo),
        step!(m20261130_000023_consequences),
        step!(m20261130_000024_held_imports),
    ]
}
