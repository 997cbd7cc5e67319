//! The running service as a test sees it: a fresh database, a real server, a channel, and verbs for the calls.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tonic::{
    Code, Status, Streaming,
    service::interceptor::InterceptedService,
    transport::{Certificate, Channel, ClientTlsConfig},
};
use user_import::{
    config::Settings,
    domain::AuditActor,
    proto::{
        Catalog, CreateOrganizationRequest, DeactivateMissing, ExportUsersRequest,
        GetOrganizationRequest, GetUserRequest, Group, ImportFinish, ImportStart,
        ImportUsersRequest, ImportUsersResponse, ListUsersRequest, Rank, Role, RowOutcome,
        RowResult, SetUserProtectedRequest, UpdateCatalogRequest, User, UserRow, UserRows,
        directory_service_client::DirectoryServiceClient, get_user_request::Key,
        import_service_client::ImportServiceClient, import_users_request::Message,
    },
};

use super::{
    Database, ImportResponses, Roster,
    bearer::{BearerChannel, OptionalToken, authorization_at},
    database::FreshDatabase,
    roster,
    server::TestServer,
};

/// The organisation that tests import into if they name no other.
const ORGANIZATION: &str = "pd";

/// The import ID of previews.
const PREVIEW_ID: &str = "018f4e9e-5c7b-7000-8000-0000000000ff";

/// Bytes of a CSV file that one message carries.
const CHUNK: usize = 64 * 1024;

/// Typed rows that one message carries.
const ROWS_A_MESSAGE: usize = 500;

/// Longer than any wait that ends on any machine. A wait that takes longer does not end.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// A server on a database of its own, with the organisation `pd` and a catalog.
#[derive(Debug)]
pub struct App {
    // The server comes first: it is dropped before the database that it uses.
    server: Option<TestServer>,
    channel: Channel,
    address: SocketAddr,
    /// The token that every call presents.
    bearer: OptionalToken,
    settings: Settings,
    database: Arc<FreshDatabase>,
}

/// Returns the start of an import into `organization`, with every option off.
pub fn start_of(organization: &str) -> ImportStart {
    ImportStart {
        organization: organization.to_owned(),
        ..ImportStart::default()
    }
}

/// Returns the same start as a dry run.
pub fn dry_run(start: ImportStart) -> ImportStart {
    ImportStart {
        validate_only: true,
        ..start
    }
}

/// Returns the confirmed option that deactivates every user that the file does not list.
pub fn every_missing_user() -> DeactivateMissing {
    DeactivateMissing {
        confirmation: "Confirm".to_owned(),
        ..DeactivateMissing::default()
    }
}

/// Returns the same start, with deactivation of the users that the file does not list, up to a hundred.
pub fn deactivating_missing(start: ImportStart) -> ImportStart {
    ImportStart {
        deactivate_missing: Some(every_missing_user()),
        max_deactivations: Some(100),
        ..start
    }
}

