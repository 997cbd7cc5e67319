//! What can go wrong between this program and a server.

use std::{error::Error, io};

use tonic::{Status, transport};

use super::Address;

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// Where the server was looked for.
        address: Address,
        /// What the network said.
        reason: String,
    },
    /// The server refused, or the connection was lost; see [`connection_lost`].
    #[error("{}", .0.message())]
    Status(Status),
    /// The roster could not be read to its end. The server has refused what it got of it.
    #[error("the roster cannot be read: {0}")]
    Input(io::Error),
    /// What came back could not be written.
    #[error("the answer cannot be written: {0}")]
    Output(io::Error),
}

impl ClientError {
    pub(super) fn unreachable(address: &Address, error: &transport::Error) -> Self {
        Self::Unreachable {
            address: address.clone(),
            reason: root_cause(error).to_string(),
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// True where no server said this: the connection broke under the request.
#[must_use]
pub fn connection_lost(status: &Status) -> bool {
    status.source().is_some()
}

/// The innermost error, which says what happened; those around it say only where.
fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    match error.source() {
        Some(source) => root_cause(source),
        None => error,
    }
}
