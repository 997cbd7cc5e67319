//! Attempts that end, or are asked to: their withdrawal, their end, their interruption and their cancellation.

use sea_orm::{EntityTrait, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AttemptOpening, ImportRecord};
use crate::{
    audit::AuditAction,
    domain::{AuditActor, ImportState},
    store::{
        AttemptEnd, AuditEntry, Lease, Store, StoreError, UploadStage, WriteTransaction,
        entity::import::Entity, import_audit,
    },
};

impl Store {
    /// Removes the record of an attempt that was turned away before it began applying. An upload in parts may be run
    /// again: its record shows that it waits for that.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn withdraw_import(&self, record: &ImportRecord) -> Result<(), StoreError> {
        self.retry(|| self.withdraw_import_once(record)).await
    }

    async fn withdraw_import_once(&self, record: &ImportRecord) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        let key: [Value; 2] = [record.organization_id.into(), record.id.into()];
        // No server runs it any more.
        let sql = "UPDATE imports SET server_id = $4 WHERE organization_id = $1 AND id = $2 \
            AND attempt = $3 AND options_digest IS NULL AND finished_at IS NULL";
        let attempt = [record.attempt.into(), Uuid::nil().into()];
        if tx
            .execute(sql, key.clone().into_iter().chain(attempt))
            .await?
            == 0
        {
            return Ok(());
        }
        let sql =
            "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 AND stage = $3";
        let ended = [(UploadStage::Ended as i32).into()];
        tx.execute(sql, key.clone().into_iter().chain(ended))
            .await?;
        let sql = "DELETE FROM imports WHERE organization_id = $1 AND id = $2 AND NOT EXISTS \
            (SELECT 1 FROM uploads u WHERE u.organization_id = $1 AND u.import_id = $2)";
        tx.execute(sql, key).await?;
        tx.commit().await
    }

    /// Records the end of an attempt that never began applying; `is_open` says whether it is recorded already. If a
    /// later attempt has replaced the record, or the ID is bound by now, only the audit trail gets a refusal, and the
    /// record does not change.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn close_import(
        &self,
        (record, is_open): (&ImportRecord, bool),
        actor: &AuditActor,
        end: AttemptEnd<'_>,
    ) -> Result<(), StoreError> {
        self.retry(|| self.close_import_once((record, is_open), actor, end))
            .await
    }

    async fn close_import_once(
        &self,
        (record, is_open): (&ImportRecord, bool),
        actor: &AuditActor,
        end: AttemptEnd<'_>,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        // If the answer of an earlier commit was lost, the audit trail has its event already.
        let is_closed = !is_open && tx.is_closed(record).await?;
        let closed = match is_open {
            true => tx.store_end(record).await?,
            false if is_closed => false,
            false => tx.open_import(record).await? == AttemptOpening::Recorded,
        };
        let is_news =
            closed || (!end.refusals.is_empty() && !is_closed && !tx.is_closed(record).await?);
        let entry = import_audit::attempt_ended(record, actor, end);
        if let Some(entry) = entry.filter(|_| is_news) {
            tx.note(record.organization_id, entry);
        }
        tx.commit().await
    }

    /// Marks an applying import as interrupted, unless its lease has been taken over.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn interrupt_import(
        &self,
        lease: Lease,
        id: Uuid,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(lease.organization).await?;
        let sql = "UPDATE imports SET state = $4 \
            WHERE organization_id = $1 AND id = $2 AND state = $5 AND EXISTS (SELECT 1 \
            FROM import_leases WHERE organization_id = $1 AND number = $3)";
        let values = [
            lease.organization.into(),
            id.into(),
            lease.number.into(),
            i32::from(ImportState::Interrupted).into(),
            i32::from(ImportState::Applying).into(),
        ];
        if tx.execute(sql, values).await? > 0 {
            let found = Entity::find_by_id((lease.organization, id));
            if let Some(record) = found.one(&tx.inner).await? {
                let state = ImportState::Interrupted;
                let entry = import_audit::ended(&record, state, actor, now);
                tx.note(lease.organization, entry);
            }
        }
        tx.commit().await
    }

    /// Asks an applying import to stop. Returns `false` if it is not applying.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn request_cancel(
        &self,
        organization: i64,
        id: Uuid,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(organization).await?;
        let sql = "UPDATE imports SET cancel_requested = TRUE \
            WHERE organization_id = $1 AND id = $2 AND state = $3";
        let applying = i32::from(ImportState::Applying);
        let values = [organization.into(), id.into(), applying.into()];
        let asked = tx.execute(sql, values).await? > 0;
        if asked {
            let action = AuditAction::ImportCancelRequested;
            tx.note(organization, AuditEntry::done(now, actor, action, &id));
        }
        tx.commit().await?;
        Ok(asked)
    }
}

impl WriteTransaction {
    /// Sets the end of an attempt that is recorded, has not begun applying and has no end yet. Returns `false` if the
    /// record is no longer that.
    pub(in crate::store) async fn store_end(
        &self,
        record: &ImportRecord,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE imports SET state = $4, input_sha256 = $5, plan_digest = $6, rows = $7, \
            created = $8, updated = $9, unchanged = $10, rejected = $11, deactivated = $12, \
            protected_skipped = $13, notes = $14, finished_at = $15 \
            WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND options_digest IS NULL \
            AND finished_at IS NULL";
        let values = [
            record.organization_id.into(),
            record.id.into(),
            record.attempt.into(),
            record.state.into(),
            record.input_sha256.clone().into(),
            record.plan_digest.clone().into(),
            record.rows.into(),
            record.created.into(),
            record.updated.into(),
            record.unchanged.into(),
            record.rejected.into(),
            record.deactivated.into(),
            record.protected_skipped.into(),
            record.notes.clone().into(),
            record.finished_at.into(),
        ];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Returns `true` if the end of exactly this attempt is recorded already.
    pub(in crate::store) async fn is_closed(
        &self,
        record: &ImportRecord,
    ) -> Result<bool, StoreError> {
        let found = Entity::find_by_id((record.organization_id, record.id));
        let stored = found.one(&self.inner).await?;
        Ok(stored
            .is_some_and(|stored| stored.attempt == record.attempt && stored.finished_at.is_some()))
    }
}
