//! User Import: keeps an organisation's user accounts in step with a roster file, over gRPC.

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
