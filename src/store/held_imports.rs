//! Imports that are held for review (semantics §12): their options and input, and how they end without having been
//! approved.
//!
//! The input is stored first, some parts at a time, so that each transaction is short. The last transaction turns the
//! record into the record of a held import. If a server dies before that, its parts have no held import, and are
//! removed later.

use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AttemptEnd, AttemptOpening, AuditEntry, CompressedMessage, ImportRecord, Store, StoreError,
    UploadStage, WriteTransaction,
    entity::held_import::{Entity, Model},
    import_audit,
    sql::{self, millis},
};
use crate::{
    audit::AuditAction,
    domain::{AuditActor, ImportState},
};

/// An import that is held, as stored.
pub(crate) type HeldImport = Model;

/// Parts that one transaction stores.
const PARTS: usize = 8;

/// How long parts wait for their import.
const ORPHANED: Duration = Duration::from_hours(24);

/// How a held import ends if it is not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// Somebody discards it.
    Discarded,
    /// Its time is over.
    Expired,
}

impl Store {
    /// Stores the input of an attempt that is about to be held.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn keep_parts(
        &self,
        (organization, attempt): (i64, Uuid),
        parts: &[CompressedMessage],
    ) -> Result<(), StoreError> {
        for (group, parts) in parts.chunks(PARTS).enumerate() {
            self.retry(|| self.keep_parts_once((organization, attempt), group * PARTS, parts))
                .await?;
        }
        Ok(())
    }

    async fn keep_parts_once(
        &self,
        (organization, attempt): (i64, Uuid),
        first: usize,
        parts: &[CompressedMessage],
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(organization).await?;
        let now = self.dialect().now_ms();
        let sql = format!(
            "INSERT INTO held_parts (organization_id, attempt, position, payload, kept_ms) \
            VALUES ($1, $2, $3, $4, {now}) ON CONFLICT DO NOTHING"
        );
        for (position, part) in (first..).zip(parts) {
            let values = [
                organization.into(),
                attempt.into(),
                i32::try_from(position)
                    .map_err(StoreError::encoding)?
                    .into(),
                part.stored().to_vec().into(),
            ];
            tx.execute(&*sql, values).await?;
        }
        tx.commit().await
    }

    /// Makes an attempt that was refused a held import; `is_open` says whether it is recorded already. Its parts are
    /// stored. Returns `false` if its ID is bound or in use by now.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn hold_import(
        &self,
        (record, is_open): (&ImportRecord, bool),
        held: &HeldImport,
        actor: &AuditActor,
        end: AttemptEnd<'_>,
    ) -> Result<bool, StoreError> {
        self.retry(|| self.hold_import_once((record, is_open), held, actor, end))
            .await
    }

    async fn hold_import_once(
        &self,
        (record, is_open): (&ImportRecord, bool),
        held: &HeldImport,
        actor: &AuditActor,
        end: AttemptEnd<'_>,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(record.organization_id).await?;
        // If the answer of an earlier commit was lost, it is held already.
        if tx.is_closed(record).await? {
            return Ok(true);
        }
        let unbound = ImportRecord {
            options_digest: None,
            ..record.clone()
        };
        let closed = match is_open {
            true => tx.store_end(&unbound).await?,
            false => tx.open_import(&unbound).await? == AttemptOpening::Recorded,
        };
        if !closed {
            return Ok(false);
        }
        let sql = "UPDATE imports SET options_digest = $3, held_until = $4 \
            WHERE organization_id = $1 AND id = $2";
        let values = [
            record.organization_id.into(),
            record.id.into(),
            record.options_digest.clone().into(),
            record.held_until.into(),
        ];
        tx.execute(sql, values).await?;
        Entity::insert(held.clone().into_active_model())
            .exec_without_returning(&tx.inner)
            .await?;
        tx.note(
            record.organization_id,
            import_audit::held(record, actor, end),
        );
        tx.commit().await?;
        Ok(true)
    }

    /// Notes for the audit trail that a review has shown what a held import would do: the same as for a dry run.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn note_review(
        &self,
        record: &ImportRecord,
        actor: &AuditActor,
        options: &str,
    ) -> Result<(), StoreError> {
        let shown = ImportRecord {
            state: ImportState::Completed.into(),
            ..record.clone()
        };
        let end = AttemptEnd {
            options,
            ..AttemptEnd::default()
        };
        match import_audit::attempt_ended(&shown, actor, end) {
            Some(entry) => self.audit(record.organization_id, entry).await,
            None => Ok(()),
        }
    }

    /// Finds the stored input of an import that is held, or that an approval is applying.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn held_import(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<Option<HeldImport>, StoreError> {
        self.retry(|| async {
            let found = Entity::find_by_id((organization, import));
            Ok(found.one(&self.db).await?)
        })
        .await
    }

    /// Returns a part of the input of a held attempt, or `None` after the last one.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn held_part(
        &self,
        (organization, attempt): (i64, Uuid),
        position: i32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.retry(|| async {
            let sql = "SELECT payload FROM held_parts WHERE organization_id = $1 AND attempt = $2 \
                AND position = $3";
            let values = [organization.into(), attempt.into(), position.into()];
            match sql::query_one(&self.db, sql, values).await? {
                Some(row) => {
                    CompressedMessage::read(&row.try_get_by_index::<Vec<u8>>(0)?).map(Some)
                }
                None => Ok(None),
            }
        })
        .await
    }

    /// Ends a held import. Its ID is then free again. Returns `false` if it is not held any more.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn end_hold(
        &self,
        (organization, import): (i64, Uuid),
        end: HoldEnd,
        actor: &AuditActor,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(organization).await?;
        let (state, action) = match end {
            HoldEnd::Discarded => (ImportState::Cancelled, AuditAction::ImportDiscarded),
            HoldEnd::Expired => (ImportState::Refused, AuditAction::ImportHoldExpired),
        };
        // If an import was cancelled, its counts are of what it has done.
        let counts = match end {
            HoldEnd::Discarded => {
                "created = 0, updated = 0, unchanged = 0, rejected = 0, deactivated = 0, protected_skipped = 0, "
            }
            HoldEnd::Expired => "",
        };
        let sql = format!(
            "UPDATE imports SET {counts} state = $3, options_digest = NULL, held_until = NULL, finished_at = $4 \
            WHERE organization_id = $1 AND id = $2 AND state = $5"
        );
        let values = [
            organization.into(),
            import.into(),
            i32::from(state).into(),
            now.into(),
            i32::from(ImportState::Held).into(),
        ];
        let has_ended = tx.execute(sql, values).await? > 0;
        if has_ended {
            tx.remove_held(organization, import).await?;
            tx.note(organization, AuditEntry::done(now, actor, action, &import));
        }
        tx.commit().await?;
        Ok(has_ended)
    }

    /// Removes the stored input of an approved import that has ended.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn remove_held(&self, organization: i64, import: Uuid) -> Result<(), StoreError> {
        let tx = self.begin_for(organization).await?;
        tx.remove_held(organization, import).await?;
        tx.commit().await
    }

    /// Removes the replies that an upload in parts has stored, once its import was held: from then on its record says
    /// what has become of it.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn remove_ended_upload(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(organization).await?;
        let sql =
            "DELETE FROM uploads WHERE organization_id = $1 AND import_id = $2 AND stage = $3";
        let ended = UploadStage::Ended as i32;
        let values = [organization.into(), import.into(), ended.into()];
        tx.execute(sql, values).await?;
        tx.commit().await
    }

    /// Returns the held imports whose time is over, with the principal who sent each.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expired_holds(
        &self,
        now: OffsetDateTime,
    ) -> Result<Vec<(i64, Uuid, String)>, StoreError> {
        let held = i32::from(ImportState::Held);
        let sql = format!(
            "SELECT organization_id, id, principal FROM imports WHERE state = {held} AND held_until <= $1"
        );
        let rows = sql::query_all(&self.db, sql, [now.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get_by_index(0)?,
                    row.try_get_by_index(1)?,
                    row.try_get_by_index(2)?,
                ))
            })
            .collect()
    }

    /// Removes the input of imports that are no longer held: approved ones that have ended or whose time is over while
    /// they were interrupted, and attempts whose server died before they were held.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn sweep_held(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let [held, applying, interrupted] = [
            ImportState::Held,
            ImportState::Applying,
            ImportState::Interrupted,
        ]
        .map(i32::from);
        let sql = format!(
            "SELECT h.organization_id, h.import_id FROM held_imports h JOIN imports i \
            ON i.organization_id = h.organization_id AND i.id = h.import_id \
            WHERE i.state <> {held} \
            AND (i.state NOT IN ({applying}, {interrupted}) OR i.held_until <= $1)"
        );
        for row in sql::query_all(&self.db, sql, [now.into()]).await? {
            self.remove_held(row.try_get_by_index(0)?, row.try_get_by_index(1)?)
                .await?;
        }
        let sql = format!(
            "SELECT DISTINCT organization_id, attempt FROM held_parts p WHERE kept_ms + $1 <= {} \
            AND NOT EXISTS (SELECT 1 FROM held_imports h WHERE h.organization_id = p.organization_id \
            AND h.attempt = p.attempt)",
            self.dialect().now_ms()
        );
        for row in sql::query_all(&self.db, sql, [millis(ORPHANED).into()]).await? {
            let (organization, attempt): (i64, Uuid) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let tx = self.begin_for(organization).await?;
            tx.remove_parts(organization, attempt).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Returns how many imports of an organisation are held, or of all organisations.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn count_held(&self, organization: Option<i64>) -> Result<i64, StoreError> {
        let held = i32::from(ImportState::Held);
        let of = organization.map_or("", |_| "AND organization_id = $1");
        let sql = format!("SELECT COUNT(*) FROM imports WHERE state = {held} {of}");
        match sql::query_one(&self.db, sql, organization.map(Into::into)).await? {
            Some(row) => Ok(row.try_get_by_index(0)?),
            None => Ok(0),
        }
    }
}

impl WriteTransaction {
    async fn remove_held(&self, organization: i64, import: Uuid) -> Result<(), StoreError> {
        let found = Entity::find_by_id((organization, import));
        let Some(held) = found.one(&self.inner).await? else {
            return Ok(());
        };
        let sql = "DELETE FROM held_imports WHERE organization_id = $1 AND import_id = $2";
        self.execute(sql, [organization.into(), import.into()])
            .await?;
        self.remove_parts(organization, held.attempt).await
    }

    async fn remove_parts(&self, organization: i64, attempt: Uuid) -> Result<(), StoreError> {
        let sql = "DELETE FROM held_parts WHERE organization_id = $1 AND attempt = $2";
        self.execute(sql, [organization.into(), attempt.into()])
            .await?;
        Ok(())
    }
}
