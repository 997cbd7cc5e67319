//! Bounds the open connections of the server, of one client's network, and of strangers. A connection is a stranger's
//! until a caller on it has shown a credential.
//!
//! A connection counts from the moment it is accepted, before its TLS handshake. A new connection never
//! waits: if the limit is reached, the oldest connection of a stranger is closed, on the network that has
//! most of them, so that a client with a credential can always show it. If there is no stranger, a
//! connection without a call is closed.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::connection_usage::ConnectionUsage;
use crate::{
    limits::{
        ClientDeadlines, ClientNetwork, ConcurrencyBounds, KeyedLimiter, KeyedPermit, LimitReached,
        ServerLimits,
    },
    telemetry::metrics,
};

/// Counts open connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLimiter(Arc<ConnectionLimiterState>);

#[derive(Debug)]
struct ConnectionLimiterState {
    limiter: KeyedLimiter<ClientNetwork>,
    /// Most connections of strangers.
    strangers: usize,
    deadlines: ClientDeadlines,
    open: Mutex<OpenConnections>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    /// How many have been opened so far, which is the number of the next one.
    opened: u64,
    /// By number, so that the oldest comes first.
    connections: BTreeMap<u64, OpenConnection>,
}

#[derive(Debug)]
struct OpenConnection {
    network: ClientNetwork,
    usage: Arc<ConnectionUsage>,
    closing: CancellationToken,
    _permit: KeyedPermit<ClientNetwork>,
}

/// The permit of a connection; given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limiter: ConnectionLimiter,
    number: u64,
    usage: Arc<ConnectionUsage>,
    closing: CancellationToken,
}

impl ConnectionLimiter {
    /// A limiter without connections. Half of the permits are reserved for callers who have shown a
    /// credential.
    #[must_use]
    pub(super) fn new(limits: &ServerLimits) -> Self {
        Self(Arc::new(ConnectionLimiterState {
            limiter: KeyedLimiter::new(ConcurrencyBounds {
                server: limits.connections,
                key: limits.address_connections,
            }),
            strangers: (limits.connections / 2).max(1),
            deadlines: limits.deadlines,
            open: Mutex::default(),
        }))
    }

    /// Takes a permit for a connection from `address`, by closing another connection if necessary.
    ///
    /// # Errors
    /// The bound that is reached, as a label of a metric.
    pub(super) fn admit(&self, address: IpAddr) -> Result<ConnectionPermit, &'static str> {
        let network = ClientNetwork::of(address);
        let mut open = self.0.open.lock();
        let permit = self.permit(&mut open, network)?;
        if open.strangers() >= self.0.strangers {
            open.displace(|_| true);
        }
        let (usage, closing) = (
            Arc::new(ConnectionUsage::new(&self.0.deadlines)),
            CancellationToken::new(),
        );
        let number = open.opened;
        open.opened += 1;
        open.connections.insert(
            number,
            OpenConnection {
                network,
                usage: Arc::clone(&usage),
                closing: closing.clone(),
                _permit: permit,
            },
        );
        drop(open);
        metrics::connections_changed(1.0);
        Ok(ConnectionPermit {
            limiter: self.clone(),
            number,
            usage,
            closing,
        })
    }

    fn permit(
        &self,
        open: &mut OpenConnections,
        network: ClientNetwork,
    ) -> Result<KeyedPermit<ClientNetwork>, &'static str> {
        let reached = match self.0.limiter.try_acquire(network) {
            Ok(permit) => return Ok(permit),
            Err(reached) => reached,
        };
        let reason = match reached {
            LimitReached::Server(_) => "connections",
            LimitReached::Key(_) => "connections_per_address",
        };
        let is_of_server = matches!(reached, LimitReached::Server(_));
        if !open.displace(|other| is_of_server || other == network) {
            return Err(reason);
        }
        self.0.limiter.try_acquire(network).map_err(|_| reason)
    }
}

impl OpenConnections {
    fn strangers(&self) -> usize {
        self.connections.values().filter(|c| c.is_strange()).count()
    }

    /// Closes one connection of the candidate networks. Returns `false` if there is none to close. Closes
    /// strangers first, then connections without a call, whose clients can connect again.
    fn displace(&mut self, is_candidate: impl Fn(ClientNetwork) -> bool) -> bool {
        let candidates = || {
            let connections = self.connections.iter();
            connections.filter(|(_, entry)| is_candidate(entry.network))
        };
        let strange = oldest_of_busiest(candidates().filter(|(_, entry)| entry.is_strange()));
        let found = strange
            .or_else(|| oldest_of_busiest(candidates().filter(|(_, entry)| entry.usage.is_idle())));
        let Some(entry) = found.and_then(|number| self.connections.remove(&number)) else {
            return false;
        };
        entry.closing.cancel();
        metrics::connection_refused("displaced");
        true
    }
}

