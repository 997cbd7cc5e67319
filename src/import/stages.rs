//! The stages of one stream's import, in order: start, receive, wait for a permit, plan, apply, summary.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};

use super::{
    ImportError, ImportOptions, Importer, ResponseSender, RosterReceiver, messages,
    receive::{
        AttemptRecording, BegunImport, ImportSession, RequestStream, SESSION_BYTES, UploadPermit,
        expect_permitted, expect_permitted_held, receive_start,
    },
    respond::Response,
    review::HeldRun,
};
use crate::{
    access::{CredentialExpiry, Principal},
    domain::{AuditActor, ImportState, Row},
    limits::{MemoryAccount, MemoryParty, MemoryReservation},
    plan::RowMatching,
    store::AttemptOpening,
    telemetry::metrics,
};

/// Bytes that the plan of one row needs.
const PLAN_BYTES: usize = 128;

/// The caller who sends an import.
#[derive(Clone, Debug)]
pub struct Submitter {
    /// The authenticated principal.
    pub principal: Arc<Principal>,
    /// The principal with an address, for the audit trail.
    pub actor: AuditActor,
    /// The account that is charged for the call's bytes.
    pub account: MemoryAccount,
}

/// Runs one import, which began at `started_at`, from its first message to its summary.
///
/// # Errors
/// Fails if the import does not complete. If it had begun, the summary has been sent.
pub(super) async fn run(
    importer: &Importer,
    submitter: Submitter,
    started_at: OffsetDateTime,
    requests: impl RequestStream,
    responses: &ResponseSender,
) -> Result<(), ImportError> {
    run_held(importer, submitter, None, started_at, requests, responses).await
}

/// The same for the stored messages of a held import, which are reviewed or applied.
///
/// # Errors
/// As [`run`].
pub(super) async fn run_held(
    importer: &Importer,
    submitter: Submitter,
    held: Option<HeldRun>,
    started_at: OffsetDateTime,
    mut requests: impl RequestStream,
    responses: &ResponseSender,
) -> Result<(), ImportError> {
    let authenticator = &importer.authenticator;
    let mut expiry = authenticator.credential_expiry(Arc::clone(&submitter.principal));
    let mut start = receive_start(&mut requests, importer, &mut expiry).await?;
    match &held {
        Some(held) => expect_permitted_held(&submitter.principal, held, &start)?,
        None => expect_permitted(&submitter.principal, &start)?,
    }
    let (uploading, memory) = admit(importer, &submitter, &start.organization)?;
    let mut options = ImportOptions::parse(start.clone())?;
    if held.is_some() {
        // This is the digest of a dry run before the import was held. The digest of the review takes its place.
        options.expected_plan_digest = None;
    }
    let organization = importer.organization(&options.organization).await?;
    importer
        .resolve_mapping(organization.id, &mut start, &mut options)
        .await?;
    let mut receiver = RosterReceiver::new(&options.csv, importer.settings.limits)?;
    receiver.set_sheet(&options.sheet);
    receiver.set_phone_region(organization.phone_region());
    let begun = BegunImport {
        matching: RowMatching::ByKeys(options.match_by),
        start,
        options,
        undoes: None,
        organization,
        held,
        memory,
        started_at,
    };
    let by = (submitter.principal, submitter.actor);
    let mut session = begun.session(importer, by, responses).await?;
    let receiving = (receiver, uploading);
    let result = session
        .run_stages(&mut requests, receiving, &mut expiry)
        .await;
    session.end(result, &mut requests).await
}

/// Lets a caller begin an import if it has not begun too many, and charges the import to its organisation.
pub(super) fn admit(
    importer: &Importer,
    submitter: &Submitter,
    organization: &str,
) -> Result<(UploadPermit, MemoryReservation), ImportError> {
    let Submitter {
        principal, account, ..
    } = submitter;
    let uploading = importer
        .limiter
        .begin_upload(organization, &principal.name)?;
    account.charge_to(MemoryParty::Organization(organization.to_owned()))?;
    Ok((uploading, account.reserve(SESSION_BYTES)?))
}

