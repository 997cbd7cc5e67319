//! `ImportService`: streams in and out of the import engine.
//!
//! The permission that an RPC needs has been checked before (`rpc::auth_layer`); handlers check what
//! depends on the request. They find an organisation through its [`Caller`] only, so that another caller's
//! organisation and one that does not exist get the same answer.

use std::sync::Arc;

use futures_util::StreamExt;
use time::OffsetDateTime;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    CallResult, ResponseMessages,
    caller::{Caller, OrganizationWithPermit},
    computed,
    export::format,
    inbound_messages,
    paging::{MAX_BYTES, PageRequest},
    partial_message::PartialMessage,
    push::{self, AcceptedPush},
    serve, status,
    transport_statuses::memory_exhausted,
    undo,
    upload_parts::{self, parse_import_id},
    workbook_export::WORKBOOK_BYTES,
};
use crate::{
    access::{DisclosureScope, ResultAudience},
    domain::{BYTE_ORDER_MARK, ImportState, Permission, TEMPLATE_NAME, template_csv},
    import::{
        ImportError, Importer, Refusal, ResponseSender, ResponseStream, WatchRequest, parse_filter,
        record::import_record, respond::disclosure,
    },
    limits::MemoryAccount,
    proto::{
        self, AppendImportRequest, AppendImportResponse, ApproveImportRequest,
        ApproveImportResponse, BeginImportRequest, BeginImportResponse, CancelImportRequest,
        CancelImportResponse, FileFormat, FinishImportRequest, FinishImportResponse,
        GetImportRequest, GetImportResponse, GetImportTemplateRequest, GetImportTemplateResponse,
        Import, ImportUsersRequest, ImportUsersResponse, InspectRosterRequest,
        InspectRosterResponse, ListImportsRequest, ListImportsResponse, ListUserImportsRequest,
        ListUserImportsResponse, PushUsersRequest, PushUsersResponse, ReadRosterRowsRequest,
        ReadRosterRowsResponse, ReviewImportRequest, ReviewImportResponse, UndoImportRequest,
        UndoImportResponse, WatchImportRequest, WatchImportResponse,
        import_service_server::ImportService, import_users_response::Message as ResponseMessage,
    },
    store::{ImportRecord, Store, StoreError},
    telemetry::{request_id, traces},
    workbook::template_workbook,
};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct ImportHandlers {
    importer: Importer,
    store: Store,
}

impl ImportHandlers {
    /// Serves imports into this database.
    #[must_use]
    pub(crate) const fn new(importer: Importer, store: Store) -> Self {
        Self { importer, store }
    }

    /// The engine.
    pub(super) const fn importer(&self) -> &Importer {
        &self.importer
    }

    /// The database.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the organisation and the record of its import with this ID. An ID that only another
    /// organisation has counts as unknown.
    pub(super) async fn find(
        &self,
        caller: &Caller,
        slug: &str,
        import_id: &str,
    ) -> Result<(OrganizationWithPermit, ImportRecord), Status> {
        caller.expect_organization(slug)?;
        let id = parse_import_id(import_id)?;
        traces::tell_import(id);
        let organization = caller.organization(&self.store, slug).await?;
        let found = self.store.import(organization.id, id).await;
        let found = found.map_err(|error| status::from_store(&error, slug))?;
        let unknown = || ImportError::UnknownImport(import_id.to_owned());
        let record = found.ok_or_else(|| status::from_import(&unknown()))?;
        Ok((organization, record))
    }

