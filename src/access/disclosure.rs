//! The one rule for whose data a caller may be told.

use std::sync::Arc;

use tracing::warn;

use super::{Authenticator, Denial, Principal};
use crate::domain::{Permission, Permissions};

/// What a caller may be told about users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// The data of every user: the caller has `users.read`.
    AllUsers,
    /// What the caller's own roster says, and of other users no more than that a value is taken or
    /// not found.
    OwnRoster,
}

impl Disclosure {
    /// What a caller with these permissions may be told.
    #[must_use]
    pub const fn of(permissions: Permissions) -> Self {
        match permissions.has(Permission::UsersRead) {
            true => Self::AllUsers,
            false => Self::OwnRoster,
        }
    }
}

/// A caller who is told of an import, for as long as that takes. Every question looks at the
/// credential anew, since its permissions may change while a stream is open.
#[derive(Clone, Debug)]
pub struct ResultAudience {
    gate: Authenticator,
    principal: Arc<Principal>,
    /// The caller watches an import that another principal ran.
    watches_another: bool,
}

impl ResultAudience {
    /// The caller who sends the import, or watches one that the same principal ran.
    #[must_use]
    pub const fn of_own(gate: Authenticator, principal: Arc<Principal>) -> Self {
        Self {
            gate,
            principal,
            watches_another: false,
        }
    }

    /// The caller who watches an import that the principal of this name ran.
    #[must_use]
    pub fn of(ran_by: &str, gate: Authenticator, principal: Arc<Principal>) -> Self {
        Self {
            watches_another: principal.name != ran_by,
            ..Self::of_own(gate, principal)
        }
    }

    /// True if the caller may be told nothing at all without `users.read`.
    #[must_use]
    pub const fn watches_another(&self) -> bool {
        self.watches_another
    }

    /// What the caller may be told now. While the database is away, that is what it could be told
    /// when the call began.
    ///
    /// # Errors
    /// If another's import is watched, and the credential ended or lost `users.read`.
    pub async fn disclosure(&self) -> Result<Disclosure, Denial> {
        match self.permissions().await {
            Ok(now) => self.disclosure_with(now),
            Err(denial) if self.watches_another => Err(denial),
            Err(_) => Ok(Disclosure::OwnRoster),
        }
    }

    const fn disclosure_with(&self, permissions: Permissions) -> Result<Disclosure, Denial> {
        match Disclosure::of(permissions) {
            Disclosure::OwnRoster if self.watches_another => {
                Err(Denial::Permission(Permission::UsersRead))
            }
            disclosure => Ok(disclosure),
        }
    }

    async fn permissions(&self) -> Result<Permissions, Denial> {
        let (gate, principal) = (self.gate.clone(), Arc::clone(&self.principal));
        // A task of its own: the caller may hang up while the database is asked.
        let looking = tokio::spawn(async move { gate.permissions_now(&principal).await });
        match looking.await {
            Ok(Err(Denial::Store(error))) => {
                warn!(%error, "a credential could not be looked at again");
                Ok(self.principal.permissions)
            }
            Ok(permissions) => permissions,
            Err(_) => Ok(Permissions::NONE),
        }
    }
}
