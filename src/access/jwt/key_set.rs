//! A set of public keys (JWK set, RFC 7517), read strictly: each key is usable, or is named with the reason
//! why it is not.

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use tracing::warn;

use super::AlgorithmName;

type KeyMembers = Map<String, Value>;

/// Members that only private and symmetric keys have (RFC 7518 §6, RFC 8037 §2, and `priv` of newer kinds).
const SECRETS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Lengths of an RSA modulus that are verified with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// The usable keys of a set.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
    unusable: Vec<String>,
}

/// A key that verifies signatures.
#[derive(Debug)]
struct PublicKey {
    id: Option<String>,
    family: KeyFamily,
    /// The only algorithm that the key may be used with, if the document names one.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// What a key is, by its type and curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyFamily {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeySet {
    /// Reads a document of keys. Keys that cannot verify a signature are left out, and named in
    /// [`unusable`](Self::unusable).
    ///
    /// # Errors
    /// Fails if it is no such document, has no usable key, or has a private or symmetric key: then every
    /// reader of the set can sign tokens, and none of its keys proves anything.
    pub fn parse(document: &[u8]) -> anyhow::Result<Self> {
        let document: KeySetDocument =
            serde_json::from_slice(document).context("this is not a JWK set")?;
        let mut set = Self::default();
        for (index, members) in document.keys.iter().enumerate() {
            let name = name(members, index);
            let secret = SECRETS.iter().find(|secret| members.contains_key(**secret));
            ensure!(
                secret.is_none() && members.get("kty") != Some(&Value::from("oct")),
                "{name} of the JWK set is private or symmetric: everybody who can read the set can \
                 sign tokens with it; replace this key, and publish only public keys"
            );
            match PublicKey::parse(members) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.unusable.push(format!("{name}: {reason}")),
            }
        }
        let unusable = set.unusable.join("; ");
        ensure!(
            !set.keys.is_empty(),
            "no key of the JWK set can be used ({unusable})"
        );
        Ok(set)
    }

    /// How many keys can be used.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns `true` if no key can be used.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that were left out, each with the reason.
    #[must_use]
    pub fn unusable(&self) -> &[String] {
        &self.unusable
    }

    /// Logs which keys were left out.
    pub fn complain(&self, place: &str) {
        for key in &self.unusable {
            warn!(place, "a key of the JWK set is not used: {key}");
        }
    }

    /// The keys of this ID that verify this algorithm: keys of different families may share an ID (RFC 7517
    /// §4.5). Without an ID, the only key of the set.
    #[must_use]
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let named = |key: &&PublicKey| match id {
            Some(id) => key.id.as_deref() == Some(id),
            None => self.keys.len() == 1,
        };
        let fitting = self.keys.iter().filter(named);
        let fitting = fitting.filter(|key| key.verifies(algorithm));
        fitting.map(|key| key.key.clone()).collect()
    }
}

#[derive(serde::Deserialize)]
struct KeySetDocument {
    keys: Vec<KeyMembers>,
}

/// How a key is named to the operator.
fn name(members: &KeyMembers, index: usize) -> String {
    match members.get("kid").and_then(Value::as_str) {
        Some(id) => format!("the key {id:?}"),
        None => format!("key {} (without a kid)", index + 1),
    }
}

impl PublicKey {
    fn parse(members: &KeyMembers) -> anyhow::Result<Self> {
        expect_for_signatures(members)?;
        let text = |name| text(members, name);
        let family = match (text("kty")?, text("crv").ok()) {
            ("RSA", _) => KeyFamily::Rsa,
            ("EC", Some("P-256")) => KeyFamily::P256,
            ("EC", Some("P-384")) => KeyFamily::P384,
            ("OKP", Some("Ed25519")) => KeyFamily::Ed25519,
            (kind, curve) => bail!(
                "signatures with {kind} {} are not supported",
                curve.unwrap_or("")
            ),
        };
        let algorithm = members.get("alg").map(|_| algorithm(text("alg")?));
        let algorithm = algorithm.transpose()?;
        ensure!(
            algorithm.is_none_or(|own| family.verifies(own)),
            "its alg does not fit its kty"
        );
        let id = members.get("kid").map(|_| text("kid")).transpose()?;
        Ok(Self {
            id: id.map(str::to_owned),
            family,
            algorithm,
            key: family.key(members)?,
        })
    }

    fn verifies(&self, algorithm: Algorithm) -> bool {
        self.family.verifies(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

impl KeyFamily {
    const fn verifies(self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256 => matches!(algorithm, ES256),
            Self::P384 => matches!(algorithm, ES384),
            Self::Ed25519 => matches!(algorithm, EdDSA),
        }
    }

    /// The key itself, once its parts have the size that they must have.
    fn key(self, members: &KeyMembers) -> anyhow::Result<DecodingKey> {
        let part = |name| text(members, name);
        let expect_bytes = |name, bytes| {
            let found = decode(part(name)?)?.len();
            ensure!(
                found == bytes,
                "{name} has {found} bytes in place of {bytes}"
            );
            anyhow::Ok(())
        };
        let coordinates = |bytes| {
            expect_bytes("x", bytes)?;
            expect_bytes("y", bytes)?;
            Ok(DecodingKey::from_ec_components(part("x")?, part("y")?)?)
        };
        match self {
            Self::Rsa => {
                let bits = bits(&decode(part("n")?)?);
                ensure!(
                    RSA_BITS.contains(&bits),
                    "an RSA key must have 2048 to 8192 bits, and this one has {bits}"
                );
                ensure!(bits_of_exponent(members)? >= 2, "its exponent is too small");
                Ok(DecodingKey::from_rsa_components(part("n")?, part("e")?)?)
            }
            Self::P256 => coordinates(32),
            Self::P384 => coordinates(48),
            Self::Ed25519 => {
                expect_bytes("x", 32)?;
                Ok(DecodingKey::from_ed_components(part("x")?)?)
            }
        }
    }
}

/// Expects that `use` and `key_ops`, if they are there, permit signatures (RFC 7517 §4.2 and §4.3).
fn expect_for_signatures(members: &KeyMembers) -> anyhow::Result<()> {
    let is_for_signatures = members.get("use").is_none_or(|uses| *uses == "sig");
    ensure!(is_for_signatures, "its use is not \"sig\"");
    let verifies = |operations: &Value| {
        let operations = operations.as_array();
        operations.is_some_and(|operations| operations.contains(&Value::from("verify")))
    };
    let may_verify = members.get("key_ops").is_none_or(verifies);
    ensure!(may_verify, "its key_ops do not have \"verify\"");
    Ok(())
}

fn text<'a>(members: &'a KeyMembers, name: &str) -> anyhow::Result<&'a str> {
    let value = members
        .get(name)
        .with_context(|| format!("it has no {name}"))?;
    value
        .as_str()
        .with_context(|| format!("its {name} is not a text"))
}

fn algorithm(name: &str) -> anyhow::Result<Algorithm> {
    let known: Result<AlgorithmName, _> = name.parse();
    Ok(known.context("its alg is not for signatures")?.algorithm())
}

fn decode(text: &str) -> anyhow::Result<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .context("a part of it is not base64url")
}

fn bits_of_exponent(members: &KeyMembers) -> anyhow::Result<usize> {
    Ok(bits(&decode(text(members, "e")?)?))
}

/// The bits of a number, without leading zeros.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => 8 * (number.len() - zeros) - first.leading_zeros() as usize,
        None => 0,
    }
}