    /// Expects that the caller may watch the import: it has `users.read`, or ran the import. Any other caller
    /// gets the same answer for every import, whether or not it exists.
    async fn expect_may_watch(
        &self,
        caller: &Caller,
        slug: &str,
        import: &str,
    ) -> Result<(), Status> {
        let Err(denial) = caller.principal().expect(Permission::UsersRead) else {
            return Ok(());
        };
        let import = Uuid::try_parse(import).unwrap_or_default();
        let has_run = self.importer.has_run(caller.principal(), slug, import);
        match has_run.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(status::from_denial(&denial)),
            Err(error) => Err(status::from_store(&error, "")),
        }
    }

    async fn get(
        self,
        caller: Caller,
        request: GetImportRequest,
    ) -> Result<GetImportResponse, Status> {
        let (slug, id) = (&request.organization, &request.import_id);
        Ok(GetImportResponse {
            import_record: Some(self.message(&caller, slug, id).await?),
        })
    }

    async fn message(&self, caller: &Caller, slug: &str, id: &str) -> Result<Import, Status> {
        let (organization, record) = self.find(caller, slug, id).await?;
        self.as_message(&record, &organization.slug).await
    }

    /// Returns the import in the form in which `CancelImport` answers. The caller may not be allowed to read users.
    async fn cancelled(
        &self,
        caller: &Caller,
        slug: &str,
        id: &str,
    ) -> Result<CancelImportResponse, Status> {
        let import = self.message(caller, slug, id).await?;
        let owns = import.principal == caller.principal().name;
        let import = match DisclosureScope::of(caller.principal().permissions) {
            DisclosureScope::AllUsers => import,
            DisclosureScope::OwnRoster => disclosure::record_without_others(import, owns),
        };
        Ok(CancelImportResponse {
            import_record: Some(import),
        })
    }

    /// A record with its state now: an import whose server has no heartbeat any more is interrupted, even
    /// if another state was recorded last (semantics §8).
    pub(super) async fn as_message(
        &self,
        record: &ImportRecord,
        slug: &str,
    ) -> Result<Import, Status> {
        let state = self.importer.without_retries().state_now(record).await;
        let state = state.map_err(|error| status::from_store(&error, slug))?;
        let retention = self.importer.undo_retention();
        Ok(Import {
            approval_needs: self.importer.approval_needs(record, state),
            ..import_record::message(record, slug, state, retention)
        })
    }

    /// A page of an organisation's imports, the latest first. Reads one more than the page has, to know
    /// whether there is a next page.
    async fn list(
        self,
        caller: Caller,
        request: ListImportsRequest,
    ) -> Result<ListImportsResponse, Status> {
        caller.expect_organization(&request.organization)?;
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let state = parse_state(request.state)?;
        let slug = request.organization;
        let organization = caller.organization(&self.store, &slug).await?;
        let mut before = page.position()?;
        let (mut found, mut imports) = (Vec::new(), Vec::new());
        // The recorded state may not be the state now, so this reads records until enough of them are in the wanted
        // state.
        loop {
            let records = self
                .read_page(organization.id, state, (&page, before))
                .await;
            let (records, is_last) = records.map_err(|error| status::from_store(&error, &slug))?;
            before = records.last().map(|last| (last.started_at, last.id));
            for record in records {
                let import = self.as_message(&record, &slug).await?;
                if state.is_none_or(|state| import.state == i32::from(state)) {
                    found.push(record);
                    imports.push(import);
                }
            }
            if is_last || imports.len() > page.size {
                break;
            }
        }
        let next_page_token = page.cut(&mut imports, |at, _| {
            PageRequest::after_moment((found[at].started_at, found[at].id))
        });
        Ok(ListImportsResponse {
            imports,
            next_page_token,
        })
    }

    /// Reads one record more than the page has, if they fit into a message, and returns whether there are no more. Reads a few at a time, because
    /// records of an earlier release may be large.
    async fn read_page(
        &self,
        organization: i64,
        state: Option<ImportState>,
        (page, mut before): (&PageRequest, Option<(OffsetDateTime, Uuid)>),
    ) -> Result<(Vec<ImportRecord>, bool), StoreError> {
        const STEP: usize = 50;
        let states = state.map(recorded_as).unwrap_or_default();
        let mut found: Vec<ImportRecord> = Vec::new();
        let mut bytes = 0;
        while found.len() <= page.size && bytes <= MAX_BYTES {
            let limit = STEP.min(page.size + 1 - found.len());
            let step = self
                .store
                .imports(organization, states, before, limit as u64);
            let step = step.await?;
            let is_last = step.len() < limit;
            bytes += step.iter().map(|record| record.notes.len()).sum::<usize>();
            found.extend(step);
            before = found.last().map(|last| (last.started_at, last.id));
            if is_last {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    /// Removes an upload in parts that has not finished, discards a held import, or asks the server that applies the
    /// import to stop between two transactions. Fails with `NOT_APPLYING` if the import is in neither state: an import
    /// that has ended does not change.
    async fn cancel(
        self,
        caller: Caller,
        request: CancelImportRequest,
    ) -> Result<CancelImportResponse, Status> {
        let (slug, id) = (&request.organization, &request.import_id);
        let (organization, record) = self.find(&caller, slug, id).await?;
        // The answer asks for a share again.
        let organization = organization.release_permit();
        let removed = self.importer.cancel_upload(&record, &caller.actor()).await;
        if removed.map_err(|error| status::from_import(&error))? {
            return self.cancelled(&caller, slug, id).await;
        }
        let discarded = self.importer.discard_held(&record, &caller.actor()).await;
        if discarded.map_err(|error| status::from_import(&error))? {
            return self.cancelled(&caller, slug, id).await;
        }
        let failed = |error| status::from_store(&error, slug);
        let state = self.importer.without_retries().state_now(&record).await;
        let state = state.map_err(failed)?;
        let applying = state == ImportState::Applying
            && self
                .store
                .request_cancel(
                    organization.id,
                    record.id,
                    &caller.actor(),
                    self.importer.now(),
                )
                .await
                .map_err(failed)?;
        if !applying {
            let message = format!(
                "Import {} is not applying (its state is {}), so there is nothing to cancel.",
                record.id,
                state.name().to_uppercase()
            );
            let refusal = Refusal::precondition("NOT_APPLYING", &record.id.to_string(), message);
            return Err(status::refused(&[refusal]));
        }
        self.cancelled(&caller, slug, id).await
    }

    async fn watch(
        self,
        caller: Caller,
        request: WatchImportRequest,
    ) -> Result<ResponseMessages<WatchImportResponse>, Status> {
        let (slug, id) = (&request.organization, &request.import_id);
        self.expect_may_watch(&caller, slug, id).await?;
        caller.expect_organization(slug)?;
        let mut faults = Vec::new();
        let filter = parse_filter(request.result_filter, &mut faults);
        if !faults.is_empty() {
            return Err(status::refused(&faults));
        }
        let (organization, record) = self.find(&caller, slug, id).await?;
        let principal = Arc::clone(caller.principal());
        let audience = self.importer.watcher_audience(principal, &record.principal);
        let audience = audience.of_undo(record.undoes.is_some());
        let (sender, responses) = self.response_ends(caller.account())?;
        let asked = WatchRequest {
            filter,
            skip: request.after_result,
        };
        let watched_import = (organization.id, record.id);
        let watching = self.importer.watch(watched_import, asked, sender);
        tokio::spawn(watching.in_current_span());
        Ok(answers(responses, audience, WatchImportResponse::from))
    }

    fn undo(
        &self,
        caller: &Caller,
        request: UndoImportRequest,
    ) -> Result<ResponseMessages<UndoImportResponse>, Status> {
        caller.expect_organization(&request.organization)?;
        let request = undo::parse(request)?;
        let submitter = caller.submitter();
        let (sender, responses) = self.response_ends(&submitter.account)?;
        let audience = Arc::clone(&submitter.principal);
        let audience = self.importer.submitter_audience(audience).of_undo(true);
        // A task of its own: hanging up must not drop it in the middle of a transaction.
        let running = self.importer.clone().undo(submitter, request, sender);
        tokio::spawn(running.in_current_span());
        Ok(answers(responses, audience, UndoImportResponse::from))
    }

    async fn template(
        self,
        caller: Caller,
        request: GetImportTemplateRequest,
    ) -> Result<GetImportTemplateResponse, Status> {
        let slug = &request.organization;
        let format = format(request.format)?;
        let organization = caller.organization(&self.store, slug).await?;
        let catalog = self.store.catalog(organization.id).await;
        let catalog = catalog.map_err(|error| status::from_store(&error, slug))?;
        if format == FileFormat::Xlsx {
            let memory = caller.account().reserve(WORKBOOK_BYTES);
            let _memory = memory.map_err(memory_exhausted)?;
            let workbook = computed(move || template_workbook(&catalog)).await?;
            return Ok(GetImportTemplateResponse {
                filename: format!("{TEMPLATE_NAME}.xlsx"),
                workbook: workbook.map_err(|error| status::internal(&error))?,
                ..GetImportTemplateResponse::default()
            });
        }
        let begins = match request.byte_order_mark {
            true => BYTE_ORDER_MARK,
            false => "",
        };
        Ok(GetImportTemplateResponse {
            filename: format!("{TEMPLATE_NAME}.csv"),
            csv: template_csv(&catalog, begins),
            ..GetImportTemplateResponse::default()
        })
    }

    /// Returns both ends of an import's responses, with the memory that they may take.
    pub(super) fn response_ends(
        &self,
        account: &MemoryAccount,
    ) -> Result<(ResponseSender, ResponseStream), Status> {
        let memory = account.reserve(ResponseSender::BYTES);
        let memory = memory.map_err(memory_exhausted)?;
        let idle = self.importer.server_limits().deadlines.idle;
        let (sender, responses) = ResponseSender::new(idle);
        Ok((sender.with_memory(memory), responses))
    }
}

/// Returns the state that a list is asked for, or `None` if all are.
fn parse_state(number: i32) -> Result<Option<ImportState>, Status> {
    match proto::ImportState::try_from(number) {
        Ok(proto::ImportState::Unspecified) => Ok(None),
        Ok(_) => Ok(Some(ImportState::from_number(number))),
        Err(_) => {
            let message = format!("state has no value {number}.");
            Err(status::invalid("BAD_STATE", "state", message))
        }
    }
}

/// The states that may be recorded of an import that is in this state now: if its server has died, the state that it had
/// stays recorded.
const fn recorded_as(state: ImportState) -> &'static [ImportState] {
    use ImportState::{Applying, Cancelled, Completed, Held, Interrupted, Receiving, Refused};
    match state {
        Receiving => &[Receiving],
        Applying => &[Applying],
        Interrupted => &[Receiving, Applying, Interrupted],
        Completed => &[Completed],
        Refused => &[Refused],
        Cancelled => &[Cancelled],
        Held => &[Held],
    }
}

/// Turns responses into messages, as far as the caller may see them. The stream is polled outside of the
/// call, so the call's request ID and span are restored here.
pub(super) fn answers<T: 'static>(
    responses: ResponseStream,
    audience: ResultAudience,
    wrap: fn(ResponseMessage) -> T,
) -> ResponseMessages<T> {
    let (id, span) = (request_id::current(), Span::current());
    let failed = move |error: ImportError| {
        span.in_scope(|| request_id::during(id, || status::from_import(&error)))
    };
    let disclosed = responses.then(move |response| {
        let audience = audience.clone();
        async move { disclosure::disclose(response, &audience).await }
    });
    Box::pin(disclosed.map(move |response| response.map(wrap).map_err(&failed)))
}

