//! The recorded batches of an import: its encoded results, and its changes to users (semantics §8).

use uuid::Uuid;

use crate::store::{CompressedMessage, Store, StoreError, sql};

/// What a batch of an import's record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum BatchKind {
    /// An encoded `RowResults`: the final results of rows.
    Results = 0,
    /// An encoded `Deactivations`: users that were deactivated.
    Deactivated = 1,
    /// An encoded `Deactivations`: users to deactivate once all rows are written.
    ToDeactivate = 2,
    /// An encoded `RowResults`: rows still to be written, with only their numbers and the warnings of the plan.
    ToWrite = 3,
    /// The changes that the import made to users. They are removed earlier or later than the results.
    Changes = 4,
}

/// One recorded batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedBatch {
    /// Position in the record, from 0.
    pub sequence: i32,
    /// What the batch holds.
    pub kind: BatchKind,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Store {
    /// Returns up to `limit` recorded batches of an import, from number `sequence` on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn recorded_batches(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<RecordedBatch>, StoreError> {
        self.retry(|| self.recorded_batches_once(organization, import, sequence, limit))
            .await
    }

    async fn recorded_batches_once(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<RecordedBatch>, StoreError> {
        let _reading = self.lanes.reading(organization).await;
        let sql = "SELECT sequence, kind, payload FROM import_results WHERE organization_id = $1 \
            AND import_id = $2 AND sequence >= $3 AND kind <> $5 ORDER BY sequence LIMIT $4";
        let values = [
            organization.into(),
            import.into(),
            sequence.into(),
            i64::from(limit).into(),
            (BatchKind::Changes as i32).into(),
        ];
        let rows = sql::query_all(&self.db, sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(RecordedBatch {
                    sequence: row.try_get_by_index(0)?,
                    kind: BatchKind::from_number(row.try_get_by_index(1)?),
                    payload: CompressedMessage::read(&row.try_get_by_index::<Vec<u8>>(2)?)?,
                })
            })
            .collect()
    }

    /// Returns the first batch of an import's changes to users whose position is `sequence` or later, with its
    /// position; `None` if there is none.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn recorded_changes(
        &self,
        organization: i64,
        import: Uuid,
        sequence: i32,
    ) -> Result<Option<(i32, Vec<u8>)>, StoreError> {
        self.retry(|| async {
            let _reading = self.lanes.reading(organization).await;
            let sql = "SELECT sequence, payload FROM import_results WHERE organization_id = $1 \
                AND import_id = $2 AND sequence >= $3 AND kind = $4 ORDER BY sequence LIMIT 1";
            let kind = (BatchKind::Changes as i32).into();
            let values = [organization.into(), import.into(), sequence.into(), kind];
            let Some(row) = sql::query_one(&self.db, sql, values).await? else {
                return Ok(None);
            };
            let payload = CompressedMessage::read_dense(&row.try_get_by_index::<Vec<u8>>(1)?)?;
            Ok(Some((row.try_get_by_index(0)?, payload)))
        })
        .await
    }
}

impl BatchKind {
    const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Deactivated,
            2 => Self::ToDeactivate,
            3 => Self::ToWrite,
            4 => Self::Changes,
            _ => Self::Results,
        }
    }
}
