//! Attempts at imports that never began applying: how long they are kept, and how many for each organisation.
//!
//! Imports that were applied are history and stay. Attempts that were refused, only validated or broken off are
//! limited, since anybody who may import can make any number of them.

use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError, UploadStage, WriteTransaction,
    entity::{import, upload},
    sql,
};
use crate::domain::ImportState;

/// Attempts that are removed in one transaction.
const STEP: usize = 500;

/// No upload takes longer. The server of an older attempt without an end has died.
const LONGEST: Duration = Duration::from_hours(24);

/// Which attempts of an organisation are kept.
#[derive(Clone, Copy, Debug)]
pub struct AttemptRetention {
    /// The most attempts to keep. Refused attempts are removed first, the oldest of them first.
    pub most: u32,
    /// Attempts that began before this time are not kept.
    pub since: OffsetDateTime,
}

impl Store {
    /// Returns the organisations with attempts that never began applying.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn organizations_with_attempts(&self) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT DISTINCT organization_id FROM imports WHERE options_digest IS NULL";
        let rows = sql::query_all(&self.db, sql, []).await?;
        rows.iter()
            .map(|row| Ok(row.try_get_by_index(0)?))
            .collect()
    }

    /// Removes the attempts that never began applying and are no longer kept, with the replies to their uploads.
    /// Returns how many there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_attempts(
        &self,
        organization: i64,
        retention: AttemptRetention,
    ) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            let tx = self.begin_for(organization).await?;
            let old = tx.old_attempts(organization, retention.since);
            let mut expired = old.await?;
            if expired.is_empty() {
                let surplus = tx.surplus_attempts(organization, retention.most);
                expired = surplus.await?;
            }
            if expired.is_empty() {
                return Ok(removed);
            }
            removed += expired.len();
            tx.remove_attempts(organization, expired).await?;
            tx.commit().await?;
        }
    }
}

impl WriteTransaction {
    async fn old_attempts(
        &self,
        organization: i64,
        since: OffsetDateTime,
    ) -> Result<Vec<Uuid>, StoreError> {
        let further = format!(
            "AND i.started_at < $2 AND (i.finished_at IS NOT NULL OR i.started_at < $3) LIMIT {STEP}"
        );
        let values = [since.into(), (since - LONGEST).into()];
        self.attempts(organization, &further, values).await
    }

    async fn surplus_attempts(
        &self,
        organization: i64,
        most: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let refused = i32::from(ImportState::Refused);
        let further = format!(
            "AND i.finished_at IS NOT NULL ORDER BY CASE WHEN i.state = {refused} THEN 1 ELSE 0 END, \
            i.started_at DESC, i.id DESC LIMIT {STEP} OFFSET {most}"
        );
        self.attempts(organization, &further, []).await
    }

    /// Returns the IDs of attempts that never began applying, without those whose upload has not ended, and those that
    /// a running transaction begins again.
    async fn attempts(
        &self,
        organization: i64,
        further: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let lock = self.dialect().skip_locked();
        let ended = UploadStage::Ended as i32;
        let sql = format!(
            "SELECT i.id FROM imports i WHERE i.organization_id = $1 AND i.options_digest IS NULL \
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.organization_id = i.organization_id \
            AND u.import_id = i.id AND u.stage <> {ended}) {further} {lock}"
        );
        let values = [organization.into()].into_iter().chain(values);
        let rows = self.query_all(sql, values).await?;
        rows.iter()
            .map(|row| Ok(row.try_get_by_index(0)?))
            .collect()
    }

    async fn remove_attempts(
        &self,
        organization: i64,
        attempts: Vec<Uuid>,
    ) -> Result<(), StoreError> {
        upload::Entity::delete_many()
            .filter(upload::Column::OrganizationId.eq(organization))
            .filter(upload::Column::ImportId.is_in(attempts.clone()))
            .exec(&self.inner)
            .await?;
        import::Entity::delete_many()
            .filter(import::Column::OrganizationId.eq(organization))
            .filter(import::Column::Id.is_in(attempts))
            .exec(&self.inner)
            .await?;
        Ok(())
    }
}
