//! Rosters that come in parts: which uploads there are, and how one begins. Its parts are
//! [`super::upload_parts`], the runs of its import [`super::upload_runs`].

use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Statement, Value};
use uuid::Uuid;

use super::{
    AttemptOpening, ImportRecord, Store, StoreError, WriteTransaction,
    entity::upload::{Entity, Model},
    leases::now_ms,
};

/// An upload, as stored.
pub type Upload = Model;

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum UploadStage {
    /// Parts are coming.
    Open = 0,
    /// Its import runs, unless the server died.
    Running = 1,
    /// Its import stopped before its end, and may be run again.
    Stopped = 2,
    /// Its import has ended; nothing but its answers is left.
    Ended = 3,
}

/// What may be open at a time.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Uploads of one organisation.
    pub most: usize,
    /// How long one counts that nothing is heard of.
    pub idle: Duration,
    /// How long a server counts as alive that nothing is heard of.
    pub alive: Duration,
}

/// What became of an upload that was to be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadOpening {
    /// It has begun, and nothing is there yet.
    Begun,
    /// It had begun before, and so much is there.
    GoesOn(i64),
    /// The ID is in use with other options, or bound to them.
    OtherOptions,
    /// The ID is another principal's.
    InUse,
    /// As many are open as may be.
    Full,
}

impl Model {
    /// How far it is.
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
    /// Where the database fails.
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

    /// Begins an upload with the record of its import, or goes on with the one that is there.
    ///
    /// # Errors
    /// Where the database fails.
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
        // Of two at once the second sees the first.
        tx.lock(organization).await?;
        let found = Entity::find_by_id((organization, upload.import_id));
        if let Some(present) = found.one(&tx.inner).await?
            && let Some(opening) = self.reopen(&tx, &present, upload, room).await?
        {
            tx.commit().await?;
            return Ok(opening);
        }
        if tx.open_uploads(upload, room.idle).await? >= room.most {
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

    /// What becomes of an upload whose ID is in use; `None`: it is replaced.
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
                Some(UploadOpening::GoesOn(present.received))
            }
            _ => {
                tx.restart_upload(wanted).await?;
                Some(UploadOpening::GoesOn(present.received))
            }
        })
    }
}

impl WriteTransaction {
    /// Holds an upload, and notes that it was heard of. False: there is none.
    pub(super) async fn mark_upload_active(&self, key: (i64, Uuid)) -> Result<bool, StoreError> {
        let now = now_ms(self.inner.get_database_backend());
        let sql = format!(
            "UPDATE uploads SET touched_ms = {now} WHERE organization_id = $1 AND import_id = $2"
        );
        let values = vec![key.0.into(), key.1.into()];
        Ok(self.execute(sql, values).await? > 0)
    }

    /// What concerns only who watches may be other than before.
    async fn restart_upload(&self, wanted: &Upload) -> Result<(), StoreError> {
        self.mark_upload_active((wanted.organization_id, wanted.import_id))
            .await?;
        let sql = "UPDATE uploads SET start = $3 WHERE organization_id = $1 AND import_id = $2";
        let values = vec![
            wanted.organization_id.into(),
            wanted.import_id.into(),
            wanted.start.clone().into(),
        ];
        self.execute(sql.to_owned(), values).await?;
        Ok(())
    }

    /// The organisation's uploads that are not over, but for this one.
    async fn open_uploads(&self, but: &Upload, idle: Duration) -> Result<usize, StoreError> {
        let backend = self.inner.get_database_backend();
        let sql = format!(
            "SELECT COUNT(*) FROM uploads WHERE organization_id = $1 AND import_id <> $2 \
            AND stage <> $3 AND touched_ms + $4 > {}",
            now_ms(backend)
        );
        let values: [Value; 4] = [
            but.organization_id.into(),
            but.import_id.into(),
            (UploadStage::Ended as i32).into(),
            millis(idle).into(),
        ];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let count = match self.inner.query_one_raw(statement).await? {
            Some(row) => row.try_get_by_index::<i64>(0)?,
            None => 0,
        };
        Ok(usize::try_from(count).unwrap_or_default())
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
