//! Held imports: reviewed and approved. The answers are those of an import.

use std::io;

use futures_util::StreamExt;
use tonic::Status;

use super::{ClientError, ImportEnd, ServiceClient, import};
use crate::proto::{
    ApproveImportRequest, ApproveImportResponse, ImportUsersResponse, ReviewImportRequest,
    ReviewImportResponse, approve_import_response::Message as Approved,
    import_users_response::Message, review_import_response::Message as Reviewed,
};

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
                let answers = answers.into_inner().map(of_review);
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
                let answers = answers.into_inner().map(of_approval);
                import::read(answers, &mut ended, &mut on_answer).await?;
            }
        }
        Ok(ended)
    }
}

/// The same content as a message of the import's own stream.
fn of_review(answer: Result<ReviewImportResponse, Status>) -> Result<ImportUsersResponse, Status> {
    let message = answer?.message.map(|message| match message {
        Reviewed::Started(started) => Message::Started(started),
        Reviewed::Progress(progress) => Message::Progress(progress),
        Reviewed::Results(results) => Message::Results(results),
        Reviewed::Deactivations(users) => Message::Deactivations(users),
        Reviewed::Summary(summary) => Message::Summary(summary),
    });
    Ok(ImportUsersResponse { message })
}

/// The same content as a message of the import's own stream.
fn of_approval(
    answer: Result<ApproveImportResponse, Status>,
) -> Result<ImportUsersResponse, Status> {
    let message = answer?.message.map(|message| match message {
        Approved::Started(started) => Message::Started(started),
        Approved::Progress(progress) => Message::Progress(progress),
        Approved::Results(results) => Message::Results(results),
        Approved::Deactivations(users) => Message::Deactivations(users),
        Approved::Summary(summary) => Message::Summary(summary),
    });
    Ok(ImportUsersResponse { message })
}
