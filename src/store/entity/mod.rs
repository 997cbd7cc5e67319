//! The tables as sea-orm maps them; `migrations/` has their constraints.

pub(super) mod audit_event;
pub(super) mod held_import;
pub(super) mod import;
pub(super) mod mapping;
pub(super) mod organization;
pub(super) mod token;
pub(super) mod upload;
