//! Tokens of an identity provider (JWT, RFC 7519): verified with the provider's public keys, and read
//! for who may act where.

mod claims;
mod crypto;
mod fetch;
mod keys;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use time::OffsetDateTime;

pub use crypto::{AlgorithmName, UnknownAlgorithm};
pub use fetch::{Address, InvalidAddress, fetch};
pub use keys::{Keys, parse as parse_keys};

use self::claims::Claims;
use super::{Denial, Principal};
use crate::config::JwtSettings;

/// Verifies tokens of one identity provider.
#[derive(Debug)]
pub struct Jwt {
    settings: JwtSettings,
    keys: Keys,
}

impl Jwt {
    /// Verifies with these keys.
    #[must_use]
    pub fn new(settings: JwtSettings, keys: Keys) -> Self {
        crypto::install();
        Self { settings, keys }
    }

    /// The keys, which somebody has to keep fresh.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The principal that a token is of, at this time.
    ///
    /// # Errors
    /// Where the token is not from this provider for this service, or its time is over or has not
    /// come.
    pub async fn recognise(&self, text: &str, now: OffsetDateTime) -> Result<Principal, Denial> {
        let header = decode_header(text).map_err(|_| Denial::Invalid)?;
        // Pinned here, whatever the token or the key says: no token chooses how it is verified.
        if !self.is_allowed(header.alg) {
            return Err(Denial::Invalid);
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await;
        let key = key.ok_or(Denial::Invalid)?;
        let decoded = decode(text, &key, &self.validation(header.alg));
        let claims: Claims = decoded.map_err(|_| Denial::Invalid)?.claims;
        claims.principal(&self.settings, now)
    }

    fn is_allowed(&self, algorithm: Algorithm) -> bool {
        let mut allowed = self.settings.algorithms.iter();
        allowed.any(|name| name.algorithm() == algorithm)
    }

    /// Signature, issuer and audience. The times are judged by our own clock, in [`Claims`].
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }
}
