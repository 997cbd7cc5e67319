//! HTTP requests that no gRPC library makes.

use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;

use user_import_testing::authorization_at;

/// Longest wait for an answer. A longer wait means that none comes.
pub const LONG: Duration = Duration::from_mins(1);

/// A gRPC call over HTTP/2 whose request stays open until this value is dropped.
pub struct OpenCall {
    pub response: Response<Incoming>,
    _request: mpsc::Sender<Result<Frame<Bytes>, String>>,
}

impl OpenCall {
    /// Sends these bytes as the beginning of the request, and waits for the answer's headers.
    pub async fn begin(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        beginning: &[u8],
    ) -> Self {
        let (sender, body) = mpsc::channel(1);
        let frame = Frame::data(Bytes::copy_from_slice(beginning));
        sender.send(Ok(frame)).await.expect("the body is there");
        let body = StreamBody::new(ReceiverStream::new(body));
        let request = grpc(address, path, headers).body(body).expect("it is one");
        Self {
            response: send(address, request).await,
            _request: sender,
        }
    }

    /// Returns the status, from headers or trailers.
    pub async fn status(self) -> Option<i32> {
        status(self.response).await
    }
}

/// Returns a gRPC request of a local caller, unless the headers name another caller.
pub fn grpc(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> http::request::Builder {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = match headers.iter().any(|(name, _)| *name == "authorization") {
        true => request,
        false => request.header("authorization", authorization_at(address)),
    };
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

/// Sends a request over HTTP/2 on a connection of its own.
pub async fn send<B>(address: SocketAddr, request: Request<B>) -> Response<Incoming>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let io = TokioIo::new(TcpStream::connect(address).await.expect("it listens"));
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .expect("it speaks HTTP/2");
    tokio::spawn(connection);
    let answer = timeout(LONG, sender.send_request(request)).await;
    answer.expect("it is answered").expect("it is HTTP")
}

/// Returns the status of an answer, from headers or trailers, and skips its messages.
pub async fn status(response: Response<Incoming>) -> Option<i32> {
    refusal(response).await.map(|(status, _)| status)
}

/// Returns the status of an answer and its message as it is sent, from headers or trailers.
pub async fn refusal(response: Response<Incoming>) -> Option<(i32, String)> {
    let (parts, body) = response.into_parts();
    let of = |headers: &HeaderMap| {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let message = text("grpc-message").unwrap_or_default();
        Some((text("grpc-status")?.parse().ok()?, message))
    };
    if let Some(refusal) = of(&parts.headers) {
        return Some(refusal);
    }
    let body = timeout(LONG, body.collect()).await.expect("it ends");
    of(body.ok()?.trailers()?)
}

/// Sends these bytes, and returns the answer up to the end of the connection.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.write_all(request).await.expect("it is taken");
    let mut answer = Vec::new();
    let reading = timeout(LONG, connection.read_to_end(&mut answer)).await;
    // A reset also ends it.
    let _ = reading.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}
