//! Whether a server may listen on its address, and the warnings for the operator. Pure.

use std::net::SocketAddr;

/// How a server is going to listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenExposure {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it uses TLS.
    pub has_tls: bool,
    /// Whether a credential is configured.
    pub credentials: CredentialState,
    /// The operator accepts the risk of listening beyond this machine without both.
    pub accepts_risk: bool,
}

/// Whether a credential is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// None was ever configured: a local token is admitted.
    Never,
    /// One was configured, and none is now: no caller is admitted.
    Before,
    /// One is configured.
    Now,
}

impl CredentialState {
    /// Returns the state. `now` says whether a credential is configured, and `ever` whether one ever was.
    #[must_use]
    pub const fn of(now: bool, ever: bool) -> Self {
        match (now, ever) {
            (true, _) => Self::Now,
            (false, true) => Self::Before,
            (false, false) => Self::Never,
        }
    }
}

/// The server must not listen like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} can be reached from other machines, and {missing}. Listen on 127.0.0.1, or configure \
     {remedy}; --insecure-listen-beyond-loopback listens there all the same"
)]
pub struct UnsafeExposure {
    address: SocketAddr,
    missing: &'static str,
    remedy: &'static str,
}

const NO_TLS: &str = "without TLS anybody on the way can read and change what is sent, credentials \
    included";
const NO_CREDENTIALS: &str = "no credential is configured, so nobody there could be admitted";
const NONE_ANY_MORE: &str = "no credential is configured any more, so nobody is admitted: create a \
    token (user-import token create), or give the credential options again that the servers on \
    this database had";

impl ListenExposure {
    /// Returns `true` if only this machine reaches the address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    /// Returns the warnings for the operator at the start.
    ///
    /// # Errors
    /// Fails if the server would listen beyond this machine without both TLS and credentials, and the
    /// operator has not accepted that.
    pub fn check(&self) -> Result<Vec<&'static str>, UnsafeExposure> {
        let mut warnings = Vec::new();
        if self.credentials == CredentialState::Before {
            warnings.push(NONE_ANY_MORE);
        }
        if self.is_loopback() {
            return Ok(warnings);
        }
        let has_credentials = self.credentials == CredentialState::Now;
        let (missing, remedy) = match (self.has_tls, has_credentials) {
            (true, true) => return Ok(warnings),
            (false, true) => (NO_TLS, "--tls-cert and --tls-key"),
            (true, false) => (NO_CREDENTIALS, "a token"),
            (false, false) => (NO_TLS, "--tls-cert, --tls-key and a token"),
        };
        if !self.accepts_risk {
            let address = self.address;
            return Err(UnsafeExposure {
                address,
                missing,
                remedy,
            });
        }
        warnings.push(missing);
        Ok(warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(address: &str, has_tls: bool, has_credentials: bool) -> ListenExposure {
        ListenExposure {
            address: address.parse().unwrap(),
            has_tls,
            credentials: CredentialState::of(has_credentials, false),
            accepts_risk: false,
        }
    }

    #[test]
    fn without_both_tls_and_credentials_a_server_listens_on_loopback_only() {
        for (tls, credentials) in [(false, false), (false, true), (true, false), (true, true)] {
            for wide in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
                let exposure = exposure(wide, tls, credentials);
                assert_eq!(exposure.check().is_ok(), tls && credentials, "{exposure:?}");
                let accepted = ListenExposure {
                    accepts_risk: true,
                    ..exposure
                };
                let warnings = accepted.check().unwrap();
                assert_eq!(warnings.is_empty(), tls && credentials, "{exposure:?}");
            }
            for loopback in [
                "127.0.0.1:1",
                "127.1.2.3:1",
                "[::1]:1",
                "[::ffff:127.0.0.1]:1",
            ] {
                let warnings = exposure(loopback, tls, credentials).check().unwrap();
                assert!(warnings.is_empty(), "{loopback}");
            }
        }
    }

    #[test]
    fn a_server_that_has_lost_its_credentials_says_that_it_admits_nobody() {
        for (now, before, expected) in [
            (false, false, &[][..]),
            (false, true, &[NONE_ANY_MORE]),
            (true, true, &[]),
        ] {
            let exposure = ListenExposure {
                credentials: CredentialState::of(now, before),
                ..exposure("127.0.0.1:1", false, false)
            };
            assert_eq!(exposure.check().unwrap(), expected, "{now} {before}");
        }
    }

    #[test]
    fn the_refusal_names_the_risk_and_the_way_out() {
        let refused = exposure("0.0.0.0:50051", false, true).check().unwrap_err();
        insta::assert_snapshot!(refused, @"0.0.0.0:50051 can be reached from other machines, and without TLS anybody on the way can read and change what is sent, credentials included. Listen on 127.0.0.1, or configure --tls-cert and --tls-key; --insecure-listen-beyond-loopback listens there all the same");
    }
}
