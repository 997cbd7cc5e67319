//! A caller who has been recognised, and the credential that showed it.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{AccessDenial, ClientCertificate};
use crate::domain::{Permission, Permissions};

/// The text with which a credential names all organisations. No slug equals it.
const EVERY: &str = "*";

/// The organisations that a credential is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganizationScope {
    /// All organisations, also those created later: for operators.
    Every,
    /// The one with this slug.
    One(String),
}

impl OrganizationScope {
    /// Parses a slug, or `*` for all, as credentials have it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            EVERY => Self::Every,
            slug => Self::One(slug.to_owned()),
        }
    }

    /// Returns the text that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Every => EVERY,
            Self::One(slug) => slug,
        }
    }

    /// Returns `true` if `slug` is one of them.
    #[must_use]
    pub fn includes(&self, slug: &str) -> bool {
        match self {
            Self::Every => true,
            Self::One(own) => own == slug,
        }
    }
}

/// The kind of credential that identified the principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The server's local token, while no credential is configured.
    Local,
    /// A token of this service.
    Token(Uuid),
    /// A client certificate on the allow-list.
    Certificate(Arc<ClientCertificate>),
    /// A token of the identity provider.
    Jwt,
}

impl CredentialKind {
    /// Returns its kind for logs, and its ID unless the ID may be a person's name.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Local => "local".to_owned(),
            Self::Token(id) => format!("token {id}"),
            Self::Certificate(_) => "certificate".to_owned(),
            Self::Jwt => "jwt".to_owned(),
        }
    }
}

/// A caller who has been recognised.
#[derive(Clone, Debug)]
pub struct Principal {
    /// For records: which kind of credential, and whose. At most 255 characters.
    pub name: String,
    /// The organisations that it may act on.
    pub scope: OrganizationScope,
    /// What it may do to them.
    pub permissions: Permissions,
    /// When its credential expires; `None` if it does not.
    pub expires_at: Option<OffsetDateTime>,
    /// The credential by which the caller was recognised.
    pub credential: CredentialKind,
}

impl Principal {
    /// A caller with the server's local token, who may do everything while no credential is configured.
    #[must_use]
    pub fn local() -> Self {
        Self {
            name: "local".to_owned(),
            scope: OrganizationScope::Every,
            permissions: Permissions::ALL,
            expires_at: None,
            credential: CredentialKind::Local,
        }
    }

    /// Expects a permission.
    ///
    /// # Errors
    /// Fails with [`AccessDenial::Permission`] if this caller does not have it.
    pub const fn expect(&self, permission: Permission) -> Result<(), AccessDenial> {
        match self.permissions.has(permission) {
            true => Ok(()),
            false => Err(AccessDenial::Permission(permission)),
        }
    }

    /// Expects one of these permissions.
    ///
    /// # Errors
    /// Fails with [`AccessDenial::Permission`] of the first if this caller has none of them.
    pub fn expect_one_of(&self, permissions: &[Permission]) -> Result<(), AccessDenial> {
        let has_one = permissions.iter().any(|&one| self.permissions.has(one));
        match permissions.first() {
            Some(&first) if !has_one => Err(AccessDenial::Permission(first)),
            _ => Ok(()),
        }
    }

    /// Expects that this caller may act on an organisation, which has not been looked up before.
    ///
    /// # Errors
    /// Fails with [`AccessDenial::Organization`] if it is not one of this caller's, or does not exist.
    pub fn expect_organization(&self, slug: &str) -> Result<(), AccessDenial> {
        match self.scope.includes(slug) {
            true => Ok(()),
            false => Err(AccessDenial::Organization),
        }
    }
}
