//! A server that answers an import as a test needs it: a real connection without a directory.

use std::{pin::Pin, sync::Arc};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status, Streaming, async_trait, transport::Server};

use super::{ClientCredentials, ServerAddress, ServiceClient};
use crate::proto::{
    AppendImportRequest, AppendImportResponse, ApproveImportRequest, ApproveImportResponse,
    BeginImportRequest, BeginImportResponse, CancelImportRequest, CancelImportResponse,
    FinishImportRequest, FinishImportResponse, GetImportRequest, GetImportResponse,
    GetImportTemplateRequest, GetImportTemplateResponse, ImportUsersRequest, ImportUsersResponse,
    InspectRosterRequest, InspectRosterResponse, ListImportsRequest, ListImportsResponse,
    ListUserImportsRequest, ListUserImportsResponse, PushUsersRequest, PushUsersResponse,
    ReadRosterRowsRequest, ReadRosterRowsResponse, ReviewImportRequest, ReviewImportResponse,
    UndoImportRequest, UndoImportResponse, WatchImportRequest, WatchImportResponse,
    import_service_server::{ImportService, ImportServiceServer},
};

type FakeAnswer = Result<ImportUsersResponse, Status>;
type FakeStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What an import does with its two streams.
#[async_trait]
pub(crate) trait FakeBehaviour: Send + Sync + 'static {
    /// Refuses before any answer; the headers say so.
    fn refusal(&self) -> Option<Status> {
        None
    }

    /// Reads requests and sends answers.
    async fn import(
        &self,
        requests: Streaming<ImportUsersRequest>,
        answers: mpsc::Sender<FakeAnswer>,
    );

    /// Answers a push.
    async fn push(&self, _: PushUsersRequest) -> Result<PushUsersResponse, Status> {
        Err(Status::unimplemented("fake"))
    }
}

struct FakeServer(Arc<dyn FakeBehaviour>);

/// Starts a server on a free port and connects to it.
pub(crate) async fn connect(behaviour: impl FakeBehaviour) -> ServiceClient {
    let address = serve(behaviour).await;
    ServiceClient::connect(&address, ClientCredentials::default())
        .await
        .unwrap()
}

/// Starts a server on a free port; it lives as long as the test's runtime.
pub(crate) async fn serve(behaviour: impl FakeBehaviour) -> ServerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = ImportServiceServer::new(FakeServer(Arc::new(behaviour)));
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address.parse().unwrap()
}

#[async_trait]
impl ImportService for FakeServer {
    type ImportUsersStream = FakeStream<ImportUsersResponse>;
    type WatchImportStream = FakeStream<WatchImportResponse>;
    type UndoImportStream = FakeStream<UndoImportResponse>;
    type ReviewImportStream = FakeStream<ReviewImportResponse>;
    type ApproveImportStream = FakeStream<ApproveImportResponse>;

    async fn import_users(
        &self,
        request: Request<Streaming<ImportUsersRequest>>,
    ) -> Result<Response<Self::ImportUsersStream>, Status> {
        if let Some(status) = self.0.refusal() {
            return Err(status);
        }
        let (sender, answers) = mpsc::channel(1);
        let behaviour = Arc::clone(&self.0);
        tokio::spawn(async move { behaviour.import(request.into_inner(), sender).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn push_users(
        &self,
        request: Request<PushUsersRequest>,
    ) -> Result<Response<PushUsersResponse>, Status> {
        self.0.push(request.into_inner()).await.map(Response::new)
    }

    async fn begin_import(
        &self,
        _: Request<BeginImportRequest>,
    ) -> Result<Response<BeginImportResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn append_import(
        &self,
        _: Request<AppendImportRequest>,
    ) -> Result<Response<AppendImportResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn finish_import(
        &self,
        _: Request<FinishImportRequest>,
    ) -> Result<Response<FinishImportResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn watch_import(
        &self,
        _: Request<WatchImportRequest>,
    ) -> Result<Response<Self::WatchImportStream>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn review_import(
        &self,
        _: Request<ReviewImportRequest>,
    ) -> Result<Response<Self::ReviewImportStream>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn approve_import(
        &self,
        _: Request<ApproveImportRequest>,
    ) -> Result<Response<Self::ApproveImportStream>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn get_import(
        &self,
        _: Request<GetImportRequest>,
    ) -> Result<Response<GetImportResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn list_imports(
        &self,
        _: Request<ListImportsRequest>,
    ) -> Result<Response<ListImportsResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn list_user_imports(
        &self,
        _: Request<ListUserImportsRequest>,
    ) -> Result<Response<ListUserImportsResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn cancel_import(
        &self,
        _: Request<CancelImportRequest>,
    ) -> Result<Response<CancelImportResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn undo_import(
        &self,
        _: Request<UndoImportRequest>,
    ) -> Result<Response<Self::UndoImportStream>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn inspect_roster(
        &self,
        _: Request<InspectRosterRequest>,
    ) -> Result<Response<InspectRosterResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn read_roster_rows(
        &self,
        _: Request<ReadRosterRowsRequest>,
    ) -> Result<Response<ReadRosterRowsResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }

    async fn get_import_template(
        &self,
        _: Request<GetImportTemplateRequest>,
    ) -> Result<Response<GetImportTemplateResponse>, Status> {
        Err(Status::unimplemented("fake"))
    }
}
