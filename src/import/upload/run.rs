//! `FinishImport`: runs the import of an upload once, whichever servers are asked to, and tells how far
//! it has come.

use std::time::Duration;

use futures_util::future::join;
use prost::Message;
use tokio::time::sleep;
use tracing::{Instrument, warn};
use uuid::Uuid;

use super::{Sender, part::finished, runs::UnderWay, spool, start_of};
use crate::{
    access::Disclosure,
    import::{
        ImportError, Importer, Outlet,
        receive::{expect_permitted, session},
        record::LOOK,
    },
    proto::{ImportFinish, ImportStart, ResultFilter},
    store::{ClaimedRun, RunAnswer, Upload, UploadStage},
    telemetry::traces,
};

/// The first pause before a look at how far a run is; each further one is twice as long, up to
/// [`LOOK`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// An import's end as it is told to callers.
type Tell = fn(&ImportError) -> RunAnswer;

/// What a call that waits has seen before.
#[derive(Default)]
struct Seen {
    /// The run that it waits for; nil: none yet.
    run: Uuid,
    /// Last heartbeat of the server that runs it.
    heartbeat: Option<i64>,
}

/// What a look at an upload says about its run.
enum Look {
    /// Its input was accepted.
    Accepted,
    /// It is running; its input has not been judged yet.
    Running,
    /// It has ended like this.
    Ended(ImportError),
    /// It may be run.
    Free,
}

