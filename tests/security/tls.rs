//! TLS, and client certificates on the allow-list.

use std::{net::IpAddr, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use user_import::{
    config::{SecuritySettings, Settings},
    domain::Permission,
    limits::ServerLimits,
};

use user_import_testing::{
    App, Database, PATIENCE,
    certificates::{CertificateAuthority, CertificateFiles, IssuedCertificate, dns, uri},
    on_both_databases,
    rpcs::{answer, call},
    token,
};

on_both_databases![
    without_its_authority_nobody_talks_to_the_server,
    a_server_with_tls_does_not_speak_plain_text,
    a_new_certificate_is_taken_over_while_calls_go_on,
    a_certificate_that_is_no_good_does_not_replace_the_one_before,
    a_client_certificate_is_who_the_list_says,
    a_list_that_changes_holds_at_once_for_connections_that_stand,
    a_silent_handshake_ends,
    silent_handshakes_keep_nobody_waiting,
    grpc_web_is_served_over_tls_too,
];

const PATH: &str = "/userimport.v1.DirectoryService/GetOrganization";

fn settings(security: SecuritySettings) -> Settings {
    Settings {
        security,
        ..Settings::default()
    }
}

/// Connects with TLS, trusting `authority`.
async fn connect(
    app: &App,
    authority: &CertificateAuthority,
    identity: Option<&IssuedCertificate>,
) -> Result<Channel, tonic::transport::Error> {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()));
    if let Some(issued) = identity {
        tls = tls.identity(Identity::from_pem(&issued.certificate, &issued.key));
    }
    let address = format!("https://{}", app.address());
    let endpoint = Channel::from_shared(address).unwrap().tls_config(tls)?;
    endpoint.connect().await
}

async fn without_its_authority_nobody_talks_to_the_server(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let app = App::serve_tls(database, settings(files.security()), &authority.pem()).await;
    connect(&app, &authority, None).await.unwrap();
    assert!(
        connect(&app, &CertificateAuthority::new(), None)
            .await
            .is_err()
    );
}

async fn a_server_with_tls_does_not_speak_plain_text(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let app = App::serve_tls(database, settings(files.security()), &authority.pem()).await;
    let plain = Channel::from_shared(format!("http://{}", app.address())).unwrap();
    if let Ok(channel) = plain.connect().await {
        let answer = call(&app.through(channel).as_local(), PATH, "pd").await;
        assert!(answer.is_err(), "{answer:?}");
    }
}

async fn a_new_certificate_is_taken_over_while_calls_go_on(database: Database) {
    let (old, new) = (CertificateAuthority::new(), CertificateAuthority::new());
    let files = CertificateFiles::new(&old.server());
    let app = App::serve_tls(database, settings(files.security()), &old.pem()).await;
    let standing = app.through(connect(&app, &old, None).await.unwrap());
    let standing = standing.as_local();
    let load = standing.clone_connection();
    let calling = tokio::spawn(async move {
        let mut calls = 0;
        while calls < 300 {
            call(&load, PATH, "pd")
                .await
                .expect("a connection that stands goes on");
            calls += 1;
        }
    });
    files.install(&new.server());
    while connect(&app, &new, None).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(
        connect(&app, &old, None).await.is_err(),
        "the old one is gone"
    );
    calling.await.unwrap();
    call(&standing, PATH, "pd").await.unwrap();
}

async fn a_certificate_that_is_no_good_does_not_replace_the_one_before(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let app = App::serve_tls(database, settings(files.security()), &authority.pem()).await;
    // First the key of another certificate, then no certificate, then a good one again.
    files.write("server.key", &authority.server().key);
    files.write("server.pem", "no certificate");
    for _ in 0..20 {
        connect(&app, &authority, None)
            .await
            .expect("the one before is still there");
    }
    let newest = CertificateAuthority::new();
    files.install(&newest.server());
    while connect(&app, &newest, None).await.is_err() {
        tokio::task::yield_now().await;
    }
}

