//! The other end of a connection.

use std::{net::SocketAddr, sync::Arc};

use super::ClientCertificate;

/// What a connection tells of its other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionPeer {
    /// Its address, where it is known.
    pub address: Option<SocketAddr>,
    /// The certificate it showed.
    pub certificate: Option<Arc<ClientCertificate>>,
}
