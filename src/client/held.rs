//! Held imports: reviewed and approved. The answers are those of an import.

use std::io;

use super::{ClientError, ImportEnd, ServiceClient, import};
use crate::proto::{ApproveImportRequest, ImportUsersResponse, ReviewImportRequest};

impl ServiceClient {
    /// Shows what a held import would do now, and gives every answer to `on_answer` as it arrives.
    ///
    /// # Errors
    /// [`ClientError::Output`] if `on_answer` fails. The server's status is in [`ImportEnd::status`].
    pub(crate) async fn review(
        &mut self,
        request: ReviewImportRequest,
        on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let import_id = request.import_id.clone();
        let answers = self.imports.review_import(request).await;
        import::follow(import_id, answers, on_answer).await
    }

    /// Applies a held import, and gives every answer to `on_answer` as it arrives.
    ///
    /// # Errors
    /// As [`review`](Self::review).
    pub(crate) async fn approve(
        &mut self,
        request: ApproveImportRequest,
        on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let import_id = request.import_id.clone();
        let answers = self.imports.approve_import(request).await;
        import::follow(import_id, answers, on_answer).await
    }
}
