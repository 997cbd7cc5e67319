//! Why a caller is denied.

use crate::{domain::Permission, store::StoreError};

/// Why a call is denied. The texts go to the caller, and contain only what the caller sent.
#[derive(Debug, thiserror::Error)]
pub enum AccessDenial {
    /// No credential was presented.
    #[error("This server needs a credential: send a token in the authorization header.")]
    Missing,
    /// The caller presented something that is not a credential of this server.
    #[error("This credential is not valid here; check that it is complete and for this server.")]
    Invalid,
    /// The credential's time is over.
    #[error("This credential has expired; ask for a new one.")]
    Expired,
    /// The credential was revoked.
    #[error("This credential was revoked; ask for a new one.")]
    Revoked,
    /// The server's local token, after a credential has been configured.
    #[error(
        "The server's local token is not valid any more, because a credential has been configured; \
         create a token with user-import token create, and send that."
    )]
    LocalTokenEnded,
    /// The credential does not permit this.
    #[error("This needs the permission {0}, which this credential does not have.")]
    Permission(Permission),
    /// The credential is for another organisation. The answer is the same whether or not the other organisation exists.
    #[error("This credential is not for that organisation.")]
    Organization,
    /// The upload was begun with another credential.
    #[error(
        "This upload was begun with another credential. Only that credential may add to it and \
         finish it; begin an upload of your own."
    )]
    OtherCredential,
    /// The import was sent with this credential, and a different one must approve it.
    #[error(
        "This import was sent with the same credential; on this server another credential has to \
         approve it."
    )]
    SameCredential,
    /// The database failed, so the answer is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessDenial {
    /// Upper-snake word that never changes.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "CREDENTIAL_MISSING",
            Self::Invalid => "CREDENTIAL_INVALID",
            Self::Expired => "CREDENTIAL_EXPIRED",
            Self::Revoked | Self::LocalTokenEnded => "CREDENTIAL_REVOKED",
            Self::Permission(_) => "PERMISSION_MISSING",
            Self::Organization => "OTHER_ORGANIZATION",
            Self::OtherCredential => "OTHER_CREDENTIAL",
            Self::SameCredential => "SAME_CREDENTIAL",
            Self::Store(_) => "UNKNOWN",
        }
    }

    /// Returns the reason that equals `word`, or `UNKNOWN`.
    #[must_use]
    pub fn known_reason(word: &str) -> &'static str {
        let known = [
            Self::Missing,
            Self::Invalid,
            Self::Expired,
            Self::Revoked,
            Self::Permission(Permission::UsersRead),
            Self::Organization,
        ];
        let mut reasons = known.iter().map(Self::reason);
        reasons.find(|reason| *reason == word).unwrap_or("UNKNOWN")
    }

    /// Returns `true` if the credential is valid, but does not permit this.
    #[must_use]
    pub const fn is_known_caller(&self) -> bool {
        matches!(
            self,
            Self::Permission(_) | Self::Organization | Self::OtherCredential | Self::SameCredential
        )
    }
}
