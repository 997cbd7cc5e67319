//! The caller, as handlers see it. It is the only way to an organisation.

use std::{ops::Deref, sync::Arc};

use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use super::{call_limiter::CallPermit, status};
use crate::{
    access::{AccessDenial, ClientAddress, Principal},
    domain::{AuditActor, Permission},
    import::Submitter,
    limits::{MemoryAccount, MemoryParty},
    store::{ConnectionLane, LanePermit, Organization, Store},
};

/// The caller of a request, who is recognised and has the permission that the RPC needs.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    principal: Arc<Principal>,
    address: Option<ClientAddress>,
    permit: CallPermit,
    account: MemoryAccount,
    lane: ConnectionLane,
    gone: CancellationToken,
}

/// The organisation that a call is about, with the permit for the database, which is given back when
/// dropped.
#[derive(Debug)]
pub(super) struct OrganizationWithPermit {
    organization: Organization,
    _permit: LanePermit,
}

impl OrganizationWithPermit {
    /// Gives the permit back, and returns the organisation.
    pub(super) fn release_permit(self) -> Organization {
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
    /// A principal who calls from `address`. Once the organisation is known, the call takes `permit`, and
    /// its bytes are charged to the organisation too. The call uses the connections of `lane`. `gone` is
    /// cancelled when the client does not wait for the response any more.
    #[must_use]
    pub(super) fn new(
        principal: Arc<Principal>,
        address: Option<ClientAddress>,
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

    /// Returns the caller as the audit trail names it.
    #[must_use]
    pub(super) fn actor(&self) -> AuditActor {
        let address = self.address.map(|address| address.to_string());
        AuditActor {
            principal: self.principal.name.clone(),
            address: address.unwrap_or_default(),
        }
    }

    /// The caller as the submitter of an import.
    #[must_use]
    pub(super) fn submitter(&self) -> Submitter {
        Submitter {
            principal: self.principal.clone(),
            actor: self.actor(),
            account: self.account.clone(),
        }
    }

    /// The caller of `request`.
    ///
    /// # Errors
    /// Fails if no caller was recognised: the request did not pass the [`super::AuthLayer`].
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| status::from_denial(&AccessDenial::Missing))
    }

    /// Finds an organisation, once a permit of the store's lane is free for it. If the organisation is not one of the
    /// caller's, this does not even look for it.
    ///
    /// # Errors
    /// Fails if the organisation is not the caller's, if it does not exist, or if the database fails.
    pub(super) async fn organization(
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
    /// Fails if it has too much under way, or the caller has gone.
    pub(super) async fn lane_permit(
        &self,
        store: &Store,
        slug: &str,
    ) -> Result<LanePermit, Status> {
        let permit = store.lane_permit(slug, &self.gone).await;
        permit.map_err(|error| status::from_store(&error, slug))
    }

    /// Expects that the caller may act on the organisation, and that the limit of calls about it is not
    /// reached.
    ///
    /// # Errors
    /// Fails if the caller may not act on it, whether or not it exists, or if the limit is reached.
    pub(super) fn expect_organization(&self, slug: &str) -> Result<(), Status> {
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
    pub(super) fn store(&self, store: &Store) -> Store {
        store.on_lane(self.lane)
    }

    /// Cancelled when the client does not wait for the response any more.
    #[must_use]
    pub(super) const fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// Returns `true` if the caller has the permission.
    #[must_use]
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.principal.permissions.has(permission)
    }

    /// The account that the call's bytes are charged to.
    #[must_use]
    pub(super) const fn account(&self) -> &MemoryAccount {
        &self.account
    }

    /// The principal.
    #[must_use]
    pub(super) const fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }
}
