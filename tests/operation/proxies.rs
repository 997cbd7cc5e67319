//! A call and a connection through a trusted proxy count for the client that the proxy names, in the audit trail and in
//! the limits. Headers of all other callers are ignored.

use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use user_import::{
    access::TrustedProxies,
    config::{SecuritySettings, Settings},
    limits::ServerLimits,
    proto::CreateOrganizationRequest,
};

use crate::frames::SETTINGS;
use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    the_audit_trail_has_the_client_that_a_trusted_proxy_forwards,
    nobody_else_is_believed,
    forwarded_headers_that_differ_are_refused,
    one_client_behind_a_proxy_leaves_the_limit_of_an_address_to_the_others,
    the_audit_trail_has_the_client_of_a_proxied_connection,
    a_client_behind_a_proxy_has_the_connections_of_one_address,
    a_proxied_client_that_is_no_proxy_is_not_believed,
    a_proxy_header_that_is_not_valid_closes_the_connection,
    a_proxy_header_that_does_not_come_closes_the_connection,
    a_proxy_header_of_anybody_else_closes_the_connection,
];

const LONG: Duration = Duration::from_mins(1);

/// The bytes that a client sends first over HTTP/2.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async fn app(database: Database, proxies: &[&str], settings: Settings) -> App {
    let proxies: Vec<_> = proxies.iter().map(|text| text.parse().unwrap()).collect();
    let settings = Settings {
        security: SecuritySettings {
            trusted_proxies: TrustedProxies::from(proxies),
            ..settings.security
        },
        ..settings
    };
    App::start_with(database, settings).await
}

/// Starts a server that trusts all callers of these tests as proxies.
async fn behind_proxies(database: Database) -> App {
    app(database, &["127.0.0.0/8"], Settings::default()).await
}

