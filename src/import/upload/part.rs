//! `AppendImport`: accepts a part that begins at the upload's end or is there already. Any other part is refused,
//! and the upload does not change.

use prost::Message;
use uuid::Uuid;

use crate::{
    access::{AccessDenial, Principal},
    domain::Column,
    import::{
        ImportError, Importer, Refusal,
        receive::{CSV, ROWS, WORKBOOK, both_kinds},
    },
    input::InputLimits,
    proto::{UserRow, UserRows, append_import_request::Content},
    store::{AppendAnswer, Upload, UploadPart, UploadStage},
};

/// Stored parts read at a time for a comparison, if they are small.
const COMPARED: i64 = 64;

impl Importer {
    /// Adds a part to an upload. Returns how much is there now: bytes of the file, or rows.
    ///
    /// # Errors
    /// Fails if the part is refused or the database fails.
    pub async fn append_upload(
        &self,
        principal: &Principal,
        slug: &str,
        import: Uuid,
        (offset, content): (u64, Content),
    ) -> Result<u64, ImportError> {
        principal.expect_organization(slug)?;
        let organization = self.organization_id(slug).await?;
        let key = (organization, import);
        // An offset that is too large for the database matches no upload's end.
        let part = new_part(i64::try_from(offset).unwrap_or(i64::MAX), content);
        let limits = self.settings.limits;
        let bytes = i64::try_from(most_bytes(part.kind, limits)).unwrap_or(i64::MAX);
        let most = (i64::from(limits.max_rows), bytes);
        let append = self
            .store
            .append_upload_part(key, &principal.name, &part, most);
        match append.await? {
            AppendAnswer::Added(received) => Ok(received.unsigned_abs()),
            AppendAnswer::Unknown => Err(self.no_upload(organization, import).await),
            AppendAnswer::Unchanged(upload) => {
                self.expect_stored(principal, &upload, &part).await?;
                Ok(upload.received.unsigned_abs())
            }
        }
    }

    /// Accepts a part that is there already, and fails with the reason for any other.
    async fn expect_stored(
        &self,
        principal: &Principal,
        upload: &Upload,
        part: &UploadPart,
    ) -> Result<(), ImportError> {
        if upload.principal != principal.name {
            return Err(AccessDenial::OtherCredential.into());
        }
        if upload.kind != 0 && upload.kind != part.kind {
            return Err(both_kinds().into());
        }
        let is_within = part.offset.saturating_add(part.length) <= upload.received;
        if is_within && upload.stage() != UploadStage::Ended {
            return match self.is_stored(upload, part).await? {
                true => Ok(()),
                false => Err(content_differs(part).into()),
            };
        }
        if upload.stage() != UploadStage::Open {
            return Err(finished(upload.import_id).into());
        }
        if upload.received != part.offset {
            return Err(ImportError::OffsetDiffers(upload.received.unsigned_abs()));
        }
        Err(self.limit_exceeded(part).into())
    }

    /// Returns `true` if the upload has the same content at the part's place.
    async fn is_stored(&self, upload: &Upload, part: &UploadPart) -> Result<bool, ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let end = part.offset + part.length;
        let mut position = part.offset;
        while position < end {
            let chunks = self.store.upload_chunks(key, position, COMPARED);
            let chunks = chunks.await?;
            let before = position;
            for chunk in chunks.iter().filter(|chunk| chunk.position < end) {
                let until = end.min(chunk.position + chunk.length);
                let content = chunk.content()?;
                let stored = slice_content(part.kind, &content, (position, until), chunk.position)?;
                let sent = slice_content(part.kind, &part.content, (position, until), part.offset)?;
                if stored != sent {
                    return Ok(false);
                }
                position = until;
            }
            if position == before {
                return Err(ImportError::Internal(
                    "a part of an upload is missing in the database".to_owned(),
                ));
            }
        }
        Ok(true)
    }

    fn limit_exceeded(&self, part: &UploadPart) -> Refusal {
        let limits = self.settings.limits;
        let (code, most) = match part.kind {
            CSV => ("TOO_MANY_BYTES", format!("{} bytes", limits.max_bytes)),
            WORKBOOK => {
                let bytes = most_bytes(WORKBOOK, limits);
                let message = format!(
                    "More than {bytes} bytes, the limit for a workbook; remove what is not the roster, save the sheet as \
                     CSV UTF-8, or have the limit raised."
                );
                return Refusal::limit("TOO_MANY_BYTES", "upload", message);
            }
            _ => (
                "TOO_MANY_ROWS",
                format!("{} rows or {} bytes", limits.max_rows, limits.max_bytes),
            ),
        };
        let message = format!(
            "More than {most}, the limit for one import; send fewer rows, or have the limit raised."
        );
        Refusal::limit(code, "upload", message)
    }
}

/// Most bytes of an upload of this kind.
fn most_bytes(kind: i32, limits: InputLimits) -> u64 {
    match kind {
        WORKBOOK => limits.workbook.max_bytes.min(limits.max_bytes),
        _ => limits.max_bytes,
    }
}

fn new_part(offset: i64, content: Content) -> UploadPart {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    match content {
        Content::CsvChunk(chunk) => UploadPart {
            kind: CSV,
            offset,
            length: number(chunk.len()),
            weight: number(chunk.len()),
            content: chunk.into(),
        },
        Content::WorkbookChunk(chunk) => UploadPart {
            kind: WORKBOOK,
            offset,
            length: number(chunk.len()),
            weight: number(chunk.len()),
            content: chunk.into(),
        },
        Content::Rows(rows) => UploadPart {
            kind: ROWS,
            offset,
            length: number(rows.rows.len()),
            weight: number(rows.rows.iter().map(row_bytes).sum()),
            content: rows.encode_to_vec(),
        },
    }
}

/// Bytes of a row's values together.
fn row_bytes(row: &UserRow) -> usize {
    let values = Column::ALL
        .into_iter()
        .filter_map(|column| row.value(column));
    values.map(str::len).sum()
}

/// The content between two positions. `content` begins at `begin`.
pub(super) fn slice_content(
    kind: i32,
    content: &[u8],
    (from, until): (i64, i64),
    begin: i64,
) -> Result<Vec<u8>, ImportError> {
    let place = |position: i64| usize::try_from(position - begin).unwrap_or_default();
    let range = place(from)..place(until);
    let lost =
        || ImportError::Internal("a part of an upload is damaged in the database".to_owned());
    if kind != ROWS {
        return Ok(content.get(range).ok_or_else(lost)?.to_vec());
    }
    let rows = UserRows::decode(content).map_err(|_| lost())?.rows;
    let rows = rows.get(range).ok_or_else(lost)?.to_vec();
    Ok(UserRows { rows }.encode_to_vec())
}

fn content_differs(part: &UploadPart) -> Refusal {
    let message = format!(
        "Other content was received at offset {}: this is not the roster that the upload was begun \
         with. Cancel the import, or begin another.",
        part.offset
    );
    Refusal::precondition("CONTENT_DIFFERS", "offset", message)
}

pub(crate) fn finished(import: Uuid) -> Refusal {
    let message = format!(
        "The upload of import {import} was finished before, with other content; begin another \
         import."
    );
    Refusal::precondition("UPLOAD_FINISHED", &import.to_string(), message)
}
