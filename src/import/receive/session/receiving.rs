//! Receives the roster to its end: decodes messages as they come, and tells the client which header was found.

use std::{future::pending, ops::ControlFlow, time::Duration};

use futures_util::StreamExt;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{AttemptRecording, ImportSession, PlanRequest, RequestStream, SESSION_BYTES};
use crate::{
    access::CredentialExpiry,
    domain::{Column, ImportPhase, Issue, IssueCode, Row},
    import::{
        ImportError, Importer, ReceivedRoster, Refusal, RosterReceiver,
        receive::{
            kept_input::KeptInput,
            read_ahead::DirectoryReadAhead,
            receiver::{HEAVY_BYTES, ReceiveFailure, out_of_order},
            upload_buffer::message_weight,
        },
    },
    proto::{ImportFinish, ImportStart},
    store::AttemptOpening,
    telemetry::metrics::{self, ImportStageTimer},
};

/// How long an upload lasts before it is recorded. A quicker one is recorded with its import's lease or
/// rows.
const UPLOAD_RECORDED_AFTER: Duration = Duration::from_millis(100);

/// Receives the first message, which must be `start`.
pub(crate) async fn receive_start(
    requests: &mut impl RequestStream,
    importer: &Importer,
    expiry: &mut CredentialExpiry,
) -> Result<ImportStart, ImportError> {
    let first = tokio::select! {
        first = requests.next() => first,
        denial = expiry => return Err(denial.into()),
        () = importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
    };
    match first {
        Some(Ok(Some(PlanRequest::Start(start)))) => Ok(start),
        Some(Ok(_)) => Err(out_of_order("The first message was not start.").into()),
        Some(Err(error)) => Err(error),
        None => Err(out_of_order("The stream was empty.").into()),
    }
}

