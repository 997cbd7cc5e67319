//! gRPC-Web on the server's port, over HTTP/1.1 and HTTP/2, with hand-written requests; and the web pages that may call
//! the server.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, Request, StatusCode, Version, header::HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use user_import::{
    config::{SecuritySettings, Settings},
    limits::{ClientDeadlines, ServerLimits},
    proto::{
        AppendImportRequest, AppendImportResponse, BeginImportRequest, BeginImportResponse,
        FinishImportRequest, FinishImportResponse, GetOrganizationRequest, ImportStart,
        ImportState, PushUsersRequest, PushUsersResponse, WatchImportRequest, WatchImportResponse,
        append_import_request::Content, watch_import_response::Message as Watched,
    },
};

use user_import_testing::{App, Database, finish_of, on_both_databases, roster, start_of, token};

on_both_databases![
    a_roster_is_imported_over_http_1_and_http_2_as_bytes_and_as_text,
    a_refusal_is_sent_in_headers_or_in_the_body,
    answers_come_while_the_import_runs,
    only_pages_of_known_origins_may_call,
    a_preflight_needs_no_credential,
    without_configuration_no_page_may_call,
    credentials_and_limits_are_those_of_any_call,
    slow_headers_do_not_hold_a_connection,
    a_request_that_never_comes_whole_is_refused,
    a_push_is_one_call_for_a_browser_too,
    what_is_no_grpc_web_is_not_answered,
    text_may_be_padded_in_each_of_its_parts,
    text_that_is_no_base64_is_refused,
];

const LONG: Duration = Duration::from_mins(1);
const IMPORTS: &str = "/userimport.v1.ImportService/";
const PAGE: &str = "https://roster.example";

/// The protocol that a client speaks.
#[derive(Clone, Copy, Debug)]
struct ClientProtocol {
    version: Version,
    text: bool,
}

const DIALECTS: [ClientProtocol; 4] = [
    ClientProtocol {
        version: Version::HTTP_11,
        text: false,
    },
    ClientProtocol {
        version: Version::HTTP_11,
        text: true,
    },
    ClientProtocol {
        version: Version::HTTP_2,
        text: false,
    },
    ClientProtocol {
        version: Version::HTTP_2,
        text: true,
    },
];
const PLAIN: ClientProtocol = DIALECTS[0];

/// The answer to a call.
#[derive(Debug)]
struct HttpAnswer {
    http: StatusCode,
    headers: HeaderMap,
    /// The encoded messages.
    messages: Vec<Vec<u8>>,
    /// The status, from headers or from the frame that ends the body.
    status: Option<i32>,
    /// `true` if the trailers were in the body.
    in_body: bool,
}

impl ClientProtocol {
    const fn content_type(self) -> &'static str {
        match self.text {
            true => "application/grpc-web-text+proto",
            false => "application/grpc-web+proto",
        }
    }

    fn encode(self, message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap();
        let mut framed = vec![0];
        framed.extend(length.to_be_bytes());
        framed.extend(message);
        match self.text {
            true => STANDARD.encode(framed).into(),
            false => framed.into(),
        }
    }

    fn request(self, app: &App, path: &str, message: &impl Message) -> Request<Full<Bytes>> {
        let host = app.address();
        Request::builder()
            .method(Method::POST)
            .uri(match self.version {
                Version::HTTP_2 => format!("http://{host}{path}"),
                _ => path.to_owned(),
            })
            .version(self.version)
            .header("host", host.to_string())
            .header("content-type", self.content_type())
            .header("accept", self.content_type())
            .header("x-grpc-web", "1")
            .header("authorization", app.authorization())
            .body(Full::new(self.encode(&message.encode_to_vec())))
            .unwrap()
    }

    async fn call(self, app: &App, path: &str, message: &impl Message) -> HttpAnswer {
        let request = self.request(app, &format!("{IMPORTS}{path}"), message);
        self.send(app, request).await
    }

    async fn send(self, app: &App, request: Request<Full<Bytes>>) -> HttpAnswer {
        let response = exchange(app, request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        assert!(body.trailers().is_none(), "a browser does not see them");
        let mut answered = HttpAnswer {
            http: parts.status,
            status: status_of(&parts.headers),
            headers: parts.headers,
            messages: Vec::new(),
            in_body: false,
        };
        // The answer to a request that is no gRPC call is a plain sentence.
        if answered.http == StatusCode::OK {
            answered.read(&self.decode(&body.to_bytes()));
        }
        answered
    }

    /// Decodes text in which each piece may end with padding.
    fn decode(self, body: &[u8]) -> Vec<u8> {
        if !self.text {
            return body.to_vec();
        }
        let quads = body.chunks(4);
        quads
            .flat_map(|quad| STANDARD.decode(quad).unwrap())
            .collect()
    }
}

