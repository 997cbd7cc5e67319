//! Tokens of an identity provider (JWT, RFC 7519): verified with the provider's public keys, and read for
//! the principal and its permissions.

mod key_set;
mod key_set_url;
mod provider_keys;
mod settings;
mod signatures;
mod token_claims;
mod token_header;

use jsonwebtoken::{Algorithm, Validation, decode};
use time::OffsetDateTime;

pub use key_set::KeySet;
pub use key_set_url::{InvalidKeySetUrl, KeySetUrl, fetch};
pub use provider_keys::ProviderKeys;
pub use settings::{JwtKeyLocation, JwtSettings};
pub use signatures::{AlgorithmName, UnknownAlgorithm};

use self::{token_claims::TokenClaims, token_header::TokenHeader};
use super::{AccessDenial, Principal};

/// Verifies tokens of one identity provider.
#[derive(Debug)]
pub struct IdentityProvider {
    settings: JwtSettings,
    keys: ProviderKeys,
}

impl IdentityProvider {
    /// Verifies with these keys.
    #[must_use]
    pub fn new(settings: JwtSettings, keys: ProviderKeys) -> Self {
        signatures::install();
        Self { settings, keys }
    }

    /// The keys. The caller keeps them fresh.
    #[must_use]
    pub const fn keys(&self) -> &ProviderKeys {
        &self.keys
    }

    /// Returns the principal of a token, at this time.
    ///
    /// # Errors
    /// Fails if the token is not from this provider for this service, has expired, or is not valid yet.
    pub async fn recognise(
        &self,
        text: &str,
        now: OffsetDateTime,
    ) -> Result<Principal, AccessDenial> {
        let header = TokenHeader::parse(text, &self.settings.algorithms);
        let TokenHeader { algorithm, key_id } = header.ok_or(AccessDenial::Invalid)?;
        let keys = self.keys.find(key_id.as_deref(), algorithm).await;
        let signature = signature_alone(algorithm);
        let mut verified = keys
            .iter()
            .filter_map(|key| decode::<TokenClaims>(text, key, &signature).ok());
        let claims = verified.next().ok_or(AccessDenial::Invalid)?.claims;
        claims.principal(&self.settings, now)
    }
}

/// Checks only the signature. [`TokenClaims`] checks all claims.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims::<&str>(&[]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
