//! The audit trail: listed, followed from its first event, and recorded as archived.

use std::io;

use super::{ClientError, ServiceClient};
use crate::{
    audit::{AuditChain, ChainBreak, NotedHead},
    proto::{
        AuditEvent, AuditHead, ListAuditEventsRequest, ListAuditEventsResponse,
        RecordAuditArchiveRequest,
    },
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

    /// Follows an organisation's whole chain, from the first event that there still is, and hashes every event again,
    /// here. Gives each event to `take` once it is verified. Returns where the chain is broken, if it is.
    ///
    /// # Errors
    /// As `ListAuditEvents` says, or if `take` fails.
    pub(crate) async fn verify_audit(
        &mut self,
        chain: &mut AuditChain,
        organization: &str,
        mut take: impl FnMut(&AuditEvent) -> io::Result<()>,
    ) -> Result<Result<NotedHead, ChainBreak>, ClientError> {
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

    /// Returns the sequence of the first event that the server still has; 0 if it has none.
    ///
    /// # Errors
    /// As `ListAuditEvents` says.
    pub(crate) async fn first_audit_event(
        &mut self,
        organization: &str,
    ) -> Result<i64, ClientError> {
        let request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            page_size: 1,
            oldest_first: true,
            ..ListAuditEventsRequest::default()
        };
        let page = self.audit_page(&request).await?;
        Ok(page.events.first().map_or(0, |event| event.sequence))
    }

    /// Records in the chain that its events from the one after `after` to `last` are archived.
    ///
    /// # Errors
    /// As `RecordAuditArchive` says.
    pub(crate) async fn record_audit_archive(
        &mut self,
        organization: &str,
        after: i64,
        last: &NotedHead,
    ) -> Result<(), ClientError> {
        let request = RecordAuditArchiveRequest {
            organization: organization.to_owned(),
            after_sequence: after,
            last: Some(AuditHead {
                sequence: last.sequence,
                hash: last.hash.clone(),
            }),
        };
        self.audit.record_audit_archive(request).await?;
        Ok(())
    }

    async fn audit_page(
        &mut self,
        request: &ListAuditEventsRequest,
    ) -> Result<ListAuditEventsResponse, ClientError> {
        let page = self.audit.list_audit_events(request.clone()).await?;
        Ok(page.into_inner())
    }
}
