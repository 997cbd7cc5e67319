//! `AuditService`: returns the audit events page by page, and records which of them are archived.

use tonic::{Request, Status};

use super::{CallResult, caller::Caller, paging::PageRequest, serve, status};
use crate::{
    audit::{AuditAction, NotedHead},
    import::{Clock, Refusal},
    proto::{
        AuditHead, ListAuditEventsRequest, ListAuditEventsResponse, RecordAuditArchiveRequest,
        RecordAuditArchiveResponse, audit_service_server::AuditService,
    },
    store::{ArchiveError, AuditArchive, AuditEntry, Store},
};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct AuditHandlers {
    store: Store,
    clock: Clock,
}

impl AuditHandlers {
    /// Serves the audit trail in this database.
    #[must_use]
    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
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

    async fn record_archive(
        self,
        caller: Caller,
        request: RecordAuditArchiveRequest,
    ) -> Result<RecordAuditArchiveResponse, Status> {
        let slug = request.organization;
        caller.expect_organization(&slug)?;
        let failed = |error| status::from_store(&error, &slug);
        let store = caller.store(&self.store);
        let _permit = caller.lane_permit(&store, &slug).await?;
        let chain = store.audit_chain(&slug).await.map_err(failed)?;
        let archive = AuditArchive {
            after: request.after_sequence,
            last: last_event(request.last)?,
        };
        let (now, actor) = (self.clock.now(), caller.actor());
        let entry = AuditEntry::done(now, &actor, AuditAction::EventsArchived, &slug);
        let recorded = store.record_audit_archive(chain, &archive, entry).await;
        let sequence = recorded.map_err(|error| not_recorded(&error, &slug))?;
        Ok(RecordAuditArchiveResponse { sequence })
    }
}

fn last_event(last: Option<AuditHead>) -> Result<NotedHead, Status> {
    let last = last.unwrap_or_default();
    let text = format!("{}:{}", last.sequence, hex::encode(&last.hash));
    let message = "An archive ends with an event: give its sequence, and its hash of 32 bytes.";
    text.parse()
        .map_err(|_| status::invalid("BAD_AUDIT_HEAD", "last", message))
}

fn not_recorded(error: &ArchiveError, slug: &str) -> Status {
    let code = match error {
        ArchiveError::Gap(_) => "AUDIT_ARCHIVE_GAP",
        ArchiveError::Differs => "AUDIT_ARCHIVE_DIFFERS",
        ArchiveError::Store(error) => return status::from_store(error, slug),
    };
    let message = format!("The archive was not recorded: {error}.");
    status::refused(&[Refusal::precondition(code, slug, message)])
}

#[tonic::async_trait]
impl AuditService for AuditHandlers {
    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> CallResult<ListAuditEventsResponse> {
        serve(self, request, Self::list).await
    }

    async fn record_audit_archive(
        &self,
        request: Request<RecordAuditArchiveRequest>,
    ) -> CallResult<RecordAuditArchiveResponse> {
        serve(self, request, Self::record_archive).await
    }
}
