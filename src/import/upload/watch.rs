//! `WatchImport` of an upload in parts: sends what `ImportUsers` would have sent. Recorded results come from the
//! import's log, everything else from the stored responses of the upload's run.

use prost::Message as _;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    run::{claimed_run, recorded_answer},
    start_of,
};
use crate::{
    access::DisclosureScope,
    domain::ImportState,
    import::{
        ImportError, Importer, ResponseSender, WatchRequest,
        receive::{ROWS, parse_filter},
        record::{POLL_INTERVAL, ResultReplay, import_record},
        respond::Response,
    },
    proto::ImportUsersResponse,
    store::{ClaimedRun, Upload, UploadStage},
};

/// Responses read at a time.
const READ_AHEAD: i32 = 16;

/// A call that watches an upload's import.
struct UploadWatcher<'a> {
    importer: &'a Importer,
    responses: &'a ResponseSender,
    /// The import's log.
    log: ResultReplay,
    /// The run has pointed to the log.
    reads_log: bool,
    /// The run whose responses are sent. A later run would send them again.
    run: Option<ClaimedRun>,
    /// The next stored response.
    next: i32,
    has_summary: bool,
}

impl Importer {
    /// Sends the responses of an upload's import until it ends. Returns `false` if there is no upload, and nothing was
    /// sent.
    pub(crate) async fn watch_upload(
        &self,
        (organization, import): (i64, Uuid),
        asked: WatchRequest,
        responses: &ResponseSender,
    ) -> Result<bool, ImportError> {
        let Some(mut upload) = self.store.upload(organization, import).await? else {
            return Ok(false);
        };
        let mut watcher = UploadWatcher::new(self, responses, &upload, asked)?;
        let mut reported = Instant::now();
        while !watcher.catch_up(&upload).await? && !responses.is_gone() {
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            // Nothing follows the summary, even if the upload is not known to have ended.
            if !watcher.has_summary && reported.elapsed() >= self.settings.progress_interval {
                reported = Instant::now();
                self.offer_progress(&upload, responses).await?;
            }
            sleep(POLL_INTERVAL).await;
            // The stage is read first: if it is final, all responses have been stored before.
            upload = match self.store.upload(organization, import).await? {
                Some(upload) => upload,
                None if watcher.run.is_some() => return Err(ImportError::TakenOver),
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    async fn offer_progress(
        &self,
        upload: &Upload,
        responses: &ResponseSender,
    ) -> Result<(), ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let record = self.store.import(key.0, key.1).await?;
        if let Some(record) = record {
            let state = self.state_now(&record).await?;
            let mut progress = import_record::progress(&record, state);
            if upload.stage() == UploadStage::Open {
                let received = u64::try_from(upload.received).unwrap_or_default();
                match upload.kind {
                    ROWS => progress.rows_received = u32::try_from(received).unwrap_or(u32::MAX),
                    _ => progress.bytes_received = received,
                }
            }
            responses.offer(Response::Progress(progress));
        }
        Ok(())
    }
}

impl<'a> UploadWatcher<'a> {
    fn new(
        importer: &'a Importer,
        responses: &'a ResponseSender,
        upload: &Upload,
        asked: WatchRequest,
    ) -> Result<Self, ImportError> {
        // The filter was checked when the import began.
        let begun_with = parse_filter(start_of(upload)?.result_filter, &mut Vec::new());
        Ok(Self {
            importer,
            responses,
            log: ResultReplay::new(
                importer.clone(),
                upload.organization_id,
                upload.import_id,
                asked.filter.or(begun_with).unwrap_or_default(),
                asked.skip,
            ),
            reads_log: false,
            run: None,
            next: 0,
            has_summary: false,
        })
    }

    /// Sends the responses stored since the last call. Returns `true` if there will be no more.
    async fn catch_up(&mut self, upload: &Upload) -> Result<bool, ImportError> {
        let is_dead = self.importer.is_dead(upload).await?;
        if upload.run.is_nil() {
            return Ok(false);
        }
        let run = claimed_run(upload, upload.run);
        if *self.run.get_or_insert(run) != run {
            return Err(ImportError::TakenOver);
        }
        if !self.send_replies(run).await? {
            return Ok(true);
        }
        match upload.stage() {
            UploadStage::Running if is_dead => {
                self.send_interrupted(upload).await?;
                Err(ImportError::ServerDied)
            }
            UploadStage::Open | UploadStage::Running => Ok(false),
            UploadStage::Stopped | UploadStage::Ended => match recorded_answer(upload) {
                answer if answer.code != 0 => {
                    Err(ImportError::Recorded(answer, DisclosureScope::AllUsers))
                }
                _ if !self.has_summary => Err(ImportError::TakenOver),
                _ => Ok(true),
            },
        }
    }

    /// Sends the stored responses, and what is in the log. Returns `false` if the client has gone.
    async fn send_replies(&mut self, run: ClaimedRun) -> Result<bool, ImportError> {
        loop {
            let store = &self.importer.store;
            let replies = store.run_replies(run, self.next, READ_AHEAD).await?;
            // A stored summary comes after all results of the log.
            if self.reads_log && !self.log.catch_up(self.responses).await? {
                return Ok(false);
            }
            if replies.is_empty() {
                return Ok(true);
            }
            for reply in replies {
                self.next += 1;
                if !self.send_reply(&reply).await? {
                    return Ok(false);
                }
            }
        }
    }

    async fn send_reply(&mut self, encoded: &[u8]) -> Result<bool, ImportError> {
        let response = ImportUsersResponse::decode(encoded);
        let response = response.map_err(|error| ImportError::Internal(error.to_string()))?;
        self.has_summary |= matches!(response.message, Some(Response::Summary(_)));
        let message = match response.message {
            // What ResponseSender::points_to_log sends.
            Some(Response::Results(results)) if results.results.is_empty() => {
                self.reads_log = true;
                return Ok(self.log.catch_up(self.responses).await?);
            }
            Some(Response::Results(results)) => self.log.pick(results).map(Response::Results),
            message => message,
        };
        match message {
            Some(message) => Ok(self.responses.send(message).await),
            None => Ok(true),
        }
    }

    /// Sends the record's summary after the server that ran the import has died.
    async fn send_interrupted(&self, upload: &Upload) -> Result<(), ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let store = &self.importer.store;
        let record = store.import(key.0, key.1);
        if !self.has_summary
            && let Some(record) = record.await?
        {
            let summary = import_record::summary(&record, ImportState::Interrupted);
            self.responses.send(Response::Summary(summary)).await;
        }
        Ok(())
    }
}