impl App {
    /// Starts a server with the default settings and makes the organisation `pd`.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, Settings::default()).await
    }

    /// Starts a server with other settings and makes the organisation `pd`.
    pub async fn start_with(database: Database, settings: Settings) -> Self {
        let database = Arc::new(database.with_schema().await);
        let app = Box::pin(Self::serve(database, settings)).await;
        app.organization(ORGANIZATION).await;
        app
    }

    /// Starts a server that speaks TLS and makes the organisation `pd`. `authority` (PEM) issued the server's
    /// certificate.
    pub async fn serve_tls(database: Database, settings: Settings, authority: &str) -> Self {
        let database = Arc::new(database.with_schema().await);
        let server = TestServer::start(&database.url(), settings.clone()).await;
        let trust = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority));
        let channel = Channel::from_shared(format!("https://{}", server.address))
            .expect("an address makes a URL")
            .tls_config(trust)
            .expect("the authority is one")
            .connect()
            .await
            .expect("the server listens");
        let app = Self {
            address: server.address,
            bearer: OptionalToken::local(server.address),
            server: Some(server),
            channel,
            settings,
            database,
        };
        app.make_organization(ORGANIZATION).await;
        app
    }

    /// Starts a server that does not admit its local token, and makes the organisation `pd`.
    pub async fn serve_closed(database: Database, settings: Settings) -> Self {
        let database = Arc::new(database.with_schema().await);
        let app = Self::serve(database, settings).await;
        app.make_organization(ORGANIZATION).await;
        app
    }

    /// Makes an organisation directly in the database, as a command on the server's side would.
    pub async fn make_organization(&self, organization: &str) {
        let store = self.store().await;
        let now = user_import::clock::Clock::system().now();
        let actor = AuditActor::default();
        let made = store.create_organization(organization, organization, &actor, now);
        made.await.expect("the organisation is new");
    }

    /// Returns a client of the same server on another connection, without a credential.
    pub fn through(&self, channel: Channel) -> Self {
        Self {
            server: None,
            channel,
            bearer: OptionalToken::default(),
            address: self.address,
            settings: self.settings.clone(),
            database: Arc::clone(&self.database),
        }
    }

    /// Returns a client of the same server and connection, without a credential.
    pub fn without_credential(&self) -> Self {
        self.through(self.channel.clone())
    }

    /// Returns a client of the same server and connection that presents the server's local token.
    pub fn as_local(&self) -> Self {
        Self {
            bearer: OptionalToken::local(self.address),
            ..self.without_credential()
        }
    }

    /// Returns a client of the same server with the same connection and credential.
    pub fn clone_connection(&self) -> Self {
        Self {
            bearer: self.bearer.clone(),
            ..self.through(self.channel.clone())
        }
    }

    /// Starts a server on this database, without making an organisation.
    pub async fn serve(database: Arc<FreshDatabase>, settings: Settings) -> Self {
        let server = Box::pin(TestServer::start(&database.url(), settings.clone())).await;
        let app = Self::attach(database, server.address).await;
        Self {
            server: Some(server),
            settings,
            ..app
        }
    }

    /// Connects to a server that runs on this database and that this value does not own.
    pub async fn attach(database: Arc<FreshDatabase>, address: SocketAddr) -> Self {
        let channel = Channel::from_shared(format!("http://{address}"))
            .expect("an address makes a URL")
            .connect()
            .await
            .expect("the server listens");
        Self {
            server: None,
            channel,
            bearer: OptionalToken::local(address),
            address,
            settings: Settings::default(),
            database,
        }
    }

    /// Starts one more server process on the same database.
    pub async fn another_server(&self) -> Self {
        Self::serve(Arc::clone(&self.database), self.settings.clone()).await
    }

    /// Shuts the server down in order and starts one on the same database.
    pub async fn restart(self) -> Self {
        let settings = self.settings.clone();
        self.restart_with(settings).await
    }

    /// Restarts the server with other settings.
    pub async fn restart_with(self, settings: Settings) -> Self {
        if let Some(server) = self.server {
            server.stop().await;
        }
        Box::pin(Self::serve(self.database, settings)).await
    }

    /// Returns the URL of its database, for programs that use it beside the server.
    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// Returns one more client of the same server, on a connection of its own.
    pub async fn another_client(&self) -> Self {
        Self::attach(Arc::clone(&self.database), self.address).await
    }

    /// Returns the address that the server listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the connection, for clients of other services.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Returns the value of the authorization header that admits a local caller.
    pub fn authorization(&self) -> String {
        authorization_at(self.address)
    }

    /// Returns a client of the same server that presents `token`.
    pub fn presenting(&self, token: &str) -> Self {
        Self {
            server: None,
            channel: self.channel.clone(),
            bearer: OptionalToken::new(token),
            address: self.address,
            settings: self.settings.clone(),
            database: Arc::clone(&self.database),
        }
    }

    /// Returns the generated client, for calls that have no verb here.
    pub fn imports(&self) -> ImportServiceClient<BearerChannel> {
        ImportServiceClient::new(self.connection())
    }

    /// Returns the generated client, for calls that have no verb here.
    pub fn directory(&self) -> DirectoryServiceClient<BearerChannel> {
        DirectoryServiceClient::new(self.connection())
    }

    /// Returns the connection with the client's token.
    pub fn connection(&self) -> BearerChannel {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    /// Makes an organisation with the catalog of [`catalog`].
    pub async fn organization(&self, organization: &str) {
        let request = CreateOrganizationRequest {
            organization: organization.to_owned(),
            ..CreateOrganizationRequest::default()
        };
        let created = self.directory().create_organization(request).await;
        created.expect("the organisation is new");
        self.catalog(organization, catalog()).await;
    }

    /// Replaces an organisation's catalog.
    pub async fn catalog(&self, organization: &str, catalog: Catalog) {
        let request = UpdateCatalogRequest {
            organization: organization.to_owned(),
            catalog: Some(catalog),
        };
        let updated = self.directory().update_catalog(request).await;
        updated.expect("the catalog is valid");
    }

    /// Imports these people into `pd`, so that the test begins with them.
    pub async fn people<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let imported = self.import(roster().people(names)).await;
        let stands = |result: &RowResult| result.outcome() == RowOutcome::Created;
        let whole = imported.code() == Code::Ok && imported.results.iter().all(stands);
        assert!(whole, "not everybody is new:\n{imported}");
    }

    /// Imports a CSV file into `pd` with every option off.
    pub async fn import(&self, csv: impl Into<Vec<u8>>) -> ImportResponses {
        self.import_with(start_of(ORGANIZATION), csv).await
    }

    /// Imports a CSV file; `finish` states its length and digest.
    pub async fn import_with(
        &self,
        start: ImportStart,
        csv: impl Into<Vec<u8>>,
    ) -> ImportResponses {
        let csv = csv.into();
        let finish = ImportFinish {
            byte_count: Some(csv.len() as u64),
            sha256: Some(Sha256::digest(&csv).to_vec()),
            ..ImportFinish::default()
        };
        let chunks = csv.chunks(CHUNK);
        let input = chunks.map(|chunk| Message::CsvChunk(chunk.to_vec().into()));
        self.send_around(start, input, finish).await
    }

    /// Imports a workbook; `finish` states its length and digest.
    pub async fn import_workbook(&self, start: ImportStart, workbook: Vec<u8>) -> ImportResponses {
        let chunks = workbook.chunks(CHUNK);
        let mut input: Vec<_> = chunks
            .map(|chunk| Message::WorkbookChunk(chunk.to_vec().into()))
            .collect();
        if input.is_empty() {
            input.push(Message::WorkbookChunk(Vec::new().into()));
        }
        self.send_around(start, input.into_iter(), super::finish_of(&workbook))
            .await
    }

    /// Imports a workbook that must be refused as a whole, and returns the refusal. Panics if any user was written.
    pub async fn refuse_workbook(&self, start: ImportStart, workbook: Vec<u8>) -> String {
        let before = self.users().await;
        let imported = self.import_workbook(start, workbook).await;
        assert_eq!(self.users().await, before, "{imported}");
        imported.refusal()
    }

    /// Imports a CSV file that must be refused as a whole, and returns the refusal. Panics if any user was written.
    pub async fn refuse(&self, start: ImportStart, csv: impl Into<Vec<u8>>) -> String {
        let before = self.users().await;
        let imported = self.import_with(start, csv).await;
        assert_eq!(self.users().await, before, "{imported}");
        imported.refusal()
    }

    /// Imports a CSV file in which every row must be rejected. Panics if any user was written.
    pub async fn reject(&self, csv: impl Into<Vec<u8>>) -> ImportResponses {
        let before = self.users().await;
        let imported = self.import(csv).await;
        assert_eq!(self.users().await, before, "{imported}");
        let summary = imported.summary();
        assert!(
            imported.code() == Code::Ok && summary.rejected == summary.rows,
            "{imported}"
        );
        imported
    }

    /// Imports a CSV file in chunks of these sizes, and the rest in one chunk; `finish` states neither length nor
    /// digest.
    pub async fn import_split(
        &self,
        start: ImportStart,
        csv: &[u8],
        sizes: impl IntoIterator<Item = usize>,
    ) -> ImportResponses {
        let mut rest = csv;
        let mut chunks = Vec::new();
        for size in sizes {
            let (chunk, behind) = rest.split_at(size.min(rest.len()));
            chunks.push(Message::CsvChunk(chunk.to_vec().into()));
            rest = behind;
        }
        chunks.push(Message::CsvChunk(rest.to_vec().into()));
        self.send_around(start, chunks.into_iter(), ImportFinish::default())
            .await
    }

    /// Imports typed rows into `pd`; `finish` states how many.
    pub async fn import_rows(&self, rows: Vec<UserRow>) -> ImportResponses {
        self.import_rows_with(start_of(ORGANIZATION), rows).await
    }

    /// Imports typed rows with another start.
    pub async fn import_rows_with(
        &self,
        start: ImportStart,
        rows: Vec<UserRow>,
    ) -> ImportResponses {
        let finish = ImportFinish {
            row_count: Some(rows.len() as u64),
            ..ImportFinish::default()
        };
        let messages = rows.chunks(ROWS_A_MESSAGE).map(|rows| UserRows {
            rows: rows.to_vec(),
        });
        self.send_around(start, messages.map(Message::Rows), finish)
            .await
    }

    async fn send_around(
        &self,
        start: ImportStart,
        input: impl Iterator<Item = Message>,
        finish: ImportFinish,
    ) -> ImportResponses {
        let messages = [Message::Start(start)]
            .into_iter()
            .chain(input)
            .chain([Message::Finish(finish)]);
        self.send(messages).await
    }

    /// Sends exactly these messages, half-closes, and reads to the end of the answers.
    pub async fn send(&self, messages: impl IntoIterator<Item = Message>) -> ImportResponses {
        let messages: Vec<_> = messages.into_iter().collect();
        let import = async { ImportResponses::collect(self.stream(messages).await).await };
        let imported = timeout(PATIENCE, import).await;
        imported.unwrap_or_else(|_| panic!("the import has not ended after {PATIENCE:?}"))
    }

    /// Sends exactly these messages and half-closes.
    async fn stream(
        &self,
        messages: Vec<Message>,
    ) -> Result<Streaming<ImportUsersResponse>, Status> {
        let wrapped = |message| ImportUsersRequest {
            message: Some(message),
        };
        let requests: Vec<_> = messages.into_iter().map(wrapped).collect();
        let responses = self
            .imports()
            .import_users(tokio_stream::iter(requests))
            .await;
        responses.map(tonic::Response::into_inner)
    }

    /// Begins an import of a CSV file, and leaves its answers unread.
    pub async fn begin(
        &self,
        start: ImportStart,
        csv: impl Into<Vec<u8>>,
    ) -> Streaming<ImportUsersResponse> {
        let messages = vec![
            Message::Start(start),
            Message::CsvChunk(csv.into().into()),
            Message::Finish(ImportFinish::default()),
        ];
        let responses = self.stream(messages).await;
        responses.expect("the import begins")
    }

    /// Sends a CSV file and collects the answers, however the call ends. Tests run the future beside other work.
    pub fn sending(
        &self,
        start: ImportStart,
        csv: Vec<u8>,
    ) -> impl Future<Output = ImportResponses> + Send + use<> {
        let messages = [
            Message::Start(start),
            Message::CsvChunk(csv.into()),
            Message::Finish(ImportFinish::default()),
        ];
        let requests = messages.map(|message| ImportUsersRequest {
            message: Some(message),
        });
        let mut client = self.imports();
        async move {
            let responses = client.import_users(tokio_stream::iter(requests)).await;
            ImportResponses::collect(responses.map(tonic::Response::into_inner)).await
        }
    }

    /// Returns the database, for one more server on it.
    pub fn shared_database(&self) -> Arc<FreshDatabase> {
        Arc::clone(&self.database)
    }

    /// Returns the database, for changes that no call can make.
    pub fn database(&self) -> &FreshDatabase {
        &self.database
    }

    /// Sends the roster as CSV and as typed rows, in dry runs. Both must have the same answer.
    pub async fn preview(&self, start: ImportStart, roster: &Roster) -> ImportResponses {
        // Generated external IDs derive from the import ID.
        let start = ImportStart {
            import_id: PREVIEW_ID.to_owned(),
            ..dry_run(start)
        };
        let typed = self.import_rows_with(start.clone(), roster.typed()).await;
        let csv = self.import_with(start, roster).await;
        assert_eq!(typed.to_string(), csv.to_string());
        for result in &csv.results {
            assert_eq!(typed.messages(result.row), csv.messages(result.row));
        }
        csv
    }

    /// Returns the directory of `pd` as its CSV export.
    pub async fn export(&self) -> String {
        self.export_of(ORGANIZATION).await
    }

    /// Returns the directory of an organisation as its CSV export.
    pub async fn export_of(&self, organization: &str) -> String {
        self.export_with(ExportUsersRequest {
            organization: organization.to_owned(),
            ..ExportUsersRequest::default()
        })
        .await
    }

    /// Returns the CSV export with other options.
    pub async fn export_with(&self, request: ExportUsersRequest) -> String {
        let exported = self.try_export(request).await;
        exported.expect("the directory is exported")
    }

    /// Returns the CSV export, or the status with which it ends.
    pub async fn try_export(&self, request: ExportUsersRequest) -> Result<String, Status> {
        let mut pieces = self.directory().export_users(request).await?.into_inner();
        let mut csv = Vec::new();
        while let Some(piece) = pieces.message().await? {
            csv.extend(piece.csv_chunk);
        }
        Ok(String::from_utf8(csv).expect("an export is UTF-8"))
    }

    /// Returns an export as a workbook.
    pub async fn export_workbook(&self, request: ExportUsersRequest) -> Vec<u8> {
        let exported = self.directory().export_users(request).await;
        let mut pieces = exported.expect("a stream").into_inner();
        let mut workbook = Vec::new();
        while let Some(piece) = pieces.message().await.expect("a piece") {
            assert!(piece.csv_chunk.is_empty() && piece.workbook_chunk.len() <= 64 * 1024);
            workbook.extend(piece.workbook_chunk);
        }
        workbook
    }

    /// Returns all users of `pd`, by external ID.
    pub async fn users(&self) -> Vec<User> {
        self.users_of(ORGANIZATION).await
    }

    /// Returns all users of an organisation, by external ID.
    pub async fn users_of(&self, organization: &str) -> Vec<User> {
        let mut request = ListUsersRequest {
            organization: organization.to_owned(),
            page_size: 1_000,
            ..ListUsersRequest::default()
        };
        let mut users = Vec::new();
        loop {
            let response = self.directory().list_users(request.clone()).await;
            let page = response.expect("users can be listed").into_inner();
            users.extend(page.users);
            if page.next_page_token.is_empty() {
                return users;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Returns the user of `pd` with this external ID.
    pub async fn user(&self, external_id: &str) -> User {
        let request = GetUserRequest {
            organization: ORGANIZATION.to_owned(),
            key: Some(Key::ExternalId(external_id.to_owned())),
        };
        let response = self.directory().get_user(request).await;
        let user = response.map(|response| response.into_inner().user);
        let user = user.unwrap_or_else(|status| panic!("user \"{external_id}\": {status}"));
        user.expect("the answer has a user")
    }

    /// Changes the database behind the server's back, into a state that no request can produce.
    pub async fn tamper(&self, sql: &str) {
        self.database.execute(sql).await;
    }

    /// Changes the audit trail in the same way, with the right to change the schema.
    pub async fn tamper_audit(&self, sql: &str) {
        let disarm = match self.database_url().starts_with("sqlite") {
            true => {
                "DROP TRIGGER audit_events_not_changed; DROP TRIGGER audit_events_not_removed; \
                 DROP TRIGGER audit_heads_only_move_on; DROP TRIGGER audit_heads_not_removed;"
            }
            false => {
                // Without Citus the first setting has no effect.
                "SET citus.enable_unsafe_triggers = on; \
                 DO $do$ BEGIN \
                 ALTER TABLE audit_events DISABLE TRIGGER USER; \
                 ALTER TABLE audit_heads DISABLE TRIGGER USER; \
                 END $do$;"
            }
        };
        self.tamper(&format!("{disarm} {sql}")).await;
    }

    /// Protects the user of `pd` with this external ID.
    pub async fn protect(&self, external_id: &str) {
        let id = self.user(external_id).await.id;
        let protected = self.set_protected(&id, true).await;
        protected.expect("the user can be protected");
    }

    /// Protects the user of `pd` with this ID, or ends that.
    pub async fn set_protected(&self, user_id: &str, protected: bool) -> Result<User, Status> {
        let request = SetUserProtectedRequest {
            organization: ORGANIZATION.to_owned(),
            user_id: user_id.to_owned(),
            protected,
        };
        let answer = self.directory().set_user_protected(request).await?;
        Ok(answer.into_inner().user.expect("it has the user"))
    }

    /// Protects the user of `pd` with this external ID and ends that, for ever.
    pub async fn protect_without_end(&self, external_id: &str) {
        let id = self.user(external_id).await.id;
        for turn in 0.. {
            let toggled = self.set_protected(&id, turn % 2 == 0).await;
            toggled.expect("it can be set at any time");
        }
    }
}

/// A catalog with the roles Officer, Sergeant and Administrator, the ranks Captain and Lieutenant, the active group
/// G-1, and the inactive group G-2.
pub fn catalog() -> Catalog {
    let role = |name: &str| Role {
        name: name.to_owned(),
        ..Role::default()
    };
    let rank = |name: &str| Rank {
        name: name.to_owned(),
        ..Rank::default()
    };
    let group = |external_id: &str, active| Group {
        external_id: external_id.to_owned(),
        name: format!("Group {external_id}"),
        active,
    };
    Catalog {
        roles: ["Officer", "Sergeant", "Administrator"].map(role).into(),
        ranks: ["Captain", "Lieutenant"].map(rank).into(),
        groups: vec![group("G-1", true), group("G-2", false)],
        ..Catalog::default()
    }
}

impl App {
    /// Reads the organisation `sheriff`: a small call.
    pub async fn look(&self) -> Result<(), Status> {
        let request = GetOrganizationRequest {
            organization: "sheriff".to_owned(),
        };
        self.directory().get_organization(request).await.map(drop)
    }

    /// Imports one person into `sheriff`.
    pub async fn import_one(&self, name: &str) {
        let imported = self
            .import_with(start_of("sheriff"), roster().people([name]))
            .await;
        assert_eq!(imported.code(), Code::Ok, "{imported}");
    }
}
