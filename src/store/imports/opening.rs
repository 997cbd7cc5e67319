//! Attempts that begin: whether an attempt may be recorded under an import ID, and its record.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect, TryInsertResult};

use super::ImportRecord;
use crate::store::{Store, StoreError, WriteTransaction, entity::import::Entity};

/// Whether an attempt could be recorded under an import ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOpening {
    /// It is recorded, in place of an earlier attempt of the same principal.
    Recorded,
    /// Applying has begun under the ID; its record does not change.
    Bound,
    /// The ID is another principal's; its record does not change.
    InUse,
}

impl Store {
    /// Records an attempt that begins. It replaces an earlier attempt of the same principal under the same ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn open_import(&self, record: &ImportRecord) -> Result<AttemptOpening, StoreError> {
        self.retry(|| async {
            let tx = self.begin_for(record.organization_id).await?;
            let opened = tx.open_import(record).await?;
            tx.commit().await?;
            Ok(opened)
        })
        .await
    }

    /// Decides about an attempt without recording it. Returns `None` if there is no record under its ID.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expected_opening(
        &self,
        record: &ImportRecord,
    ) -> Result<Option<AttemptOpening>, StoreError> {
        let found = self.import(record.organization_id, record.id).await?;
        Ok(found.map(|present| present.admits(record)))
    }

    /// Records how many rows an attempt that has not begun applying has received so far. Does nothing to the record of
    /// another attempt.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn note_received(&self, record: &ImportRecord, rows: u32) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        let sql = "UPDATE imports SET rows = $4 WHERE organization_id = $1 AND id = $2 \
            AND attempt = $3 AND options_digest IS NULL AND finished_at IS NULL";
        let values = [
            record.organization_id.into(),
            record.id.into(),
            record.attempt.into(),
            i32::try_from(rows).unwrap_or(i32::MAX).into(),
        ];
        tx.execute(sql, values).await?;
        tx.commit().await
    }
}

impl WriteTransaction {
    /// Records an attempt that begins, as [`Store::open_import`] does.
    pub(in crate::store) async fn open_import(
        &self,
        record: &ImportRecord,
    ) -> Result<AttemptOpening, StoreError> {
        let found = Entity::find_by_id((record.organization_id, record.id));
        match found.one(&self.inner).await? {
            // A bound import is answered at once, without waiting for its transactions.
            Some(present) if present.admits(record) != AttemptOpening::Recorded => {
                Ok(present.admits(record))
            }
            _ => self.record_attempt(record).await,
        }
    }

    /// The same for an attempt whose ID is probably new. It waits for a transaction that writes under that ID.
    pub(in crate::store) async fn record_attempt(
        &self,
        record: &ImportRecord,
    ) -> Result<AttemptOpening, StoreError> {
        // Of two concurrent attempts the second waits here for the first, and finds its record.
        let inserted = Entity::insert(record.clone().into_active_model())
            .on_conflict_do_nothing()
            .exec_without_returning(&self.inner)
            .await?;
        if matches!(inserted, TryInsertResult::Inserted(1..)) {
            return Ok(AttemptOpening::Recorded);
        }
        let found = Entity::find_by_id((record.organization_id, record.id));
        // A running transaction may be binding it.
        let held = found.lock_exclusive().one(&self.inner);
        let opening = held.await?.map(|present| present.admits(record));
        let opening = opening.unwrap_or(AttemptOpening::InUse);
        if opening == AttemptOpening::Recorded {
            let replaced = record.clone().into_active_model().reset_all();
            replaced.update(&self.inner).await?;
        }
        Ok(opening)
    }
}

impl ImportRecord {
    /// Decides about another attempt under the same ID. Any principal who sends the same input and options as a bound
    /// import may resume it; that is checked later.
    fn admits(&self, attempt: &Self) -> AttemptOpening {
        match self.options_digest {
            Some(_) => AttemptOpening::Bound,
            None if self.principal == attempt.principal => AttemptOpening::Recorded,
            None => AttemptOpening::InUse,
        }
    }
}
