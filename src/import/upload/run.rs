//! `FinishImport`: runs the import of an upload once, even if several servers are called, and reports its status.

use std::time::Duration;

use futures_util::future::join;
use prost::Message;
use tokio::time::sleep;
use tracing::{Instrument, warn};
use uuid::Uuid;

use super::{part::finished, request_stream, runs::RegisteredRun, start_of};
use crate::{
    access::DisclosureScope,
    import::{
        ImportError, Importer, ResponseSender, Submitter, receive::expect_permitted,
        record::POLL_INTERVAL, stages,
    },
    proto::{self, ImportFinish, ImportStart},
    store::{ClaimedRun, RunAnswer, Upload, UploadStage},
    telemetry::traces,
};

/// The first pause between two reads of a run's status. Each further pause is twice as long, up to
/// [`POLL_INTERVAL`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Encodes an import's error as the answer to callers.
type AnswerEncoder = fn(&ImportError) -> RunAnswer;

/// The run that a call waits for.
#[derive(Default)]
struct AwaitedRun {
    /// The run's ID, or nil if none is known yet.
    run: Uuid,
    /// The first seen heartbeat of the run's server.
    heartbeat: Option<i64>,
}

/// The status of an upload's run.
enum RunStatus {
    /// The input was accepted.
    Accepted,
    /// The run is receiving; its input is not accepted yet.
    Running,
    /// The run has ended with this error.
    Ended(ImportError),
    /// No run is active: one may begin.
    Free,
}

