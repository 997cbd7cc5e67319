//! Checks that the addresses that the server listens on are free, and that the collector of its traces can be reached.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};

use super::{CheckLevel, CheckResult};
use crate::{
    cli::server::serve::{ServeArgs, try_bind},
    client::ServerAddress,
};

/// How long the collector of traces may take to answer.
const COLLECTOR_TIMEOUT: Duration = Duration::from_secs(3);

/// An address with the option that names it.
type NamedAddress = (&'static str, SocketAddr);

/// Looks at every address. `is_serving`: a server runs on the database, so an address that is in use may be its own.
pub(super) async fn check(args: &ServeArgs, is_serving: bool) -> Vec<CheckResult> {
    let named = [
        ("--listen", Some(args.listen)),
        ("--health-listen", args.health_listen),
        ("--metrics-listen", args.metrics_listen),
    ];
    let named = named
        .into_iter()
        .filter_map(|(option, address)| Some((option, address?)));
    let named: Vec<NamedAddress> = named.collect();
    let mut results: Vec<CheckResult> = (0..named.len())
        .map(|index| check_address(&named[..index], named[index], is_serving))
        .collect();
    if let Some(address) = &args.otlp_endpoint {
        results.push(collector(address).await);
    }
    results
}

/// Checks an address. The server has already taken the earlier addresses.
fn check_address(
    before: &[NamedAddress],
    (option, address): NamedAddress,
    is_serving: bool,
) -> CheckResult {
    let about = "address";
    if let Some((other, _)) = before.iter().find(|(_, other)| overlap(*other, address)) {
        let port = address.port();
        let text =
            format!("{option} and {other} both take port {port}; give one of them another port");
        return CheckResult::new(CheckLevel::Wrong, about, text);
    }
    match try_bind(address) {
        Ok(_) => CheckResult::new(
            CheckLevel::Well,
            about,
            format!("{address} is free ({option})"),
        ),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_serving => {
            let text = format!(
                "{address} ({option}) is in use, and a server runs on this database; if that \
                 server uses the address, all is well, else give {option} another port"
            );
            CheckResult::new(CheckLevel::Warning, about, text)
        }
        Err(error) => {
            let text = format!(
                "the server cannot listen on {address} ({option}): {}",
                fault(&error)
            );
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
    }
}

/// Returns `true` if a server cannot listen on both.
fn overlap(first: SocketAddr, second: SocketAddr) -> bool {
    let is_same = first.ip() == second.ip();
    let covers = |one: SocketAddr, other: SocketAddr| {
        one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4())
    };
    let is_of_both = is_same || covers(first, second) || covers(second, first);
    // Port 0 is any free one.
    first.port() == second.port() && first.port() != 0 && is_of_both
}

/// Returns a sentence that says what is wrong, and what to do.
fn fault(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            "another program does; stop that program, or choose another port".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this user may not; choose a port from 1024 on, or give the server \
            the capability CAP_NET_BIND_SERVICE"
                .to_owned()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address; choose one that it has, or 0.0.0.0 for all"
                .to_owned()
        }
        _ => format!("{error}; choose another address"),
    }
}

async fn collector(address: &ServerAddress) -> CheckResult {
    let about = "traces";
    let connecting = TcpStream::connect((address.host(), address.port()));
    let connected = timeout(COLLECTOR_TIMEOUT, connecting).await;
    match connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
        Ok(_) => CheckResult::new(CheckLevel::Well, about, format!("{address} can be reached")),
        Err(error) => {
            let text = format!(
                "{address} cannot be reached: {error}; start the collector, or correct --otlp-endpoint"
            );
            CheckResult::new(CheckLevel::Warning, about, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_if_one_port_is_taken_twice() {
        for (first, second, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "0.0.0.0:1", true),
            ("127.0.0.1:1", "127.0.0.2:1", false),
            ("[::]:1", "127.0.0.1:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
        ] {
            let (one, other) = (first.parse().unwrap(), second.parse().unwrap());
            assert_eq!(overlap(one, other), expected, "{first} {second}");
        }
    }
}
