//! Uploads: rosters that are received in parts. This module begins them; their parts are in
//! [`super::upload_parts`], the runs of their imports in [`super::upload_runs`], their ends in
//! [`super::upload_ends`].

use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::{
    AttemptOpening, ImportRecord, Store, StoreError, WriteTransaction,
    entity::upload::{Entity, Model},
    sql::millis,
};

/// An upload, as stored.
pub(crate) type Upload = Model;

/// The stage that an upload has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum UploadStage {
    /// It receives parts.
    Open = 0,
    /// Its import runs, unless the server has died.
    Running = 1,
    /// Its import stopped before its end, and may be run again.
    Stopped = 2,
    /// Its import has ended; only its replies are left.
    Ended = 3,
}

/// How many uploads may be open at a time.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Uploads of one organisation.
    pub max_open: usize,
    /// How long an upload without any call counts as open.
    pub idle: Duration,
    /// How long a server without a heartbeat counts as alive.
    pub alive: Duration,
}

/// Whether an upload could begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadOpening {
    /// The upload has begun, and has received nothing yet.
    Begun,
    /// The upload had begun before, and has received this many bytes or rows.
    Resumed(i64),
    /// The ID is in use with other options, or bound to them.
    OtherOptions,
    /// The ID is another principal's.
    InUse,
    /// The organisation has the most open uploads that it may have.
    Full,
}

impl Model {
    /// The stage that it has reached.
    #[must_use]
    pub const fn stage(&self) -> UploadStage {
        match self.stage {
            0 => UploadStage::Open,
            1 => UploadStage::Running,
            2 => UploadStage::Stopped,
            _ => UploadStage::Ended,
        }
    }
}

impl Store {
    /// Finds an upload.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn upload(
        &self,
        organization: i64,
        import: Uuid,
    ) -> Result<Option<Upload>, StoreError> {
        self.retry(|| async {
            let found = Entity::find_by_id((organization, import));
            Ok(found.one(&self.db).await?)
        })
        .await
    }

    /// Records that an upload has had a call now, so that it stays open.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn keep_upload_open(&self, key: (i64, Uuid)) -> Result<(), StoreError> {
        self.retry(|| async {
            let tx = self.begin_for(key.0).await?;
            tx.mark_upload_active(key).await?;
            tx.commit().await
        })
        .await
    }

    /// Begins an upload with the record of its import, or resumes the one that is there.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn open_upload(
        &self,
        record: &ImportRecord,
        upload: &Upload,
        limits: UploadLimits,
    ) -> Result<UploadOpening, StoreError> {
        self.retry(|| self.open_upload_once(record, upload, limits))
            .await
    }

    async fn open_upload_once(
        &self,
        record: &ImportRecord,
        upload: &Upload,
        room: UploadLimits,
    ) -> Result<UploadOpening, StoreError> {
        let tx = self.begin_for(upload.organization_id).await?;
        let organization = upload.organization_id;
        // Of two concurrent calls the second sees what the first has done.
        tx.lock(organization).await?;
        let found = Entity::find_by_id((organization, upload.import_id));
        if let Some(present) = found.one(&tx.inner).await?
            && let Some(opening) = self.reopen(&tx, &present, upload, room).await?
        {
            tx.commit().await?;
            return Ok(opening);
        }
        if tx.open_uploads(upload, room.idle).await? >= room.max_open {
            return Ok(UploadOpening::Full);
        }
        match tx.open_import(record).await? {
            AttemptOpening::Recorded => {}
            AttemptOpening::InUse => return Ok(UploadOpening::InUse),
            AttemptOpening::Bound => {
                if let Some(refused) = tx.why_not_bound_to(upload).await? {
                    return Ok(refused);
                }
            }
        }
        tx.remove_upload(organization, upload.import_id).await?;
        let key = (organization, upload.import_id);
        Entity::insert(upload.clone().into_active_model())
            .exec_without_returning(&tx.inner)
            .await?;
        tx.mark_upload_active(key).await?;
        tx.commit().await?;
        Ok(UploadOpening::Begun)
    }

    /// Decides about an upload whose ID is in use. Returns `None` if the new one replaces it.
    async fn reopen(
        &self,
        tx: &WriteTransaction,
        present: &Upload,
        wanted: &Upload,
        room: UploadLimits,
    ) -> Result<Option<UploadOpening>, StoreError> {
        let same_options = present.options_digest == wanted.options_digest;
        Ok(match present.stage() {
            _ if present.principal != wanted.principal => Some(UploadOpening::InUse),
            UploadStage::Ended => None,
            _ if !same_options => Some(UploadOpening::OtherOptions),
            UploadStage::Running if self.is_alive_once(present.server_id, room.alive).await? => {
                Some(UploadOpening::Resumed(present.received))
            }
            _ => {
                tx.restart_upload(wanted).await?;
                Some(UploadOpening::Resumed(present.received))
            }
        })
    }
}

impl WriteTransaction {
    /// Locks an upload, and records that it has had a call now. Returns `false` if there is no such upload.
    pub(super) async fn mark_upload_active(&self, key: (i64, Uuid)) -> Result<bool, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE uploads SET touched_ms = {now} WHERE organization_id = $1 AND import_id = $2"
        );
        let values = [key.0.into(), key.1.into()];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// Takes over options that only affect reports; they may differ from before.
    async fn restart_upload(&self, wanted: &Upload) -> Result<(), StoreError> {
        self.mark_upload_active((wanted.organization_id, wanted.import_id))
            .await?;
        let sql = "UPDATE uploads SET start = $3 WHERE organization_id = $1 AND import_id = $2";
        let values = [
            wanted.organization_id.into(),
            wanted.import_id.into(),
            wanted.start.clone().into(),
        ];
        self.execute(sql, values).await?;
        Ok(())
    }

    /// Counts the organisation's uploads that have not ended, except this one.
    async fn open_uploads(&self, but: &Upload, idle: Duration) -> Result<usize, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "SELECT COUNT(*) FROM uploads WHERE organization_id = $1 AND import_id <> $2 \
            AND stage <> $3 AND touched_ms + $4 > {now}"
        );
        let values = [
            but.organization_id.into(),
            but.import_id.into(),
            (UploadStage::Ended as i32).into(),
            millis(idle).into(),
        ];
        let count = match self.query_one(sql, values).await? {
            Some(row) => row.try_get_by_index::<i64>(0)?,
            None => 0,
        };
        Ok(usize::try_from(count).unwrap_or_default())
    }
}
