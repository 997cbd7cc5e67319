//! `AuditService`: who did what, read page by page.

use tonic::{Request, Status};

use super::{Answer, caller::Caller, paging::PageRequest, serve, status};
use crate::{
    proto::{ListAuditEventsRequest, ListAuditEventsResponse, audit_service_server::AuditService},
    store::Store,
};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct AuditHandlers {
    store: Store,
}

impl AuditHandlers {
    /// Serves the audit trail in this database.
    #[must_use]
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn list(
        self,
        caller: Caller,
        request: ListAuditEventsRequest,
    ) -> Result<ListAuditEventsResponse, Status> {
        caller.expect_organization(&request.organization)?;
        let slug = request.organization;
        let failed = |error| status::from_store(&error, &slug);
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let store = self.store.on_lane(page.lane());
        let permit = caller.lane_permit(&store, &slug).await?;
        let _turn = permit.read_turn().await.map_err(failed)?;
        let chain = store.audit_chain(&slug).await.map_err(failed)?;
        let (position, limit) = (page.number()?, page.size as u64 + 1);
        let found = store.audit_events(chain, position, request.oldest_first, limit);
        let mut found = found.await.map_err(failed)?;
        let next_page_token = page.cut(&mut found.events, |_, event| {
            PageRequest::after(&event.sequence.to_string())
        });
        Ok(ListAuditEventsResponse {
            events: found.events,
            next_page_token,
            head: Some(found.head),
        })
    }
}

#[tonic::async_trait]
impl AuditService for AuditHandlers {
    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Answer<ListAuditEventsResponse> {
        serve(self, request, Self::list).await
    }
}
