//! Calls from web pages (CORS): only pages of origins that the operator has named may call. gRPC-Web itself
//! is tonic's; see `server`.
//!
//! A call that names another origin is refused before it reaches a service. So a page that a person happens
//! to visit cannot call a server on that person's machine, under any host name.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::FutureExt;
use futures_util::future::{Either, Map};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, VARY,
    },
};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::{access::WebOrigin, rpc};

/// Request headers that pages may send: those of gRPC-Web, credentials, and traces.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization,content-type,grpc-accept-encoding,grpc-encoding,grpc-timeout,traceparent,\
     tracestate,x-grpc-web,x-user-agent",
);

/// Response headers that pages may read: how a call ended.
const SHOWN: HeaderValue =
    HeaderValue::from_static("grpc-encoding,grpc-message,grpc-status,grpc-status-details-bin");

/// Seconds for which a browser may remember that an origin is allowed.
const REMEMBERED: HeaderValue = HeaderValue::from_static("7200");

/// Puts a [`Web`] before a service.
#[derive(Clone, Debug)]
pub(super) struct WebLayer {
    origins: Arc<[WebOrigin]>,
}

impl WebLayer {
    /// Allows pages of these origins, and callers that are no web pages.
    pub(super) fn new(origins: &[WebOrigin]) -> Self {
        Self {
            origins: origins.into(),
        }
    }

    fn judge(&self, headers: &HeaderMap) -> Caller {
        let mut named = headers.get_all(ORIGIN).iter();
        let Some(origin) = named.next() else {
            return Caller::NoPage;
        };
        let is_known = origin
            .to_str()
            .is_ok_and(|origin| self.origins.iter().any(|known| known.is(origin)));
        match is_known && named.next().is_none() {
            true => Caller::Page(origin.clone()),
            false => Caller::Stranger,
        }
    }
}

enum Caller {
    /// No browser, or one that names no origin.
    NoPage,
    /// A page of this origin.
    Page(HeaderValue),
    /// A page of an origin that is not allowed.
    Stranger,
}

impl<S> Layer<S> for WebLayer {
    type Service = Web<S>;

    fn layer(&self, inner: S) -> Web<S> {
        let layer = self.clone();
        Web { layer, inner }
    }
}

/// A service that pages of allowed origins may call.
#[derive(Clone, Debug)]
pub(super) struct Web<S> {
    layer: WebLayer,
    inner: S,
}

type Answer<E> = Result<Response<Body>, E>;
type Shown<E> = Box<dyn FnOnce(Answer<E>) -> Answer<E> + Send>;

impl<S> Service<Request<Body>> for Web<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Ready<Answer<S::Error>>, Map<S::Future, Shown<S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let asks_first = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = match self.layer.judge(request.headers()) {
            Caller::Stranger => return Either::Left(ready(Ok(refusal()))),
            Caller::Page(origin) if asks_first => {
                return Either::Left(ready(Ok(permission(origin))));
            }
            Caller::Page(origin) => Some(origin),
            Caller::NoPage => None,
        };
        let show: Shown<S::Error> = Box::new(|answer| {
            answer.map(|mut answer| {
                if let Some(origin) = origin {
                    show(answer.headers_mut(), origin);
                }
                answer
            })
        });
        Either::Right(self.inner.call(request).map(show))
    }
}

/// The response to a page that is not allowed. The browser hides it from the page.
fn refusal() -> Response<Body> {
    let mut refusal = rpc::origin_refused().into_http();
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    vary(refusal.headers_mut());
    refusal
}

/// The response to a preflight request, which has no credential.
fn permission(origin: HeaderValue) -> Response<Body> {
    let mut permission = Response::new(Body::empty());
    *permission.status_mut() = StatusCode::NO_CONTENT;
    let headers = permission.headers_mut();
    show(headers, origin);
    let post = HeaderValue::from_static("POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, post);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    permission
}

fn show(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN);
    vary(headers);
}

/// Caches must not answer one origin with the response to another.
fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderName::from_static("origin").into());
}