#[tonic::async_trait]
impl ImportService for ImportHandlers {
    type ImportUsersStream = ResponseMessages<ImportUsersResponse>;
    type WatchImportStream = ResponseMessages<WatchImportResponse>;
    type UndoImportStream = ResponseMessages<UndoImportResponse>;
    type ReviewImportStream = ResponseMessages<ReviewImportResponse>;
    type ApproveImportStream = ResponseMessages<ApproveImportResponse>;

    async fn import_users(
        &self,
        request: Request<Streaming<ImportUsersRequest>>,
    ) -> CallResult<Self::ImportUsersStream> {
        let caller = Caller::of(&request)?;
        let submitter = caller.submitter();
        let (sender, responses) = self.response_ends(&submitter.account)?;
        let wire = request.extensions().get().cloned().unwrap_or_default();
        let partial = request.extensions().get::<PartialMessage>().cloned();
        let limits = self.importer.server_limits();
        let inbound = inbound_messages::messages(request.into_inner(), wire, partial, limits);
        let inbound = self.importer.buffer_requests(inbound, &submitter.account);
        let inbound = inbound.map_err(memory_exhausted)?;
        let principal = Arc::clone(&submitter.principal);
        let audience = self.importer.submitter_audience(principal);
        // A task of its own: hanging up must not drop it in the middle of a transaction.
        let running = self.importer.clone().run(submitter, inbound, sender);
        tokio::spawn(running.in_current_span());
        let responses = answers(responses, audience, |message| ImportUsersResponse {
            message: Some(message),
        });
        Ok(Response::new(responses))
    }

