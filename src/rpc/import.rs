//! `ImportService`: streams in and out of the import engine.
//!
//! The permission that an RPC needs has been checked before (`rpc::auth_layer`); handlers check what
//! depends on the request. They find an organisation through its [`Caller`] only, so that another caller's
//! organisation and one that does not exist get the same answer.

use std::sync::Arc;

use futures_util::StreamExt;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    CallResult, ResponseMessages,
    caller::{Caller, OrganizationWithPermit},
    computed,
    export::format,
    inbound_messages,
    partial_message::PartialMessage,
    push::{self, AcceptedPush},
    serve, status,
    transport_statuses::memory_exhausted,
    undo,
    upload_parts::{self, parse_import_id},
    workbook_export::WORKBOOK_BYTES,
};
use crate::{
    access::ResultAudience,
    domain::{BYTE_ORDER_MARK, Permission, TEMPLATE_NAME, template_csv},
    import::{
        ImportError, Importer, ResponseSender, ResponseStream, WatchRequest, parse_filter,
        record::import_record, respond::disclosure,
    },
    limits::MemoryAccount,
    proto::{
        AppendImportRequest, AppendImportResponse, ApproveImportRequest, ApproveImportResponse,
        BeginImportRequest, BeginImportResponse, CancelImportRequest, CancelImportResponse,
        FileFormat, FinishImportRequest, FinishImportResponse, GetImportRequest, GetImportResponse,
        GetImportTemplateRequest, GetImportTemplateResponse, Import, ImportUsersRequest,
        ImportUsersResponse, InspectRosterRequest, InspectRosterResponse, ListImportsRequest,
        ListImportsResponse, ListUserImportsRequest, ListUserImportsResponse, PushUsersRequest,
        PushUsersResponse, ReadRosterRowsRequest, ReadRosterRowsResponse, ReviewImportRequest,
        ReviewImportResponse, UndoImportRequest, UndoImportResponse, WatchImportRequest,
        WatchImportResponse, import_service_server::ImportService,
        import_users_response::Message as ResponseMessage,
    },
    store::{ImportRecord, Store},
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

    pub(super) async fn message(
        &self,
        caller: &Caller,
        slug: &str,
        id: &str,
    ) -> Result<Import, Status> {
        let (organization, record) = self.find(caller, slug, id).await?;
        self.as_message(&record, &organization.slug).await
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
