//! Held imports: reviewed and approved. The answers are those of an import.

use std::io;

use futures_util::StreamExt;

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
        mut on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let mut ended = ImportEnd {
            import_id: request.import_id.clone(),
            ..ImportEnd::default()
        };
        match self.imports.review_import(request).await {
            Err(status) => ended.status = Some(status),
            Ok(answers) => {
                let answers = answers
                    .into_inner()
                    .map(|answer| answer.map(ImportUsersResponse::from));
                import::read(answers, &mut ended, &mut on_answer).await?;
            }
        }
        Ok(ended)
    }

    /// Applies a held import, and gives every answer to `on_answer` as it arrives.
    ///
    /// # Errors
    /// As [`review`](Self::review).
    pub(crate) async fn approve(
        &mut self,
        request: ApproveImportRequest,
        mut on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let mut ended = ImportEnd {
            import_id: request.import_id.clone(),
            ..ImportEnd::default()
        };
        match self.imports.approve_import(request).await {
            Err(status) => ended.status = Some(status),
            Ok(answers) => {
                let answers = answers
                    .into_inner()
                    .map(|answer| answer.map(ImportUsersResponse::from));
                import::read(answers, &mut ended, &mut on_answer).await?;
            }
        }
        Ok(ended)
    }
}