/// Makes an organisation, and returns the caller's address from the audit trail.
async fn audited(
    app: &App,
    name: &str,
    headers: &[(&'static str, &str)],
) -> Result<String, String> {
    let mut request = Request::new(CreateOrganizationRequest {
        organization: name.to_owned(),
        display_name: name.to_owned(),
    });
    for (header, value) in headers {
        request
            .metadata_mut()
            .append(*header, value.parse().unwrap());
    }
    let made = app.directory().create_organization(request).await;
    made.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
    Ok(address_of(app, name).await)
}

async fn address_of(app: &App, organization: &str) -> String {
    let mut found = String::new();
    for address in [
        "198.51.100.7",
        "198.51.100.7:4711",
        "[2001:db8::7]:4711",
        "127.0.0.1",
        "203.0.113.9",
    ] {
        let sql = format!(
            "SELECT COUNT(*) FROM audit_events WHERE subject = '{organization}' AND address = '{address}'"
        );
        if app.database().number(&sql).await == 1 {
            found += address;
        }
    }
    found
}

async fn the_audit_trail_has_the_client_that_a_trusted_proxy_forwards(database: Database) {
    let app = behind_proxies(database).await;
    for (name, headers, expected) in [
        (
            "one",
            &[("x-forwarded-for", "198.51.100.7")][..],
            "198.51.100.7",
        ),
        (
            "two",
            &[("x-forwarded-for", "203.0.113.9, 198.51.100.7, 127.0.0.2")],
            "198.51.100.7",
        ),
        (
            "three",
            &[
                ("x-forwarded-for", "203.0.113.9"),
                ("x-forwarded-for", "198.51.100.7"),
            ],
            "198.51.100.7",
        ),
        (
            "four",
            &[(
                "forwarded",
                "for=203.0.113.9, for=\"[2001:db8::7]:4711\";proto=https",
            )],
            "[2001:db8::7]:4711",
        ),
        (
            "five",
            &[
                ("forwarded", "for=198.51.100.7"),
                ("x-forwarded-for", "198.51.100.7"),
            ],
            "198.51.100.7",
        ),
        // A client on the proxy's machine.
        ("six", &[("x-forwarded-for", "127.0.0.1")], "127.0.0.1"),
        // The proxy itself, with its port.
        ("seven", &[("x-forwarded-for", "203.0.113.9, unknown")], ""),
        ("eight", &[], ""),
    ] {
        assert_eq!(
            audited(&app, name, headers).await.unwrap(),
            expected,
            "{name}"
        );
    }
}

async fn nobody_else_is_believed(database: Database) {
    let app = app(database, &["192.0.2.1", "127.0.0.2"], Settings::default()).await;
    for (name, header) in [
        ("one", "x-forwarded-for"),
        ("two", "forwarded"),
        ("three", "x-real-ip"),
    ] {
        let headers = [(
            header,
            if header == "forwarded" {
                "for=198.51.100.7"
            } else {
                "198.51.100.7"
            },
        )];
        assert_eq!(audited(&app, name, &headers).await.unwrap(), "", "{name}");
    }
}

async fn forwarded_headers_that_differ_are_refused(database: Database) {
    let app = behind_proxies(database).await;
    let headers = [
        ("x-forwarded-for", "198.51.100.7"),
        ("forwarded", "for=203.0.113.9"),
    ];
    let refused = audited(&app, "one", &headers).await.unwrap_err();
    assert_eq!(
        refused,
        "InvalidArgument: X-Forwarded-For and Forwarded name different clients: have the proxy remove the header \
         that it does not write itself."
    );
}

/// Opens this many watches of health through the same proxy, and returns how many were admitted.
async fn watches(app: &App, client: &str, many: usize) -> (usize, Vec<impl Sized>) {
    let mut watching = Vec::new();
    for _ in 0..many {
        let mut request = Request::new(HealthCheckRequest::default());
        request
            .metadata_mut()
            .insert("x-forwarded-for", client.parse().unwrap());
        match HealthClient::new(app.channel()).watch(request).await {
            Ok(watch) => watching.push(watch.into_inner()),
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
        }
    }
    (watching.len(), watching)
}

async fn one_client_behind_a_proxy_leaves_the_limit_of_an_address_to_the_others(
    database: Database,
) {
    let app = behind_proxies(database).await;
    let (admitted, _watching) = watches(&app, "198.51.100.7", 12).await;
    assert_eq!(admitted, 10);
    let (admitted, _others) = watches(&app, "198.51.100.8", 12).await;
    assert_eq!(admitted, 10);
    // The client wrote an address before the one that the proxy added. That does not make it look like another client.
    let (admitted, _) = watches(&app, "203.0.113.9, 198.51.100.7", 1).await;
    assert_eq!(admitted, 0);
}

/// The header of version 2 for a client at 198.51.100.7:4711.
fn header() -> Vec<u8> {
    header_of([198, 51, 100, 7])
}

fn header_of(client: [u8; 4]) -> Vec<u8> {
    let ports = [0x12, 0x67, 0xC3, 0x83];
    [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C"[..],
        &client,
        &[10, 0, 0, 1],
        &ports,
    ]
    .concat()
}

/// Opens a connection that begins with these bytes, as a proxy does.
async fn opened(app: &App, header: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(header).await.unwrap();
    stream
}

/// A channel over such a connection.
async fn proxied(app: &App, header: Vec<u8>) -> Channel {
    let address = app.address();
    let connector = tower::service_fn(move |_: Uri| {
        let header = header.clone();
        async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&header).await?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_static("http://127.0.0.1");
    endpoint.connect_with_connector(connector).await.unwrap()
}

async fn the_audit_trail_has_the_client_of_a_proxied_connection(database: Database) {
    let app = behind_proxies(database).await;
    let caller = app.through(proxied(&app, header()).await).as_local();
    assert_eq!(
        audited(&caller, "one", &[]).await.unwrap(),
        "198.51.100.7:4711"
    );
    // The proxy's own connection, with which it checks the server's health.
    let own = app
        .through(proxied(&app, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec()).await)
        .as_local();
    assert_eq!(audited(&own, "two", &[]).await.unwrap(), "");
    // A connection of a proxy that sends no header.
    assert_eq!(audited(&app, "three", &[]).await.unwrap(), "");
}

async fn a_proxied_client_that_is_no_proxy_is_not_believed(database: Database) {
    let app = behind_proxies(database).await;
    let caller = app.through(proxied(&app, header()).await).as_local();
    let forged = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(
        audited(&caller, "one", &forged).await.unwrap(),
        "198.51.100.7:4711"
    );
    // If the header names another trusted proxy, the client that this proxy names counts.
    let caller = app
        .through(proxied(&app, header_of([127, 0, 0, 9])).await)
        .as_local();
    assert_eq!(
        audited(&caller, "two", &forged).await.unwrap(),
        "203.0.113.9"
    );
}

/// Returns `true` if the server has answered the greeting with its HTTP/2 settings.
async fn is_greeted(stream: &mut TcpStream) -> bool {
    let mut frame = [0; 9];
    let read = timeout(LONG, stream.read_exact(&mut frame)).await;
    read.expect("the server answers or closes").is_ok() && frame[3] == SETTINGS
}

async fn closed(mut stream: TcpStream) {
    let read = timeout(LONG, stream.read_to_end(&mut Vec::new())).await;
    // A reset is also a way to close it.
    let _ = read.expect("the server closes the connection");
}

async fn a_client_behind_a_proxy_has_the_connections_of_one_address(database: Database) {
    let server = ServerLimits {
        address_connections: 2,
        ..ServerLimits::default()
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let app = app(database, &["127.0.0.1"], settings).await;
    let greeting = |client| [&header_of(client)[..], GREETING].concat();
    let mut open = Vec::new();
    // Six connections from one proxy, two of each client.
    for last in [7, 7, 8, 8, 9, 9] {
        let mut stream = opened(&app, &greeting([198, 51, 100, last])).await;
        assert!(is_greeted(&mut stream).await, "{last}");
        open.push(stream);
    }
    let mut third = opened(&app, &greeting([198, 51, 100, 8])).await;
    assert!(is_greeted(&mut third).await);
    closed(open.remove(2)).await;
    for mut stream in open {
        let silent = timeout(
            Duration::from_millis(20),
            stream.read_exact(&mut [0; 1_000]),
        )
        .await;
        assert!(silent.is_err(), "it stands");
    }
}

async fn a_proxy_header_that_is_not_valid_closes_the_connection(database: Database) {
    let app = behind_proxies(database).await;
    let mut version_1 = header();
    version_1[12] = 0x11;
    let mut long = header();
    long[14] = 0xFF;
    let cut = header()[..20].to_vec();
    for (name, bytes) in [
        (
            "text",
            b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 50051\r\n".to_vec(),
        ),
        ("version", version_1),
        ("length", long),
        ("no header", b"\r\nPRI * HTTP/2.0".to_vec()),
        (
            "damaged",
            [&b"\r\n\r\n\0\r\nQUIT \x21\x11\0\x0C"[..], &[0; 12]].concat(),
        ),
    ] {
        let mut stream = opened(&app, &[&bytes[..], GREETING].concat()).await;
        assert!(!is_greeted(&mut stream).await, "{name}");
    }
    let mut stream = opened(&app, &cut).await;
    stream.shutdown().await.unwrap();
    closed(stream).await;
    // Other clients are served.
    app.people(["ada"]).await;
}

async fn a_proxy_header_that_does_not_come_closes_the_connection(database: Database) {
    let settings = Settings {
        security: SecuritySettings {
            // Longer than any pause of the machine, so that the app's own connection is in time.
            handshake_timeout: Duration::from_secs(3),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    };
    let app = app(database, &["127.0.0.1"], settings).await;
    for sent in [0, 1, 16, 27] {
        closed(opened(&app, &header()[..sent]).await).await;
    }
    app.people(["ada"]).await;
}

async fn a_proxy_header_of_anybody_else_closes_the_connection(database: Database) {
    let app = app(database, &["192.0.2.1"], Settings::default()).await;
    let mut stream = opened(&app, &[&header()[..], GREETING].concat()).await;
    assert!(!is_greeted(&mut stream).await);
    app.people(["ada"]).await;
}
