//! The client's address as trusted proxies forward it: in `X-Forwarded-For`, or in `Forwarded` (RFC 7239).
//!
//! Each proxy appends the address that it was called from. So the list is read from its end. If an address belongs to a
//! trusted proxy, the address before it is the one that this proxy reports. The first other address is the client's.
//! The client may have written everything before it, so that part is not read.
//!
//! An address says where a call comes from, and admits nobody, not even a loopback address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Request, header::FORWARDED};
use tonic::body::Body;

use crate::{
    access::{ClientAddress, ConnectionPeer, TrustedProxies},
    rpc::{self, InnerService, Middleware},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The layer. Puts the client's address in place of the address of a trusted proxy.
pub(super) fn layer(proxies: TrustedProxies) -> Middleware {
    Middleware::new(move |mut request, next: InnerService| {
        let resolved = resolve(&mut request, &proxies);
        async move {
            match resolved {
                Ok(()) => next.call(request).await,
                Err(ContradictoryHeaders) => rpc::forwarded_headers_differ().into_http(),
            }
        }
    })
}

/// The two headers name different clients. A proxy writes one of them, and has passed on the other as the client sent
/// it; which is which is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContradictoryHeaders;

fn resolve(
    request: &mut Request<Body>,
    proxies: &TrustedProxies,
) -> Result<(), ContradictoryHeaders> {
    let peer = request.extensions().get::<ConnectionPeer>();
    let Some(address) = peer.and_then(|peer| peer.address) else {
        return Ok(());
    };
    let client = client(address, request.headers(), proxies)?;
    if let Some(peer) = request.extensions_mut().get_mut::<ConnectionPeer>() {
        peer.address = Some(client);
    }
    Ok(())
}

/// Returns the address of the client whose call has come from `peer`.
fn client(
    peer: ClientAddress,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
) -> Result<ClientAddress, ContradictoryHeaders> {
    if !proxies.contains(peer.ip) {
        return Ok(peer);
    }
    let by = |name: &HeaderName, addresses: fn(&HeaderValue) -> Vec<Option<ClientAddress>>| {
        let list = headers.get_all(name).iter().flat_map(addresses);
        let list: Vec<_> = list.collect();
        (!list.is_empty()).then(|| last_untrusted(peer, &list, proxies))
    };
    let listed = by(&X_FORWARDED_FOR, addresses_of_list);
    let elements = by(&FORWARDED, addresses_of_elements);
    match (listed, elements) {
        (Some(one), Some(other)) if one.ip != other.ip => Err(ContradictoryHeaders),
        (one, other) => Ok(one.or(other).unwrap_or(peer)),
    }
}

/// Reads the list from its end up to the first address that is no trusted proxy's. `None` stands for an address that is
/// hidden or cannot be read; then only the proxy that wrote it is known.
fn last_untrusted(
    peer: ClientAddress,
    list: &[Option<ClientAddress>],
    proxies: &TrustedProxies,
) -> ClientAddress {
    let mut known = peer;
    for address in list.iter().rev() {
        let Some(address) = address else { break };
        known = *address;
        if !proxies.contains(known.ip) {
            break;
        }
    }
    known
}

/// The addresses of one `X-Forwarded-For` header.
fn addresses_of_list(value: &HeaderValue) -> Vec<Option<ClientAddress>> {
    match value.to_str() {
        Ok(list) => list.split(',').map(|text| address(text.trim())).collect(),
        Err(_) => vec![None],
    }
}

/// The addresses of one `Forwarded` header, by its `for` parameters.
fn addresses_of_elements(value: &HeaderValue) -> Vec<Option<ClientAddress>> {
    let elements = value.to_str().ok();
    let elements = elements.and_then(|value| split_outside_quotes(value, ','));
    match elements {
        Some(elements) => elements.into_iter().map(address_of_element).collect(),
        None => vec![None],
    }
}

/// The address in an element's `for` parameter, which it must have once.
fn address_of_element(element: &str) -> Option<ClientAddress> {
    let pairs = split_outside_quotes(element, ';')?;
    let mut nodes = pairs.into_iter().filter_map(|pair| {
        let (name, node) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(node)
    });
    let node = nodes.next()?.trim();
    if nodes.next().is_some() {
        return None;
    }
    let unquoted = node
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    address(unquoted.unwrap_or(node))
}

/// Returns the parts between the separators that are outside of quoted strings, or `None` if a quoted string has no
/// end.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|character| {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match character {
            _ if was_escaped => {}
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => return character == separator && !is_quoted,
        }
        false
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

