//! The keys of an identity provider over https, from a server whose certificate was issued by a public authority or by
//! one of our own.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use user_import::{
    access::jwt::{JwtKeyLocation, JwtSettings},
    clock::Clock,
    config::{SecuritySettings, Settings},
};

use crate::identity_provider::{ProviderKey, jwks, p256};
use user_import_testing::{
    App, Database, PATIENCE,
    certificates::{CertificateAuthority, IssuedCertificate},
    on_both_databases,
    rpcs::answer,
};

on_both_databases![
    keys_come_from_a_server_that_our_own_authority_vouches_for,
    keys_of_a_server_that_nobody_vouches_for_are_not_taken,
    an_authority_that_cannot_be_read_stops_the_start,
];

const PATH: &str = "/userimport.v1.DirectoryService/GetOrganization";

/// A server of keys. It reports each connection's handshake: `true` if it succeeded.
struct KeyServer {
    url: String,
    handshakes: mpsc::UnboundedReceiver<bool>,
}

impl KeyServer {
    async fn start(issued: &IssuedCertificate, set: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/keys", listener.local_addr().unwrap());
        let (told, handshakes) = mpsc::unbounded_channel();
        let acceptor = TlsAcceptor::from(Arc::new(tls(issued)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shaken = acceptor.accept(stream).await;
                // This fails only if the test is over.
                let _ = told.send(shaken.is_ok());
                if let Ok(mut stream) = shaken {
                    let mut request = [0; 1024];
                    let _ = stream.read(&mut request).await;
                    let length = set.len();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                    let _ = stream.write_all((head + &set).as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { url, handshakes }
    }

    async fn next_handshake(&mut self) -> bool {
        let next = timeout(PATIENCE, self.handshakes.recv()).await;
        next.expect("it is asked").expect("it goes on")
    }
}

fn tls(issued: &IssuedCertificate) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_slice_iter(issued.certificate.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

fn settings(url: &str, keys_ca: Option<PathBuf>) -> Settings {
    let jwt = JwtSettings {
        keys: JwtKeyLocation::Url(url.parse().unwrap()),
        keys_ca,
        issuer: "https://id.example".to_owned(),
        audience: "user-import".to_owned(),
        algorithms: vec!["ES256".parse().unwrap()],
        leeway: Duration::from_secs(30),
        organization_claim: "organization".to_owned(),
        permissions_claim: "permissions".to_owned(),
    };
    Settings {
        security: SecuritySettings {
            jwt: Some(jwt),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    }
}

fn token(key: &ProviderKey) -> String {
    let expires = Clock::system().now().unix_timestamp() + 600;
    key.token(
        "e",
        &json!({
            "iss": "https://id.example", "aud": "user-import", "sub": "cad-job", "exp": expires,
            "organization": "pd", "permissions": ["users.read"],
        }),
    )
}

async fn keys_come_from_a_server_that_our_own_authority_vouches_for(database: Database) {
    let (key, authority) = (p256(), CertificateAuthority::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let mut provider = KeyServer::start(&authority.server(), jwks(&[("e", &key)])).await;
    let app = App::serve_closed(database, settings(&provider.url, Some(file))).await;
    assert!(provider.next_handshake().await);
    let caller = app.presenting(&token(&key));
    assert_eq!(answer(&caller, PATH, "pd").await, "Ok");
}

async fn keys_of_a_server_that_nobody_vouches_for_are_not_taken(database: Database) {
    let key = p256();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, CertificateAuthority::new().pem()).unwrap();
    // The authority that the server trusts is another one, or there is none.
    for own in [Some(file), None] {
        let issued = CertificateAuthority::new().server();
        let mut provider = KeyServer::start(&issued, jwks(&[("e", &key)])).await;
        let app = App::serve_closed(database, settings(&provider.url, own)).await;
        assert!(!provider.next_handshake().await);
        let told = answer(&app.presenting(&token(&key)), PATH, "pd").await;
        assert!(
            told.starts_with("Unauthenticated CREDENTIAL_INVALID"),
            "{told}"
        );
    }
}

async fn an_authority_that_cannot_be_read_stops_the_start(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::write(&empty, "").unwrap();
    for file in [missing, empty] {
        let fresh = database.create().await;
        let store = user_import::store::Store::connect(&fresh.url())
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = settings("https://127.0.0.1:1/keys", Some(file.clone()));
        let never = std::future::pending();
        let started = user_import::server::serve(listener, store, settings, never).await;
        let error = format!("{:#}", started.unwrap_err());
        assert!(
            error.contains("the authorities of the identity provider"),
            "{error}"
        );
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}
