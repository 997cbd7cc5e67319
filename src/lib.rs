//! User Import: keeps an organisation's user accounts in step with a roster file, over gRPC.

pub mod cli;
pub mod client;
pub mod domain;
pub mod input;
pub mod plan;
pub mod proto;
pub mod telemetry;
