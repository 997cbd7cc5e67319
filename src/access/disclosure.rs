//! The one rule for which users' data a caller may see. What it forbids is removed from answers in
//! `import::respond::disclosure`.

use std::sync::Arc;

use tracing::warn;

use super::{AccessDenial, Authenticator, Principal};
use crate::domain::{Permission, Permissions};

/// Which users' data a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisclosureScope {
    /// The data of every user: the caller has `users.read`.
    AllUsers,
    /// The data of the caller's own roster. About other users, the caller learns only that a value is taken or not
    /// found.
    OwnRoster,
}

impl DisclosureScope {
    /// Returns what a caller with these permissions may see.
    #[must_use]
    pub const fn of(permissions: Permissions) -> Self {
        match permissions.has(Permission::UsersRead) {
            true => Self::AllUsers,
            false => Self::OwnRoster,
        }
    }
}

/// A caller who receives the results of an import. The credential is checked again for every response,
/// because its permissions may change while a stream is open.
#[derive(Clone, Debug)]
pub struct ResultAudience {
    authenticator: Authenticator,
    principal: Arc<Principal>,
    /// The caller watches an import that another principal ran.
    watches_another: bool,
    /// The rows come from the record of an earlier import, not from the caller.
    is_undo: bool,
}

impl ResultAudience {
    /// The caller who sends the import, or watches one that the same principal ran.
    #[must_use]
    pub const fn of_own(authenticator: Authenticator, principal: Arc<Principal>) -> Self {
        Self {
            authenticator,
            principal,
            watches_another: false,
            is_undo: false,
        }
    }

    /// Returns the same audience for an import that is an undo if `is_undo` is `true`.
    #[must_use]
    pub fn of_undo(self, is_undo: bool) -> Self {
        Self { is_undo, ..self }
    }

    /// Returns `true` if the rows come from the record of an earlier import: they are other users' data.
    #[must_use]
    pub const fn is_undo(&self) -> bool {
        self.is_undo
    }

    /// The caller who watches an import that the principal of this name ran.
    #[must_use]
    pub fn of(ran_by: &str, authenticator: Authenticator, principal: Arc<Principal>) -> Self {
        Self {
            watches_another: principal.name != ran_by,
            ..Self::of_own(authenticator, principal)
        }
    }

    /// Returns `true` if the caller may see nothing without `users.read`.
    #[must_use]
    pub const fn watches_another(&self) -> bool {
        self.watches_another
    }

    /// Returns what the caller may see now. While the database is away, that is what it could see when the
    /// call began.
    ///
    /// # Errors
    /// Fails if the import is another principal's, and the credential ended or lost `users.read`.
    pub async fn disclosure(&self) -> Result<DisclosureScope, AccessDenial> {
        match self.permissions().await {
            Ok(now) => self.disclosure_with(now),
            Err(denial) if self.watches_another => Err(denial),
            Err(_) => Ok(DisclosureScope::OwnRoster),
        }
    }

    const fn disclosure_with(
        &self,
        permissions: Permissions,
    ) -> Result<DisclosureScope, AccessDenial> {
        match DisclosureScope::of(permissions) {
            DisclosureScope::OwnRoster if self.watches_another => {
                Err(AccessDenial::Permission(Permission::UsersRead))
            }
            disclosure => Ok(disclosure),
        }
    }

    async fn permissions(&self) -> Result<Permissions, AccessDenial> {
        let (authenticator, principal) = (self.authenticator.clone(), Arc::clone(&self.principal));
        // A task of its own: the caller may hang up while the database is asked.
        let looking = tokio::spawn(async move { authenticator.permissions_now(&principal).await });
        match looking.await {
            Ok(Err(AccessDenial::Store(error))) => {
                warn!(%error, "a credential could not be checked again");
                Ok(self.principal.permissions)
            }
            Ok(permissions) => permissions,
            Err(_) => Ok(Permissions::NONE),
        }
    }
}