fn list(entries: &[(&str, &str, &str)]) -> String {
    let entry = |(san, organization, permissions): &(&str, &str, &str)| {
        format!(
            "{{\"san\": \"{san}\", \"organization\": \"{organization}\", \
             \"permissions\": [{permissions}]}}"
        )
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    format!("{{\"identities\": [{}]}}", entries.join(", "))
}

const READ: &str = "\"users.read\"";

async fn a_client_certificate_is_who_the_list_says(database: Database) {
    let (servers, clients) = (CertificateAuthority::new(), CertificateAuthority::new());
    let files = CertificateFiles::new(&servers.server());
    let listed = list(&[
        ("dns:cad.pd.example", "pd", READ),
        ("uri:spiffe://sheriff/cad", "sheriff", READ),
    ]);
    let security = files.with_clients(&clients, &listed);
    let app = App::serve_tls(database, settings(security), &servers.pem()).await;
    let invalid = "Unauthenticated CREDENTIAL_INVALID: This credential is not valid here; check that \
        it is complete and for this server.";
    let missing = "Unauthenticated CREDENTIAL_MISSING: This server needs a credential: send a token \
        in the authorization header.";
    let other =
        "PermissionDenied OTHER_ORGANIZATION: This credential is not for that organisation.";
    let both = vec![dns("cad.pd.example"), uri("spiffe://sheriff/cad")];
    for (names, expected) in [
        (Some(vec![dns("cad.pd.example")]), "Ok"),
        (
            Some(vec![dns("CAD.pd.example"), dns("cad2.pd.example")]),
            "Ok",
        ),
        (Some(vec![uri("spiffe://sheriff/cad")]), other),
        (Some(vec![dns("cad2.pd.example")]), invalid),
        (Some(vec![uri("dns:cad.pd.example")]), invalid),
        (Some(vec![]), invalid),
        (Some(both), invalid),
        (None, missing),
    ] {
        let issued = names.clone().map(|names| clients.client(names));
        let channel = connect(&app, &servers, issued.as_ref()).await.unwrap();
        let caller = app.through(channel);
        assert_eq!(answer(&caller, PATH, "pd").await, expected, "{names:?}");
    }
    // No authority of this server has issued the certificate. Beside certificates, a token is valid, too.
    let stranger = CertificateAuthority::new().client(vec![dns("cad.pd.example")]);
    let refused = match connect(&app, &servers, Some(&stranger)).await {
        Ok(channel) => !is_admitted_by(&app, channel).await,
        Err(_) => true,
    };
    assert!(refused);
    let (_, text) = app.create_token(token("pd", [Permission::UsersRead])).await;
    let channel = connect(&app, &servers, None).await.unwrap();
    assert_eq!(
        answer(&app.through(channel).presenting(&text), PATH, "pd").await,
        "Ok"
    );
    // A bad token is refused, even with a good certificate.
    let good = clients.client(vec![dns("cad.pd.example")]);
    let channel = connect(&app, &servers, Some(&good)).await.unwrap();
    assert_eq!(
        answer(&app.through(channel).presenting("x"), PATH, "pd").await,
        invalid
    );
}

async fn is_admitted_by(app: &App, channel: Channel) -> bool {
    call(&app.through(channel), PATH, "pd").await.is_ok()
}

async fn a_list_that_changes_holds_at_once_for_connections_that_stand(database: Database) {
    let (servers, clients) = (CertificateAuthority::new(), CertificateAuthority::new());
    let files = CertificateFiles::new(&servers.server());
    let name = "dns:cad.pd.example";
    let security = files.with_clients(&clients, &list(&[(name, "pd", READ)]));
    let app = App::serve_tls(database, settings(security), &servers.pem()).await;
    let issued = clients.client(vec![dns("cad.pd.example")]);
    let caller = app.through(connect(&app, &servers, Some(&issued)).await.unwrap());
    assert_eq!(answer(&caller, PATH, "pd").await, "Ok");
    files.write("identities.json", &list(&[]));
    while answer(&caller, PATH, "pd").await == "Ok" {
        tokio::task::yield_now().await;
    }
    files.write("identities.json", "[");
    let told = answer(&caller, PATH, "pd").await;
    assert!(
        told.starts_with("Unauthenticated CREDENTIAL_INVALID"),
        "{told}"
    );
}

async fn a_silent_handshake_ends(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let security = SecuritySettings {
        handshake_timeout: Duration::from_secs(1),
        ..files.security()
    };
    let app = App::serve_tls(database, settings(security), &authority.pem()).await;
    let mut silent = TcpStream::connect(app.address()).await.unwrap();
    let ended = silent.read(&mut [0]).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

/// The silent handshakes come from another client's address and from the caller's own. There are far more of them than
/// places, and each could stay silent for longer than a client waits.
async fn silent_handshakes_keep_nobody_waiting(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let settings = Settings {
        security: SecuritySettings {
            handshake_timeout: 2 * PATIENCE,
            ..files.security()
        },
        server: ServerLimits {
            connections: 40,
            address_connections: 20,
            ..ServerLimits::default()
        },
        ..Settings::default()
    };
    let app = App::serve_tls(database, settings, &authority.pem()).await;
    for address in [[127, 0, 0, 2], [127, 0, 0, 1]] {
        let mut silent = Vec::new();
        for _ in 0..100 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind((IpAddr::from(address), 0).into()).unwrap();
            silent.push(socket.connect(app.address()).await.unwrap());
        }
        let channel = timeout(PATIENCE, connect(&app, &authority, None)).await;
        let caller = app.through(channel.expect("nobody waits").unwrap());
        let answered = timeout(PATIENCE, answer(&caller, PATH, "pd")).await;
        let answered = answered.expect("nobody waits");
        // A caller without a credential gets that reason, unless callers from the machine itself need no credential.
        let is_answer = answered == "Ok" || answered.starts_with("Unauthenticated");
        assert!(is_answer, "{answered}");
        drop(silent);
    }
}

/// Browsers and simple gateways, which know only HTTP/1.1, call in this way.
async fn grpc_web_is_served_over_tls_too(database: Database) {
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let app = App::serve_tls(database, settings(files.security()), &authority.pem()).await;
    for (offered, chosen) in [
        (&[&b"http/1.1"[..]][..], &b"http/1.1"[..]),
        (&[b"http/1.1", b"h2"], b"h2"),
        (&[b"h2"], b"h2"),
    ] {
        let stream = shake_hands(&app, &authority, offered).await;
        let (_, session) = stream.get_ref();
        assert_eq!(session.alpn_protocol(), Some(chosen));
    }
    let mut stream = shake_hands(&app, &authority, &[b"http/1.1"]).await;
    let call = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: {}\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 9\r\n\r\n\
         \0\0\0\0\x04\n\x02pd",
        app.authorization()
    );
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");
}

async fn shake_hands(
    app: &App,
    authority: &CertificateAuthority,
    offered: &[&[u8]],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let pem = authority.pem();
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(app.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}