/// Returns the oldest connection of the network that has most of these connections, which come oldest
/// first.
fn oldest_of_busiest<'a>(
    connections: impl Iterator<Item = (&'a u64, &'a OpenConnection)>,
) -> Option<u64> {
    let mut networks: HashMap<ClientNetwork, (usize, Reverse<u64>)> = HashMap::new();
    for (&number, entry) in connections {
        let counted = networks
            .entry(entry.network)
            .or_insert((0, Reverse(number)));
        counted.0 += 1;
    }
    networks.into_values().max().map(|(_, oldest)| oldest.0)
}

impl OpenConnection {
    fn is_strange(&self) -> bool {
        !self.usage.trust().is_trusted()
    }
}

impl ConnectionPermit {
    /// The use of the connection.
    #[must_use]
    pub(super) const fn usage(&self) -> &Arc<ConnectionUsage> {
        &self.usage
    }

    /// Cancelled when the connection must close to make room for another.
    #[must_use]
    pub(super) const fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        // A displaced connection has been removed before.
        self.limiter.0.open.lock().connections.remove(&self.number);
        metrics::connections_changed(-1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(connections: usize, address_connections: usize) -> ConnectionLimiter {
        ConnectionLimiter::new(&ServerLimits {
            connections,
            address_connections,
            ..ServerLimits::default()
        })
    }

    fn from(limiter: &ConnectionLimiter, last: u8) -> Result<ConnectionPermit, &'static str> {
        limiter.admit([192, 0, 2, last].into())
    }

    fn known(limiter: &ConnectionLimiter, last: u8) -> ConnectionPermit {
        let permit = from(limiter, last).unwrap();
        permit.usage().trust().mark_trusted();
        permit
    }

    fn closed(permits: &[ConnectionPermit]) -> Vec<bool> {
        let closed = |permit: &ConnectionPermit| permit.closing().is_cancelled();
        permits.iter().map(closed).collect()
    }

    #[tokio::test]
    async fn a_newcomer_takes_the_place_of_the_oldest_stranger_of_the_busiest_network() {
        let limiter = limiter(8, 4);
        let old = from(&limiter, 1).unwrap();
        let busy = [2, 2, 2].map(|last| from(&limiter, last).unwrap());
        // Half of eight places are strangers'.
        let _newcomer = from(&limiter, 3).unwrap();
        assert!(!old.closing().is_cancelled());
        assert_eq!(closed(&busy), [true, false, false]);
    }

    #[tokio::test]
    async fn a_full_network_makes_room_among_its_own() {
        let limiter = limiter(100, 2);
        let other = from(&limiter, 1).unwrap();
        let full = [2, 2].map(|last| from(&limiter, last).unwrap());
        let _newcomer = from(&limiter, 2).unwrap();
        assert_eq!(closed(&full), [true, false]);
        assert!(!other.closing().is_cancelled());
    }

    #[tokio::test]
    async fn the_addresses_of_one_ipv6_network_are_one_client() {
        let limiter = limiter(100, 2);
        let from = |text: &str| limiter.admit(text.parse().unwrap()).unwrap();
        let full = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2"].map(from);
        let _other = from("2001:db8:0:2::1");
        assert_eq!(closed(&full), [false, false]);
        let _same = from("2001:db8:0:1::3");
        assert_eq!(closed(&full), [true, false]);
    }

    #[tokio::test]
    async fn whoever_has_shown_a_credential_and_makes_a_call_is_never_closed_for_another() {
        let limiter = limiter(2, 2);
        let (busy, idle) = (known(&limiter, 1), known(&limiter, 1));
        let _call = ConnectionUsage::begin(Arc::clone(busy.usage()));
        let newcomer = known(&limiter, 1);
        assert_eq!(closed(&[busy, idle]), [false, true]);
        let _call = ConnectionUsage::begin(Arc::clone(newcomer.usage()));
        drop(newcomer);
    }

    #[tokio::test]
    async fn without_anybody_to_close_a_newcomer_is_refused_by_the_bound_that_is_reached() {
        for (connections, of_one, reason) in
            [(2, 4, "connections"), (4, 2, "connections_per_address")]
        {
            let limiter = limiter(connections, of_one);
            let busy = [known(&limiter, 1), known(&limiter, 1)];
            let _calls = busy
                .each_ref()
                .map(|p| ConnectionUsage::begin(Arc::clone(p.usage())));
            assert_eq!(from(&limiter, 1).unwrap_err(), reason);
        }
    }

    #[tokio::test]
    async fn a_place_is_given_back_once() {
        let limiter = limiter(4, 1);
        let displaced = from(&limiter, 1).unwrap();
        let newcomer = from(&limiter, 1).unwrap();
        drop(displaced);
        assert!(!newcomer.closing().is_cancelled());
        assert_eq!(limiter.0.limiter.total(), 1);
        drop(newcomer);
        assert_eq!(limiter.0.limiter.total(), 0);
        assert!(limiter.0.open.lock().connections.is_empty());
    }
}
