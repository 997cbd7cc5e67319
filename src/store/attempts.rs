//! Attempts at imports that never began applying: how long one is kept, and how many of an organisation.
//!
//! What has been applied is history, and stays. What was refused, tried dry or broken off can be repeated by
//! anybody who may import, as often as they like.

use std::time::Duration;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, Value,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError, UploadStage, WriteTransaction,
    entity::{import, upload},
};
use crate::proto::ImportState;

/// Attempts that are removed in one transaction.
const STEP: usize = 500;

/// No upload takes longer; an attempt without an end that is older has lost its server.
const LONGEST: Duration = Duration::from_hours(24);

/// Which attempts of an organisation are kept.
#[derive(Clone, Copy, Debug)]
pub struct AttemptRetention {
    /// At most so many; refused ones go first, and the oldest first of these.
    pub most: u32,
    /// None that began before.
    pub since: OffsetDateTime,
}

impl Store {
    /// The organisations that have attempts which never began applying.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn organizations_with_attempts(&self) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT DISTINCT organization_id FROM imports WHERE options_digest IS NULL";
        let statement = Statement::from_string(self.backend(), sql);
        let rows = self.db.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| Ok(row.try_get_by_index(0)?))
            .collect()
    }

    /// Removes what is no longer kept of attempts that never began applying, with the answers to those in
    /// parts. Returns how many there were.
    ///
    /// # Errors
    /// Where the database fails.
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
        let values = vec![since.into(), (since - LONGEST).into()];
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
        self.attempts(organization, &further, Vec::new()).await
    }

    /// IDs of attempts that never began applying; not of those whose roster still comes in parts, nor of those
    /// that somebody begins again at this moment.
    async fn attempts(
        &self,
        organization: i64,
        further: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let backend = self.inner.get_database_backend();
        let lock = match backend {
            DbBackend::Postgres => "FOR UPDATE OF i SKIP LOCKED",
            _ => "",
        };
        let ended = UploadStage::Ended as i32;
        let sql = format!(
            "SELECT i.id FROM imports i WHERE i.organization_id = $1 AND i.options_digest IS NULL \
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.organization_id = i.organization_id \
            AND u.import_id = i.id AND u.stage <> {ended}) {further} {lock}"
        );
        let values = [organization.into()].into_iter().chain(values);
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let rows = self.inner.query_all_raw(statement).await?;
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
