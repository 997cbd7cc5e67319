//! Streams the recorded results of an import to clients that join, watch or retry it.

use std::time::Duration;

use prost::Message;
use uuid::Uuid;

use super::import_record;
use crate::import::{ImportError, Importer, ResponseSender, WatchRequest, review::planned_import};
use crate::{
    proto::{
        Deactivations, ImportStarted, ImportState, ResultFilter, RowResults,
        import_users_response::Message as Reply,
    },
    store::{BatchKind, ImportRecord, StoreError},
};

/// Batches read at a time.
const READ_AHEAD: i32 = 2;

/// Pause between two reads of a record that is growing.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Sends the recorded batches of one import in the order they were recorded.
#[derive(Debug)]
pub struct ResultReplay {
    importer: Importer,
    organization: i64,
    import: Uuid,
    selection: ResultSelection,
    next: i32,
}

impl ResultReplay {
    /// Starts at the beginning of the record. Leaves out the first `skip` results that pass the filter.
    #[must_use]
    pub const fn new(
        importer: Importer,
        organization: i64,
        import: Uuid,
        filter: ResultFilter,
        skip: u32,
    ) -> Self {
        Self {
            importer,
            organization,
            import,
            selection: ResultSelection { filter, skip },
            next: 0,
        }
    }

    /// Sends all batches that are recorded but not sent yet. Returns `false` if the client has gone.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn catch_up(&mut self, responses: &ResponseSender) -> Result<bool, StoreError> {
        loop {
            let store = &self.importer.store;
            let batches =
                store.recorded_batches(self.organization, self.import, self.next, READ_AHEAD);
            let batches = batches.await?;
            if batches.is_empty() {
                return Ok(true);
            }
            for batch in batches {
                self.next = batch.sequence + 1;
                let make = || self.message(batch.kind, &batch.payload);
                if !responses.send_made(make).await {
                    return Ok(false);
                }
            }
        }
    }

    fn message(&mut self, kind: BatchKind, payload: &[u8]) -> Option<Reply> {
        match kind {
            BatchKind::ToDeactivate | BatchKind::ToWrite => None,
            BatchKind::Deactivated => {
                Some(Reply::Deactivations(Deactivations::decode(payload).ok()?))
            }
            BatchKind::Results => {
                let results = RowResults::decode(payload).ok()?;
                self.selection.pick(results).map(Reply::Results)
            }
        }
    }
}

/// Which of the recorded results a client wants.
#[derive(Debug)]
pub(crate) struct ResultSelection {
    /// Results that pass this filter.
    pub filter: ResultFilter,
    /// How many of these the client has already.
    pub skip: u32,
}

impl ResultSelection {
    /// Selects from the next results. Returns `None` if the client wants none of them.
    pub(crate) fn pick(&mut self, mut recorded: RowResults) -> Option<RowResults> {
        let results = &mut recorded.results;
        results.retain(|result| planned_import::passes_recorded(self.filter, result.outcome()));
        let skipped = (self.skip as usize).min(results.len());
        results.drain(..skipped);
        self.skip -= u32::try_from(skipped).unwrap_or_default();
        (!recorded.results.is_empty()).then_some(recorded)
    }
}

impl Importer {
    /// The current state of a record's import. It is interrupted if its process died while it was running
    /// (semantics §8).
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn state_now(&self, record: &ImportRecord) -> Result<ImportState, StoreError> {
        let ttl = self.settings.lease;
        let recorded = ImportState::try_from(record.state).unwrap_or_default();
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

    /// Sends the results of an import until it ends, then its summary; for `WatchImport`. For an upload in parts these
    /// are the stored responses of its run, for any other import the recorded results.
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

    async fn watch_record(
        &self,
        (organization, import): (i64, Uuid),
        asked: WatchRequest,
        responses: &ResponseSender,
    ) -> Result<(), ImportError> {
        let WatchRequest { filter, skip } = asked;
        let filter = filter.unwrap_or(ResultFilter::All);
        let started = ImportStarted {
            import_id: import.to_string(),
            resumed: true,
            ..ImportStarted::default()
        };
        responses.send(Reply::Started(started)).await;
        let mut follower = ResultReplay::new(self.clone(), organization, import, filter, skip);
        let mut told = tokio::time::Instant::now();
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
                responses.send(Reply::Summary(summary)).await;
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            if told.elapsed() >= self.settings.progress_interval {
                told = tokio::time::Instant::now();
                responses.offer(Reply::Progress(import_record::progress(&record, state)));
            }
            if responses.is_gone() {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
