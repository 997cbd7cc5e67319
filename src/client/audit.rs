//! The audit trail: listed, and followed from its first event.

use std::io;

use super::{ClientError, ServiceClient};
use crate::{
    audit::{AuditChain, ChainBreak, NotedHead},
    proto::{AuditEvent, ListAuditEventsRequest, ListAuditEventsResponse},
};

/// Events that one request asks for; the most that a server gives.
const PAGE: u32 = 1_000;

impl ServiceClient {
    /// Returns an organisation's audit events, newest first; at most `limit`.
    ///
    /// # Errors
    /// As `ListAuditEvents` says.
    pub(crate) async fn audit_events(
        &mut self,
        organization: &str,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, ClientError> {
        let mut events = Vec::new();
        let mut request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            ..ListAuditEventsRequest::default()
        };
        let mut left = limit;
        while left > 0 {
            request.page_size = i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX);
            let page = self.audit_page(&request).await?;
            left = left.saturating_sub(u32::try_from(page.events.len()).unwrap_or(u32::MAX));
            events.extend(page.events);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        Ok(events)
    }

    /// Follows an organisation's whole chain and hashes every event again, here. Gives each event to `take` once it is
    /// verified. Returns the chain's end, or where it is broken.
    ///
    /// # Errors
    /// As `ListAuditEvents` says, or if `take` fails.
    pub(crate) async fn verify_audit(
        &mut self,
        organization: &str,
        noted: Option<NotedHead>,
        mut take: impl FnMut(&AuditEvent) -> io::Result<()>,
    ) -> Result<Result<NotedHead, ChainBreak>, ClientError> {
        let mut chain = AuditChain::new(organization).expect_noted(noted);
        let mut request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            page_size: i32::try_from(PAGE).unwrap_or(i32::MAX),
            oldest_first: true,
            ..ListAuditEventsRequest::default()
        };
        loop {
            let page = self.audit_page(&request).await?;
            for event in &page.events {
                if let Err(found) = chain.follow(event) {
                    return Ok(Err(found));
                }
                take(event).map_err(ClientError::Output)?;
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(chain.end(&page.head.unwrap_or_default()));
            }
        }
    }

    async fn audit_page(
        &mut self,
        request: &ListAuditEventsRequest,
    ) -> Result<ListAuditEventsResponse, ClientError> {
        let page = self.audit.list_audit_events(request.clone()).await?;
        Ok(page.into_inner())
    }
}
