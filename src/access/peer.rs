//! The other end of a connection.

use std::{net::SocketAddr, sync::Arc};

use super::ClientCertificate;

/// What a connection tells of its other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Both ends are loopback addresses: the caller is on this machine.
    pub is_local: bool,
    /// Its address, where it is known.
    pub address: Option<SocketAddr>,
    /// The certificate it showed.
    pub certificate: Option<Arc<ClientCertificate>>,
}

impl Peer {
    /// The other end of a connection between these addresses; one that is not known is not local.
    #[must_use]
    pub fn between(local: Option<SocketAddr>, remote: Option<SocketAddr>) -> Self {
        let is_loopback = |address: Option<SocketAddr>| {
            address.is_some_and(|address| address.ip().to_canonical().is_loopback())
        };
        Self {
            is_local: is_loopback(local) && is_loopback(remote),
            address: remote,
            certificate: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_local_where_both_ends_are_loopback() {
        for (local, remote, expected) in [
            ("127.0.0.1:1", "127.0.0.1:2", true),
            ("127.0.0.1:1", "127.8.9.10:2", true),
            ("[::1]:1", "[::1]:2", true),
            ("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:2", true),
            ("192.0.2.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:1", "192.0.2.1:2", false),
            ("192.0.2.1:1", "192.0.2.1:2", false),
            ("[::ffff:192.0.2.1]:1", "[::1]:2", false),
        ] {
            let address = |text: &str| text.parse().ok();
            let peer = Peer::between(address(local), address(remote));
            assert_eq!(peer.is_local, expected, "{local} {remote}");
        }
        assert!(!Peer::between(None, None).is_local);
    }
}