impl Importer {
    /// Ends an upload and has its import run. Returns once the roster has been received whole and is
    /// being planned. Asked again, it says the same.
    ///
    /// # Errors
    /// Why the import gets no further; or the database fails.
    pub async fn finish_upload(
        &self,
        sender: &Sender,
        (slug, import): (&str, Uuid),
        finish: ImportFinish,
        tell: Tell,
    ) -> Result<(), ImportError> {
        traces::tell_import(import);
        let mut pause = FIRST_PAUSE;
        let mut seen = Seen::default();
        loop {
            let upload = self.own_upload(&sender.principal, slug, import).await?;
            let start = start_of(&upload)?;
            expect_permitted(&sender.principal, &start)?;
            match self.look(&upload, &finish, seen.run).await? {
                Look::Accepted if self.is_proven(&upload, &mut seen).await? => return Ok(()),
                Look::Ended(error) => return Err(error),
                Look::Accepted | Look::Running => seen.run = upload.run,
                Look::Free if self.stop.is_cancelled() => return Err(ImportError::ShuttingDown),
                Look::Free => {
                    if let Some(run) = self.claim(&upload, &finish).await? {
                        seen.run = run.run();
                        let input = (start, finish.clone());
                        let importer = self.clone();
                        let running =
                            importer.run_upload(sender.clone(), (upload, run), input, tell);
                        self.applying.spawn(running.in_current_span());
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK);
        }
    }

    /// What has become of an upload's run; `seen` is the one that the caller waits for.
    async fn look(
        &self,
        upload: &Upload,
        finish: &ImportFinish,
        seen: Uuid,
    ) -> Result<Look, ImportError> {
        let is_over = match upload.stage() {
            UploadStage::Open => return Ok(Look::Free),
            UploadStage::Stopped => upload.run == seen,
            UploadStage::Running if self.is_dead(upload).await? => return Ok(Look::Free),
            UploadStage::Running => false,
            UploadStage::Ended => true,
        };
        if upload.stage() == UploadStage::Stopped && !is_over {
            return Ok(Look::Free);
        }
        if upload.finish.as_deref() != Some(&*finish.encode_to_vec()) {
            return Err(finished(upload.import_id).into());
        }
        Ok(match is_over {
            _ if upload.accepted => Look::Accepted,
            true => Look::Ended(ImportError::Told(answer_of(upload), Disclosure::AllUsers)),
            false => Look::Running,
        })
    }

    /// True where the run's server was heard of since it was first asked for, or is this one, or the
    /// run is over: a server that has just died must not count as one that carries the import on.
    async fn is_proven(&self, upload: &Upload, seen: &mut Seen) -> Result<bool, ImportError> {
        if upload.stage() != UploadStage::Running || upload.server_id == self.server {
            return Ok(true);
        }
        let heartbeat = self.store.last_heartbeat(upload.server_id);
        let heartbeat = heartbeat.await?.unwrap_or_default();
        Ok(*seen.heartbeat.get_or_insert(heartbeat) != heartbeat)
    }

    /// Takes the upload for a run of this server. `None`: somebody else has been quicker.
    async fn claim(
        &self,
        upload: &Upload,
        finish: &ImportFinish,
    ) -> Result<Option<UnderWay>, ImportError> {
        let under_way = self.runs.begin(Uuid::new_v4());
        let run = claimed(upload, under_way.run());
        let finish = finish.encode_to_vec();
        let claim = || {
            let finish = finish.clone();
            self.store.claim_run(run, upload.run, self.server, finish)
        };
        if self.patiently(claim).await? {
            return Ok(Some(under_way));
        }
        // A claim whose answer was lost is found when it is made again.
        let stored = || self.store.upload(run.organization, run.import);
        let stored = self.patiently(stored).await?;
        let is_ours = stored.is_some_and(|stored| stored.run == run.run);
        Ok(is_ours.then_some(under_way))
    }

    /// Runs the import to its end, and stores what it answers.
    async fn run_upload(
        self,
        sender: Sender,
        (upload, under_way): (Upload, UnderWay),
        (mut start, finish): (ImportStart, ImportFinish),
        tell: Tell,
    ) {
        let run = claimed(&upload, under_way.run());
        // Whoever watches says which results he or she wants.
        start.result_filter = ResultFilter::All.into();
        // Nobody reads but the database, which may be away for longer than a client may.
        let (outlet, replies) = Outlet::new(self.settings.server.deadlines.upload);
        let memory = sender.account.reserve(Outlet::BYTES);
        let acceptance = outlet.acceptance();
        let storing = self.store_replies(run, replies, acceptance.clone());
        let began = upload.started_at;
        let inbound = spool::stream(self.clone(), upload, start, finish);
        let running = async {
            let result = match memory {
                Ok(_memory) => Box::pin(session::run(&self, sender, began, inbound, &outlet)).await,
                Err(exhausted) => Err(exhausted.into()),
            };
            // With it end the replies.
            drop(outlet);
            result
        };
        let (result, stored) = join(Box::pin(running), storing).await;
        let result = stored.and(result);
        let accepted = *acceptance.borrow();
        self.end_upload(run, result.err(), accepted, tell).await;
        drop(under_way);
    }

    /// However long the database is away: a run that never ends would keep its import from others.
    async fn end_upload(
        &self,
        run: ClaimedRun,
        error: Option<ImportError>,
        accepted: bool,
        tell: Tell,
    ) {
        let stage = match error.as_ref().is_none_or(is_final) {
            true => UploadStage::Ended,
            false => UploadStage::Stopped,
        };
        let answer = error.as_ref().map_or_else(well, tell);
        let end = || self.store.end_run(run, stage, accepted, &answer);
        while let Err(error) = self.patiently(end).await {
            warn!(%error, "the end of an import could not be stored");
            if self.stop.is_cancelled() {
                return;
            }
            sleep(LOOK).await;
        }
    }
}

const fn claimed(upload: &Upload, run: Uuid) -> ClaimedRun {
    ClaimedRun {
        organization: upload.organization_id,
        import: upload.import_id,
        run,
    }
}

/// True where running the import again would end alike.
const fn is_final(error: &ImportError) -> bool {
    matches!(
        error,
        ImportError::Refused(_)
            | ImportError::Denied(_)
            | ImportError::UnknownOrganization(_)
            | ImportError::IdBound(_)
            | ImportError::IdInUse(_)
            | ImportError::OvertakenBy(_)
            | ImportError::Cancelled
    )
}

const fn well() -> RunAnswer {
    RunAnswer {
        code: 0,
        message: String::new(),
        details: Vec::new(),
    }
}

/// How an upload's run ended.
pub(crate) fn answer_of(upload: &Upload) -> RunAnswer {
    RunAnswer {
        code: upload.answer_code.unwrap_or_default(),
        message: upload.answer_message.clone().unwrap_or_default(),
        details: upload.answer_details.clone().unwrap_or_default(),
    }
}
