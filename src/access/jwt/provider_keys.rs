//! The identity provider's public keys, from a file that is watched or from a URL that is fetched
//! regularly.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::RwLock;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use tracing::warn;

use super::{
    key_set::KeySet,
    key_set_url::{KeySetUrl, authorities, fetch},
};
use crate::access::ReloadedFiles;

/// A URL is fetched again this often.
const REFRESH: Duration = Duration::from_mins(10);

/// The first pause after a failure. Each further pause is twice as long, up to [`REFRESH`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// A token with an unknown key causes a fetch at most this often: a client that sends tokens with invented
/// keys must not make this server a burden on the provider.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);

/// The source of the keys.
#[derive(Debug)]
pub enum ProviderKeys {
    /// A file.
    File(Arc<ReloadedFiles<KeySet>>),
    /// A URL.
    Url(Box<RemoteKeySet>),
}

/// Keys at a URL.
#[derive(Debug)]
pub struct RemoteKeySet {
    address: KeySetUrl,
    /// Authorities that are trusted for the URL besides the public ones.
    own: Option<PathBuf>,
    current: RwLock<Arc<KeySet>>,
    /// When it was last fetched; locked while it is fetched.
    asked: Mutex<Option<Instant>>,
}

impl ProviderKeys {
    /// Returns the keys at a URL, which are not fetched yet. The authorities in the file `own` are trusted for the URL
    /// besides the public ones.
    ///
    /// # Errors
    /// Fails if that file has no authority.
    pub fn at(address: KeySetUrl, own: Option<PathBuf>) -> anyhow::Result<Self> {
        own.as_deref().map(authorities).transpose()?;
        Ok(Self::Url(Box::new(RemoteKeySet {
            address,
            own,
            current: RwLock::default(),
            asked: Mutex::new(None),
        })))
    }

    /// The keys that a token may be signed with, as [`KeySet::find`] says.
    pub async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        match self {
            Self::File(file) => file.current().find(id, algorithm),
            Self::Url(remote) => {
                let known = remote.current().find(id, algorithm);
                if !known.is_empty() {
                    return known;
                }
                remote.ask_unless_just_asked().await;
                remote.current().find(id, algorithm)
            }
        }
    }

    /// Fetches new keys regularly, until dropped.
    pub async fn keep_fresh(&self, file_interval: Duration) {
        match self {
            Self::File(file) => Arc::clone(file).keep_fresh(file_interval).await,
            Self::Url(remote) => remote.keep_fresh().await,
        }
    }
}

impl RemoteKeySet {
    fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.current.read())
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

    /// Fetches the keys. If that fails, the previous keys stay.
    async fn ask(&self, asked: &mut Option<Instant>) -> bool {
        let answer = fetch(&self.address, self.own.as_deref()).await;
        *asked = Some(Instant::now());
        match answer.and_then(|body| KeySet::parse(&body)) {
            Ok(keys) => {
                // Logged once for each state of the set.
                if keys.unusable() != self.current().unusable() {
                    keys.complain(&self.address.to_string());
                }
                *self.current.write() = Arc::new(keys);
                true
            }
            Err(error) => {
                let address = &self.address;
                warn!(%address, "the identity provider's keys cannot be fetched: {error:#}");
                false
            }
        }
    }
}
