//! The gRPC client of the command line: connects, uploads rosters, and hands on answers.
//!
//! Knows nothing of terminals, files or exit codes. Every RPC has one function here, so that the
//! commands never meet a `tonic` stream.

mod audit;
mod connection;
mod directory;
mod error;
mod health;
mod held;
mod history;
mod import;
mod inspection;
mod proxy_answers;
mod push;
mod upload;
mod users;

#[cfg(test)]
pub(crate) mod fake_service;

pub use connection::BearerToken;
pub(crate) use connection::{ClientCredentials, PresentedToken, ServerAddress, ServiceClient};
pub(crate) use error::{ClientError, connection_lost};
pub(crate) use health::ServerHealth;
pub(crate) use import::ImportEnd;
pub(crate) use inspection::BEGINNING;
pub(crate) use upload::{RosterFormat, SentRoster};
