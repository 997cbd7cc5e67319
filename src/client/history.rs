//! Imports by their IDs: watched as they go, listed, cancelled.

use std::io;

use super::{ClientError, ImportEnd, ServiceClient, import};
use crate::proto::{
    CancelImportRequest, Import, ImportUsersResponse, ListImportsRequest, UndoImportRequest,
    WatchImportRequest,
};

/// Imports that one request asks for; the most that a server gives.
const PAGE: u32 = 1_000;

impl ServiceClient {
    /// Reads an import's results from its record until it ends, and gives every answer to
    /// `on_answer` as it arrives, as [`ServiceClient::import`] does.
    ///
    /// # Errors
    /// [`ClientError::Output`] if `on_answer` fails. The server's status is in [`ImportEnd::status`].
    pub(crate) async fn watch(
        &mut self,
        request: WatchImportRequest,
        on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let import_id = request.import_id.clone();
        let answers = self.imports.watch_import(request).await;
        import::follow(import_id, answers, on_answer).await
    }

    /// Reverses an import, and gives every answer to `on_answer` as it arrives, as [`ServiceClient::import`] does.
    ///
    /// # Errors
    /// [`ClientError::Output`] if `on_answer` fails. The server's status is in [`ImportEnd::status`].
    pub(crate) async fn undo(
        &mut self,
        request: UndoImportRequest,
        on_answer: impl FnMut(ImportUsersResponse) -> io::Result<()>,
    ) -> Result<ImportEnd, ClientError> {
        let import_id = request.undo_id.clone();
        let answers = self.imports.undo_import(request).await;
        import::follow(import_id, answers, on_answer).await
    }

    /// Returns an organisation's imports, newest first; at most `limit`.
    ///
    /// # Errors
    /// As `ListImports` says.
    pub(crate) async fn imports(
        &mut self,
        organization: &str,
        limit: u32,
    ) -> Result<Vec<Import>, ClientError> {
        let mut imports = Vec::new();
        let take = |import| {
            imports.push(import);
        };
        self.each_import(organization, limit, take).await?;
        Ok(imports)
    }

    /// Returns all of an organisation's imports that pass `is_meant`, newest first.
    ///
    /// # Errors
    /// As `ListImports` says.
    pub(crate) async fn matching_imports(
        &mut self,
        organization: &str,
        is_meant: impl Fn(&Import) -> bool,
    ) -> Result<Vec<Import>, ClientError> {
        let mut imports = Vec::new();
        let take = |import| {
            if is_meant(&import) {
                imports.push(import);
            }
        };
        self.each_import(organization, u32::MAX, take).await?;
        Ok(imports)
    }

    /// Gives each import to `take`, newest first; at most `limit`.
    async fn each_import(
        &mut self,
        organization: &str,
        limit: u32,
        mut take: impl FnMut(Import),
    ) -> Result<(), ClientError> {
        let mut page_token = String::new();
        let mut left = limit;
        while left > 0 {
            let request = ListImportsRequest {
                organization: organization.to_owned(),
                page_size: i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX),
                page_token,
                state: 0,
            };
            let page = self.imports.list_imports(request).await?.into_inner();
            left = left.saturating_sub(u32::try_from(page.imports.len()).unwrap_or(u32::MAX));
            page.imports.into_iter().for_each(&mut take);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Asks an applying import to stop between two transactions, and returns its record.
    ///
    /// # Errors
    /// As `CancelImport` says.
    pub(crate) async fn cancel(
        &mut self,
        organization: &str,
        import_id: &str,
    ) -> Result<Import, ClientError> {
        let request = CancelImportRequest {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
        };
        let answer = self.imports.cancel_import(request).await?;
        Ok(answer.into_inner().import_record.unwrap_or_default())
    }
}
