//! The address under which browsers reach this server from other machines.

use std::{fmt, str::FromStr};

use super::web_origin::{InvalidWebOrigin, WebOrigin};

/// The address under which browsers reach this server: `https://roster.example`, or with a port. It has no path,
/// because the console is always at `/console/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(WebOrigin);

/// The text is not an address that the console can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the address that people type, like https://roster.example, without a path")]
pub struct InvalidPublicUrl;

impl From<InvalidWebOrigin> for InvalidPublicUrl {
    fn from(_: InvalidWebOrigin) -> Self {
        Self
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let origin: WebOrigin = text.parse()?;
        match origin.is_http() {
            true => Ok(Self(origin)),
            false => Err(InvalidPublicUrl),
        }
    }
}

impl PublicUrl {
    /// The origin of the pages that this server serves there.
    #[must_use]
    pub const fn origin(&self) -> &WebOrigin {
        &self.0
    }

    /// Returns `true` if a `Host` header with this text means this address.
    #[must_use]
    pub(crate) fn is_host(&self, host: &str) -> bool {
        self.0.is_at_host(host)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_with_the_port_of_the_scheme() {
        for (url, host, expected) in [
            ("https://roster.example", "roster.example", true),
            ("https://roster.example", "roster.example:443", true),
            ("https://Roster.example/", "ROSTER.EXAMPLE", true),
            ("http://roster.example", "roster.example:80", true),
            ("https://roster.example:8443", "roster.example:8443", true),
            ("https://[2001:db8::7]", "[2001:DB8::7]", true),
            ("https://roster.example", "roster.example:80", false),
            ("https://roster.example", "roster.example:8443", false),
            ("https://roster.example:8443", "roster.example", false),
            ("https://roster.example", "roster.example.", false),
            ("https://roster.example", "evil.roster.example", false),
            (
                "https://roster.example",
                "roster.example.evil.example",
                false,
            ),
            ("https://roster.example", "user@roster.example", false),
            ("https://roster.example", "", false),
        ] {
            let parsed: PublicUrl = url.parse().unwrap();
            assert_eq!(parsed.is_host(host), expected, "{url} {host}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_page_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "roster.example",
            "https://",
            "https://roster.example/console/",
            "https://user@roster.example",
            "https://*.example",
            "tauri://localhost",
            "ftp://roster.example",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidPublicUrl), "{text}");
        }
    }
}