impl ImportSession<'_> {
    /// Receives messages up to `finish`, and decodes and checks them as they come. Fails if the client's credential
    /// expires, the server stops, or a message is refused.
    #[tracing::instrument(skip_all)]
    pub(crate) async fn receive(
        &mut self,
        requests: &mut impl RequestStream,
        mut receiver: RosterReceiver,
        expiry: &mut CredentialExpiry,
    ) -> Result<ReceivedRoster, ImportError> {
        let _stage = ImportStageTimer::begin("receive");
        let mut decoding = Duration::ZERO;
        self.progress.enter(ImportPhase::Receiving);
        loop {
            let held_until = self.read_ahead.as_ref().map(DirectoryReadAhead::until);
            let message = tokio::select! {
                message = self.with_progress(requests.next()) => message,
                denial = &mut *expiry => return Err(denial.into()),
                () = self.importer.stop.cancelled() => return Err(ImportError::ShuttingDown),
                () = self.lasts_long() => {
                    self.notice_long_upload(receiver.rows()).await?;
                    self.announce_start(&receiver).await?;
                    continue;
                }
                () = sleep_until(held_until.unwrap_or_else(Instant::now)), if held_until.is_some() => {
                    self.read_ahead = None;
                    continue;
                }
            };
            if let Some(read_ahead) = &mut self.read_ahead {
                read_ahead.heard();
            }
            match message.transpose()? {
                Some(Some(PlanRequest::Finish(finish))) => {
                    if receiver.knows_input() {
                        self.begin_read_ahead(receiver.rows());
                    }
                    let begun = Instant::now();
                    let received = self.finish(receiver, finish).await;
                    metrics::stage_took("decode", decoding + begun.elapsed());
                    return received;
                }
                Some(Some(message)) => {
                    receiver = self.take(receiver, message, &mut decoding).await?;
                }
                Some(None) => return Err(out_of_order("A message was empty.").into()),
                None => return Err(incomplete().into()),
            }
        }
    }

    /// Decodes and checks a message of the input, and adds the time that this takes to `decoding`.
    async fn take(
        &mut self,
        receiver: RosterReceiver,
        message: PlanRequest,
        decoding: &mut Duration,
    ) -> Result<RosterReceiver, ImportError> {
        let begun = Instant::now();
        self.memory.grow(message_weight(&message))?;
        if let Some(kept) = &mut self.kept_input {
            kept.add(&message);
        }
        let (mut receiver, result) = push(receiver, message).await?;
        *decoding += begun.elapsed();
        self.memory.resize(self.bytes_with(receiver.bytes()))?;
        self.progress.set_received(receiver.rows());
        // A client that knows the import's ID may ask for its record.
        if self.is_recorded() || result.is_err() {
            self.announce_start(&receiver).await?;
        }
        result?;
        if receiver.rows() > 0 {
            self.begin_read_ahead(receiver.rows());
        }
        Ok(receiver)
    }

    /// Checks the input against what `finish` states, and adds the input's digest and warnings to the summary. This
    /// decodes the last rows, so it may take a moment.
    async fn finish(
        &mut self,
        mut receiver: RosterReceiver,
        stated: ImportFinish,
    ) -> Result<ReceivedRoster, ImportError> {
        // Reading a workbook ends soon after nobody waits for it any more.
        let wanted = CancellationToken::new();
        let _unwanted = wanted.clone().drop_guard();
        let mut memory = self.memory.beside();
        let is_workbook = receiver.is_workbook();
        let finishing = spawn_blocking(move || {
            let mut exhausted = None;
            let mut pause = |bytes: usize| match memory.resize(bytes) {
                _ if wanted.is_cancelled() => ControlFlow::Break(()),
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    exhausted = Some(error);
                    ControlFlow::Break(())
                }
            };
            let received = receiver.finish_while(&stated, &mut pause);
            (receiver, received, exhausted)
        });
        let (receiver, received, exhausted) = match is_workbook {
            true => self.while_wanted(finishing).await??,
            false => self.with_progress(finishing).await?,
        };
        let announced = self.announce_start(&receiver).await;
        let received = received.map_err(|failure| match (failure, exhausted) {
            (ReceiveFailure::Refused(refusals), _) => refusals.into(),
            (ReceiveFailure::Halted, Some(exhausted)) => exhausted.into(),
            (ReceiveFailure::Halted, None) => ImportError::ClientGone,
        })?;
        announced?;
        if is_workbook {
            self.memory.resize(self.bytes_with(received.bytes()))?;
        }
        let rows = u32::try_from(received.rows.len()).unwrap_or(u32::MAX);
        self.progress.set_total(rows);
        self.summary.input_sha256 = received.digest.to_vec();
        let ignored = received.ignored_lines.map(ignored_lines_warning);
        let warnings = location_warning(&received.rows).into_iter().chain(ignored);
        self.summary.warnings = warnings.map(|warning| (&warning).into()).collect();
        Ok(received)
    }

    /// Returns the bytes that the session holds; `rows` of them are the received rows.
    fn bytes_with(&self, rows: usize) -> usize {
        SESSION_BYTES + rows + self.kept_input.as_ref().map_or(0, KeptInput::bytes)
    }

    /// Posts `started` once, with the present state of the import's ID. Does nothing if the kind of input is not known
    /// yet.
    async fn announce_start(&mut self, receiver: &RosterReceiver) -> Result<(), ImportError> {
        if !self.started && receiver.knows_input() {
            self.look_up_id().await?;
            self.post_start(receiver.header(), receiver.sheet());
        }
        Ok(())
    }

    /// Finds out the present state of the import's ID.
    pub(crate) async fn look_up_id(&mut self) -> Result<(), ImportError> {
        let mut recording = AttemptRecording::New;
        if self.options.import_id.is_some() {
            let opening = self.importer.store.expected_opening(&self.record);
            match opening.await? {
                None => {}
                Some(AttemptOpening::Recorded) => recording = AttemptRecording::Replacing,
                Some(AttemptOpening::Bound) => self.resumed = true,
                Some(AttemptOpening::InUse) => {
                    return Err(ImportError::ImportIdInUse(self.record.id));
                }
            }
        }
        if !self.resumed && !self.is_recorded() {
            self.recording = recording;
        }
        Ok(())
    }

    /// Waits until the next step of a long upload is due: to record the upload, to record its received rows, or to look
    /// at the lease.
    async fn lasts_long(&self) {
        let records = (!self.is_recorded()).then_some(UPLOAD_RECORDED_AFTER);
        let due = records.into_iter().chain(self.looks_after);
        let due = due.map(|after| self.began + after);
        let notes = self.is_recorded().then(|| self.progress.note_due());
        match due.chain(notes).min() {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    }

    /// Records a slow upload, so that others see it. Fails if another import has held the organisation for as long as
    /// this upload has been coming in: the time of the upload counts as waiting for its turn.
    async fn notice_long_upload(&mut self, rows: u32) -> Result<(), ImportError> {
        if self.began.elapsed() >= UPLOAD_RECORDED_AFTER {
            self.record_attempt().await?;
        }
        let interval = self.importer.settings.progress_interval;
        if self.is_recorded() && self.progress.takes_note(interval) {
            let noted = self.importer.store.note_received(&self.record, rows);
            if let Err(error) = noted.await {
                // The upload goes on, and only its watchers know less.
                warn!(%error, "the received rows could not be recorded");
            }
        }
        let looks = |after: &mut Duration| self.began.elapsed() >= *after;
        if self.looks_after.take_if(looks).is_none() {
            return Ok(());
        }
        if self.options.import_id.is_some() {
            // The client of an interrupted import learns what was written, even while another import runs.
            self.record_attempt().await?;
        }
        let turn = self.importer.expect_turn(self.organization, self.record.id);
        match self.resumed {
            true => Ok(()),
            false => turn.await,
        }
    }

    /// Fails if the client sends a message after `finish`.
    pub(crate) async fn await_half_close(
        &self,
        requests: &mut impl RequestStream,
    ) -> Result<(), ImportError> {
        let grace = self.importer.settings.half_close_grace;
        match self.with_progress(timeout(grace, requests.next())).await {
            Ok(Some(Ok(_))) => Err(out_of_order("A message came after finish.").into()),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) | Err(_) => Ok(()),
        }
    }
}

