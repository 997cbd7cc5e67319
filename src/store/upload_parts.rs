//! The parts of an upload. Adding one locks the upload's row, so that concurrent parts follow each other, on all
//! servers.

use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{
    CompressedMessage, Store, StoreError, Upload, UploadStage, WriteTransaction,
    entity::upload::Entity, sql,
};

/// Stored bytes of the parts that are read at a time, unless the first part has more.
const PAGE_BYTES: i64 = 1024 * 1024;

/// A part to add.
#[derive(Clone, Debug)]
pub struct UploadPart {
    /// The kind of its content, as the upload has it: 1 CSV, 2 typed rows, 3 a workbook.
    pub kind: i32,
    /// Bytes or rows of the upload before this part.
    pub offset: i64,
    /// Bytes or rows of this part.
    pub length: i64,
    /// Bytes that count against the limit: of the file, or of the rows' values together.
    pub weight: i64,
    /// Bytes of the file, or an encoded `UserRows`.
    pub content: Vec<u8>,
}

/// Whether a part was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendAnswer {
    /// The part was added. The upload has this many bytes or rows now.
    Added(i64),
    /// The part was not added, because it is refused or is there already. The upload has not changed.
    Unchanged(Box<Upload>),
    /// There is no such upload.
    Unknown,
}

/// A stored part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadChunk {
    /// Bytes or rows of the upload before it.
    pub position: i64,
    /// Bytes or rows of this part.
    pub length: i64,
    payload: CompressedMessage,
}

impl UploadChunk {
    /// Returns the content, decompressed. It can be two hundred times as long as the stored bytes, so decompress one
    /// part after the other.
    ///
    /// # Errors
    /// Fails only if the message was damaged in the database.
    pub fn content(&self) -> Result<Vec<u8>, StoreError> {
        self.payload.message()
    }
}

impl Upload {
    /// Returns `true` if the upload takes no more parts, has another kind of content, or does not end where the part
    /// begins.
    fn has_no_place_for(&self, part: &UploadPart) -> bool {
        self.stage() != UploadStage::Open
            || (self.kind != 0 && self.kind != part.kind)
            || self.received != part.offset
    }
}

impl Store {
    /// Adds a part at the end of an upload, unless the upload would then have more than this many typed rows and
    /// bytes.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn append_upload_part(
        &self,
        key: (i64, Uuid),
        principal: &str,
        part: &UploadPart,
        most: (i64, i64),
    ) -> Result<AppendAnswer, StoreError> {
        self.retry(|| self.append_upload_part_once(key, principal, part, most))
            .await
    }

    async fn append_upload_part_once(
        &self,
        (organization, import): (i64, Uuid),
        principal: &str,
        part: &UploadPart,
        (rows, bytes): (i64, i64),
    ) -> Result<AppendAnswer, StoreError> {
        let tx = self.begin_for(organization).await?;
        if !tx.mark_upload_active((organization, import)).await? {
            return Ok(AppendAnswer::Unknown);
        }
        let found = Entity::find_by_id((organization, import));
        let Some(upload) = found.one(&tx.inner).await? else {
            return Ok(AppendAnswer::Unknown);
        };
        let received = upload.received.saturating_add(part.length);
        let foreign = upload.principal != principal;
        let is_too_much =
            upload.bytes.saturating_add(part.weight) > bytes || (part.kind == 2 && received > rows);
        if foreign || upload.has_no_place_for(part) || is_too_much {
            if !foreign {
                // It has had a call.
                tx.commit().await?;
            }
            return Ok(AppendAnswer::Unchanged(Box::new(upload)));
        }
        tx.add_chunk((organization, import), part).await?;
        tx.commit().await?;
        Ok(AppendAnswer::Added(received))
    }

    /// Returns up to `limit` stored parts, from the one that contains `position` on: the next ones, and no more than
    /// about a MiB as they are stored.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn upload_chunks(
        &self,
        key: (i64, Uuid),
        position: i64,
        limit: i64,
    ) -> Result<Vec<UploadChunk>, StoreError> {
        self.retry(|| self.upload_chunks_once(key, position, limit))
            .await
    }

    async fn upload_chunks_once(
        &self,
        (organization, import): (i64, Uuid),
        position: i64,
        limit: i64,
    ) -> Result<Vec<UploadChunk>, StoreError> {
        let sql = "WITH sizes AS (SELECT position, LENGTH(payload) AS bytes FROM upload_chunks \
            WHERE organization_id = $1 AND import_id = $2 AND position >= (SELECT \
            COALESCE(MAX(position), 0) FROM upload_chunks WHERE organization_id = $1 \
            AND import_id = $2 AND position <= $3) ORDER BY position LIMIT $4), \
            totals AS (SELECT position, SUM(bytes) OVER (ORDER BY position) - bytes AS before \
            FROM sizes) \
            SELECT position, length, payload FROM upload_chunks \
            WHERE organization_id = $1 AND import_id = $2 AND position BETWEEN \
            (SELECT MIN(position) FROM totals) AND (SELECT MAX(position) FROM totals \
            WHERE before < $5) ORDER BY position";
        let values = [
            organization.into(),
            import.into(),
            position.into(),
            limit.into(),
            PAGE_BYTES.into(),
        ];
        let rows = sql::query_all(&self.db, sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(UploadChunk {
                    position: row.try_get_by_index(0)?,
                    length: row.try_get_by_index(1)?,
                    payload: CompressedMessage::from_stored(row.try_get_by_index(2)?),
                })
            })
            .collect()
    }
}

impl WriteTransaction {
    async fn add_chunk(&self, key: (i64, Uuid), part: &UploadPart) -> Result<(), StoreError> {
        if part.length > 0 {
            let sql = "INSERT INTO upload_chunks \
                (organization_id, import_id, position, length, payload) \
                VALUES ($1, $2, $3, $4, $5)";
            let values = [
                key.0.into(),
                key.1.into(),
                part.offset.into(),
                part.length.into(),
                CompressedMessage::new(&part.content)
                    .stored()
                    .to_vec()
                    .into(),
            ];
            self.execute(sql, values).await?;
        }
        let sql = "UPDATE uploads SET kind = $3, received = received + $4, bytes = bytes + $5 \
            WHERE organization_id = $1 AND import_id = $2";
        let values = [
            key.0.into(),
            key.1.into(),
            part.kind.into(),
            part.length.into(),
            part.weight.into(),
        ];
        self.execute(sql, values).await?;
        Ok(())
    }
}
