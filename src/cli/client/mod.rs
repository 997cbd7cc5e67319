//! The commands that call a server over gRPC, as any client does: imports and their results, organisations, users,
//! catalogs, tokens, and the profiles that name a server.

pub(super) mod audit;
pub(super) mod catalog;
mod connection;
pub(super) mod doctor;
mod errors_file;
pub(super) mod export;
pub(super) mod health;
pub(super) mod held;
pub(super) mod import;
mod import_id;
pub(super) mod imports;
pub(super) mod inspect;
pub(super) mod mapping;
mod mapping_file;
pub(super) mod org;
mod profile;
pub(super) mod profiles;
mod result_filter;
pub(super) mod template;
pub(super) mod token;
pub(super) mod user;
mod user_filters;
pub(super) mod watch;

pub(super) use mapping_file::parse as parse_mapping;
