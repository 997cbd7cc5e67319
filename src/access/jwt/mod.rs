//! Tokens of an identity provider (JWT, RFC 7519): verified with the provider's public keys, and read
//! for who may act where.

mod claims;
mod crypto;
mod fetch;
mod header;
mod key_set;
mod keys;

use jsonwebtoken::{Algorithm, Validation, decode};
use time::OffsetDateTime;

pub use crypto::{AlgorithmName, UnknownAlgorithm};
pub use fetch::{Address, InvalidAddress, fetch};
pub use key_set::KeySet;
pub use keys::Keys;

use self::{claims::Claims, header::TokenHeader};
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
        let header = TokenHeader::parse(text, &self.settings.algorithms);
        let TokenHeader { algorithm, key_id } = header.ok_or(Denial::Invalid)?;
        let keys = self.keys.find(key_id.as_deref(), algorithm).await;
        let signature = signature_alone(algorithm);
        let mut verified = keys
            .iter()
            .filter_map(|key| decode::<Claims>(text, key, &signature).ok());
        let claims = verified.next().ok_or(Denial::Invalid)?.claims;
        claims.principal(&self.settings, now)
    }
}

/// Judges the signature; what a token claims is judged in [`Claims`], all of it.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims::<&str>(&[]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
