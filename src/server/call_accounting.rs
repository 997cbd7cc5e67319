//! Accounts for every call: marks its connection as in use, counts its bytes, records its end in metrics
//! and traces, and turns tonic's own errors into ours.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    connection_usage::{CallInProgress, ConnectionUsage},
    tracked_connection::CallConnection,
    unread_bytes::OpenRequest,
};
use crate::{
    rpc::{self, InnerService, Middleware, WireBytes},
    telemetry::{metrics, request_id, traces},
};

/// The layer. Messages have at most `message_bytes`.
pub(super) fn layer(message_bytes: usize) -> Middleware {
    Middleware::new(move |request, next| account(request, next, message_bytes))
}

async fn account(
    mut request: Request<Body>,
    next: InnerService,
    message_bytes: usize,
) -> Response<Body> {
    let line = request.extensions_mut().remove::<CallConnection>();
    let usage = line.map(|line| {
        let extensions = request.extensions_mut();
        extensions.insert(line.peer);
        extensions.insert(line.usage.trust().clone());
        line.usage
    });
    let id = Uuid::now_v7();
    let method = rpc::path_label(request.uri().path());
    let span = traces::call_span(method, request.headers(), id);
    let call = AccountedCall {
        method,
        code: None,
        begun: Instant::now(),
        _in_use: usage.clone().map(ConnectionUsage::begin),
    };
    let request = count_bytes(request, usage);
    let serving = async {
        let response = next.call(request).await;
        end_call(readable(response, message_bytes), call, &Span::current())
    };
    request_id::serving(id, serving.instrument(span)).await
}

/// A call under way. It is counted when dropped.
struct AccountedCall {
    method: &'static str,
    code: Option<Code>,
    begun: Instant,
    _in_use: Option<CallInProgress>,
}

impl AccountedCall {
    fn note(&mut self, headers: &HeaderMap) {
        let status = headers.get("grpc-status");
        self.code = status
            .map(|code| Code::from_bytes(code.as_bytes()))
            .or(self.code);
    }
}

impl Drop for AccountedCall {
    fn drop(&mut self) {
        // Without a status the client has gone before the end.
        let code = self.code.unwrap_or(Code::Cancelled);
        metrics::call_ended(self.method, code_name(code), self.begun.elapsed());
    }
}

fn count_bytes(request: Request<Body>, usage: Option<Arc<ConnectionUsage>>) -> Request<Body> {
    let bytes = WireBytes::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(bytes.clone());
    let body = CountedBody {
        body,
        bytes,
        request: usage.map(OpenRequest::begin),
    };
    Request::from_parts(parts, Body::new(body))
}

/// A request's body that counts its bytes as they are read.
struct CountedBody {
    body: Body,
    bytes: WireBytes,
    /// `None` once all of it was read.
    request: Option<OpenRequest>,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &polled {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.bytes.add(bytes);
                if let Some(request) = &self.request {
                    request.read(bytes);
                }
            }
            Some(Err(_)) | None => self.request = None,
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Replaces tonic's status for a message that it cannot read. All statuses of ours have details.
fn readable(response: Response<Body>, most: usize) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.details().is_empty() && is_unreadable(status.code()) => {
            rpc::unreadable(&status, most).into_http()
        }
        _ => response,
    }
}

const fn is_unreadable(code: Code) -> bool {
    matches!(
        code,
        Code::OutOfRange | Code::ResourceExhausted | Code::Internal
    )
}

/// The call ends with the last frame of its response, or when the response is dropped.
fn end_call(response: Response<Body>, mut call: AccountedCall, span: &Span) -> Response<Body> {
    call.note(response.headers());
    if call.code.is_some() {
        return response;
    }
    let span = span.clone();
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(trailers) = frame.trailers_ref() {
                call.note(trailers);
                traces::tell_code(&span, call.code.map_or(-1, i32::from));
            }
            frame
        }))
    })
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
