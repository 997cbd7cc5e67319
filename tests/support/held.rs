//! Imports that are held for review: reviewed, approved, listed.

use tonic::{Response, Status, Streaming};
use user_import::proto::{
    ApproveImportRequest, ApproveImportResponse, Import, ImportState, ListImportsRequest,
    ReviewImportRequest, ReviewImportResponse, approve_import_response::Message as Approved,
    import_users_response::Message, review_import_response::Message as Reviewed,
};

use super::{App, ImportResponses};

impl App {
    /// Reviews a held import into `pd`.
    pub async fn review(&self, import_id: &str) -> ImportResponses {
        let request = ReviewImportRequest {
            organization: "pd".to_owned(),
            import_id: import_id.to_owned(),
            ..ReviewImportRequest::default()
        };
        let responses = self.imports().review_import(request).await;
        ImportResponses::reviewed(responses.map(Response::into_inner)).await
    }

    /// Approves a held import into `pd` with the confirming word.
    pub async fn approve(&self, import_id: &str, digest: &[u8]) -> ImportResponses {
        let responses = self.approving(import_id, digest, "Confirm").await;
        ImportResponses::approved(responses).await
    }

    /// Approves a held import into `pd`, and returns the answers as they come.
    pub async fn approving(
        &self,
        import_id: &str,
        digest: &[u8],
        confirmation: &str,
    ) -> Result<Streaming<ApproveImportResponse>, Status> {
        let request = ApproveImportRequest {
            organization: "pd".to_owned(),
            import_id: import_id.to_owned(),
            expected_plan_digest: digest.to_vec(),
            confirmation: confirmation.to_owned(),
            ..ApproveImportRequest::default()
        };
        let responses = self.imports().approve_import(request).await;
        responses.map(Response::into_inner)
    }

    /// Returns the imports into `pd` that are in this state, at most `page_size` at a time.
    pub async fn imports_in(&self, state: ImportState, page_size: i32) -> Vec<Import> {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListImportsRequest {
                organization: "pd".to_owned(),
                state: state.into(),
                page_size,
                page_token,
            };
            let page = self.imports().list_imports(request).await;
            let page = page.expect("imports can be listed").into_inner();
            found.extend(page.imports);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    }
}

impl ImportResponses {
    /// Reads the answers of a review to their end.
    pub async fn reviewed(responses: Result<Streaming<ReviewImportResponse>, Status>) -> Self {
        let content = |response: ReviewImportResponse| {
            Some(match response.message? {
                Reviewed::Started(started) => Message::Started(started),
                Reviewed::Progress(progress) => Message::Progress(progress),
                Reviewed::Results(results) => Message::Results(results),
                Reviewed::Deactivations(users) => Message::Deactivations(users),
                Reviewed::Summary(summary) => Message::Summary(summary),
            })
        };
        Self::empty().and_all(responses, content).await
    }

    /// Reads the answers of an approval to their end.
    pub async fn approved(responses: Result<Streaming<ApproveImportResponse>, Status>) -> Self {
        let content = |response: ApproveImportResponse| {
            Some(match response.message? {
                Approved::Started(started) => Message::Started(started),
                Approved::Progress(progress) => Message::Progress(progress),
                Approved::Results(results) => Message::Results(results),
                Approved::Deactivations(users) => Message::Deactivations(users),
                Approved::Summary(summary) => Message::Summary(summary),
            })
        };
        Self::empty().and_all(responses, content).await
    }
}
