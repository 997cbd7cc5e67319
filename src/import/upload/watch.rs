//! `WatchImport` of an import that came in parts: what its run answers, as `ImportUsers` would have
//! sent it.

use prost::Message as _;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Asked, run::answer_of, start_of};
use crate::{
    access::Disclosure,
    import::{
        ImportError, Importer, Outlet,
        receive::parse_filter,
        record::{LOOK, Selection, import_record},
    },
    proto::{ImportState, ImportUsersResponse, import_users_response::Message as Reply},
    store::{ClaimedRun, Upload, UploadStage},
};

/// Answers read at a time.
const READ_AHEAD: i32 = 16;

/// Somebody who watches.
struct Watcher<'a> {
    importer: &'a Importer,
    outlet: &'a Outlet,
    selection: Selection,
    /// The run whose answers are sent; one that begins after it would send them once more.
    run: Option<ClaimedRun>,
    next: i32,
    has_summary: bool,
}

impl Importer {
    /// Sends what an upload's import answers until it ends. False: there is no upload, and nothing was
    /// sent.
    pub(crate) async fn watch_upload(
        &self,
        (organization, import): (i64, Uuid),
        asked: Asked,
        outlet: &Outlet,
    ) -> Result<bool, ImportError> {
        let mut watcher: Option<Watcher<'_>> = None;
        let mut told = Instant::now();
        loop {
            // How far it is comes first: what is final was answered before.
            let upload = self.patiently(|| self.store.upload(organization, import));
            let Some(upload) = upload.await? else {
                return match watcher.is_some_and(|watcher| watcher.run.is_some()) {
                    true => Err(ImportError::TakenOver),
                    false => Ok(false),
                };
            };
            if watcher.is_none() {
                watcher = Some(Watcher::new(self, outlet, &upload, asked)?);
            }
            let Some(watcher) = &mut watcher else {
                continue;
            };
            if watcher.catch_up(&upload).await? || outlet.is_gone() {
                return Ok(true);
            }
            if self.stop.is_cancelled() {
                return Err(ImportError::ShuttingDown);
            }
            // Nothing follows the summary, even where the upload is not known to have ended.
            if !watcher.has_summary && told.elapsed() >= self.settings.progress_interval {
                told = Instant::now();
                self.offer_progress(&upload, outlet).await?;
            }
            sleep(LOOK).await;
        }
    }

    async fn offer_progress(&self, upload: &Upload, outlet: &Outlet) -> Result<(), ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let record = self.patiently(|| self.store.import(key.0, key.1)).await?;
        if let Some(record) = record {
            let state = self.patiently(|| self.state_now(&record)).await?;
            outlet.offer(Reply::Progress(import_record::progress(&record, state)));
        }
        Ok(())
    }
}

impl<'a> Watcher<'a> {
    fn new(
        importer: &'a Importer,
        outlet: &'a Outlet,
        upload: &Upload,
        asked: Asked,
    ) -> Result<Self, ImportError> {
        // It was checked when the import was begun.
        let begun_with = parse_filter(start_of(upload)?.result_filter, &mut Vec::new());
        Ok(Self {
            importer,
            outlet,
            selection: Selection {
                filter: asked.filter.unwrap_or(begun_with),
                skip: asked.skip,
            },
            run: None,
            next: 0,
            has_summary: false,
        })
    }

    /// Sends what has been answered since. True: that was all.
    async fn catch_up(&mut self, upload: &Upload) -> Result<bool, ImportError> {
        let is_dead = self.importer.is_dead(upload).await?;
        if upload.run.is_nil() {
            return Ok(false);
        }
        let run = ClaimedRun {
            organization: upload.organization_id,
            import: upload.import_id,
            run: upload.run,
        };
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
            UploadStage::Stopped | UploadStage::Ended => match answer_of(upload) {
                answer if answer.code != 0 => Err(ImportError::Told(answer, Disclosure::AllUsers)),
                _ if !self.has_summary => Err(ImportError::TakenOver),
                _ => Ok(true),
            },
        }
    }

    /// False: the client has gone.
    async fn send_replies(&mut self, run: ClaimedRun) -> Result<bool, ImportError> {
        loop {
            let store = &self.importer.store;
            let replies = || store.run_replies(run, self.next, READ_AHEAD);
            let replies = self.importer.patiently(replies).await?;
            if replies.is_empty() {
                return Ok(true);
            }
            for reply in replies {
                self.next = reply.sequence + 1;
                if let Some(message) = self.wanted(&reply.message)?
                    && !self.outlet.send(message).await
                {
                    return Ok(false);
                }
            }
        }
    }

    fn wanted(&mut self, encoded: &[u8]) -> Result<Option<Reply>, ImportError> {
        let response = ImportUsersResponse::decode(encoded);
        let response = response.map_err(|error| ImportError::Internal(error.to_string()))?;
        self.has_summary |= matches!(response.message, Some(Reply::Summary(_)));
        Ok(match response.message {
            Some(Reply::Results(results)) => self.selection.pick(results).map(Reply::Results),
            message => message,
        })
    }

    /// The server that ran it has died; what it had written is in the record.
    async fn send_interrupted(&self, upload: &Upload) -> Result<(), ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let store = &self.importer.store;
        let record = self.importer.patiently(|| store.import(key.0, key.1));
        if !self.has_summary
            && let Some(record) = record.await?
        {
            let summary = import_record::summary(&record, ImportState::Interrupted);
            self.outlet.send(Reply::Summary(summary)).await;
        }
        Ok(())
    }
}
