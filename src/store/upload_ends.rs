//! How uploads go: cancelled, abandoned, or with the results of their imports.

use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError, Upload, UploadOpening, UploadStage, WriteTransaction,
    entity::import::Entity as Imports, leases::now_ms, uploads::millis,
};
use crate::{domain::Actor, proto::AuditAction};

impl Store {
    /// Removes an upload whose import is not running and has written nothing, as `actor` asked for.
    /// False: there is none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn cancel_upload(
        &self,
        upload: &Upload,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let (organization, import) = (upload.organization_id, upload.import_id);
        let tx = self.begin_for(organization).await?;
        let sql = "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 \
            AND run = $3 AND stage = $4 AND NOT EXISTS (SELECT 1 FROM imports i \
            WHERE i.organization_id = $1 AND i.id = $2 AND i.options_digest IS NOT NULL)";
        let values = vec![
            organization.into(),
            import.into(),
            upload.run.into(),
            upload.stage.into(),
        ];
        let was_removed = tx.execute(sql.to_owned(), values).await? > 0;
        if was_removed {
            let action = AuditAction::ImportCancelRequested;
            let entry = AuditEntry::done(now, actor, action, &import);
            tx.note(organization, entry);
        }
        tx.commit().await?;
        Ok(was_removed)
    }

    /// Uploads that nothing was heard of for `idle`, and whose import is not being run by a server
    /// that was heard of within `alive`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn abandoned_uploads(
        &self,
        idle: Duration,
        alive: Duration,
    ) -> Result<Vec<(i64, Uuid)>, StoreError> {
        let now = now_ms(self.backend());
        let sql = format!(
            "SELECT organization_id, import_id FROM uploads WHERE stage <> $1 \
            AND touched_ms + $2 <= {now} AND NOT (stage = $3 AND EXISTS (SELECT 1 FROM servers s \
            WHERE s.id = uploads.server_id AND s.heartbeat_ms + $4 > {now}))"
        );
        let values: [Value; 4] = [
            (UploadStage::Ended as i32).into(),
            millis(idle).into(),
            (UploadStage::Running as i32).into(),
            millis(alive).into(),
        ];
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let rows = self.db.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// Removes an upload as it was read. False: something was heard of it since.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_abandoned(&self, upload: &Upload) -> Result<bool, StoreError> {
        let tx = self.begin_for(upload.organization_id).await?;
        let sql = "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 \
            AND touched_ms = $3";
        let values = vec![
            upload.organization_id.into(),
            upload.import_id.into(),
            upload.touched_ms.into(),
        ];
        let was_removed = tx.execute(sql.to_owned(), values).await? > 0;
        tx.commit().await?;
        Ok(was_removed)
    }

    /// Removes what is left of uploads whose imports ended so long ago; where nothing was applied, after a
    /// day: whoever has sent it has had its answers.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn expire_uploads(&self, retention: Duration) -> Result<u64, StoreError> {
        let tx = self.begin().await?;
        let now = now_ms(self.backend());
        let sql = format!(
            "DELETE FROM uploads WHERE stage = $1 AND (touched_ms + $2 <= {now} \
            OR (touched_ms + $3 <= {now} AND EXISTS (SELECT 1 FROM imports i \
            WHERE i.organization_id = uploads.organization_id AND i.id = uploads.import_id \
            AND i.options_digest IS NULL)))"
        );
        let values = vec![
            (UploadStage::Ended as i32).into(),
            millis(retention).into(),
            millis(Duration::from_hours(24)).into(),
        ];
        let removed = tx.execute(sql, values).await?;
        tx.commit().await?;
        Ok(removed)
    }
}

impl WriteTransaction {
    /// Removes an upload, its chunks and its answers.
    pub(super) async fn remove_upload(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2";
        let values = vec![organization.into(), import.into()];
        self.execute(sql.to_owned(), values).await?;
        Ok(())
    }

    /// Why the upload may not go on with the bound import of its ID; `None`: it may. An import in
    /// parts takes its ID's place for everybody who watches, so that it stays its own principal's.
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
