//! User Import: keeps an organisation's user accounts in step with a roster file, over gRPC.

pub mod cli;
pub mod client;
pub mod config;
pub mod domain;
pub mod import;
pub mod input;
#[path = "../migrations/mod.rs"]
mod migrations;
pub mod plan;
pub mod proto;
mod rpc;
pub mod server;
pub mod store;
pub mod telemetry;
