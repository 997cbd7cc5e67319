//! The current state of an import, and `WatchImport`.

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    ImportError, Importer, ResponseSender, WatchRequest, messages,
    record::{POLL_INTERVAL, ResultReplay, import_record},
    respond::Response,
};
use crate::{
    domain::ImportState,
    store::{ImportRecord, StoreError},
};

impl Importer {
    /// The current state of a record's import. It is interrupted if its process died while it was running
    /// (semantics §8).
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn state_now(&self, record: &ImportRecord) -> Result<ImportState, StoreError> {
        let ttl = self.settings.lease;
        let recorded = record.state();
        let alive = match recorded {
            ImportState::Receiving if record.server_id.is_nil() => {
                self.is_uploading(record.organization_id, record.id).await?
            }
            ImportState::Receiving => self.store.is_alive(record.server_id, ttl).await?,
            ImportState::Applying => {
                let holder = self.store.holder(record.organization_id, ttl).await?;
                holder.is_some_and(|holder| holder.import == record.id)
            }
            _ => true,
        };
        if alive {
            return Ok(recorded);
        }
        // It may have ended between the two reads.
        let again = self.store.import(record.organization_id, record.id).await?;
        match again.is_some_and(|again| again.state != record.state) {
            true => Ok(ImportState::Applying),
            false => Ok(ImportState::Interrupted),
        }
    }

    /// Sends the recorded results of an import until it ends, then its summary; for `WatchImport`. For an upload in
    /// parts the stored responses of its run are sent too.
    pub async fn watch(self, import: (i64, Uuid), asked: WatchRequest, responses: ResponseSender) {
        let watched = match self.watch_upload(import, asked, &responses).await {
            Ok(true) => Ok(()),
            Ok(false) => self.watch_record(import, asked, &responses).await,
            Err(error) => Err(error),
        };
        if let Err(error) = watched {
            responses.fail(error).await;
        }
    }

    pub(super) async fn watch_record(
        &self,
        (organization, import): (i64, Uuid),
        asked: WatchRequest,
        responses: &ResponseSender,
    ) -> Result<(), ImportError> {
        let WatchRequest { filter, skip } = asked;
        let filter = filter.unwrap_or_default();
        responses
            .send(messages::started(import, true, None, None))
            .await;
        let mut follower = ResultReplay::new(self.clone(), organization, import, filter, skip);
        let mut reported = Instant::now();
        loop {
            // The state is read first: if it is final, all results have been recorded before.
            let record = self.store.import(organization, import);
            let record = record.await?;
            let record = record.ok_or_else(|| ImportError::UnknownImport(import.to_string()))?;
            let state = self.state_now(&record).await?;
            if !follower.catch_up(responses).await? {
                return Ok(());
            }
            if !matches!(state, ImportState::Receiving | ImportState::Applying) {
                let summary = import_record::summary(&record, state);
                responses.send(Response::Summary(summary)).await;
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            if reported.elapsed() >= self.settings.progress_interval {
                reported = Instant::now();
                responses.offer(Response::Progress(import_record::progress(&record, state)));
            }
            if responses.is_gone() {
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}
