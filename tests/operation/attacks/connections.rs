//! Silent sockets, watches that never end, and answers to pings that the server never sent.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use futures_util::future::join_all;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::attacked_server::{AttackedServer, SlowedWork, alone, expect_twice_at_most, mean};
use crate::{
    frames::{PING, RawConnection, SETTINGS},
    program::serve,
};
use user_import_testing::{
    Database,
    certificates::{CertificateAuthority, CertificateFiles},
};

/// Raises the limit of open files: 1,000 sockets and their other ends are more than a process may usually have.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("up to the hard limit it may be raised");
}

/// Connects from one of this machine's addresses.
async fn connect_from(own: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((own, 0).into())?;
    socket.connect(to).await
}

async fn shake(own: Ipv4Addr, to: SocketAddr, trust: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = connect_from(own, to).await.expect("it listens");
    let name = "127.0.0.1".try_into().unwrap();
    trust
        .connect(name, stream)
        .await
        .expect("others are served")
}

fn trusting(authority: &CertificateAuthority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut config = config;
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// Measures handshakes from another address, before and during the attack of silent sockets. The number of handshakes
/// is so large that the moment in which the server closes sockets does not count, but waiting for silent sockets would.
async fn handshakes_beside_silent_sockets() -> Vec<SlowedWork> {
    let _alone = alone().await;
    let authority = CertificateAuthority::new();
    let files = CertificateFiles::new(&authority.server());
    let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
    let tls = [
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let database = Database::Sqlite.with_schema().await;
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&database.url(), &tls, &folder.path().join("log"));
    let trust = trusting(&authority);
    let (attacker, other) = (Ipv4Addr::new(127, 0, 0, 7), Ipv4Addr::new(127, 0, 0, 8));
    let shaken = async || drop(shake(other, server.address, &trust).await);
    let usual = mean(100, shaken).await;
    let silent = (0..1_000).map(|_| connect_from(attacker, server.address));
    let silent = join_all(silent).await;
    assert_eq!(silent.iter().flatten().count(), 1_000);
    let attacked = mean(100, shaken).await;
    vec![SlowedWork { usual, attacked }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_silent_tls_sockets_keep_nobody_else_out() {
    allow_many_files();
    expect_twice_at_most(handshakes_beside_silent_sockets).await;
}

/// Watches that never end take every place for callers without a credential. A caller with a credential still gets a
/// place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_strangers_who_watch_health_leave_room_for_those_with_a_credential() {
    allow_many_files();
    let attacked_server = AttackedServer::start(Database::Sqlite, &[]).await;
    let mut watching = Vec::new();
    for n in 0..1_000_u16 {
        // Fewer from each address than one address may have.
        let own = Ipv4Addr::new(127, 0, 1, 1 + u8::try_from(n / 200).unwrap());
        let Ok(stream) = connect_from(own, attacked_server.server.address).await else {
            continue;
        };
        let mut raw = RawConnection::on(stream).await.of_a_stranger();
        raw.call(1, "/grpc.health.v1.Health/Watch").await;
        raw.send(0, 1, 1, &[0; 5]).await;
        watching.push(raw);
    }
    let served = attacked_server
        .caller("sheriff", user_import::domain::Permission::ALL)
        .await;
    served
        .look()
        .await
        .expect("who shows a credential is served");
    attacked_server.expect_unharmed().await;
    drop(watching);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_pings_that_nobody_sent_leave_no_mark_in_the_log() {
    let attacked_server = AttackedServer::start(Database::Sqlite, &[]).await;
    let before = attacked_server.log().len();
    let mut raw = RawConnection::connect(attacked_server.server.address).await;
    raw.until(SETTINGS, 0).await.expect("it greets");
    let frames = RawConnection::many(PING, 1, 0, &[7; 8], 1_000);
    for _ in 0..200 {
        if !raw.write(&frames).await {
            break;
        }
    }
    // The server has read everything that was sent before.
    attacked_server.expect_unharmed().await;
    let more = attacked_server.log().len() - before;
    assert!(more < 16 * 1024, "{more} bytes of log");
}
