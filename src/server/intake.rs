//! What happens to every call before and after its service: its connection is in use, its bytes and
//! its end are counted, and a limit of the transport is told like any other.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::{sync::watch, time::Instant};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::connections::{Line, Usage};
use crate::{
    rpc::{WireBytes, message_too_large},
    telemetry::{metrics, request, traces},
};

/// Puts an [`Intake`] before a service; `I` is what connections tell of themselves.
#[derive(Debug)]
pub struct IntakeLayer<I> {
    started: watch::Receiver<bool>,
    message_bytes: usize,
    info: PhantomData<fn() -> I>,
}

impl<I> IntakeLayer<I> {
    /// Calls but for health and reflection wait until `started`.
    pub const fn new(started: watch::Receiver<bool>, message_bytes: usize) -> Self {
        Self {
            started,
            message_bytes,
            info: PhantomData,
        }
    }
}

impl<I> Clone for IntakeLayer<I> {
    fn clone(&self) -> Self {
        Self::new(self.started.clone(), self.message_bytes)
    }
}

impl<S, I> Layer<S> for IntakeLayer<I> {
    type Service = Intake<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        Intake {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind its [`IntakeLayer`].
#[derive(Debug)]
pub struct Intake<S, I> {
    inner: S,
    layer: IntakeLayer<I>,
}

impl<S: Clone, I> Clone for Intake<S, I> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, I> Service<Request<Body>> for Intake<S, I>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    I: Clone + Send + Sync + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let line = request.extensions_mut().remove::<Line<I>>();
        let in_use = line.map(|line| {
            request.extensions_mut().insert(line.inner);
            Usage::begin(line.usage)
        });
        let id = Uuid::now_v7();
        let span = traces::call_span(&request, id);
        let call = Call {
            method: metrics::method(request.uri().path()),
            code: None,
            begun: Instant::now(),
            _in_use: in_use,
        };
        let request = count_bytes(request);
        // What was made ready is used up, so that a clone stays behind.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let mut started = self.layer.started.clone();
        let waits = request.uri().path().starts_with("/userimport.");
        let most = self.layer.message_bytes;
        let serving = async move {
            if waits {
                // Fails only where the server is gone, and with it the call.
                let _ = started.wait_for(|started| *started).await;
            }
            let response = inner.call(request).await?;
            Ok(end_call(limited(response, most), call, &Span::current()))
        };
        Box::pin(request::serving(id, serving.instrument(span)))
    }
}

/// A call under way; counted when dropped.
struct Call {
    method: &'static str,
    code: Option<Code>,
    begun: Instant,
    _in_use: Option<super::connections::InUse>,
}

impl Call {
    fn note(&mut self, headers: &HeaderMap) {
        let status = headers.get("grpc-status");
        self.code = status
            .map(|code| Code::from_bytes(code.as_bytes()))
            .or(self.code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Without a status the client has gone before it.
        let code = self.code.unwrap_or(Code::Cancelled);
        metrics::call_ended(self.method, code_name(code), self.begun.elapsed());
    }
}

fn count_bytes(request: Request<Body>) -> Request<Body> {
    let bytes = WireBytes::default();
    let counted = bytes.clone();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(bytes);
    let body = body.map_frame(move |frame| {
        counted.add(frame.data_ref().map_or(0, bytes::Bytes::len));
        frame
    });
    Request::from_parts(parts, Body::new(body))
}

/// tonic answers a call whose message is too large by `OUT_OF_RANGE`; nobody else here does.
fn limited(response: Response<Body>, most: usize) -> Response<Body> {
    let told = Status::from_header_map(response.headers());
    match told {
        Some(status) if is_too_large(&status) => message_too_large(most).into_http(),
        _ => response,
    }
}

/// Also where it is too large only once it is decompressed.
fn is_too_large(status: &Status) -> bool {
    let bare = status.details().is_empty();
    bare && matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted)
}

/// The call ends with the last of its answer, or where nobody wants the rest.
fn end_call(response: Response<Body>, mut call: Call, span: &Span) -> Response<Body> {
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
