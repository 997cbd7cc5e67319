//! Who is calling, as handlers see it: the only way to an organisation.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use super::{call_limiter::CallPermit, status};
use crate::{
    access::{Denial, Principal},
    domain::{Actor, Permission},
    import::Submitter,
    limits::{MemoryAccount, MemoryParty},
    store::{ConnectionLane, LanePermit, Organization, Store},
};

/// The caller of a request, recognised and permitted to call this RPC.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Arc<Principal>,
    address: Option<SocketAddr>,
    permit: CallPermit,
    account: MemoryAccount,
    lane: ConnectionLane,
    gone: CancellationToken,
}

/// An organisation that a call is about, and its permit for the database, which is given back when dropped.
#[derive(Debug)]
pub struct OrganizationWithPermit {
    organization: Organization,
    _permit: LanePermit,
}

impl OrganizationWithPermit {
    /// Gives the permit back, and goes on with the organisation.
    pub fn release_permit(self) -> Organization {
        self.organization
    }
}

impl Deref for OrganizationWithPermit {
    type Target = Organization;

    fn deref(&self) -> &Organization {
        &self.organization
    }
}

impl Caller {
    /// This principal, who calls from `address`. Once the call's organisation is known it takes `permit`,
    /// and its bytes are charged to the organisation too. It uses the connections of `lane`, until `gone` is
    /// cancelled because nobody waits for the answer any more.
    #[must_use]
    pub fn new(
        principal: Arc<Principal>,
        address: Option<SocketAddr>,
        permit: CallPermit,
        account: MemoryAccount,
        (lane, gone): (ConnectionLane, CancellationToken),
    ) -> Self {
        Self {
            principal,
            address,
            permit,
            account,
            lane,
            gone,
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

    /// The caller as the submitter of an import.
    #[must_use]
    pub fn submitter(&self) -> Submitter {
        Submitter {
            principal: self.principal.clone(),
            actor: self.actor(),
            account: self.account.clone(),
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

    /// Finds an organisation, once a permit of the store's lane is free for it. One that is not the caller's is not
    /// even looked for.
    ///
    /// # Errors
    /// Where it is not for this caller, where there is none, or the database fails.
    pub async fn organization(
        &self,
        store: &Store,
        slug: &str,
    ) -> Result<OrganizationWithPermit, Status> {
        self.expect_organization(slug)?;
        let permit = self.lane_permit(store, slug).await?;
        let found = store.organization(slug).await;
        let organization = found.map_err(|error| status::from_store(&error, slug))?;
        Ok(OrganizationWithPermit {
            organization,
            _permit: permit,
        })
    }

    /// Waits for an organisation's permit of the store's lane.
    ///
    /// # Errors
    /// Where it has too much under way, or the caller has gone.
    pub async fn lane_permit(&self, store: &Store, slug: &str) -> Result<LanePermit, Status> {
        let permit = store.lane_permit(slug, &self.gone).await;
        permit.map_err(|error| status::from_store(&error, slug))
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
            let party = MemoryParty::Organization(slug.to_owned());
            Ok(self.account.charge_to(party)?)
        });
        bounded.map_err(|refusal| status::busy(&refusal))
    }

    /// The database through the connections of this call's lane.
    #[must_use]
    pub fn store(&self, store: &Store) -> Store {
        store.on_lane(self.lane)
    }

    /// Cancelled when nobody waits for the answer any more.
    #[must_use]
    pub const fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// True where the caller has the permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.permissions.has(permission)
    }

    /// To whom the call's bytes are charged.
    #[must_use]
    pub const fn account(&self) -> &MemoryAccount {
        &self.account
    }

    /// The principal.
    #[must_use]
    pub const fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }
}
