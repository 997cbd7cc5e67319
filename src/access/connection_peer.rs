//! The other end of a connection.

use std::{net::SocketAddr, sync::Arc};

use super::ClientCertificate;

/// What is known of the other end of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnectionPeer {
    /// Its address, if it is known.
    pub address: Option<SocketAddr>,
    /// The certificate it showed.
    pub certificate: Option<Arc<ClientCertificate>>,
}