impl ImportSession<'_> {
    /// Records the attempt, unless it is recorded.
    pub(super) async fn record_attempt(&mut self) -> Result<(), ImportError> {
        if self.is_recorded() {
            return Ok(());
        }
        let open = self.importer.store.open_import(&self.record);
        match open.await? {
            AttemptOpening::Recorded => {}
            AttemptOpening::Bound => self.resumed = true,
            AttemptOpening::InUse => return Err(ImportError::ImportIdInUse(self.record.id)),
        }
        self.recording = AttemptRecording::Recorded;
        Ok(())
    }

    /// Runs the stages. On return `self.summary` is complete but not sent.
    async fn run_stages(
        &mut self,
        requests: &mut impl RequestStream,
        (receiver, uploading): (RosterReceiver, UploadPermit),
        expiry: &mut CredentialExpiry,
    ) -> Result<(), ImportError> {
        let received = self.receive(requests, receiver, expiry).await?;
        self.await_half_close(requests).await?;
        self.enter(expiry).await?;
        drop(uploading);
        self.file_columns = received.file_columns;
        self.run_rows(received.rows, expiry).await
    }

    /// Runs the stages after all rows are known.
    pub(super) async fn run_rows(
        &mut self,
        rows: Vec<Row>,
        expiry: &mut CredentialExpiry,
    ) -> Result<(), ImportError> {
        self.memory.grow(rows.len() * PLAN_BYTES)?;
        let rows = Arc::new(rows.into());
        if !self.options.validate_only {
            return self.carry_out(rows).await;
        }
        self.responses.accept();
        if !self.is_review() {
            self.record_attempt().await?;
            self.expect_own_id().await?;
        }
        let planned = self.plan(rows).await?;
        let refusals = self.refusals(&planned);
        tokio::select! {
            () = self.preview(&planned) => {}
            denial = expiry => return Err(denial.into()),
        }
        match refusals.is_empty() {
            true => Ok(()),
            // A review shows them.
            false if self.is_review() => {
                self.summary.refusals = messages::refusals(&refusals);
                Ok(())
            }
            false => Err(refusals.into()),
        }
    }

    /// Waits for an import permit.
    #[tracing::instrument(skip_all)]
    pub(super) async fn enter(&mut self, expiry: &mut CredentialExpiry) -> Result<(), ImportError> {
        let asked = Instant::now();
        let permit = self.importer.limiter.enter(&self.options.organization);
        let permit = tokio::select! {
            permit = self.while_wanted(permit) => permit??,
            denial = expiry => return Err(denial.into()),
        };
        metrics::waited("import", asked.elapsed());
        self.permit = Some(permit);
        Ok(())
    }

    /// Records how the attempt ended, and sends the summary as the last message.
    pub(super) async fn end(
        mut self,
        result: Result<(), ImportError>,
        requests: &mut impl RequestStream,
    ) -> Result<(), ImportError> {
        match &result {
            Ok(()) if self.is_review() => self.close_as(ImportState::Held).await,
            Ok(()) => self.close_as(ImportState::Completed).await,
            // The caller does not learn whose ID this is, or how the other import ended.
            Err(ImportError::ImportIdInUse(_)) if !self.started => return result,
            Err(error) => self.close(error).await,
        }
        if let Err(ImportError::ClientGone) = result {
            return result;
        }
        self.post_start(None, None);
        self.responses.send(Response::Summary(self.summary)).await;
        if result.is_err() {
            // The rest of the client's messages are dropped, so that the client begins to read.
            drain(requests, self.importer.settings.half_close_grace).await;
        }
        result
    }
}

async fn drain(requests: &mut impl RequestStream, grace: Duration) {
    let dropping = async { while let Some(Ok(_)) = requests.next().await {} };
    let _ = timeout(grace, dropping).await;
}