    async fn push_users(
        &self,
        request: Request<PushUsersRequest>,
    ) -> CallResult<PushUsersResponse> {
        let caller = Caller::of(&request)?;
        let submitter = caller.submitter();
        let wire = request.extensions().get().cloned().unwrap_or_default();
        let ratio = self.importer.server_limits().compression_ratio;
        let push = AcceptedPush::parse(request.into_inner(), &wire, ratio)?;
        let collected = submitter.account.reserve(push.answer_bytes());
        let _held_until_answered = collected.map_err(memory_exhausted)?;
        let (sender, responses) = self.response_ends(&submitter.account)?;
        let audience = Arc::clone(&submitter.principal);
        let audience = self.importer.submitter_audience(audience);
        // A task of its own, as for a stream: hanging up drops the responses, and not the import.
        let running = self.importer.clone();
        let running = running.run(submitter, push.messages(), sender);
        tokio::spawn(running.in_current_span());
        let answer = push::answer(responses, &audience).await?;
        Ok(Response::new(answer))
    }

    async fn begin_import(
        &self,
        request: Request<BeginImportRequest>,
    ) -> CallResult<BeginImportResponse> {
        serve(&self.importer, request, upload_parts::begin).await
    }

    async fn append_import(
        &self,
        request: Request<AppendImportRequest>,
    ) -> CallResult<AppendImportResponse> {
        let wire = request.extensions().get().cloned().unwrap_or_default();
        serve(&self.importer, request, |importer, caller, part| {
            upload_parts::append(importer, caller, part, wire)
        })
        .await
    }

