//! The ends of uploads: cancelled, abandoned, or expired with the results of their imports.

use std::time::Duration;

use sea_orm::EntityTrait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError, Upload, UploadOpening, UploadStage, WriteTransaction,
    entity::import::Entity as Imports,
    sql::{self, millis},
};
use crate::{audit::AuditAction, domain::AuditActor};

impl Store {
    /// Removes an upload whose import is not running and has written nothing, since `actor` cancels it. Returns
    /// `false` if there is none.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn cancel_upload(
        &self,
        upload: &Upload,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let (organization, import) = (upload.organization_id, upload.import_id);
        let tx = self.begin_for(organization).await?;
        let sql = "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 \
            AND run = $3 AND stage = $4 AND NOT EXISTS (SELECT 1 FROM imports i \
            WHERE i.organization_id = $1 AND i.id = $2 AND i.options_digest IS NOT NULL)";
        let values = [
            organization.into(),
            import.into(),
            upload.run.into(),
            upload.stage.into(),
        ];
        let was_removed = tx.execute(sql, values).await? > 0;
        if was_removed {
            let action = AuditAction::ImportCancelRequested;
            let entry = AuditEntry::done(now, actor, action, &import);
            tx.note(organization, entry);
        }
        tx.commit().await?;
        Ok(was_removed)
    }

    /// Returns the uploads that have had no call for `idle`, and whose import is not run by a server with a heartbeat
    /// within `alive`.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn abandoned_uploads(
        &self,
        idle: Duration,
        alive: Duration,
    ) -> Result<Vec<(i64, Uuid)>, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "SELECT organization_id, import_id, stage, server_id FROM uploads WHERE stage <> $1 \
            AND touched_ms + $2 <= {now}"
        );
        let values = [(UploadStage::Ended as i32).into(), millis(idle).into()];
        let silent = sql::query_all(&self.db, sql, values).await?;
        if silent.is_empty() {
            return Ok(Vec::new());
        }
        let running = self.servers_with_heartbeat(alive).await?;
        let mut abandoned = Vec::new();
        for row in silent {
            let (stage, server): (i32, Uuid) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            if stage != UploadStage::Running as i32 || !running.contains(&server) {
                abandoned.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
            }
        }
        Ok(abandoned)
    }

    /// Returns the longest silent one of a principal's open uploads of dry runs that have had no call for `silent`.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn silent_dry_run(
        &self,
        organization: i64,
        principal: &str,
        silent: Duration,
    ) -> Result<Option<Upload>, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "SELECT import_id FROM uploads u WHERE organization_id = $1 AND principal = $2 \
            AND stage = $3 AND touched_ms + $4 <= {now} AND EXISTS (SELECT 1 FROM imports i \
            WHERE i.organization_id = $1 AND i.id = u.import_id AND i.validate_only) \
            ORDER BY touched_ms LIMIT 1"
        );
        let values = [
            organization.into(),
            principal.into(),
            (UploadStage::Open as i32).into(),
            millis(silent).into(),
        ];
        match sql::query_all(&self.db, sql, values).await?.first() {
            Some(row) => self.upload(organization, row.try_get_by_index(0)?).await,
            None => Ok(None),
        }
    }

    /// Removes an upload that has had no call for `idle`. Returns `false` if it has had one meanwhile.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn remove_abandoned(
        &self,
        (organization, import): (i64, Uuid),
        idle: Duration,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(organization).await?;
        let now = self.dialect().now_ms();
        let sql = format!(
            "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 \
            AND touched_ms + $3 <= {now}"
        );
        let values = [organization.into(), import.into(), millis(idle).into()];
        let was_removed = tx.execute(sql, values).await? > 0;
        tx.commit().await?;
        Ok(was_removed)
    }

    /// Removes the remains of uploads whose imports ended before the time of `retention`, or a day ago if they applied
    /// nothing. Returns the number of these uploads.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_uploads(&self, retention: Duration) -> Result<u64, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "SELECT organization_id, import_id FROM uploads WHERE stage = $1 \
            AND (touched_ms + $2 <= {now} OR (touched_ms + $3 <= {now} AND EXISTS (SELECT 1 \
            FROM imports i WHERE i.organization_id = uploads.organization_id \
            AND i.id = uploads.import_id AND i.options_digest IS NULL)))"
        );
        let ended = UploadStage::Ended as i32;
        let values = [
            ended.into(),
            millis(retention).into(),
            millis(Duration::from_hours(24)).into(),
        ];
        let mut removed = 0;
        for row in sql::query_all(&self.db, sql, values).await? {
            let organization: i64 = row.try_get_by_index(0)?;
            let import: Uuid = row.try_get_by_index(1)?;
            let tx = self.begin_for(organization).await?;
            // It may have begun again.
            let sql =
                "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 AND stage = $3";
            let values = [organization.into(), import.into(), ended.into()];
            removed += tx.execute(sql, values).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }
}

impl WriteTransaction {
    /// Removes an upload, its chunks and its replies.
    pub(super) async fn remove_upload(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2";
        let values = [organization.into(), import.into()];
        self.execute(sql, values).await?;
        Ok(())
    }

    /// Returns why the upload may not resume the bound import of its ID, or `None` if it may. Only the principal of the
    /// bound import may, since calls that watch the ID then see the upload.
    pub(super) async fn why_not_bound_to(
        &self,
        upload: &Upload,
    ) -> Result<Option<UploadOpening>, StoreError> {
        let found = Imports::find_by_id((upload.organization_id, upload.import_id));
        Ok(match found.one(&self.inner).await? {
            Some(record) if record.principal != upload.principal => Some(UploadOpening::InUse),
            Some(record) if record.options_digest.as_ref() == Some(&upload.options_digest) => None,
            _ => Some(UploadOpening::OtherOptions),
        })
    }
}
