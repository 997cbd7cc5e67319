//! The identity provider's public keys: from a file that is watched, or from a URL that is asked again.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, ensure};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use tracing::warn;

use super::fetch::{Address, authorities, fetch};
use crate::access::Reloaded;

/// A URL is asked again this often.
const REFRESH: Duration = Duration::from_mins(10);

/// After a failure the first pause; each further one is twice as long, up to [`REFRESH`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// A key that is not known makes the URL be asked at most this often: whoever sends tokens with made-up
/// keys must not make this server a burden on the provider.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);

/// Where the keys come from.
#[derive(Debug)]
pub enum Keys {
    /// A file.
    File(Arc<Reloaded<JwkSet>>),
    /// A URL.
    Url(Box<Remote>),
}

/// Keys at a URL.
#[derive(Debug)]
pub struct Remote {
    address: Address,
    /// Authorities that vouch for it beside the public ones.
    own: Option<PathBuf>,
    current: RwLock<Arc<JwkSet>>,
    /// When it was last asked; held while it is.
    asked: Mutex<Option<Instant>>,
}

impl Keys {
    /// The keys at a URL, which has not been asked yet; the authorities in the file `own` vouch for it
    /// beside the public ones.
    ///
    /// # Errors
    /// Where there are none in that file.
    pub fn at(address: Address, own: Option<PathBuf>) -> anyhow::Result<Self> {
        own.as_deref().map(authorities).transpose()?;
        Ok(Self::Url(Box::new(Remote {
            address,
            own,
            current: RwLock::new(Arc::new(JwkSet { keys: Vec::new() })),
            asked: Mutex::new(None),
        })))
    }

    /// The key that a token names, if it may be used like this. A token that names none is verified
    /// where there is only one.
    pub async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        match self {
            Self::File(file) => choose(&file.current(), id, algorithm),
            Self::Url(remote) => {
                if let Some(key) = choose(&remote.current(), id, algorithm) {
                    return Some(key);
                }
                remote.ask_unless_just_asked().await;
                choose(&remote.current(), id, algorithm)
            }
        }
    }

    /// Looks for new keys now and then, until dropped.
    pub async fn keep_fresh(&self, file_interval: Duration) {
        match self {
            Self::File(file) => Arc::clone(file).keep_fresh(file_interval).await,
            Self::Url(remote) => remote.keep_fresh().await,
        }
    }
}

impl Remote {
    fn current(&self) -> Arc<JwkSet> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    async fn keep_fresh(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut asked = self.asked.lock().await;
            let is_well = self.ask(&mut asked).await;
            drop(asked);
            if is_well {
                pause = FIRST_PAUSE;
                sleep(REFRESH).await;
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(REFRESH);
            }
        }
    }

    async fn ask_unless_just_asked(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|asked| asked.elapsed() >= UNKNOWN_KEY_PAUSE) {
            self.ask(&mut asked).await;
        }
    }

    /// Asks for the keys; those before stay where that fails.
    async fn ask(&self, asked: &mut Option<Instant>) -> bool {
        let answer = fetch(&self.address, self.own.as_deref()).await;
        *asked = Some(Instant::now());
        match answer.and_then(|body| parse(&body)) {
            Ok(keys) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(keys);
                true
            }
            Err(error) => {
                let address = &self.address;
                warn!(%address, "the identity provider\'s keys cannot be had: {error:#}");
                false
            }
        }
    }
}

/// Reads a document of keys. Keys that are not understood are left out, as RFC 7517 wants it.
///
/// # Errors
/// Where it is no such document, has no key of use, or a secret one: whoever can read it could sign.
pub fn parse(document: &[u8]) -> anyhow::Result<JwkSet> {
    let set: Lenient = serde_json::from_slice(document).context("this is no JWK set")?;
    let known = set.keys.into_iter();
    let keys: Vec<Jwk> = known
        .filter_map(|key| serde_json::from_value(key).ok())
        .collect();
    let is_secret = |key: &Jwk| matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
    ensure!(!keys.iter().any(is_secret), "a secret is in the JWK set");
    ensure!(!keys.is_empty(), "no key of the JWK set is of use");
    Ok(JwkSet { keys })
}

#[derive(serde::Deserialize)]
struct Lenient {
    keys: Vec<serde_json::Value>,
}

fn choose(set: &JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let key = match (id, &*set.keys) {
        (Some(id), _) => set.find(id)?,
        (None, [only]) => only,
        (None, _) => return None,
    };
    let uses = key.common.public_key_use.as_ref();
    let is_for_signatures = uses.is_none_or(|uses| *uses == PublicKeyUse::Signature);
    let own = key.common.key_algorithm;
    let is_for_this = own.is_none_or(|own| own.to_string() == format!("{algorithm:?}"));
    let usable = is_for_signatures && is_for_this;
    usable.then(|| DecodingKey::from_jwk(key).ok()).flatten()
}
