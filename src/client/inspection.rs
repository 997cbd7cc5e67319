//! Looks at a file before it is imported.

use prost::bytes::Bytes;
use uuid::Uuid;

use super::{ClientError, ServiceClient};
use crate::proto::{
    AppendImportRequest, BeginImportRequest, CancelImportRequest, ImportStart,
    InspectRosterRequest, InspectRosterResponse, append_import_request::Content,
};

/// Bytes of a file that one request may have.
pub(crate) const BEGINNING: usize = 1024 * 1024;

/// Bytes of one part of an upload.
const PART: usize = 512 * 1024;

impl ServiceClient {
    /// Says what a file is, and proposes a mapping. If there are more than [`BEGINNING`] bytes, they must be a
    /// workbook: it is uploaded, inspected, and removed again.
    ///
    /// # Errors
    /// As `InspectRoster`, `BeginImport` and `AppendImport` say.
    pub(crate) async fn inspect(
        &mut self,
        request: InspectRosterRequest,
        content: Bytes,
    ) -> Result<InspectRosterResponse, ClientError> {
        if content.len() <= BEGINNING {
            let content = content.into();
            let request = InspectRosterRequest { content, ..request };
            return Ok(self.imports.inspect_roster(request).await?.into_inner());
        }
        let import_id = Uuid::new_v4().to_string();
        let organization = request.organization.clone();
        let uploaded = self.upload((&organization, &import_id), content).await;
        let inspected = match uploaded {
            Ok(()) => {
                let import_id = import_id.clone();
                let request = InspectRosterRequest {
                    import_id,
                    ..request
                };
                self.imports.inspect_roster(request).await
            }
            Err(status) => Err(status),
        };
        let cancel = CancelImportRequest {
            organization,
            import_id,
        };
        // If this fails, the server removes the upload after a while.
        let _ = self.imports.cancel_import(cancel).await;
        Ok(inspected?.into_inner())
    }

    async fn upload(
        &mut self,
        (organization, import_id): (&str, &str),
        mut content: Bytes,
    ) -> Result<(), tonic::Status> {
        let start = ImportStart {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
            validate_only: true,
            ..ImportStart::default()
        };
        let begin = BeginImportRequest {
            start: Some(start),
            ..BeginImportRequest::default()
        };
        self.imports.begin_import(begin).await?;
        let mut offset = 0;
        while !content.is_empty() {
            let part = content.split_to(PART.min(content.len()));
            let length = part.len() as u64;
            let append = AppendImportRequest {
                organization: organization.to_owned(),
                import_id: import_id.to_owned(),
                offset,
                content: Some(Content::WorkbookChunk(part)),
            };
            self.imports.append_import(append).await?;
            offset += length;
        }
        Ok(())
    }
}