impl Importer {
    /// Ends an upload and runs its import. Returns once the roster has been received and accepted for planning. A
    /// repeated call has the same answer.
    ///
    /// # Errors
    /// Fails if the import is refused or interrupted before that, or if the database fails.
    pub async fn finish_upload(
        &self,
        submitter: &Submitter,
        (slug, import): (&str, Uuid),
        finish: ImportFinish,
        encode_answer: AnswerEncoder,
    ) -> Result<(), ImportError> {
        traces::tell_import(import);
        let mut pause = FIRST_PAUSE;
        let mut awaited = AwaitedRun::default();
        loop {
            let upload = self.own_upload(&submitter.principal, slug, import).await?;
            let start = start_of(&upload)?;
            expect_permitted(&submitter.principal, &start)?;
            match self.run_status(&upload, &finish, awaited.run).await? {
                RunStatus::Accepted if self.is_proven(&upload, &mut awaited).await? => {
                    return Ok(());
                }
                RunStatus::Ended(error) => return Err(error),
                RunStatus::Accepted | RunStatus::Running => awaited.run = upload.run,
                RunStatus::Free if self.stop.is_cancelled() => {
                    return Err(ImportError::ShuttingDown);
                }
                RunStatus::Free => {
                    if let Some(run) = self.claim(&upload, &finish).await? {
                        awaited.run = run.run();
                        let input = (start, finish.clone());
                        let importer = self.clone();
                        let running = importer.run_upload(
                            submitter.clone(),
                            (upload, run),
                            input,
                            encode_answer,
                        );
                        self.applying.spawn(running.in_current_span());
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL_INTERVAL);
        }
    }

    /// The status of an upload's run. `awaited` is the run that the caller waits for.
    async fn run_status(
        &self,
        upload: &Upload,
        finish: &ImportFinish,
        awaited: Uuid,
    ) -> Result<RunStatus, ImportError> {
        let is_over = match upload.stage() {
            UploadStage::Open => return Ok(RunStatus::Free),
            UploadStage::Stopped => upload.run == awaited,
            UploadStage::Running if self.is_dead(upload).await? => return Ok(RunStatus::Free),
            UploadStage::Running => false,
            UploadStage::Ended => true,
        };
        if upload.stage() == UploadStage::Stopped && !is_over {
            return Ok(RunStatus::Free);
        }
        if upload.finish.as_deref() != Some(&*finish.encode_to_vec()) {
            return Err(finished(upload.import_id).into());
        }
        Ok(match is_over {
            _ if upload.accepted => RunStatus::Accepted,
            true => RunStatus::Ended(ImportError::Recorded(
                recorded_answer(upload),
                DisclosureScope::AllUsers,
            )),
            false => RunStatus::Running,
        })
    }

    /// Returns `true` if the run has ended, or its server is this one or has sent a heartbeat since the first
    /// read. A server that has just died must not count as running the import.
    async fn is_proven(
        &self,
        upload: &Upload,
        awaited: &mut AwaitedRun,
    ) -> Result<bool, ImportError> {
        if upload.stage() != UploadStage::Running || upload.server_id == self.server {
            return Ok(true);
        }
        let heartbeat = self.store.last_heartbeat(upload.server_id);
        let heartbeat = heartbeat.await?.unwrap_or_default();
        Ok(*awaited.heartbeat.get_or_insert(heartbeat) != heartbeat)
    }

    /// Claims the upload for a run of this server. Returns `None` if another server was faster.
    async fn claim(
        &self,
        upload: &Upload,
        finish: &ImportFinish,
    ) -> Result<Option<RegisteredRun>, ImportError> {
        let registered_run = self.runs.begin(Uuid::new_v4());
        let run = claimed_run(upload, registered_run.run());
        let finish = finish.encode_to_vec();
        let claim = self.store.claim_run(run, upload.run, self.server, &finish);
        if claim.await? {
            return Ok(Some(registered_run));
        }
        // If the answer to a claim was lost, the retry finds it stored.
        let stored = self.store.upload(run.organization, run.import);
        let stored = stored.await?;
        let is_ours = stored.is_some_and(|stored| stored.run == run.run);
        Ok(is_ours.then_some(registered_run))
    }

    /// Runs the import to its end, and stores those of its responses that the log does not have.
    async fn run_upload(
        self,
        submitter: Submitter,
        (upload, registered_run): (Upload, RegisteredRun),
        (mut start, finish): (ImportStart, ImportFinish),
        encode_answer: AnswerEncoder,
    ) {
        let run = claimed_run(&upload, registered_run.run());
        // Each client that watches has a filter of its own.
        start.result_filter = proto::ResultFilter::All.into();
        // The only reader is the database, which may be away for longer than a client may be.
        let (mut responses, replies) = ResponseSender::new(self.settings.server.deadlines.upload);
        // Values are not in the log: results that have them are stored here.
        if !start.include_values {
            responses = responses.leaving_log_to_reader();
        }
        let memory = submitter.account.reserve(ResponseSender::BYTES);
        let acceptance = responses.acceptance();
        let storing = self.store_replies(run, replies, acceptance.clone());
        let began = upload.started_at;
        let requests = request_stream::stream(self.clone(), upload, start, finish);
        let running = async {
            let result = match memory {
                Ok(_memory) => {
                    Box::pin(stages::run(&self, submitter, began, requests, &responses)).await
                }
                Err(exhausted) => Err(exhausted.into()),
            };
            // Dropping the submitter ends the stream of responses.
            drop(responses);
            result
        };
        let (result, stored) = join(Box::pin(running), storing).await;
        let result = stored.and(result);
        let accepted = *acceptance.borrow();
        self.end_upload(run, result.err(), accepted, encode_answer)
            .await;
        drop(registered_run);
    }

    /// Stores the end of a run, however long the database is away: a run without an end would block its import.
    async fn end_upload(
        &self,
        run: ClaimedRun,
        error: Option<ImportError>,
        accepted: bool,
        encode_answer: AnswerEncoder,
    ) {
        let stage = match error.as_ref().is_none_or(is_final) {
            true => UploadStage::Ended,
            false => UploadStage::Stopped,
        };
        let answer = error.as_ref().map_or_else(success_answer, encode_answer);
        let end = || self.store.end_run(run, stage, accepted, &answer);
        while let Err(error) = end().await {
            warn!(%error, "the end of an import could not be stored");
            if self.stop.is_cancelled() {
                return;
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

pub(super) const fn claimed_run(upload: &Upload, run: Uuid) -> ClaimedRun {
    ClaimedRun {
        organization: upload.organization_id,
        import: upload.import_id,
        run,
    }
}

/// Returns `true` if running the import again would end the same way.
const fn is_final(error: &ImportError) -> bool {
    matches!(
        error,
        ImportError::Refused(_)
            | ImportError::Held(..)
            | ImportError::Denied(_)
            | ImportError::UnknownOrganization(_)
            | ImportError::ImportIdBound(_)
            | ImportError::ImportIdInUse(_)
            | ImportError::OvertakenBy(_)
            | ImportError::Cancelled
    )
}

const fn success_answer() -> RunAnswer {
    RunAnswer {
        code: 0,
        message: String::new(),
        details: Vec::new(),
    }
}

/// How an upload's run ended.
pub(crate) fn recorded_answer(upload: &Upload) -> RunAnswer {
    RunAnswer {
        code: upload.answer_code.unwrap_or_default(),
        message: upload.answer_message.clone().unwrap_or_default(),
        details: upload.answer_details.clone().unwrap_or_default(),
    }
}
