//! The commands that run beside the database: `serve` with its options, `migrate`, `doctor` and `demo`.

pub(super) mod demo;
pub(super) mod doctor;
mod environment;
mod limits;
pub(super) mod migrate;
mod security;
pub(super) mod serve;
mod settings;
mod stop_signal;

pub(super) use migrate::DatabaseArgs;
