//! An upload that begins with the roster of another one. So a client sends a roster only once, even if it has the
//! roster reviewed several times.

use uuid::Uuid;

use super::{not_uploading, part::slice_content, request_stream};
use crate::{
    access::Principal,
    import::{ImportError, Importer, Refusal},
    proto::{append_import_request::Content, import_users_request::Message},
    store::{Upload, UploadStage},
};

impl Importer {
    /// Finds the upload `source`, whose roster becomes the beginning of the upload `import`. Returns `None` if `source`
    /// is gone and `import` has begun already; `import` then goes on alone.
    pub(super) async fn roster_source(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
        source: &str,
    ) -> Result<Option<Upload>, ImportError> {
        let source = Uuid::try_parse(source)
            .map_err(|_| bad_source("BAD_IMPORT_ID", "roster_of must be a UUID."))?;
        if source == import {
            let message = "roster_of names this import itself; it must name another upload.";
            return Err(bad_source("BAD_ROSTER_OF", message));
        }
        let found = match self.own_upload(principal, slug, source).await {
            Ok(upload) if upload.stage() != UploadStage::Ended => {
                // Now it is not silent, so it does not make room for the other one.
                let key = (upload.organization_id, upload.import_id);
                self.store.keep_upload_open(key).await?;
                Ok(Some(upload))
            }
            Ok(_) => Err(not_uploading(source).into()),
            Err(error) => Err(error),
        };
        match found {
            Err(_) if self.own_upload(principal, slug, import).await.is_ok() => Ok(None),
            found => found,
        }
    }

    /// Adds to an upload the part of `source` after its first `received` bytes or rows. Returns how much the upload
    /// then has. Each part is added on its own, as if the client had sent it, so that other imports get their turn.
    pub(super) async fn take_roster(
        &self,
        principal: &Principal,
        slug: &str,
        (import, mut received): (Uuid, u64),
        source: &Upload,
    ) -> Result<u64, ImportError> {
        let key = (source.organization_id, source.import_id);
        if source.received == 0 && source.kind != 0 {
            let empty = content(source.kind, Vec::new())?;
            let begun = self.append_upload(principal, slug, import, (0, empty));
            return begun.await;
        }
        while received < source.received.unsigned_abs() {
            let position = i64::try_from(received).unwrap_or(i64::MAX);
            let found = self.store.upload_chunks(key, position, 1).await?.pop();
            let Some(chunk) = found else {
                // The source was cancelled meanwhile. The client goes on.
                break;
            };
            let rest = (position, chunk.position + chunk.length);
            let part = slice_content(source.kind, &chunk.content()?, rest, chunk.position)?;
            let part = (received, content(source.kind, part)?);
            received = self.append_upload(principal, slug, import, part).await?;
        }
        Ok(received)
    }
}

fn content(kind: i32, part: Vec<u8>) -> Result<Content, ImportError> {
    match request_stream::message(kind, part)? {
        Message::CsvChunk(chunk) => Ok(Content::CsvChunk(chunk)),
        Message::WorkbookChunk(chunk) => Ok(Content::WorkbookChunk(chunk)),
        Message::Rows(rows) => Ok(Content::Rows(rows)),
        Message::Start(_) | Message::Finish(_) => {
            Err(ImportError::Internal("a part has no content".to_owned()))
        }
    }
}

fn bad_source(code: &'static str, message: &str) -> ImportError {
    Refusal::invalid(code, "roster_of", message).into()
}
