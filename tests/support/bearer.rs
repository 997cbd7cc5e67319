//! Tokens: tests create them in a database and present them with every call.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use time::{Duration, OffsetDateTime};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use user_import::{
    access::{TokenText, local_token},
    clock::Clock,
    config::Settings,
    domain::{AuditActor, Permission, Permissions},
    store::{Store, StoredToken},
};
use uuid::Uuid;

use super::{App, server};

/// Returns the folder in which servers in processes of their own keep their local tokens: `XDG_RUNTIME_DIR` of the
/// program under test.
pub fn runtime_directory() -> &'static Path {
    static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp");
        std::fs::create_dir_all(&directory).expect("the folder can be made");
        directory.canonicalize().expect("it is there")
    });
    &DIRECTORY
}

/// The local token of every server in this process.
static LOCAL_TOKEN: LazyLock<TokenText> =
    LazyLock::new(|| TokenText::generate().expect("there is randomness"));

/// Returns the local token that servers in this process receive.
pub fn local_token() -> TokenText {
    LOCAL_TOKEN.clone()
}

/// Returns the local token of the server at this address, in this process or in one of its own.
pub fn local_token_at(address: SocketAddr) -> TokenText {
    let place = runtime_directory().join("user-import");
    let found = local_token::find_in(&place, address.port());
    let found = found.expect("nobody else writes into the tests' directory");
    found.unwrap_or_else(local_token)
}

/// Returns the authorization header that a local caller of the server at this address sends.
pub fn authorization_at(address: SocketAddr) -> String {
    format!("Bearer {}", local_token_at(address).reveal())
}

/// A channel that presents a token.
pub type BearerChannel = InterceptedService<Channel, OptionalToken>;

/// The token that is presented, or `None`.
#[derive(Clone, Debug, Default)]
pub struct OptionalToken(Option<MetadataValue<Ascii>>);

impl OptionalToken {
    /// Returns the token that a local caller of the server at this address presents.
    pub fn local(address: SocketAddr) -> Self {
        Self::new(local_token_at(address).reveal())
    }

    pub fn new(token: &str) -> Self {
        let value = format!("Bearer {token}").parse();
        Self(Some(value.expect("a token can be sent")))
    }
}

impl Interceptor for OptionalToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// The organisation and permissions of a new token.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    pub organization: String,
    pub permissions: Permissions,
    pub expires_at: OffsetDateTime,
}

/// Returns a grant for an organisation (`*`: all) with these permissions, valid for a day.
pub fn token(organization: &str, permissions: impl IntoIterator<Item = Permission>) -> TokenGrant {
    TokenGrant {
        organization: organization.to_owned(),
        permissions: permissions.into_iter().collect(),
        expires_at: Clock::system().now() + Duration::days(1),
    }
}

impl App {
    /// Stores a token, and returns its ID and its text.
    pub async fn create_token(&self, grant: TokenGrant) -> (Uuid, String) {
        let text = TokenText::generate().expect("there is randomness");
        let now = Clock::system().now();
        let token = StoredToken {
            id: Uuid::now_v7(),
            hash: text.hash().to_vec(),
            name: "test".to_owned(),
            organization: grant.organization,
            permissions: grant.permissions.to_string(),
            created_at: now,
            expires_at: grant.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let id = token.id;
        let created = self
            .store()
            .await
            .create_token(token, &AuditActor::default())
            .await;
        created.expect("a token can be stored");
        (id, text.reveal().to_owned())
    }

    /// Returns a client of the same server that presents a new token.
    pub async fn holding(&self, grant: TokenGrant) -> Self {
        let (_, text) = self.create_token(grant).await;
        self.presenting(&text)
    }

    /// Revokes a token.
    pub async fn revoke(&self, token: Uuid) {
        let now = Clock::system().now();
        let revoked = self
            .store()
            .await
            .revoke_token(token, &AuditActor::default(), now)
            .await;
        assert!(revoked.expect("a token can be revoked"), "it was there");
    }

    /// Returns the database as a command on the server's side sees it.
    pub async fn store(&self) -> Store {
        server::connected(&self.database_url(), &Settings::default()).await
    }
}
