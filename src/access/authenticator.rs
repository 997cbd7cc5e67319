//! Recognises callers: turns the presented credentials into a principal.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use time::OffsetDateTime;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::{
    AccessDenial, CertificateAllowList, ClientCertificate, CredentialKind, OrganizationScope,
    Principal, ReloadedFiles, TokenText, jwt::IdentityProvider,
};
use crate::{
    clock::Clock,
    domain::Permissions,
    store::{CredentialSource, Store, StoreError, StoredToken},
};

/// A token's last use is written at most this often.
const USE_INTERVAL: Duration = Duration::from_mins(1);

/// The credentials that a caller presents.
#[derive(Clone, Debug, Default)]
pub struct PresentedCredentials {
    /// The bearer token of the authorization header. If it is not valid the call is denied, even if the caller presents
    /// other credentials.
    pub bearer: Option<String>,
    /// The certificate of the connection.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// There is an authorization header of another kind, or one that is not readable.
    pub other_authorization: bool,
}

/// The sources of valid credentials, besides the tokens in the database.
#[derive(Clone, Debug, Default)]
pub struct CredentialSources {
    /// The allow-list of client certificates.
    pub identities: Option<Arc<ReloadedFiles<CertificateAllowList>>>,
    /// The identity provider.
    pub jwt: Option<Arc<IdentityProvider>>,
    /// The server's local token, good until a credential has been configured.
    pub local: Option<TokenText>,
}

impl CredentialSources {
    /// The sources of credentials that are options of this server.
    pub fn configured(&self) -> impl Iterator<Item = CredentialSource> + use<> {
        let certificates = self.identities.as_ref();
        let provider = self.jwt.as_ref();
        let certificates = certificates.map(|_| CredentialSource::ClientCertificates);
        let provider = provider.map(|_| CredentialSource::IdentityProvider);
        certificates.into_iter().chain(provider)
    }
}

/// Becomes ready, with the reason, once a credential is no longer valid.
pub(crate) type CredentialExpiry = Pin<Box<dyn Future<Output = AccessDenial> + Send>>;

/// Recognises callers.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<AuthenticatorState>);

#[derive(Debug)]
struct AuthenticatorState {
    store: Store,
    clock: Clock,
    sources: CredentialSources,
    /// SHA-256 of the local token: tokens are compared by their hashes.
    local: Option<[u8; 32]>,
    /// A credential has been configured: the local token is never valid again.
    closed: AtomicBool,
    /// When each token's use was last written.
    uses: Mutex<HashMap<Uuid, OffsetDateTime>>,
    /// Time between two checks whether the credential of a stream is still valid.
    interval: Duration,
}

