//! The facts about the identity provider that the console needs: the address at which people sign in, and the console's
//! client ID.
//!
//! A server verifies the provider's tokens without any of this (`jwt`).

use super::web_origin::WebOrigin;

/// Where people sign in to the console: an identity provider (OIDC), by the authorization code flow with PKCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInProvider {
    /// Its URL, as the `iss` of its tokens has it.
    pub issuer: String,
    /// The console, as it is registered there.
    pub client_id: String,
    /// The scopes that the console asks for, separated by spaces.
    pub scope: String,
    /// The origins that a browser calls to sign in: the issuer's, and those that the operator names.
    pub(crate) origins: Vec<WebOrigin>,
}

/// The issuer is not an address that a browser can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "to sign in, browsers need an issuer that begins with https:// (http:// is only for loopback)"
)]
pub struct InvalidIssuer;

impl SignInProvider {
    /// The provider of this issuer. Browsers call `others` too.
    ///
    /// # Errors
    /// Fails if the issuer is no `https` URL. One of this machine may be `http`.
    pub fn new(
        issuer: &str,
        client_id: &str,
        scope: &str,
        others: &[WebOrigin],
    ) -> Result<Self, InvalidIssuer> {
        let (scheme, rest) = issuer.split_once("://").ok_or(InvalidIssuer)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let origin: WebOrigin = format!("{scheme}://{authority}")
            .parse()
            .map_err(|_| InvalidIssuer)?;
        if !origin.keeps_secrets() {
            return Err(InvalidIssuer);
        }
        let mut origins = vec![origin];
        origins.extend_from_slice(others);
        Ok(Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            origins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_the_issuer_is_called() {
        for (issuer, origin) in [
            ("https://id.example", "https://id.example"),
            ("https://id.example/realms/pd", "https://id.example"),
            ("https://ID.example:443/", "https://id.example"),
            ("http://localhost:9000", "http://localhost:9000"),
            ("http://127.0.0.1:9000/oidc", "http://127.0.0.1:9000"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            let provider = SignInProvider::new(issuer, "console", "openid", &[]).unwrap();
            assert_eq!(provider.issuer, issuer);
            assert_eq!(provider.origins.len(), 1);
            assert!(provider.origins[0].is(origin), "{issuer}");
        }
    }

    #[test]
    fn an_issuer_that_browsers_cannot_trust_is_refused() {
        for issuer in [
            "",
            "id",
            "accounts",
            "http://id.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "https://user@id.example",
            "https://*.example",
            "https:///realms/pd",
            "tauri://localhost",
        ] {
            let provider = SignInProvider::new(issuer, "console", "openid", &[]);
            assert_eq!(provider, Err(InvalidIssuer), "{issuer}");
        }
    }
}
