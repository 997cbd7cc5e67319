//! Origins of web pages that may call.
//!
//! A browser names the origin of its page with every call, and a page cannot change that. Other callers
//! name none.

use std::{fmt, str::FromStr};

use super::loopback::is_loopback_authority;

/// The origin of web pages, as browsers write it: `https://roster.example`, or with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

/// The text is no origin that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebOrigin {
    /// All of them.
    #[error("any page could then make calls as the person who opens it; name each origin")]
    Every,
    /// What sandboxed pages and files have.
    #[error("every page without an origin of its own has this origin")]
    Null,
    /// Anything else.
    #[error("write it like https://roster.example or http://127.0.0.1:8080, without a path")]
    Malformed,
}

impl FromStr for WebOrigin {
    type Err = InvalidWebOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidWebOrigin> {
        let text = text.trim().to_ascii_lowercase();
        match &*text {
            "*" => return Err(InvalidWebOrigin::Every),
            "null" => return Err(InvalidWebOrigin::Null),
            _ => {}
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidWebOrigin::Malformed)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !is_scheme || !is_authority(authority) {
            return Err(InvalidWebOrigin::Malformed);
        }
        let authority = without_own_port(scheme, authority);
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// The authority as browsers write it: they leave out the scheme's own port.
fn without_own_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let own_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return authority,
    };
    authority.strip_suffix(own_port).unwrap_or(authority)
}

/// A host, with a port if one is given; nothing that would make it a URL.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_name = |host: &str| {
        host.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let is_address = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    !host.is_empty() && (is_name(host) || is_address(host)) && has_port
}

impl WebOrigin {
    /// Returns `true` if a browser names this origin with this text.
    #[must_use]
    pub fn is(&self, named: &str) -> bool {
        self.0 == named
    }

    /// Returns `true` for pages that a browser loads over HTTP, with or without TLS.
    #[must_use]
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.parts().0, "http" | "https")
    }

    /// Returns `true` if a `Host` header with this text means the host and the port of this origin.
    #[must_use]
    pub(crate) fn is_at_host(&self, host: &str) -> bool {
        let (scheme, authority) = self.parts();
        let host = host.to_ascii_lowercase();
        without_own_port(scheme, &host) == authority
    }

    /// Returns `true` if nobody on the way can read what is sent there: it has TLS, or is this machine.
    #[must_use]
    pub(crate) fn keeps_secrets(&self) -> bool {
        match self.parts() {
            ("https", _) => true,
            ("http", authority) => is_loopback_authority(authority),
            _ => false,
        }
    }

    /// Scheme and authority.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once("://").unwrap_or_default()
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_compared_as_browsers_write_it() {
        for (given, named) in [
            ("https://roster.example", "https://roster.example"),
            ("HTTPS://Roster.Example/", "https://roster.example"),
            ("https://roster.example:443", "https://roster.example"),
            ("http://roster.example:80", "http://roster.example"),
            ("http://roster.example:443", "http://roster.example:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
            ("tauri://localhost", "tauri://localhost"),
        ] {
            assert!(given.parse::<WebOrigin>().unwrap().is(named), "{given}");
        }
        let origin: WebOrigin = "https://roster.example".parse().unwrap();
        for other in [
            "http://roster.example",
            "https://roster.example:8443",
            "https://evil.roster.example",
            "https://roster.example.evil.example",
            "null",
            "",
        ] {
            assert!(!origin.is(other), "{other}");
        }
    }

    #[test]
    fn what_would_let_in_more_than_one_origin_is_refused() {
        for (text, reason) in [
            ("*", InvalidWebOrigin::Every),
            ("null", InvalidWebOrigin::Null),
            ("", InvalidWebOrigin::Malformed),
            ("roster.example", InvalidWebOrigin::Malformed),
            ("https://", InvalidWebOrigin::Malformed),
            ("https://*.example", InvalidWebOrigin::Malformed),
            ("https://roster.example/path", InvalidWebOrigin::Malformed),
            ("https://user@roster.example", InvalidWebOrigin::Malformed),
            ("https://roster.example:port", InvalidWebOrigin::Malformed),
            ("https://roster.example:99999", InvalidWebOrigin::Malformed),
            ("https://a b", InvalidWebOrigin::Malformed),
            ("1https://a", InvalidWebOrigin::Malformed),
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(reason), "{text}");
        }
    }
}
