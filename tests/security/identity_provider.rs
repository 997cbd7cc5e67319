//! An identity provider: its keys as a JWK set, and the tokens that it signs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair, RsaPublicKeyComponents,
    },
};
use serde_json::{Value, json};

/// Made for these tests, and used nowhere else. It is a constant, because no library of this program or its tests makes
/// RSA keys: ring only uses them, and rcgen relies on ring for them.
const RSA: &[u8] = include_bytes!("rsa-for-tests-only.pk8");

/// A key with which tokens are signed.
pub enum ProviderKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    /// A key that an attacker has: the provider's public text, used as a shared secret.
    Secret(Vec<u8>),
    /// No key: another attacker leaves the token unsigned.
    None,
}

pub fn rsa() -> ProviderKey {
    ProviderKey::Rsa(RsaKeyPair::from_pkcs8(RSA).unwrap())
}

pub fn p256() -> ProviderKey {
    let (rng, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(kind, &rng).unwrap();
    ProviderKey::P256(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &rng).unwrap())
}

pub fn ed25519() -> ProviderKey {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    ProviderKey::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl ProviderKey {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
            Self::Secret(_) => "HS256",
            Self::None => "none",
        }
    }

    /// Returns the public half, in the form in which the provider publishes it.
    pub fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(key) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = key.public_key().into();
                let (n, e) = (base64(public.n), base64(public.e));
                json!({"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": n, "e": e})
            }
            Self::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (base64(&point[1..33]), base64(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": x, "y": y})
            }
            Self::Ed25519(key) => {
                let x = base64(key.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": x})
            }
            Self::Secret(secret) => json!({"kty": "oct", "kid": id, "k": base64(secret)}),
            Self::None => panic!("it has none"),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::P256(key) => key.sign(&rng, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::None => Vec::new(),
        }
    }

    /// Returns a token with these claims.
    pub fn token(&self, id: &str, claims: &Value) -> String {
        self.token_with(
            &json!({"alg": self.algorithm(), "typ": "JWT", "kid": id}),
            claims,
        )
    }

    /// Returns a token with these claims and another header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            base64(header.to_string()),
            base64(claims.to_string())
        );
        let signature = base64(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// Returns the JWK set of these keys.
pub fn jwks(keys: &[(&str, &ProviderKey)]) -> String {
    let keys: Vec<Value> = keys.iter().map(|(id, key)| key.jwk(id)).collect();
    json!({"keys": keys}).to_string()
}
