//! Imports whose roster is sent in parts, one call for each part.

use prost::bytes::Bytes;
use sha2::{Digest, Sha256};
use tonic::{Response, Status};
use user_import::proto::{
    AppendImportRequest, BeginImportRequest, FinishImportRequest, ImportFinish, ImportStart,
    UserRow, UserRows, WatchImportRequest, append_import_request::Content,
};

use super::{App, ImportResponses};

/// Returns a `finish` with the facts of a CSV file.
pub fn finish_of(csv: &[u8]) -> ImportFinish {
    ImportFinish {
        byte_count: Some(csv.len() as u64),
        sha256: Some(Sha256::digest(csv).to_vec()),
        ..ImportFinish::default()
    }
}

impl App {
    /// Begins or continues an import. Returns its ID and the offset of the next part.
    pub async fn begin_upload(&self, start: ImportStart) -> Result<(String, u64), Status> {
        let request = BeginImportRequest {
            start: Some(start),
            ..BeginImportRequest::default()
        };
        let begun = self.imports().begin_import(request).await?.into_inner();
        Ok((begun.import_id, begun.next_offset))
    }

    /// Adds a part to an import into `organization`. Returns the offset of the next part.
    pub async fn append_to(
        &self,
        organization: &str,
        import_id: &str,
        offset: u64,
        content: Content,
    ) -> Result<u64, Status> {
        let request = AppendImportRequest {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
            offset,
            content: Some(content),
        };
        let appended = self.imports().append_import(request).await?;
        Ok(appended.into_inner().next_offset)
    }

    /// Adds bytes of CSV to an import into `pd`.
    pub async fn append(
        &self,
        import_id: &str,
        offset: u64,
        csv: impl AsRef<[u8]>,
    ) -> Result<u64, Status> {
        let content = Content::CsvChunk(csv.as_ref().to_vec().into());
        self.append_to("pd", import_id, offset, content).await
    }

    /// Adds typed rows to an import into `pd`.
    pub async fn append_rows(
        &self,
        import_id: &str,
        offset: u64,
        rows: &[UserRow],
    ) -> Result<u64, Status> {
        let rows = rows.to_vec();
        let content = Content::Rows(UserRows { rows });
        self.append_to("pd", import_id, offset, content).await
    }

    /// Ends the upload of an import into `organization`.
    pub async fn finish_in(
        &self,
        organization: &str,
        import_id: &str,
        finish: ImportFinish,
    ) -> Result<(), Status> {
        let request = FinishImportRequest {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
            finish: Some(finish),
        };
        self.imports().finish_import(request).await.map(drop)
    }

    /// Ends the upload of an import into `pd`.
    pub async fn finish(&self, import_id: &str, finish: ImportFinish) -> Result<(), Status> {
        self.finish_in("pd", import_id, finish).await
    }

    /// Watches an import into `organization`, with the results that its start asked for.
    pub async fn watch_in(&self, organization: &str, import_id: &str) -> ImportResponses {
        let request = WatchImportRequest {
            organization: organization.to_owned(),
            import_id: import_id.to_owned(),
            ..WatchImportRequest::default()
        };
        let responses = self.imports().watch_import(request).await;
        ImportResponses::watched(responses.map(Response::into_inner)).await
    }

    /// Imports a CSV file in parts of these sizes, and the rest in one part. The answer of `FinishImport` must be the
    /// status with which the import ends, or OK if the import reached its plan.
    pub async fn import_in_parts(
        &self,
        start: ImportStart,
        csv: &[u8],
        sizes: impl IntoIterator<Item = usize>,
    ) -> ImportResponses {
        self.import_parts_of(start, (csv, Content::CsvChunk), sizes)
            .await
    }

    /// Does the same with a workbook.
    pub async fn import_workbook_in_parts(
        &self,
        start: ImportStart,
        workbook: &[u8],
        sizes: impl IntoIterator<Item = usize>,
    ) -> ImportResponses {
        self.import_parts_of(start, (workbook, Content::WorkbookChunk), sizes)
            .await
    }

    async fn import_parts_of(
        &self,
        start: ImportStart,
        (file, content): (&[u8], fn(Bytes) -> Content),
        sizes: impl IntoIterator<Item = usize>,
    ) -> ImportResponses {
        let organization = start.organization.clone();
        let (id, offset) = self.begin_upload(start).await.expect("it can be begun");
        let mut offset = usize::try_from(offset).expect("it fits into memory");
        let mut sizes = sizes.into_iter();
        while offset < file.len() {
            let rest = &file[offset..];
            let size = sizes.next().unwrap_or(rest.len()).min(rest.len());
            let content = content(rest[..size].to_vec().into());
            let appended = self.append_to(&organization, &id, offset as u64, content);
            offset += size;
            assert_eq!(appended.await.expect("the part is taken"), offset as u64);
        }
        self.finish_and_watch(&organization, &id, finish_of(file))
            .await
    }

    /// Ends an upload, and watches its import.
    pub async fn finish_and_watch(
        &self,
        organization: &str,
        import_id: &str,
        finish: ImportFinish,
    ) -> ImportResponses {
        let finished = self.finish_in(organization, import_id, finish).await;
        let watched = self.watch_in(organization, import_id).await;
        if let Err(status) = finished {
            assert_eq!(status.code(), watched.code(), "{watched}");
            assert_eq!(status.message(), watched.status.message());
            assert_eq!(status.details(), watched.status.details());
        }
        watched
    }
}