impl HttpAnswer {
    fn read(&mut self, mut frames: &[u8]) {
        while !frames.is_empty() {
            let length = u32::from_be_bytes(frames[1..5].try_into().unwrap());
            let (content, rest) = frames[5..].split_at(usize::try_from(length).unwrap());
            match frames[0] {
                0 => self.messages.push(content.to_vec()),
                0x80 => {
                    assert!(rest.is_empty(), "nothing follows the trailers");
                    self.in_body = true;
                    let trailers = std::str::from_utf8(content).unwrap();
                    let status = trailers
                        .lines()
                        .find_map(|line| line.strip_prefix("grpc-status:"));
                    self.status = Some(status.unwrap().trim().parse().unwrap());
                }
                other => panic!("a frame of kind {other}"),
            }
            frames = rest;
        }
    }

    fn one<M: Message + Default>(&self) -> M {
        assert_eq!((self.status, self.messages.len()), (Some(0), 1), "{self:?}");
        M::decode(&*self.messages[0]).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn status_of(headers: &HeaderMap) -> Option<i32> {
    let status = headers.get("grpc-status")?;
    Some(status.to_str().unwrap().parse().unwrap())
}

/// Sends one request on a connection of its own.
async fn exchange(
    app: &App,
    request: Request<Full<Bytes>>,
) -> http::Response<hyper::body::Incoming> {
    let io = TokioIo::new(TcpStream::connect(app.address()).await.unwrap());
    if request.version() == Version::HTTP_2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        return sender.send_request(request).await.unwrap();
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

fn begin(start: ImportStart) -> BeginImportRequest {
    BeginImportRequest {
        start: Some(start),
        ..BeginImportRequest::default()
    }
}

fn append(import_id: &str, offset: usize, part: &[u8]) -> AppendImportRequest {
    AppendImportRequest {
        organization: "pd".to_owned(),
        import_id: import_id.to_owned(),
        offset: offset as u64,
        content: Some(Content::CsvChunk(part.to_vec().into())),
    }
}

async fn a_roster_is_imported_over_http_1_and_http_2_as_bytes_and_as_text(database: Database) {
    let app = App::start(database).await;
    for (number, dialect) in DIALECTS.into_iter().enumerate() {
        let name = format!("u{number}");
        let csv = roster().people([&*name]).csv().into_bytes();
        let begun = dialect
            .call(&app, "BeginImport", &begin(start_of("pd")))
            .await;
        assert_eq!(begun.header("content-type"), Some(dialect.content_type()));
        let id = begun.one::<BeginImportResponse>().import_id;
        for (from, until) in [(0, 7), (7, csv.len())] {
            let part = append(&id, from, &csv[from..until]);
            let appended = dialect.call(&app, "AppendImport", &part).await;
            let next = appended.one::<AppendImportResponse>().next_offset;
            assert_eq!(next, until as u64);
        }
        let finish = FinishImportRequest {
            organization: "pd".to_owned(),
            import_id: id.clone(),
            finish: Some(finish_of(&csv)),
        };
        let finished = dialect.call(&app, "FinishImport", &finish).await;
        assert_eq!(finished.one::<FinishImportResponse>().import_id, id);
        let watched = dialect.call(&app, "WatchImport", &watch(&id)).await;
        assert!(watched.in_body && watched.status == Some(0), "{watched:?}");
        let last = watched.messages.last().unwrap();
        let Some(Watched::Summary(summary)) = WatchImportResponse::decode(&**last).unwrap().message
        else {
            panic!("the last message is no summary: {watched:?}");
        };
        assert_eq!(
            (summary.state(), summary.created),
            (ImportState::Completed, 1)
        );
    }
    assert_eq!(app.users().await.len(), DIALECTS.len());
}

fn watch(import_id: &str) -> WatchImportRequest {
    WatchImportRequest {
        organization: "pd".to_owned(),
        import_id: import_id.to_owned(),
        ..WatchImportRequest::default()
    }
}

async fn a_refusal_is_sent_in_headers_or_in_the_body(database: Database) {
    let app = App::start(database).await;
    let unknown = "018f4e9e-5c7b-7000-8000-00000000000f";
    for dialect in DIALECTS {
        let refused = dialect
            .call(&app, "AppendImport", &append(unknown, 0, b"x"))
            .await;
        assert_eq!((refused.http, refused.status), (StatusCode::OK, Some(5)));
        // The summary of a refused import comes first, and then the status.
        let id = dialect
            .call(&app, "BeginImport", &begin(start_of("pd")))
            .await;
        let id = id.one::<BeginImportResponse>().import_id;
        dialect
            .call(&app, "AppendImport", &append(&id, 0, b"EMIAL\nx\n"))
            .await;
        let finish = FinishImportRequest {
            organization: "pd".to_owned(),
            import_id: id.clone(),
            finish: None,
        };
        let finished = dialect.call(&app, "FinishImport", &finish).await;
        assert_eq!(finished.status, Some(3), "{finished:?}");
        let watched = dialect.call(&app, "WatchImport", &watch(&id)).await;
        assert!(watched.in_body && watched.status == Some(3), "{watched:?}");
    }
}

async fn answers_come_while_the_import_runs(database: Database) {
    let app = App::start(database).await;
    let (id, _) = app.begin_upload(start_of("pd")).await.unwrap();
    let request = PLAIN.request(&app, &format!("{IMPORTS}WatchImport"), &watch(&id));
    let mut body = exchange(&app, request).await.into_body();
    // The upload has not ended yet, but the first answers come already.
    let frame = timeout(LONG, body.frame()).await.expect("progress comes");
    let progress = frame.unwrap().unwrap().into_data().unwrap();
    assert_eq!(progress[0], 0);
    let csv = roster().people(["ada"]).csv().into_bytes();
    app.append(&id, 0, &csv).await.unwrap();
    app.finish(&id, finish_of(&csv)).await.unwrap();
    let rest = timeout(LONG, body.collect())
        .await
        .unwrap()
        .unwrap()
        .to_bytes();
    let mut answered = HttpAnswer {
        http: StatusCode::OK,
        headers: HeaderMap::new(),
        messages: Vec::new(),
        status: None,
        in_body: false,
    };
    answered.read(&rest);
    assert_eq!(answered.status, Some(0), "{answered:?}");
}

async fn app_with_page(database: Database) -> App {
    let settings = Settings {
        security: SecuritySettings {
            web_origins: vec![PAGE.parse().unwrap()],
            ..SecuritySettings::default()
        },
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

/// Reads the organisation as a page of this origin would. Several origin headers are possible.
async fn as_page(app: &App, dialect: ClientProtocol, origins: &[&'static str]) -> HttpAnswer {
    let message = GetOrganizationRequest {
        organization: "pd".to_owned(),
    };
    let path = "/userimport.v1.DirectoryService/GetOrganization";
    let mut request = dialect.request(app, path, &message);
    for origin in origins {
        let origin = HeaderValue::from_static(origin);
        request.headers_mut().append("origin", origin);
    }
    dialect.send(app, request).await
}

async fn only_pages_of_known_origins_may_call(database: Database) {
    let app = app_with_page(database).await;
    for dialect in DIALECTS {
        let known = as_page(&app, dialect, &[PAGE]).await;
        assert_eq!((known.http, known.status), (StatusCode::OK, Some(0)));
        assert_eq!(known.header("access-control-allow-origin"), Some(PAGE));
        let shown = known.header("access-control-expose-headers").unwrap();
        for header in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
            assert!(shown.contains(header), "{shown}");
        }
        assert_eq!(known.header("vary"), Some("origin"));
        assert_eq!(known.header("access-control-allow-credentials"), None);
        for strangers in [
            &["https://evil.example"][..],
            &["null"],
            &["https://roster.example.evil.example"],
            &["http://roster.example"],
            &[PAGE, "https://evil.example"],
        ] {
            let refused = as_page(&app, dialect, strangers).await;
            assert_eq!(refused.http, StatusCode::FORBIDDEN, "{strangers:?}");
            assert_eq!(refused.status, Some(7));
            assert_eq!(refused.header("access-control-allow-origin"), None);
            assert!(refused.messages.is_empty());
        }
        // A program that is no browser sends no origin.
        let program = as_page(&app, dialect, &[]).await;
        assert_eq!(program.status, Some(0));
        assert_eq!(program.header("access-control-allow-origin"), None);
    }
}

async fn preflight(app: &App, version: Version, origin: &'static str) -> HttpAnswer {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(format!("http://{}{IMPORTS}BeginImport", app.address()))
        .version(version)
        .header("host", app.address().to_string())
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-grpc-web",
        )
        .body(Full::default())
        .unwrap();
    PLAIN.send(app, request).await
}

async fn a_preflight_needs_no_credential(database: Database) {
    let app = app_with_page(database).await;
    app.create_token(token("pd", [])).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let allowed = preflight(&app, version, PAGE).await;
        assert_eq!(allowed.http, StatusCode::NO_CONTENT);
        assert_eq!(allowed.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
        let headers = allowed.header("access-control-allow-headers").unwrap();
        for header in [
            "authorization",
            "content-type",
            "x-grpc-web",
            "grpc-timeout",
        ] {
            assert!(headers.split(',').any(|known| known == header), "{headers}");
        }
        let refused = preflight(&app, version, "https://evil.example").await;
        assert_eq!(refused.http, StatusCode::FORBIDDEN);
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    // The call itself needs a credential.
    let refused = as_page(&app, PLAIN, &[PAGE]).await;
    assert_eq!(refused.status, Some(16), "{refused:?}");
    assert_eq!(refused.header("access-control-allow-origin"), Some(PAGE));
}

/// A page can make a host name of its own point to this machine. For the browser, the console under that name has the
/// same origin as the page.
async fn without_configuration_no_page_may_call(database: Database) {
    let app = App::start(database).await;
    for dialect in DIALECTS {
        for origin in [
            PAGE,
            "http://rebound.example:50051",
            "http://127.0.0.1",
            "null",
        ] {
            let refused = as_page(&app, dialect, &[origin]).await;
            assert_eq!(
                (refused.http, refused.status),
                (StatusCode::FORBIDDEN, Some(7))
            );
        }
    }
    assert_eq!(
        preflight(&app, Version::HTTP_11, PAGE).await.http,
        StatusCode::FORBIDDEN
    );
    // The same holds over gRPC.
    let mut request = tonic::Request::new(GetOrganizationRequest {
        organization: "pd".to_owned(),
    });
    request
        .metadata_mut()
        .insert("origin", PAGE.parse().unwrap());
    let refused = app.directory().get_organization(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{refused}");
}

async fn credentials_and_limits_are_those_of_any_call(database: Database) {
    let app = App::start(database).await;
    let permissions = [user_import::domain::Permission::UsersImport];
    let (_, bearer) = app.create_token(token("pd", permissions)).await;
    let message = begin(start_of("pd"));
    for dialect in DIALECTS {
        let path = format!("{IMPORTS}BeginImport");
        let refused = dialect.call(&app, "BeginImport", &message).await;
        assert_eq!(refused.status, Some(16), "{refused:?}");
        let mut request = dialect.request(&app, &path, &message);
        let value = format!("Bearer {bearer}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let begun = dialect
            .send(&app, request)
            .await
            .one::<BeginImportResponse>();
        let large = append(&begun.import_id, 0, &vec![b'x'; 5 * 1024 * 1024]);
        let mut request = dialect.request(&app, &format!("{IMPORTS}AppendImport"), &large);
        let value = format!("Bearer {bearer}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let refused = dialect.send(&app, request).await;
        assert_eq!(refused.status, Some(8), "{:?}", refused.headers);
    }
}

async fn impatient(database: Database) -> App {
    // Longer than any pause of the machine, so that the call is in time.
    let short = Duration::from_secs(3);
    let server = ServerLimits {
        deadlines: ClientDeadlines {
            first_call: short,
            connection_idle: short,
            idle: short,
            ..ClientDeadlines::default()
        },
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

async fn slow_headers_do_not_hold_a_connection(database: Database) {
    let app = impatient(database).await;
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    connection
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let (mut reading, mut writing) = connection.into_split();
    // Sending a byte every now and then makes no difference.
    let trickling = tokio::spawn(async move {
        while writing.write_all(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let closed = timeout(LONG, reading.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok(), "the connection stands");
    trickling.await.unwrap();

    // Nor does an earlier call.
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    let call = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\n\
        content-length: 0\r\n\r\nPOST /x HTTP/1.1\r\n";
    connection.write_all(call).await.unwrap();
    let mut answer = Vec::new();
    let closed = timeout(LONG, connection.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection stands");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

async fn a_request_that_never_comes_whole_is_refused(database: Database) {
    let app = impatient(database).await;
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    let head = format!(
        "POST {IMPORTS}BeginImport HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\n\
         authorization: {}\r\ncontent-length: 100\r\n\r\n\0\0\0",
        app.authorization()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let closed = timeout(LONG, connection.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection stands");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("grpc-status: 8"), "{answer}");
    // The same over gRPC: a call whose message never comes.
    let io = TokioIo::new(TcpStream::connect(app.address()).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let (_silent, body) =
        tokio::sync::mpsc::channel::<Result<hyper::body::Frame<Bytes>, String>>(1);
    let body = http_body_util::StreamBody::new(tokio_stream::wrappers::ReceiverStream::new(body));
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{}{IMPORTS}BeginImport", app.address()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", app.authorization())
        .body(body)
        .unwrap();
    let answer = timeout(LONG, sender.send_request(request)).await;
    let answer = answer.expect("it is answered").unwrap();
    assert_eq!(status_of(answer.headers()), Some(8), "{answer:?}");
}

async fn what_is_no_grpc_web_is_not_answered(database: Database) {
    let app = App::start(database).await;
    for (method, content_type, expected) in [
        (Method::GET, "text/html", StatusCode::METHOD_NOT_ALLOWED),
        (
            Method::POST,
            "application/json",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::POST,
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        // gRPC itself needs HTTP/2.
        (
            Method::POST,
            "application/grpc",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::GET,
            "application/grpc-web",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("{IMPORTS}BeginImport"))
            .header("host", "x")
            .header("content-type", content_type)
            .body(Full::default())
            .unwrap();
        let answered = PLAIN.send(&app, request).await;
        assert_eq!(answered.http, expected, "{content_type}");
        assert!(answered.messages.is_empty());
    }
}

/// A client may encode the data in the pieces that it has. The last piece is sent complete, or cut in two.
async fn text_may_be_padded_in_each_of_its_parts(database: Database) {
    let app = App::start(database).await;
    let message = GetOrganizationRequest {
        organization: "pd".to_owned(),
    };
    let path = "/userimport.v1.DirectoryService/GetOrganization";
    let encoded = message.encode_to_vec();
    for dialect in DIALECTS.into_iter().filter(|dialect| dialect.text) {
        let mut body = STANDARD.encode([0, 0, 0, 0]);
        body += &STANDARD.encode([u8::try_from(encoded.len()).unwrap()]);
        body += &STANDARD.encode(&encoded);
        let mut request = dialect.request(&app, path, &message);
        *request.body_mut() = Full::new(body.into());
        let answered = dialect.send(&app, request).await;
        assert_eq!(
            answered.header("content-type"),
            Some(dialect.content_type())
        );
        assert_eq!((answered.status, answered.messages.len()), (Some(0), 1));
    }
}

async fn text_that_is_no_base64_is_refused(database: Database) {
    let app = App::start(database).await;
    let message = GetOrganizationRequest::default();
    let path = "/userimport.v1.DirectoryService/GetOrganization";
    for dialect in DIALECTS.into_iter().filter(|dialect| dialect.text) {
        for text in ["!!!!", "AAAA=AAA", "AAAAAAA"] {
            let mut request = dialect.request(&app, path, &message);
            *request.body_mut() = Full::new(text.into());
            let answered = dialect.send(&app, request).await;
            assert_eq!(answered.status, Some(3), "{text}: {answered:?}");
        }
    }
}

async fn a_push_is_one_call_for_a_browser_too(database: Database) {
    let app = App::start(database).await;
    for (number, dialect) in DIALECTS.into_iter().enumerate() {
        let rows = roster().people([&*format!("u{number}")]).typed();
        let push = |rows| PushUsersRequest {
            start: Some(start_of("pd")),
            rows,
        };
        let pushed = dialect.call(&app, "PushUsers", &push(rows)).await;
        let summary = pushed.one::<PushUsersResponse>().summary.unwrap();
        let told = (summary.state(), summary.created);
        assert_eq!(told, (ImportState::Completed, 1));
        let refused = dialect.call(&app, "PushUsers", &push(Vec::new())).await;
        assert_eq!(refused.status, Some(3), "{refused:?}");
    }
    assert_eq!(app.users().await.len(), DIALECTS.len());
}
