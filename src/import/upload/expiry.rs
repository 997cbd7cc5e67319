//! Ends uploads that are never finished: cancelled ones, and abandoned ones that received no part for as long as an
//! upload may take.

use std::time::Duration;

use tracing::{info, warn};

use super::start_of;
use crate::{
    domain::{AuditActor, ImportState},
    import::{ImportError, Importer, Refusal, record::audited},
    store::{ImportRecord, StoreError, Upload, UploadStage},
    telemetry::metrics,
};

/// Bounds of the pause between two searches for abandoned uploads.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_mins(1);

/// How long the upload of a dry run must have had no call before another one of its principal may take its place.
const SILENT_DRY_RUN: Duration = Duration::from_mins(5);

impl Importer {
    /// Pause between two searches for abandoned uploads.
    pub(crate) fn abandoned_uploads_interval(&self) -> Duration {
        let idle = self.settings.server.deadlines.upload;
        (idle / 4).clamp(SHORTEST, LONGEST)
    }

    /// Removes the upload of an import that has written nothing so far. Returns `false` if there is no upload or its
    /// import is running.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn cancel_upload(
        &self,
        record: &ImportRecord,
        actor: &AuditActor,
    ) -> Result<bool, ImportError> {
        let key = (record.organization_id, record.id);
        let Some(upload) = self.store.upload(key.0, key.1).await? else {
            return Ok(false);
        };
        let is_running = match upload.stage() {
            UploadStage::Ended => return Ok(false),
            UploadStage::Running => !self.is_dead(&upload).await?,
            UploadStage::Open | UploadStage::Stopped => false,
        };
        let now = self.clock.now();
        if is_running || !self.store.cancel_upload(&upload, actor, now).await? {
            return Ok(false);
        }
        let state = ImportState::Cancelled;
        let asked_for = audited::options(&start_of(&upload)?, None);
        self.close_unfinished((record.clone(), &asked_for), actor, state, &[])
            .await?;
        Ok(true)
    }

    /// Removes abandoned uploads.
    pub(crate) async fn remove_abandoned_uploads(&self) -> Result<(), StoreError> {
        let idle = self.settings.server.deadlines.upload;
        let abandoned = self.store.abandoned_uploads(idle, self.settings.lease);
        for (organization, import) in abandoned.await? {
            let Some(upload) = self.store.upload(organization, import).await? else {
                continue;
            };
            self.remove_abandoned_upload(&upload, idle).await?;
        }
        Ok(())
    }

    /// Removes the caller's dry run that has been silent for longest. Returns `false` if none has been silent for
    /// [`SILENT_DRY_RUN`]. Pages of the console leave such uploads behind when they are closed.
    pub(super) async fn make_room(&self, record: &ImportRecord) -> Result<bool, StoreError> {
        let silent =
            self.store
                .silent_dry_run(record.organization_id, &record.principal, SILENT_DRY_RUN);
        match silent.await? {
            Some(upload) => {
                self.remove_abandoned_upload(&upload, SILENT_DRY_RUN)
                    .await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Removes an upload, unless it has had a call within `idle`.
    async fn remove_abandoned_upload(
        &self,
        upload: &Upload,
        idle: Duration,
    ) -> Result<(), StoreError> {
        let key = (upload.organization_id, upload.import_id);
        if self.store.remove_abandoned(key, idle).await? {
            info!(import_id = %upload.import_id, "an abandoned upload was removed");
            metrics::refused("UPLOAD_ABANDONED");
            self.close_abandoned(upload, idle).await?;
        }
        Ok(())
    }

    /// Closes the record of an abandoned upload. The record of an import that had begun to write, or has ended, does
    /// not change.
    async fn close_abandoned(&self, upload: &Upload, idle: Duration) -> Result<(), StoreError> {
        let key = (upload.organization_id, upload.import_id);
        let record = self.store.import(key.0, key.1).await?;
        let open =
            |record: &ImportRecord| record.options_digest.is_none() && record.finished_at.is_none();
        if let Some(record) = record.filter(open) {
            let actor = AuditActor {
                principal: upload.principal.clone(),
                address: String::new(),
            };
            let refusals = [abandoned(idle)];
            let state = ImportState::Refused;
            let asked_for = start_of(upload).map(|start| audited::options(&start, None));
            let asked_for = asked_for.unwrap_or_default();
            let closed = self.close_unfinished((record, &asked_for), &actor, state, &refusals);
            if let Err(error) = closed.await {
                warn!(%error, "the end of an upload could not be recorded");
            }
        }
        Ok(())
    }
}

fn abandoned(idle: Duration) -> Refusal {
    let message = format!(
        "No part of the roster came for {} s, so what had come was removed. Nothing was written; \
         begin the import again.",
        idle.as_secs()
    );
    Refusal::limit("UPLOAD_ABANDONED", "upload_time", message)
}
