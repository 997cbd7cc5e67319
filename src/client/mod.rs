//! The gRPC client that the command line uses: connects, uploads rosters, hands answers on.
//!
//! Knows nothing of terminals, files or exit codes. Every RPC has one function here, so that the
//! commands never meet a `tonic` stream.

mod audit;
mod connection;
mod directory;
mod error;
mod health;
mod history;
mod import;
mod upload;

#[cfg(test)]
pub(crate) mod fake;

pub use connection::{Address, Client, Credentials, FindToken, PresentedToken, Token};
pub use error::{ClientError, connection_lost};
pub use health::Health;
pub use import::Ended;
pub use upload::Sent;
