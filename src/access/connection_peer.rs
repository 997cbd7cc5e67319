//! The other end of a connection.

use std::sync::Arc;

use super::{ClientAddress, ClientCertificate};

/// The known facts about the other end of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnectionPeer {
    /// The client's address, if it is known.
    pub address: Option<ClientAddress>,
    /// The certificate it showed.
    pub certificate: Option<Arc<ClientCertificate>>,
}
