//! The addresses under which a person opens the console.

use std::{fmt, net::SocketAddr};

use crate::{
    access::{TokenText, loopback_authority},
    client::ServerAddress,
    config::SecuritySettings,
};

/// The address of a server's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConsoleAddress {
    /// The server's own address, without a path.
    server: String,
}

impl ConsoleAddress {
    /// The console of the server at this endpoint.
    pub(super) fn at(endpoint: &ServerAddress) -> Self {
        Self::of(endpoint.to_string())
    }

    /// The console of a server that listens on `address`, as browsers on its own machine open it. `None` if it does not
    /// listen there.
    pub(super) fn on_this_machine(address: SocketAddr, has_tls: bool) -> Option<Self> {
        let scheme = if has_tls { "https" } else { "http" };
        let authority = loopback_authority(address)?;
        Some(Self::of(format!("{scheme}://{authority}")))
    }

    /// The addresses that the operator has named for other machines.
    pub(super) fn public(security: &SecuritySettings) -> impl Iterator<Item = Self> {
        let urls = security.public_urls.iter();
        urls.map(|url| Self::of(url.to_string()))
    }

    const fn of(server: String) -> Self {
        Self { server }
    }

    /// The address of the server, for clients of the contract.
    pub(super) fn endpoint(&self) -> &str {
        &self.server
    }

    /// The address with a token, which signs in the browser that opens it. What follows `#` is never sent to a server.
    pub(super) fn with_token(&self, token: &TokenText) -> String {
        format!("{self}#token={}", token.reveal())
    }
}

impl fmt::Display for ConsoleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/console/", self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_opened_under_a_name_that_it_answers_to() {
        for (address, has_tls, expected) in [
            (
                "127.0.0.1:50051",
                false,
                Some("http://127.0.0.1:50051/console/"),
            ),
            (
                "127.0.0.1:50051",
                true,
                Some("https://127.0.0.1:50051/console/"),
            ),
            (
                "0.0.0.0:50051",
                false,
                Some("http://127.0.0.1:50051/console/"),
            ),
            ("[::1]:50051", false, Some("http://[::1]:50051/console/")),
            ("10.0.0.5:50051", false, None),
        ] {
            let found = ConsoleAddress::on_this_machine(address.parse().unwrap(), has_tls);
            let found = found.map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{address}");
        }
        let endpoint = "http://localhost:50051/".parse().unwrap();
        let found = ConsoleAddress::at(&endpoint).to_string();
        assert_eq!(found, "http://localhost:50051/console/");
    }
}