impl Authenticator {
    /// An authenticator for the credentials in this database and from these sources. The sources are
    /// recorded in the database for ever. Credentials of streams are checked again after each `interval`.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn open(
        store: Store,
        clock: Clock,
        sources: CredentialSources,
        interval: Duration,
    ) -> Result<Self, StoreError> {
        for source in sources.configured() {
            store.note_credential_source(source, clock.now()).await?;
        }
        let closed = sources.configured().next().is_some();
        let local = sources.local.as_ref().map(TokenText::hash);
        Ok(Self(Arc::new(AuthenticatorState {
            store,
            clock,
            sources,
            local,
            closed: AtomicBool::new(closed),
            uses: Mutex::default(),
            interval,
        })))
    }

    /// Recognises a caller.
    ///
    /// # Errors
    /// Fails if no valid credential is presented, or the database fails.
    pub async fn admit(&self, presented: &PresentedCredentials) -> Result<Principal, AccessDenial> {
        match (&presented.bearer, &presented.certificate) {
            (Some(bearer), _) => self.admit_bearer(bearer).await,
            _ if presented.other_authorization => Err(AccessDenial::Invalid),
            (None, Some(certificate)) => self.admit_certificate(certificate),
            (None, None) => Err(AccessDenial::Missing),
        }
    }

    /// Checks again whether a principal's credential is still valid.
    ///
    /// # Errors
    /// Fails if it has expired, was revoked, or is the local token after a credential has been configured.
    pub async fn confirm(&self, principal: &Principal) -> Result<(), AccessDenial> {
        self.permissions_now(principal).await.map(|_| ())
    }

    /// Returns what a principal may do now. Its credential may permit less or more than when it was
    /// recognised.
    ///
    /// # Errors
    /// Fails if the credential is not valid any more, as in [`confirm`](Self::confirm).
    pub async fn permissions_now(
        &self,
        principal: &Principal,
    ) -> Result<Permissions, AccessDenial> {
        self.expect_time_left(principal.expires_at)?;
        match &principal.credential {
            CredentialKind::Jwt => Ok(principal.permissions),
            CredentialKind::Certificate(certificate) => {
                let now = self.admit_certificate(certificate)?;
                let is_same =
                    now.scope == principal.scope && now.permissions == principal.permissions;
                is_same
                    .then_some(now.permissions)
                    .ok_or(AccessDenial::Revoked)
            }
            CredentialKind::Local => Ok(self.admit_local().await?.permissions),
            CredentialKind::Token(id) => {
                let token = self.0.store.token(*id).await?;
                let now = self.recognise(&token.ok_or(AccessDenial::Revoked)?)?;
                Ok(now.permissions)
            }
        }
    }

    /// Waits for the end of a principal's credential: until the moment it expires, or until the first check
    /// after it was revoked. While the database is away no credential counts as revoked.
    #[must_use]
    pub fn credential_expiry(&self, principal: Arc<Principal>) -> CredentialExpiry {
        let authenticator = self.clone();
        Box::pin(async move {
            loop {
                sleep(authenticator.until_next_look(principal.expires_at)).await;
                let (looking, of) = (authenticator.clone(), Arc::clone(&principal));
                // A task of its own, because this future may be dropped at any time.
                let looked = tokio::spawn(async move { looking.confirm(&of).await });
                match looked.await {
                    Ok(Ok(()) | Err(AccessDenial::Store(_))) | Err(_) => {}
                    Ok(Err(denial)) => return denial,
                }
            }
        })
    }

    /// The interval, or the remaining time of the credential if that is shorter.
    fn until_next_look(&self, expires_at: Option<OffsetDateTime>) -> Duration {
        let left = expires_at.map(|expires_at| expires_at - self.0.clock.now());
        // A credential that has expired is checked at once.
        let left = left.map(|left| Duration::try_from(left).unwrap_or_default());
        left.unwrap_or(self.0.interval).min(self.0.interval)
    }

    /// Returns `true` if the local token is not valid: a credential is, or has ever been, configured.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn is_closed(&self) -> Result<bool, StoreError> {
        if !self.0.closed.load(Ordering::Relaxed) && self.0.store.has_had_credentials().await? {
            self.0.closed.store(true, Ordering::Relaxed);
        }
        Ok(self.0.closed.load(Ordering::Relaxed))
    }

    async fn admit_bearer(&self, bearer: &str) -> Result<Principal, AccessDenial> {
        let Ok(text) = bearer.parse::<TokenText>() else {
            let jwt = self.0.sources.jwt.as_ref().ok_or(AccessDenial::Invalid)?;
            return jwt.recognise(bearer, self.0.clock.now()).await;
        };
        let hash = text.hash();
        if self.0.local == Some(hash) {
            return self.admit_local().await;
        }
        let token = self.0.store.token_by_hash(&hash).await?;
        let token = token.ok_or(AccessDenial::Invalid)?;
        let principal = self.recognise(&token)?;
        self.note_use(token.id);
        Ok(principal)
    }

    async fn admit_local(&self) -> Result<Principal, AccessDenial> {
        match self.is_closed().await? {
            true => Err(AccessDenial::LocalTokenEnded),
            false => Ok(Principal::local()),
        }
    }

    fn admit_certificate(
        &self,
        certificate: &Arc<ClientCertificate>,
    ) -> Result<Principal, AccessDenial> {
        let identities = self.0.sources.identities.as_ref();
        let identities = identities.ok_or(AccessDenial::Invalid)?.current();
        let identity = identities.find(certificate)?;
        self.expect_time_left(Some(certificate.expires_at))?;
        Ok(Principal {
            name: format!("certificate {}", identity.san),
            scope: identity.scope.clone(),
            permissions: identity.permissions,
            expires_at: Some(certificate.expires_at),
            credential: CredentialKind::Certificate(Arc::clone(certificate)),
        })
    }

    fn recognise(&self, token: &StoredToken) -> Result<Principal, AccessDenial> {
        if token.revoked_at.is_some() {
            return Err(AccessDenial::Revoked);
        }
        self.expect_time_left(Some(token.expires_at))?;
        Ok(Principal {
            name: format!("token {} ({})", token.id, token.name),
            scope: OrganizationScope::parse(&token.organization),
            permissions: Permissions::parse_known(&token.permissions),
            expires_at: Some(token.expires_at),
            credential: CredentialKind::Token(token.id),
        })
    }

    fn expect_time_left(&self, expires_at: Option<OffsetDateTime>) -> Result<(), AccessDenial> {
        match expires_at {
            Some(expires_at) if expires_at <= self.0.clock.now() => Err(AccessDenial::Expired),
            _ => Ok(()),
        }
    }

    /// Records at most once in [`USE_INTERVAL`] that a token was used. The caller does not wait for it.
    fn note_use(&self, token: Uuid) {
        let now = self.0.clock.now();
        let mut uses = self.0.uses.lock();
        let last = uses.get(&token);
        if last.is_some_and(|&last| last <= now && now - last < USE_INTERVAL) {
            return;
        }
        uses.insert(token, now);
        let store = self.0.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.note_token_use(token, now).await {
                warn!(%error, "the time of a token's use could not be recorded");
            }
        });
    }
}
