//! Host names of this machine, as a browser writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Returns `true` if an authority (`localhost:50051`, `127.0.0.1`, `[::1]:80`) is this machine under a name that nobody
/// else can give an address to: `localhost` and the loopback addresses. An IPv4 address in the form of an IPv6 address
/// and a name with a dot at its end do not count.
#[must_use]
pub(crate) fn is_loopback_authority(authority: &str) -> bool {
    let Some(host) = without_port(authority) else {
        return false;
    };
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback());
    }
    let address = host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback());
    address || host.eq_ignore_ascii_case("localhost")
}

/// The authority of a socket address in a URL that a browser of this machine can open. `None` if it cannot be opened
/// from here under a loopback name.
#[must_use]
pub(crate) fn loopback_authority(address: SocketAddr) -> Option<String> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let authority = SocketAddr::new(ip, address.port()).to_string();
    is_loopback_authority(&authority).then_some(authority)
}

/// Returns `None` if something other than a port follows the host.
fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => return Some(authority),
    };
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && port.parse::<u16>().is_ok()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_else_can_point_here_are_this_machine() {
        for (authority, expected) in [
            ("localhost", true),
            ("localhost:50051", true),
            ("LocalHost:50051", true),
            ("127.0.0.1", true),
            ("127.0.0.1:50051", true),
            ("127.255.255.254:1", true),
            ("[::1]", true),
            ("[::1]:50051", true),
            ("", false),
            (":50051", false),
            ("localhost.", false),
            ("localhost.:50051", false),
            ("127.0.0.1.", false),
            ("localhost:", false),
            ("localhost:+80", false),
            ("localhost:99999", false),
            ("localhost:80@evil.example", false),
            ("localhost@evil.example", false),
            ("evil.example@localhost", false),
            ("user:secret@127.0.0.1", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:50051", false),
            ("roster.localhost", false),
            ("127.1", false),
            ("0177.0.0.1", false),
            ("2130706433", false),
            ("0.0.0.0", false),
            ("128.0.0.1", false),
            ("::1", false),
            ("[::]", false),
            ("[::1]x", false),
            ("[::1", false),
            ("[::ffff:127.0.0.1]", false),
            ("[::ffff:127.0.0.1]:50051", false),
            ("127.0.0.1:1:2", false),
            ("127.0.0.1,localhost", false),
        ] {
            assert_eq!(is_loopback_authority(authority), expected, "{authority}");
        }
    }

    #[test]
    fn an_address_of_all_interfaces_is_opened_here_by_loopback() {
        for (address, expected) in [
            ("127.0.0.1:50051", Some("127.0.0.1:50051")),
            ("0.0.0.0:50051", Some("127.0.0.1:50051")),
            ("[::]:50051", Some("[::1]:50051")),
            ("[::1]:1", Some("[::1]:1")),
            ("10.0.0.5:50051", None),
        ] {
            let authority = loopback_authority(address.parse().unwrap());
            assert_eq!(authority.as_deref(), expected, "{address}");
        }
    }
}
