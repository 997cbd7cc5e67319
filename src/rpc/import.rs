//! `ImportService`: streams in and out of the import engine.
//!
//! The permission that an RPC needs has been checked before (`rpc::auth_layer`); handlers check what
//! depends on the request. They find an organisation through its [`Caller`] only, so that another caller's
//! organisation and one that does not exist get the same answer.

use std::{pin::Pin, sync::Arc};

use futures_util::StreamExt;
use time::OffsetDateTime;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    caller::{Caller, OrganizationWithPermit},
    detached, inbound_messages,
    paging::{MAX_BYTES, PageRequest},
    partial_message::PartialMessage,
    status,
    transport_refusals::memory_exhausted,
    upload_parts::{self, parse_import_id},
};
use crate::{
    access::{Disclosure, ResultAudience},
    domain::{BYTE_ORDER_MARK, ImportState, Permission, TEMPLATE_FILENAME, template_csv},
    import::{
        ImportError, Importer, Refusal, ResponseSender, ResponseStream, WatchRequest, parse_filter,
        record::import_record, respond::disclosure,
    },
    proto::{
        AppendImportRequest, AppendImportResponse, BeginImportRequest, BeginImportResponse,
        CancelImportRequest, CancelImportResponse, FinishImportRequest, FinishImportResponse,
        GetImportRequest, GetImportResponse, GetImportTemplateRequest, GetImportTemplateResponse,
        Import, ImportUsersRequest, ImportUsersResponse, ListImportsRequest, ListImportsResponse,
        WatchImportRequest, WatchImportResponse, import_service_server::ImportService,
        import_users_response::Message as Reply, watch_import_response::Message as Watched,
    },
    store::{ImportRecord, Store, StoreError},
    telemetry::{request_id, traces},
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

    /// Returns the organisation and the record of its import with this ID. An ID that only another
    /// organisation has counts as unknown.
    async fn find(
        self,
        caller: Caller,
        slug: String,
        import_id: String,
    ) -> Result<(OrganizationWithPermit, ImportRecord), Status> {
        caller.expect_organization(&slug)?;
        let id = parse_import_id(&import_id)?;
        traces::tell_import(id);
        detached(async move {
            let failed = |error| status::from_store(&error, &slug);
            let organization = caller.organization(&self.store, &slug).await?;
            let record = self
                .store
                .import(organization.id, id)
                .await
                .map_err(failed)?;
            let record = record
                .ok_or_else(|| status::from_import(&ImportError::UnknownImport(import_id)))?;
            Ok((organization, record))
        })
        .await
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
        let (importer, principal) = (self.importer.clone(), caller.principal().clone());
        let (slug, import) = (slug.to_owned(), Uuid::try_parse(import).unwrap_or_default());
        let has_run = detached(async move {
            let run = importer.has_run(&principal, &slug, import).await;
            run.map_err(|error| status::from_store(&error, ""))
        });
        match has_run.await? {
            true => Ok(()),
            false => Err(status::from_denial(&denial)),
        }
    }

    /// An import as `GetImport` answers it.
    async fn message(
        self,
        caller: Caller,
        slug: String,
        import_id: String,
    ) -> Result<Import, Status> {
        let (organization, record) = self.clone().find(caller, slug, import_id).await?;
        self.as_message(&record, &organization.slug).await
    }

    /// The import as `CancelImport` answers it, to a caller who may not be able to read users.
    async fn cancelled(
        self,
        caller: Caller,
        slug: String,
        import_id: String,
    ) -> Result<Import, Status> {
        let disclosure = Disclosure::of(caller.principal().permissions);
        let name = caller.principal().name.clone();
        let import = self.message(caller, slug, import_id).await?;
        let owns = import.principal == name;
        Ok(match disclosure {
            Disclosure::AllUsers => import,
            Disclosure::OwnRoster => disclosure::record_without_others(import, owns),
        })
    }

    /// A record with its state now: an import whose server has no heartbeat any more is interrupted, even
    /// if another state was recorded last (semantics §8).
    async fn as_message(&self, record: &ImportRecord, slug: &str) -> Result<Import, Status> {
        let state = self.importer.without_retries().state_now(record).await;
        let state = state.map_err(|error| status::from_store(&error, slug))?;
        Ok(import_record::message(record, slug, state))
    }

    /// A page of an organisation's imports, the latest first. Reads one more than the page has, to know
    /// whether there is a next page.
    async fn list(
        self,
        caller: Caller,
        request: ListImportsRequest,
    ) -> Result<Response<ListImportsResponse>, Status> {
        caller.expect_organization(&request.organization)?;
        let page = PageRequest::parse(request.page_size, &request.page_token)?;
        let slug = request.organization;
        let failed = |error| status::from_store(&error, &slug);
        let organization = caller.organization(&self.store, &slug).await?;
        let found = self
            .read_page(organization.id, (&page, page.position()?))
            .await;
        let found = found.map_err(failed)?;
        let mut imports = Vec::with_capacity(found.len());
        for record in &found {
            imports.push(self.as_message(record, &slug).await?);
        }
        let next_page_token = page.cut(&mut imports, |at, _| {
            PageRequest::after_moment((found[at].started_at, found[at].id))
        });
        Ok(Response::new(ListImportsResponse {
            imports,
            next_page_token,
        }))
    }

    /// Reads one record more than the page has, if they fit into a message. Reads a few at a time, because
    /// records of an earlier release may be large.
    async fn read_page(
        &self,
        organization: i64,
        (page, mut before): (&PageRequest, Option<(OffsetDateTime, Uuid)>),
    ) -> Result<Vec<ImportRecord>, StoreError> {
        const STEP: usize = 50;
        let mut found: Vec<ImportRecord> = Vec::new();
        let mut bytes = 0;
        while found.len() <= page.size && bytes <= MAX_BYTES {
            let limit = STEP.min(page.size + 1 - found.len());
            let step = self.store.imports(organization, before, limit as u64);
            let step = step.await?;
            let is_last = step.len() < limit;
            bytes += step.iter().map(|record| record.notes.len()).sum::<usize>();
            found.extend(step);
            before = found.last().map(|last| (last.started_at, last.id));
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Removes an upload in parts that has not finished, or asks the server that applies the import to stop
    /// between two transactions. Fails with `NOT_APPLYING` if the import is in neither state: an import
    /// that has ended stays as it is.
    async fn cancel(
        self,
        caller: Caller,
        request: CancelImportRequest,
    ) -> Result<Response<CancelImportResponse>, Status> {
        let (slug, id) = (request.organization, request.import_id);
        let (organization, record) = self
            .clone()
            .find(caller.clone(), slug.clone(), id.clone())
            .await?;
        // The answer asks for a share again.
        let organization = organization.release_permit();
        let removed = self.importer.cancel_upload(&record, &caller.actor()).await;
        if removed.map_err(|error| status::from_import(&error))? {
            return Ok(Response::new(CancelImportResponse {
                import_record: Some(self.cancelled(caller, slug, id).await?),
            }));
        }
        let failed = |error| status::from_store(&error, &slug);
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
        Ok(Response::new(CancelImportResponse {
            import_record: Some(self.cancelled(caller, slug, id).await?),
        }))
    }
}

/// The same content as a message of the other stream.
fn watched(message: Reply) -> Watched {
    match message {
        Reply::Started(started) => Watched::Started(started),
        Reply::Progress(progress) => Watched::Progress(progress),
        Reply::Results(results) => Watched::Results(results),
        Reply::Deactivations(users) => Watched::Deactivations(users),
        Reply::Summary(summary) => Watched::Summary(summary),
    }
}

/// Turns responses into messages, as far as the caller may see them. The stream is polled outside of the
/// call, so the call's request ID and span are restored here.
fn answers<T>(
    replies: ResponseStream,
    audience: ResultAudience,
    wrap: fn(Reply) -> T,
) -> impl Stream<Item = Result<T, Status>> + Send {
    let (id, span) = (request_id::current(), Span::current());
    let failed = move |error: ImportError| {
        span.in_scope(|| request_id::during(id, || status::from_import(&error)))
    };
    let told = replies.then(move |reply| {
        let audience = audience.clone();
        async move { disclosure::disclose(reply, &audience).await }
    });
    told.map(move |reply| reply.map(wrap).map_err(&failed))
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ImportService for ImportHandlers {
    type ImportUsersStream = Responses<ImportUsersResponse>;
    type WatchImportStream = Responses<WatchImportResponse>;

    async fn import_users(
        &self,
        request: Request<Streaming<ImportUsersRequest>>,
    ) -> Result<Response<Self::ImportUsersStream>, Status> {
        let caller = Caller::of(&request)?;
        let submitter = caller.submitter();
        let memory = submitter.account.reserve(ResponseSender::BYTES);
        let memory = memory.map_err(memory_exhausted)?;
        let wire = request.extensions().get().cloned().unwrap_or_default();
        let partial = request.extensions().get::<PartialMessage>().cloned();
        let limits = self.importer.server_limits();
        let inbound = inbound_messages::messages(request.into_inner(), wire, partial, limits);
        let inbound = self.importer.buffer_requests(inbound, &submitter.account);
        let inbound = inbound.map_err(memory_exhausted)?;
        let (responses, replies) = ResponseSender::new(limits.deadlines.idle);
        let responses = responses.with_memory(memory);
        let audience = self
            .importer
            .submitter_audience(Arc::clone(&submitter.principal));
        // A task of its own: hanging up must not drop it in the middle of a transaction.
        let running = self.importer.clone().run(submitter, inbound, responses);
        tokio::spawn(running.in_current_span());
        let replies = answers(replies, audience, |message| ImportUsersResponse {
            message: Some(message),
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn begin_import(
        &self,
        request: Request<BeginImportRequest>,
    ) -> Result<Response<BeginImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let begun =
            upload_parts::begin(self.importer.clone(), caller, request.into_inner()).await?;
        Ok(Response::new(begun))
    }

    async fn append_import(
        &self,
        request: Request<AppendImportRequest>,
    ) -> Result<Response<AppendImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let wire = request.extensions().get().cloned().unwrap_or_default();
        let part = request.into_inner();
        Ok(Response::new(
            upload_parts::append(self.importer.clone(), caller, part, wire).await?,
        ))
    }

    async fn finish_import(
        &self,
        request: Request<FinishImportRequest>,
    ) -> Result<Response<FinishImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let finished =
            upload_parts::finish(self.importer.clone(), caller, request.into_inner()).await?;
        Ok(Response::new(finished))
    }

    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> Result<Response<Self::WatchImportStream>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (slug, id) = (&request.organization, &request.import_id);
        self.expect_may_watch(&caller, slug, id).await?;
        caller.expect_organization(slug)?;
        let mut faults = Vec::new();
        let filter = parse_filter(request.result_filter, &mut faults);
        if !faults.is_empty() {
            return Err(status::refused(&faults));
        }
        let (id, slug) = (request.import_id, request.organization);
        let principal = Arc::clone(caller.principal());
        let (organization, record) = self.clone().find(caller.clone(), slug, id).await?;
        let audience = self.importer.watcher_audience(principal, &record.principal);
        let memory = caller.account().reserve(ResponseSender::BYTES);
        let memory = memory.map_err(memory_exhausted)?;
        let (responses, replies) =
            ResponseSender::new(self.importer.server_limits().deadlines.idle);
        let responses = responses.with_memory(memory);
        let asked = WatchRequest {
            filter: (request.result_filter != 0).then_some(filter),
            skip: request.after_result,
        };
        let importer = self.importer.clone();
        let watching = importer.watch((organization.id, record.id), asked, responses);
        tokio::spawn(watching.in_current_span());
        let replies = answers(replies, audience, |message| WatchImportResponse {
            message: Some(watched(message)),
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn get_import(
        &self,
        request: Request<GetImportRequest>,
    ) -> Result<Response<GetImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let import = self
            .clone()
            .message(caller, request.organization, request.import_id);
        Ok(Response::new(GetImportResponse {
            import_record: Some(detached(import).await?),
        }))
    }

    async fn list_imports(
        &self,
        request: Request<ListImportsRequest>,
    ) -> Result<Response<ListImportsResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().list(caller, request.into_inner())).await
    }

    async fn cancel_import(
        &self,
        request: Request<CancelImportRequest>,
    ) -> Result<Response<CancelImportResponse>, Status> {
        let caller = Caller::of(&request)?;
        detached(self.clone().cancel(caller, request.into_inner())).await
    }

    async fn get_import_template(
        &self,
        request: Request<GetImportTemplateRequest>,
    ) -> Result<Response<GetImportTemplateResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let slug = request.organization;
        let begins = match request.byte_order_mark {
            true => BYTE_ORDER_MARK,
            false => "",
        };
        let store = self.store.clone();
        detached(async move {
            let failed = |error| status::from_store(&error, &slug);
            let organization = caller.organization(&store, &slug).await?;
            let catalog = store.catalog(organization.id).await.map_err(failed)?;
            Ok(Response::new(GetImportTemplateResponse {
                filename: TEMPLATE_FILENAME.to_owned(),
                csv: template_csv(&catalog, begins),
            }))
        })
        .await
    }
}