    async fn finish_import(
        &self,
        request: Request<FinishImportRequest>,
    ) -> CallResult<FinishImportResponse> {
        serve(&self.importer, request, upload_parts::finish).await
    }

    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> CallResult<Self::WatchImportStream> {
        serve(self, request, Self::watch).await
    }

    async fn get_import(
        &self,
        request: Request<GetImportRequest>,
    ) -> CallResult<GetImportResponse> {
        serve(self, request, Self::get).await
    }

    async fn list_imports(
        &self,
        request: Request<ListImportsRequest>,
    ) -> CallResult<ListImportsResponse> {
        serve(self, request, Self::list).await
    }

    async fn list_user_imports(
        &self,
        request: Request<ListUserImportsRequest>,
    ) -> CallResult<ListUserImportsResponse> {
        serve(self, request, Self::user_imports).await
    }

    async fn review_import(
        &self,
        request: Request<ReviewImportRequest>,
    ) -> CallResult<Self::ReviewImportStream> {
        serve(self, request, Self::review).await
    }

    async fn approve_import(
        &self,
        request: Request<ApproveImportRequest>,
    ) -> CallResult<Self::ApproveImportStream> {
        serve(self, request, Self::approve).await
    }

    async fn cancel_import(
        &self,
        request: Request<CancelImportRequest>,
    ) -> CallResult<CancelImportResponse> {
        serve(self, request, Self::cancel).await
    }

    async fn undo_import(
        &self,
        request: Request<UndoImportRequest>,
    ) -> CallResult<Self::UndoImportStream> {
        let caller = Caller::of(&request)?;
        self.undo(&caller, request.into_inner()).map(Response::new)
    }

    async fn inspect_roster(
        &self,
        request: Request<InspectRosterRequest>,
    ) -> CallResult<InspectRosterResponse> {
        serve(self, request, Self::inspect).await
    }

    async fn read_roster_rows(
        &self,
        request: Request<ReadRosterRowsRequest>,
    ) -> CallResult<ReadRosterRowsResponse> {
        serve(self, request, Self::read_rows).await
    }

    async fn get_import_template(
        &self,
        request: Request<GetImportTemplateRequest>,
    ) -> CallResult<GetImportTemplateResponse> {
        serve(self, request, Self::template).await
    }
}
