//! The tables as sea-orm maps them; `migrations/` has their constraints.

pub mod audit_event;
pub mod evidence_group;
pub mod import;
pub mod organization;
pub mod rank;
pub mod role;
pub mod token;
pub mod upload;
pub mod user;