/// Decodes a message; a large one on a blocking thread.
async fn push(
    mut receiver: RosterReceiver,
    message: PlanRequest,
) -> Result<(RosterReceiver, Result<(), Vec<Refusal>>), ImportError> {
    let heavy = match &message {
        PlanRequest::CsvChunk(chunk) | PlanRequest::WorkbookChunk(chunk) => {
            chunk.len() >= HEAVY_BYTES
        }
        PlanRequest::Rows(rows) => rows.rows.len() >= HEAVY_BYTES / 128,
        PlanRequest::Start(_) | PlanRequest::Finish(_) => false,
    };
    if !heavy {
        let result = receiver.push(message);
        return Ok((receiver, result));
    }
    let pushing = spawn_blocking(move || {
        let result = receiver.push(message);
        (receiver, result)
    });
    Ok(pushing.await?)
}

fn incomplete() -> Refusal {
    let message = "The stream ended without finish, so the roster may be cut off. Nothing was \
        written; send it again.";
    Refusal::precondition("INCOMPLETE", "finish", message)
}

fn ignored_lines_warning((count, first): (u32, u32)) -> Issue {
    let message = match count {
        1 => format!(
            "Line {first} was left out, because it begins with one of ignored_line_prefixes."
        ),
        _ => format!(
            "{count} lines were left out, because they begin with one of ignored_line_prefixes; the first is line {first}."
        ),
    };
    Issue::file_warning(IssueCode::NotARow, message)
}

fn location_warning(rows: &[Row]) -> Option<Issue> {
    let mut located = rows.iter().filter(|row| row.has_location());
    let number = located.next()?.number;
    let whose = match located.count() {
        0 => format!("row {number} has a value"),
        others => format!(
            "{} rows have a value, the first is row {number}",
            others + 1
        ),
    };
    let message = format!("LOCATION is reserved and not stored; {whose}.");
    let issue = Issue::warning(IssueCode::LocationIgnored, Column::Location, "", message);
    Some(issue.about_row(number))
}
