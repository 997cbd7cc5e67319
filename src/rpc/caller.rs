//! Who is calling, as handlers see it: the only way to an organisation.

use std::{net::SocketAddr, sync::Arc};

use tonic::{Request, Status};

use super::{call_limiter::CallPermit, status};
use crate::{
    access::{Denial, Principal},
    domain::{Actor, Permission},
    limits::{Account, Party},
    store::{Organization, Store},
};

/// The caller of a request, recognised and permitted to call this RPC.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Arc<Principal>,
    address: Option<SocketAddr>,
    permit: CallPermit,
    account: Account,
}

impl Caller {
    /// This principal, who calls from `address`. Once the call's organisation is known it takes `permit`,
    /// and its bytes are charged to the organisation too.
    #[must_use]
    pub const fn new(
        principal: Arc<Principal>,
        address: Option<SocketAddr>,
        permit: CallPermit,
        account: Account,
    ) -> Self {
        Self {
            principal,
            address,
            permit,
            account,
        }
    }

    /// The caller as the audit trail names one.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let address = self.address.map(|address| address.to_string());
        Actor {
            principal: self.principal.name.clone(),
            address: address.unwrap_or_default(),
        }
    }

    /// The caller of `request`.
    ///
    /// # Errors
    /// Where nobody has been recognised: the request did not come past the guard.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| status::from_denial(&Denial::Missing))
    }

    /// Finds an organisation. One that is not the caller's is not even looked for.
    ///
    /// # Errors
    /// Where it is not for this caller, where there is none, or the database fails.
    pub async fn organization(&self, store: &Store, slug: &str) -> Result<Organization, Status> {
        self.expect_organization(slug)?;
        let found = store.organization(slug).await;
        found.map_err(|error| status::from_store(&error, slug))
    }

    /// Expects that the caller may act on the organisation, and that there is room for one more call
    /// about it.
    ///
    /// # Errors
    /// Where he or she may not, whether or not there is one, or where there is none.
    pub fn expect_organization(&self, slug: &str) -> Result<(), Status> {
        let allowed = self.principal.expect_organization(slug);
        allowed.map_err(|denial| status::from_denial(&denial))?;
        let bounded = self.permit.take(slug).and_then(|()| {
            let party = Party::Organization(slug.to_owned());
            Ok(self.account.charge_to(party)?)
        });
        bounded.map_err(|refusal| status::busy(&refusal))
    }

    /// True where the caller has the permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.permissions.has(permission)
    }

    /// To whom the call's bytes are charged.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The principal.
    #[must_use]
    pub const fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }
}
