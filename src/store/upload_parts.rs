//! The parts of an upload. Whoever adds one holds the upload's row, so that of two parts at once one
//! comes after the other, whichever servers take them.

use sea_orm::{ConnectionTrait, EntityTrait, Statement, Value};
use uuid::Uuid;

use super::{
    Payload, Store, StoreError, Upload, UploadStage, WriteTransaction, entity::upload::Entity,
};

/// A part that is to be added.
#[derive(Clone, Debug)]
pub struct UploadPart {
    /// As the upload has it: 1 CSV, 2 typed rows.
    pub kind: i32,
    /// What comes before it: bytes, or rows.
    pub offset: i64,
    /// Bytes, or rows.
    pub length: i64,
    /// Bytes that count against the limit: of CSV, or of the rows' values together.
    pub weight: i64,
    /// CSV, or an encoded `UserRows`.
    pub content: Vec<u8>,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// There is so much now.
    Added(i64),
    /// It was refused or is there already, and the upload is as it was.
    Unchanged(Box<Upload>),
    /// There is no such upload.
    Unknown,
}

/// A stored part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadChunk {
    /// What comes before it.
    pub position: i64,
    /// Bytes, or rows.
    pub length: i64,
    /// As it came.
    pub content: Vec<u8>,
}

impl Upload {
    /// True where nothing may be added any more, or another kind of input is there, or the part does
    /// not begin at the end.
    fn has_no_place_for(&self, part: &UploadPart) -> bool {
        self.stage() != UploadStage::Open
            || (self.kind != 0 && self.kind != part.kind)
            || self.received != part.offset
    }
}

impl Store {
    /// Adds a part where the upload ends, as long as the whole then has at most `rows` typed rows and
    /// `bytes` bytes.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn append_upload_part(
        &self,
        key: (i64, Uuid),
        principal: &str,
        part: &UploadPart,
        most: (i64, i64),
    ) -> Result<AppendOutcome, StoreError> {
        self.retry(|| self.append_upload_part_once(key, principal, part, most))
            .await
    }

    async fn append_upload_part_once(
        &self,
        (organization, import): (i64, Uuid),
        principal: &str,
        part: &UploadPart,
        (rows, bytes): (i64, i64),
    ) -> Result<AppendOutcome, StoreError> {
        let tx = self.begin_for(organization).await?;
        if !tx.mark_upload_active((organization, import)).await? {
            return Ok(AppendOutcome::Unknown);
        }
        let found = Entity::find_by_id((organization, import));
        let Some(upload) = found.one(&tx.inner).await? else {
            return Ok(AppendOutcome::Unknown);
        };
        let received = upload.received.saturating_add(part.length);
        let foreign = upload.principal != principal;
        let is_too_much =
            upload.bytes.saturating_add(part.weight) > bytes || (part.kind == 2 && received > rows);
        if foreign || upload.has_no_place_for(part) || is_too_much {
            return Ok(AppendOutcome::Unchanged(Box::new(upload)));
        }
        tx.add_chunk((organization, import), part).await?;
        tx.commit().await?;
        Ok(AppendOutcome::Added(received))
    }

    /// Up to `limit` stored parts, from the one that has `position` in it on.
    ///
    /// # Errors
    /// Where the database fails.
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
        let sql = "SELECT position, length, payload FROM upload_chunks \
            WHERE organization_id = $1 AND import_id = $2 AND position >= (SELECT \
            COALESCE(MAX(position), 0) FROM upload_chunks WHERE organization_id = $1 \
            AND import_id = $2 AND position <= $3) ORDER BY position LIMIT $4";
        let values: [Value; 4] = [
            organization.into(),
            import.into(),
            position.into(),
            limit.into(),
        ];
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let rows = self.db.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                Ok(UploadChunk {
                    position: row.try_get_by_index(0)?,
                    length: row.try_get_by_index(1)?,
                    content: Payload::read(&row.try_get_by_index::<Vec<u8>>(2)?)?,
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
            let values = vec![
                key.0.into(),
                key.1.into(),
                part.offset.into(),
                part.length.into(),
                Payload::new(&part.content).stored().to_vec().into(),
            ];
            self.execute(sql.to_owned(), values).await?;
        }
        let sql = "UPDATE uploads SET kind = $3, received = received + $4, bytes = bytes + $5 \
            WHERE organization_id = $1 AND import_id = $2";
        let values = vec![
            key.0.into(),
            key.1.into(),
            part.kind.into(),
            part.length.into(),
            part.weight.into(),
        ];
        self.execute(sql.to_owned(), values).await?;
        Ok(())
    }
}
