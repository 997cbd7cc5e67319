//! Imports that are held for review (semantics §12): kept when a guard refuses them, planned again for a review, and
//! applied once they are approved. A review and an approval run the stages of any import on the kept messages; nothing
//! here judges a row.

mod request_stream;

use prost::Message;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    ImportError, Importer, ResponseSender, Submitter, WatchRequest,
    record::approval_needs,
    review::{HeldAction, HeldRun, not_held},
    stages,
};
use crate::{
    access::{AccessDenial, Principal},
    domain::{AuditActor, ImportState, Permission},
    proto::{ApprovalNeeds, ImportStart},
    store::{HeldImport, HoldEnd, ImportRecord, StoreError},
    telemetry::{metrics, traces},
};

/// How many times the input of a held import may disappear while it is read. After the first time, the record has the
/// end of the import.
const TRIES: u32 = 3;

impl Importer {
    /// Reviews or approves a held import, from the stored messages to the summary. Needs a task of its own that is not
    /// dropped with the client's call.
    pub(crate) async fn run_held(
        self,
        submitter: Submitter,
        (slug, import): (String, Uuid),
        (action, filter): (HeldAction, i32),
        responses: ResponseSender,
    ) {
        for _ in 0..TRIES {
            let action = (action.clone(), filter);
            let running = self.try_run_held(submitter.clone(), (&slug, import), action, &responses);
            match Box::pin(running).await {
                // The input was removed while it was read: the record says what has become of the import.
                Err(ImportError::ClientGone) if !responses.is_gone() => {}
                Err(error) => return responses.fail(error).await,
                Ok(()) => return,
            }
        }
        responses.fail(ImportError::TakenOver).await;
    }

    async fn try_run_held(
        &self,
        submitter: Submitter,
        (slug, import): (&str, Uuid),
        (action, filter): (HeldAction, i32),
        responses: &ResponseSender,
    ) -> Result<(), ImportError> {
        traces::tell_import(import);
        submitter.principal.expect_organization(slug)?;
        let organization = self.organization(slug).await?.id;
        // This is read first: if it is gone, the record says what has become of the import.
        let kept = self.store.held_import(organization, import).await?;
        let record = self.store.import(organization, import).await?;
        let record = record.ok_or_else(|| ImportError::UnknownImport(import.to_string()))?;
        let state = self.state_now(&record).await?;
        if let HeldAction::Approve(approval) = &action
            && record.held_until.is_some()
            && record.plan_digest == approval.plan_digest
            && matches!(state, ImportState::Completed | ImportState::Cancelled)
        {
            return self.tell_again(&record, state, filter, responses).await;
        }
        let may_go_on = matches!(state, ImportState::Applying | ImportState::Interrupted);
        let kept = kept.filter(|_| match action {
            HeldAction::Review => state == ImportState::Held,
            HeldAction::Approve(_) => state == ImportState::Held || may_go_on,
        });
        let kept = kept.ok_or_else(|| not_held(import, state))?;
        let is_approval = matches!(action, HeldAction::Approve(_));
        if is_approval && self.settings.four_eyes && kept.principal == submitter.principal.name {
            return Err(AccessDenial::SameCredential.into());
        }
        let held = HeldRun {
            action,
            sender: kept.principal.clone(),
            until: record.held_until,
        };
        let start = held_start(&kept, &held, filter, &submitter.principal)?;
        // From now on the record says what becomes of an import that came in parts.
        self.store.remove_ended_upload(organization, import).await?;
        let began = kept.started_at;
        let finish = request_stream::finish(&kept, &record);
        let requests = request_stream::stream(self.clone(), kept, start, finish);
        let run = stages::run_held(self, submitter, Some(held), began, requests, responses);
        let ended = Box::pin(run).await;
        if is_approval
            && ended.is_ok()
            && let Err(error) = self.store.remove_held(organization, import).await
        {
            warn!(%error, "the input of an approved import could not be removed; it is removed later");
        }
        ended
    }

    /// Sends the recorded results of an import that was approved before, with the status that it ended with.
    async fn tell_again(
        &self,
        record: &ImportRecord,
        state: ImportState,
        filter: i32,
        responses: &ResponseSender,
    ) -> Result<(), ImportError> {
        let filter = super::parse_filter(filter, &mut Vec::new());
        let asked = WatchRequest { filter, skip: 0 };
        let key = (record.organization_id, record.id);
        self.watch_record(key, asked, responses).await?;
        match state {
            ImportState::Cancelled => Err(ImportError::Cancelled),
            _ => Ok(()),
        }
    }

    /// Returns the needs of an approval of this import. `None` if its state is not HELD.
    pub(crate) fn approval_needs(
        &self,
        record: &ImportRecord,
        state: ImportState,
    ) -> Option<ApprovalNeeds> {
        let four_eyes = self.settings.four_eyes;
        (state == ImportState::Held).then(|| approval_needs::of(record, four_eyes))
    }

    /// Discards a held import. Returns `false` if it is not held.
    pub(crate) async fn discard_held(
        &self,
        record: &ImportRecord,
        actor: &AuditActor,
    ) -> Result<bool, ImportError> {
        if record.state() != ImportState::Held {
            return Ok(false);
        }
        let key = (record.organization_id, record.id);
        let end = HoldEnd::Discarded;
        Ok(self
            .store
            .end_hold(key, end, actor, self.clock.now())
            .await?)
    }

    /// Ends held imports whose time is over, and removes what is no longer needed.
    pub(crate) async fn expire_held(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (organization, import, principal) in self.store.expired_holds(now).await? {
            let sender = AuditActor {
                principal,
                address: String::new(),
            };
            let key = (organization, import);
            if self
                .store
                .end_hold(key, HoldEnd::Expired, &sender, now)
                .await?
            {
                info!(import_id = %import, "a held import has expired");
                metrics::refused("HOLD_EXPIRED");
            }
        }
        self.store.sweep_held(now).await?;
        metrics::imports_held(self.store.count_held(None).await?);
        Ok(())
    }
}

/// The `start` of a session on a held import.
fn held_start(
    kept: &HeldImport,
    held: &HeldRun,
    filter: i32,
    principal: &Principal,
) -> Result<ImportStart, ImportError> {
    let start = ImportStart::decode(&*kept.start);
    let mut start = start.map_err(|error| ImportError::Internal(error.to_string()))?;
    start.result_filter = filter;
    start.include_values = false;
    if held.is_review() {
        start.validate_only = true;
        start.include_values = principal.permissions.has(Permission::UsersRead);
    }
    Ok(start)
}
