//! The proxies that are believed when they say from which address a call or a connection comes.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use ipnet::{IpNet, Ipv4Net};

/// The networks of the proxies that are believed. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[ProxyNetwork]>);

impl From<Vec<ProxyNetwork>> for TrustedProxies {
    fn from(networks: Vec<ProxyNetwork>) -> Self {
        Self(networks.into())
    }
}

impl TrustedProxies {
    /// Returns `true` if a proxy at this address is believed. An IPv4 address written as IPv6 is an IPv4 address.
    #[must_use]
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.0.contains(&address))
    }
}

/// The network of proxies that are believed, or the address of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// The text is not a network whose addresses can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxyNetwork {
    /// All addresses.
    #[error("every caller could then pretend to have any address; name the proxies")]
    Every,
    /// An address inside of a network.
    #[error("a network begins with its first address; write {0}")]
    Inside(IpNet),
    /// Anything else.
    #[error("write an address or a network, such as 192.0.2.7, 10.1.0.0/16 or fd00:1::/64")]
    Malformed,
}

impl FromStr for ProxyNetwork {
    type Err = InvalidProxyNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidProxyNetwork> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let network = text.parse().map_err(|_| InvalidProxyNetwork::Malformed)?;
        let network = canonical(network);
        if network.prefix_len() == 0 {
            return Err(InvalidProxyNetwork::Every);
        }
        match network.trunc() == network {
            true => Ok(Self(network)),
            false => Err(InvalidProxyNetwork::Inside(network.trunc())),
        }
    }
}

/// An IPv4 network written as IPv6 is an IPv4 network.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V4(_) => None,
        IpNet::V6(network) => network.addr().to_ipv4_mapped(),
    };
    let length = network.prefix_len().checked_sub(96);
    let narrowed = mapped.zip(length);
    let narrowed = narrowed.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    narrowed.map_or(network, IpNet::V4)
}

impl fmt::Display for ProxyNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Result<String, InvalidProxyNetwork> {
        text.parse()
            .map(|network: ProxyNetwork| network.to_string())
    }

    #[test]
    fn a_network_is_an_address_or_a_range_that_is_not_everybody() {
        use InvalidProxyNetwork::{Every, Inside, Malformed};
        for (text, expected) in [
            ("192.0.2.7", Ok("192.0.2.7/32")),
            (" 10.1.0.0/16 ", Ok("10.1.0.0/16")),
            ("fd00:1::/64", Ok("fd00:1::/64")),
            ("::1", Ok("::1/128")),
            ("::ffff:192.0.2.7", Ok("192.0.2.7/32")),
            ("::ffff:10.1.0.0/112", Ok("10.1.0.0/16")),
            ("0.0.0.0/0", Err(Every)),
            ("::/0", Err(Every)),
            ("::ffff:0.0.0.0/96", Err(Every)),
            ("10.1.2.3/16", Err(Inside("10.1.0.0/16".parse().unwrap()))),
            ("10.1.0.0/33", Err(Malformed)),
            ("10.1", Err(Malformed)),
            ("proxy.example", Err(Malformed)),
            ("192.0.2.7:80", Err(Malformed)),
            ("*", Err(Malformed)),
            ("", Err(Malformed)),
        ] {
            assert_eq!(network(text), expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn a_proxy_is_believed_if_one_of_the_networks_has_its_address() {
        let networks = ["192.0.2.7", "10.1.0.0/16", "fd00:1::/64"];
        let networks: Vec<_> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let proxies = TrustedProxies::from(networks);
        for (address, expected) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("fd00:1::9", true),
            ("fd00:1:0:1::", false),
            ("127.0.0.1", false),
        ] {
            let contains = proxies.contains(address.parse().unwrap());
            assert_eq!(contains, expected, "{address}");
        }
        assert!(!TrustedProxies::default().contains([127, 0, 0, 1].into()));
    }
}
