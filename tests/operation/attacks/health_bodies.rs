//! 5 connections with 100 health requests each that never end, from a client without a credential.

use std::{convert::Infallible, future::pending, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use http::Request;
use http_body_util::StreamBody;
use hyper::{
    body::{Bytes, Frame},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::attacked_server::{AttackedServer, SlowedWork, expect_twice_at_most};
use user_import_testing::{Database, on_both_databases};

on_both_databases![unfinished_health_bodies_are_refused_before_they_are_held];

/// The largest message that any call may have, minus one byte.
const BODY: usize = (4 << 20) - 1;

/// How long the attackers continue if the server does not answer.
const LONG: Duration = Duration::from_secs(15);

/// Returns a request with a message of 4 MiB: its head, all of it except the last byte, and then nothing.
fn unfinished(
    path: &str,
    address: SocketAddr,
) -> Request<impl hyper::body::Body<Data = Bytes, Error = Infallible> + use<>> {
    let length = u32::try_from(BODY + 1).unwrap().to_be_bytes();
    let head = Bytes::from([&[0][..], &length].concat());
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = stream::repeat(piece.clone()).take(BODY / piece.len());
    let body = stream::once(std::future::ready(head))
        .chain(pieces)
        .chain(stream::pending());
    Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(StreamBody::new(body.map(|piece| Ok(Frame::data(piece)))))
        .unwrap()
}

/// Makes 100 such requests on one connection, waits for their answers, and returns the connection.
async fn attack(address: SocketAddr, path: &'static str) -> impl Send + use<> {
    let stream = TcpStream::connect(address).await.unwrap();
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = shaken.unwrap();
    let driven = tokio::spawn(connection);
    let calls = (0..100).map(|_| {
        let mut sender = sender.clone();
        async move {
            sender.ready().await?;
            sender.send_request(unfinished(path, address)).await
        }
    });
    let answers = timeout(LONG, join_all(calls)).await;
    (answers, driven, sender)
}

const PATHS: [&str; 3] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
];

/// Begins the attack on five connections, expects that health is answered meanwhile, and measures other clients while
/// those connections stay open.
async fn measure(database: Database, path: &'static str) -> Vec<SlowedWork> {
    let attacked_server = Box::pin(AttackedServer::start(database, &[])).await;
    let address = attacked_server.server.address;
    let attack = async || {
        let attackers = join_all((0..5).map(|_| attack(address, path)));
        let mut health =
            HealthClient::new(attacked_server.operator.another_client().await.channel());
        let asked = async { health.check(HealthCheckRequest::default()).await };
        let (open, asked) = tokio::join!(attackers, asked);
        asked.expect("health is told meanwhile");
        attacked_server.attack_by([async move {
            let _open = open;
            pending::<()>().await;
        }])
    };
    attacked_server.measure(attack).await
}

async fn unfinished_health_bodies_are_refused_before_they_are_held(database: Database) {
    for path in PATHS {
        expect_twice_at_most(async || measure(database, path).await).await;
    }
}
