//! Queries of a test about past and running imports.

use tonic::{Response, Status};
use user_import::proto::{
    AuditEvent, CancelImportRequest, GetImportRequest, Import, ListAuditEventsRequest,
    ListImportsRequest, ResultFilter, WatchImportRequest, audit_service_client::AuditServiceClient,
};

use super::{App, ImportResponses};

impl App {
    /// Returns the record of an import into `pd`.
    pub async fn import_record(&self, import_id: &str) -> Result<Import, Status> {
        let request = GetImportRequest {
            organization: "pd".to_owned(),
            import_id: import_id.to_owned(),
        };
        let response = self.imports().get_import(request).await?;
        let record = response.into_inner().import_record;
        Ok(record.expect("the answer has a record"))
    }

    /// Returns one page of the imports into `pd`, and the token of the next page.
    pub async fn import_page(&self, page_size: i32, page_token: &str) -> (Vec<Import>, String) {
        let request = ListImportsRequest {
            organization: "pd".to_owned(),
            page_size,
            page_token: page_token.to_owned(),
            ..ListImportsRequest::default()
        };
        let response = self.imports().list_imports(request).await;
        let page = response.expect("imports can be listed").into_inner();
        (page.imports, page.next_page_token)
    }

    /// Returns the events of an organisation's audit trail, the oldest first, up to 1,000 of them.
    pub async fn audit_events(&self, organization: &str) -> Vec<AuditEvent> {
        let request = ListAuditEventsRequest {
            organization: organization.to_owned(),
            page_size: 1_000,
            oldest_first: true,
            ..ListAuditEventsRequest::default()
        };
        let mut client = AuditServiceClient::new(self.connection());
        let listed = client.list_audit_events(request).await;
        listed.expect("events can be listed").into_inner().events
    }

    /// Asks an import into `pd` to stop.
    pub async fn cancel(&self, import_id: &str) -> Result<(), Status> {
        let request = CancelImportRequest {
            organization: "pd".to_owned(),
            import_id: import_id.to_owned(),
        };
        self.imports().cancel_import(request).await.map(drop)
    }

    /// Watches an import into `pd` to its end, beginning after the result number `after_result`.
    pub async fn watch(
        &self,
        import_id: &str,
        after_result: u32,
        filter: ResultFilter,
    ) -> ImportResponses {
        let request = WatchImportRequest {
            organization: "pd".to_owned(),
            import_id: import_id.to_owned(),
            after_result,
            result_filter: filter.into(),
        };
        let responses = self.imports().watch_import(request).await;
        ImportResponses::watched(responses.map(Response::into_inner)).await
    }
}
