//! The errors of a call to a server.

use std::{error::Error, io};

use tonic::{Status, transport};

use super::ServerAddress;
use crate::tls_faults::tls_fault;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// The address of the server.
        address: ServerAddress,
        /// The error of the network.
        reason: String,
    },
    /// The server refused, or the connection was lost; see [`connection_lost`].
    #[error("{}", .0.message())]
    Status(Status),
    /// The roster could not be read to its end. The server has refused the part that it received.
    #[error("the roster cannot be read: {0}")]
    Input(io::Error),
    /// The server is of a release that does not know workbooks, and sent CSV.
    #[error("the server is older than this program and writes no workbooks; write a .csv file")]
    NoWorkbooks,
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Output(io::Error),
}

impl ClientError {
    pub(super) fn unreachable(address: &ServerAddress, error: &transport::Error) -> Self {
        Self::Unreachable {
            address: address.clone(),
            reason: tls_fault(error).unwrap_or_else(|| root_cause(error).to_string()),
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// Returns `true` if no server sent this status: the connection broke during the request.
#[must_use]
pub(crate) fn connection_lost(status: &Status) -> bool {
    status.source().is_some()
}

/// Returns the innermost error, which gives the cause.
fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    match error.source() {
        Some(source) => root_cause(source),
        None => error,
    }
}
