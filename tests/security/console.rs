//! The console serves people who open it under a name of this server, and its page calls only this server. A page of
//! another site, of another program on this machine, or under a name that somebody else points to this server gets no
//! answer.

use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use user_import::{
    config::{SecuritySettings, Settings},
    proto::GetOrganizationRequest,
};
use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    the_console_needs_no_credential,
    the_console_is_there_under_its_own_names_alone,
    only_the_page_of_this_server_may_call_it,
    a_public_url_is_a_name_of_the_console_and_of_its_page,
    a_page_changes_nothing_for_programs,
];

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];
const CALL: &str = "/userimport.v1.DirectoryService/GetOrganization";
const BROWSER: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

/// The answer to a request.
struct ConsoleAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl ConsoleAnswer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends a request on a connection of its own, with this `Host` (`:authority` over HTTP/2).
async fn send(
    app: &App,
    version: Version,
    host: &str,
    mut request: Request<Full<Bytes>>,
) -> ConsoleAnswer {
    let io = TokioIo::new(TcpStream::connect(app.address()).await.unwrap());
    *request.version_mut() = version;
    let response = if version == Version::HTTP_2 {
        let path = request.uri().to_string();
        *request.uri_mut() = format!("http://{host}{path}").parse().unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        request.headers_mut().insert("host", host.parse().unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let (parts, body) = response.into_parts();
    ConsoleAnswer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn get(
    app: &App,
    version: Version,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> ConsoleAnswer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, version, host, request.body(Full::default()).unwrap()).await
}

/// Makes the call of a page, with the server's local token.
async fn call(app: &App, version: Version, host: &str, origins: &[&str]) -> ConsoleAnswer {
    let message = GetOrganizationRequest {
        organization: "pd".to_owned(),
    };
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = [&[0][..], &length, &message].concat();
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(CALL)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .header("authorization", app.authorization());
    for origin in origins {
        request = request.header("origin", *origin);
    }
    let request = request.body(Full::new(framed.into())).unwrap();
    send(app, version, host, request).await
}

/// Returns `true` if the call was answered with the organisation, and `false` if it was refused. Fails on any other
/// answer.
fn is_answered(answered: &ConsoleAnswer) -> bool {
    match answered.status {
        StatusCode::OK => {
            assert_eq!(
                answered.header("grpc-status"),
                None,
                "{:?}",
                answered.headers
            );
            assert!(
                answered.body.ends_with(b"grpc-status:0\r\n"),
                "{:?}",
                answered.body
            );
            true
        }
        StatusCode::FORBIDDEN => {
            assert_eq!(answered.header("grpc-status"), Some("7"));
            assert!(answered.body.is_empty());
            false
        }
        other => panic!("{other}"),
    }
}

async fn the_console_needs_no_credential(database: Database) {
    let app = App::start(database).await;
    let host = app.address().to_string();
    for version in VERSIONS {
        for path in ["/console/", "/console/users", "/console/imports/x"] {
            let page = get(&app, version, &host, path, &[BROWSER]).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert_eq!(
                page.header("content-type"),
                Some("text/html; charset=utf-8")
            );
            assert!(page.text().starts_with("<!doctype html>"));
            assert!(page.header("content-security-policy").is_some());
            assert_eq!(page.header("set-cookie"), None);
        }
        let small = get(
            &app,
            version,
            &host,
            "/console/",
            &[("accept-encoding", "br")],
        )
        .await;
        assert_eq!(small.header("content-encoding"), Some("br"));
        let sign_in = get(&app, version, &host, "/console/sign-in.json", &[]).await;
        assert_eq!(sign_in.text(), r#"{"provider":null}"#);
        let missing = get(&app, version, &host, "/console/assets/x.js", &[]).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        let home = get(&app, version, &host, "/", &[BROWSER]).await;
        assert_eq!(home.header("location"), Some("/console/"));
        let program = get(&app, version, &host, "/", &[]).await;
        assert!(program.text().starts_with("This is a User Import server."));
    }
}

async fn the_console_is_there_under_its_own_names_alone(database: Database) {
    let app = App::start(database).await;
    let port = app.address().port();
    for version in VERSIONS {
        for name in ["localhost", "127.0.0.1", "127.8.9.10", "[::1]"] {
            for host in [
                name.to_owned(),
                format!("{name}:{port}"),
                format!("{name}:8080"),
            ] {
                let page = get(&app, version, &host, "/console/", &[]).await;
                assert_eq!(page.status, StatusCode::OK, "{host}");
            }
        }
        for name in [
            "rebound.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost.",
            "192.0.2.7",
            "[::ffff:127.0.0.1]",
            "[2001:db8::7]",
        ] {
            for path in ["/console/", "/console/users", "/console/sign-in.json"] {
                let host = format!("{name}:{port}");
                let refused = get(&app, version, &host, path, &[BROWSER]).await;
                assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
                assert!(
                    refused.text().contains("--public-url"),
                    "{}",
                    refused.text()
                );
            }
        }
    }
    for (heads, expected) in [
        (
            "host: localhost\r\nhost: rebound.example\r\n",
            "HTTP/1.1 400",
        ),
        ("host: user@localhost\r\n", "HTTP/1.1 421"),
        ("host: localhost@rebound.example\r\n", "HTTP/1.1 421"),
        ("host: \r\n", "HTTP/1.1 400"),
        ("", "HTTP/1.1 400"),
    ] {
        let answer = raw(&app, &format!("GET /console/ HTTP/1.1\r\n{heads}")).await;
        assert!(answer.starts_with(expected), "{heads:?}: {answer}");
    }
    let target = "GET http://rebound.example/console/ HTTP/1.1\r\nhost: localhost\r\n";
    let answer = raw(&app, target).await;
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    let old = raw(&app, "GET /console/ HTTP/1.0\r\n").await;
    assert!(
        old.starts_with("HTTP/1.0 421") || old.starts_with("HTTP/1.1 421"),
        "{old}"
    );
}

/// Sends the head of a request, byte by byte as given, and reads to the end.
async fn raw(app: &App, head: &str) -> String {
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    let request = format!("{head}connection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn only_the_page_of_this_server_may_call_it(database: Database) {
    let app = App::start(database).await;
    let port = app.address().port();
    for version in VERSIONS {
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            let host = format!("{name}:{port}");
            let own = call(&app, version, &host, &[&format!("http://{host}")]).await;
            assert!(is_answered(&own), "{host}");
            for strangers in [
                &["http://localhost:8080"][..],
                &["http://127.0.0.1"],
                &[&*format!("https://{host}")],
                &[&*format!("http://{host}.evil.example")],
                &[&*format!("http://rebound.example:{port}")],
                &["null"],
                &[&*format!("http://{host}"), "https://evil.example"],
                &[&*format!("http://{host}"), &*format!("http://{host}")],
            ] {
                let refused = call(&app, version, &host, strangers).await;
                assert!(!is_answered(&refused), "{host} {strangers:?}");
            }
        }
        // The owner of the name points it to this machine, so that the page has the same origin as the server that it
        // calls.
        for name in ["rebound.example", "localhost.", "[::ffff:127.0.0.1]"] {
            let host = format!("{name}:{port}");
            let refused = call(&app, version, &host, &[&format!("http://{host}")]).await;
            assert!(!is_answered(&refused), "{host}");
        }
    }
}

async fn a_public_url_is_a_name_of_the_console_and_of_its_page(database: Database) {
    let settings = Settings {
        security: SecuritySettings {
            public_urls: vec!["https://roster.example".parse().unwrap()],
            ..SecuritySettings::default()
        },
        ..Settings::default()
    };
    let app = App::start_with(database, settings).await;
    for version in VERSIONS {
        for host in ["roster.example", "roster.example:443", "localhost"] {
            let page = get(&app, version, host, "/console/", &[]).await;
            assert_eq!(page.status, StatusCode::OK, "{host}");
            let own = call(&app, version, host, &["https://roster.example"]).await;
            assert!(is_answered(&own), "{host}");
        }
        for host in [
            "roster.example:50051",
            "evil.example",
            "roster.example.evil.example",
        ] {
            let refused = get(&app, version, host, "/console/", &[]).await;
            assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
        for origin in ["http://roster.example", "https://evil.roster.example"] {
            let refused = call(&app, version, "roster.example", &[origin]).await;
            assert!(!is_answered(&refused), "{origin}");
        }
    }
}

/// Programs send no origin, and may use any name of the server.
async fn a_page_changes_nothing_for_programs(database: Database) {
    let app = App::start(database).await;
    for version in VERSIONS {
        for host in ["import.internal:50051", "10.0.0.5", "localhost"] {
            let answered = call(&app, version, host, &[]).await;
            assert!(is_answered(&answered), "{host}");
        }
    }
}