/// Reads `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:80`; or returns `None`, as for
/// `unknown` and for the made-up names of RFC 7239.
fn address(text: &str) -> Option<ClientAddress> {
    let (ip, port): (IpAddr, &str) = if let Ok(ip) = text.parse() {
        (ip, "")
    } else if let Some(rest) = text.strip_prefix('[') {
        let (ip, port) = rest.split_once(']')?;
        (ip.parse::<Ipv6Addr>().ok()?.into(), port)
    } else {
        let (ip, port) = text.split_at(text.find(':')?);
        (ip.parse::<Ipv4Addr>().ok()?.into(), port)
    };
    let port = match port.strip_prefix(':') {
        // A made-up name of a port.
        Some(name) if name.starts_with('_') => None,
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(number.parse().ok()?)
        }
        None if port.is_empty() => None,
        Some(_) | None => return None,
    };
    let ip = ip.to_canonical();
    Some(ClientAddress { ip, port })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const PROXY: &str = "10.1.0.1";

    /// The client of a call from `peer` with these headers, if those of two networks are trusted.
    fn client_of(peer: &str, headers: &[(&str, &str)]) -> String {
        let networks = ["10.1.0.0/16", "fd00:1::/64"];
        let networks: Vec<_> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let peer = ClientAddress {
            ip: peer.parse().unwrap(),
            port: None,
        };
        match client(peer, &map, &networks.into()) {
            Ok(client) => client.to_string(),
            Err(ContradictoryHeaders) => "contradiction".to_owned(),
        }
    }

    fn listed(value: &str) -> String {
        client_of(PROXY, &[("x-forwarded-for", value)])
    }

    fn element(value: &str) -> String {
        client_of(PROXY, &[("forwarded", value)])
    }

    #[rstest]
    #[case("198.51.100.7", "198.51.100.7")]
    #[case(" 198.51.100.7 ", "198.51.100.7")]
    #[case("198.51.100.7:4711", "198.51.100.7:4711")]
    #[case("2001:db8::7", "2001:db8::7")]
    #[case("[2001:db8::7]", "2001:db8::7")]
    #[case("[2001:db8::7]:4711", "[2001:db8::7]:4711")]
    #[case("::ffff:198.51.100.7", "198.51.100.7")]
    #[case("127.0.0.1", "127.0.0.1")]
    // The client's part of the list comes before the proxy's.
    #[case("203.0.113.9, 198.51.100.7", "198.51.100.7")]
    #[case("127.0.0.1,::1,198.51.100.7", "198.51.100.7")]
    #[case("what, ever, 198.51.100.7", "198.51.100.7")]
    // Trusted proxies in a row.
    #[case("203.0.113.9, 198.51.100.7, 10.1.0.2, fd00:1::3", "198.51.100.7")]
    #[case("10.1.0.3, 10.1.0.2", "10.1.0.3")]
    // If an address cannot be read, the proxy that wrote it counts as the client.
    #[case("203.0.113.9, unknown", PROXY)]
    #[case("203.0.113.9, 198.51.100.7, 10.1.0.2, garbage, 10.1.0.3", "10.1.0.3")]
    #[case("203.0.113.9,", PROXY)]
    #[case("", PROXY)]
    #[case("198.51.100.7:port", PROXY)]
    #[case("198.51.100.7:+80", PROXY)]
    #[case("198.51.100.7:", PROXY)]
    #[case("198.51.100.7:70000", PROXY)]
    #[case("[198.51.100.7]", PROXY)]
    #[case("[2001:db8::7]x", PROXY)]
    #[case("[2001:db8::7", PROXY)]
    #[case("fe80::1%eth0", PROXY)]
    #[case("198.51.100", PROXY)]
    #[case("client.example", PROXY)]
    #[case("203.0.113.9, \u{e9}", PROXY)]
    fn of_a_list_the_last_address_that_is_no_trusted_proxys_is_the_clients(
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(listed(value), expected);
    }

    #[rstest]
    #[case("for=198.51.100.7", "198.51.100.7")]
    #[case("For=\"198.51.100.7:4711\"", "198.51.100.7:4711")]
    #[case(
        "FOR=\"[2001:db8::7]:4711\";proto=https;by=10.1.0.1",
        "[2001:db8::7]:4711"
    )]
    #[case("proto=https; for = 198.51.100.7 ; by=\"_a,b;c\"", "198.51.100.7")]
    #[case("for=203.0.113.9, for=198.51.100.7", "198.51.100.7")]
    #[case("for=203.0.113.9;by=x,for=198.51.100.7,for=10.1.0.2", "198.51.100.7")]
    #[case("for=\"198.51.100.7:_hidden\"", "198.51.100.7")]
    // Quotes hide separators, and nothing else.
    #[case(
        "for=\"203.0.113.9, for=203.0.113.8\", for=198.51.100.7",
        "198.51.100.7"
    )]
    #[case("by=\"\\\", for=203.0.113.8\", for=198.51.100.7", "198.51.100.7")]
    // A quoted string of the client's that has no end takes the rest with it.
    #[case("for=203.0.113.9, for=\"203.0.113.8, for=198.51.100.7", PROXY)]
    #[case("for=unknown", PROXY)]
    #[case("for=_secret", PROXY)]
    #[case("for=203.0.113.9, for=_secret", PROXY)]
    #[case("proto=https", PROXY)]
    #[case("for=203.0.113.9;for=203.0.113.8", PROXY)]
    #[case("for=203.0.113.9, proto=https", PROXY)]
    #[case("203.0.113.9", PROXY)]
    #[case("for=\"203.0.113.9", PROXY)]
    #[case("for=203.0.113.9\"", PROXY)]
    #[case("", PROXY)]
    fn of_elements_the_last_address_that_is_no_trusted_proxys_is_the_clients(
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(element(value), expected);
    }

    #[test]
    fn several_headers_are_one_list_in_their_order() {
        let headers = [
            ("x-forwarded-for", "198.51.100.6"),
            ("x-forwarded-for", "198.51.100.7, 10.1.0.2"),
        ];
        assert_eq!(client_of(PROXY, &headers), "198.51.100.7");
        let headers = [
            ("forwarded", "for=198.51.100.6"),
            ("forwarded", "for=10.1.0.2"),
        ];
        assert_eq!(client_of(PROXY, &headers), "198.51.100.6");
    }

    #[test]
    fn a_caller_that_is_no_trusted_proxy_is_not_believed() {
        let headers = [
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=10.1.0.1"),
        ];
        assert_eq!(client_of("198.51.100.7", &headers), "198.51.100.7");
        assert_eq!(client_of("127.0.0.1", &headers), "127.0.0.1");
    }

    #[test]
    fn headers_that_name_different_clients_are_believed_neither() {
        let both = |list, elements| {
            client_of(PROXY, &[("x-forwarded-for", list), ("forwarded", elements)])
        };
        assert_eq!(both("198.51.100.7", "for=203.0.113.9"), "contradiction");
        assert_eq!(both("198.51.100.7", "for=unknown"), "contradiction");
        assert_eq!(
            both("198.51.100.7", "for=\"198.51.100.7:4711\""),
            "198.51.100.7"
        );
    }

    proptest! {
        /// The proxy at the end of the chain appends what it sees. Nothing that a client sends changes that address, or
        /// makes the client look like another one.
        #[test]
        fn a_client_cannot_pretend_to_have_another_address(sent in "[ -~]{0,60}", word in any::<bool>()) {
            let sent = match word { true => format!("for=203.0.113.9, {sent}"), false => sent };
            prop_assert_eq!(listed(&format!("{sent}, 198.51.100.7")), "198.51.100.7");
            let client = element(&format!("{sent}, for=198.51.100.7"));
            prop_assert!(client == "198.51.100.7" || client == PROXY, "{}", client);
        }

        #[test]
        fn an_address_is_read_as_it_was_written(ip: [u8; 4], wide: u128, port: u16) {
            // An IPv6 address that is not an IPv4 address in another form.
            let wide = Ipv6Addr::from_bits(wide | 1 << 127);
            for ip in [IpAddr::from(ip), wide.into()] {
                let told = ClientAddress { ip, port: Some(port) };
                prop_assert_eq!(address(&told.to_string()), Some(told));
                let told = ClientAddress { ip, port: None };
                prop_assert_eq!(address(&told.to_string()), Some(told));
            }
        }
    }
}
