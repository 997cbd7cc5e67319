//! `ImportService`: streams in and out of the import engine.

use std::pin::Pin;

use futures_util::StreamExt;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Code, Request, Response, Status, Streaming};

use super::status;
use crate::{
    domain::{TEMPLATE_FILENAME, template_csv},
    import::{ImportError, Importer, Outlet, Refusal},
    proto::{
        CancelImportRequest, CancelImportResponse, GetImportRequest, GetImportResponse,
        GetImportTemplateRequest, GetImportTemplateResponse, ImportUsersRequest,
        ImportUsersResponse, ListImportsRequest, ListImportsResponse, WatchImportRequest,
        WatchImportResponse, import_service_server::ImportService, import_users_request::Message,
    },
    store::Store,
};

/// The service.
#[derive(Debug)]
pub struct Imports {
    importer: Importer,
    store: Store,
}

impl Imports {
    /// Serves imports into this database.
    #[must_use]
    pub const fn new(importer: Importer, store: Store) -> Self {
        Self { importer, store }
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ImportService for Imports {
    type ImportUsersStream = Responses<ImportUsersResponse>;
    type WatchImportStream = Responses<WatchImportResponse>;

    async fn import_users(
        &self,
        request: Request<Streaming<ImportUsersRequest>>,
    ) -> Result<Response<Self::ImportUsersStream>, Status> {
        let inbound = request.into_inner().map(content);
        let (outlet, replies) = Outlet::new();
        // A task of its own: hanging up must not drop it in the middle of a transaction.
        tokio::spawn(self.importer.clone().run(inbound, outlet));
        let replies = ReceiverStream::new(replies).map(|reply| match reply {
            Ok(message) => Ok(ImportUsersResponse {
                message: Some(message),
            }),
            Err(error) => Err(status::from_import(&error)),
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn watch_import(
        &self,
        _: Request<WatchImportRequest>,
    ) -> Result<Response<Self::WatchImportStream>, Status> {
        Err(unrecorded())
    }

    async fn get_import(
        &self,
        _: Request<GetImportRequest>,
    ) -> Result<Response<GetImportResponse>, Status> {
        Err(unrecorded())
    }

    async fn list_imports(
        &self,
        _: Request<ListImportsRequest>,
    ) -> Result<Response<ListImportsResponse>, Status> {
        Err(unrecorded())
    }

    async fn cancel_import(
        &self,
        _: Request<CancelImportRequest>,
    ) -> Result<Response<CancelImportResponse>, Status> {
        Err(unrecorded())
    }

    async fn get_import_template(
        &self,
        request: Request<GetImportTemplateRequest>,
    ) -> Result<Response<GetImportTemplateResponse>, Status> {
        let slug = request.into_inner().organization;
        let store = self.store.clone();
        super::detached(async move {
            let failed = |error| status::from_store(&error, &slug);
            let organization = store.organization(&slug).await.map_err(failed)?;
            let catalog = store.catalog(organization.id).await.map_err(failed)?;
            Ok(Response::new(GetImportTemplateResponse {
                filename: TEMPLATE_FILENAME.to_owned(),
                csv: template_csv(&catalog),
            }))
        })
        .await
    }
}

/// This release keeps no records of imports.
fn unrecorded() -> Status {
    Status::unimplemented("this server keeps no records of imports")
}

/// What a message has, or why there is none.
fn content(message: Result<ImportUsersRequest, Status>) -> Result<Option<Message>, ImportError> {
    match message {
        Ok(request) => Ok(request.message),
        Err(status) if status.code() == Code::OutOfRange => {
            let message = "A message is over 4 MiB; send smaller chunks.";
            Err(Refusal::limit("MESSAGE_TOO_LARGE", "message", message).into())
        }
        Err(_) => Err(ImportError::Broken),
    }
}
