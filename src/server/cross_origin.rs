//! Calls from web pages (CORS): only pages of origins that the operator has named may call. gRPC-Web itself
//! is tonic's; see `server`.
//!
//! A call that names another origin is refused before it reaches a service. So a page that a person happens
//! to visit cannot call a server on that person's machine, under any host name.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, VARY,
    },
};
use tonic::body::Body;

use crate::{
    access::WebOrigin,
    rpc::{self, Middleware, Next},
};

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

/// The layer. Allows pages of these origins, and callers that are no web pages.
pub(super) fn layer(origins: &[WebOrigin]) -> Middleware {
    let origins: Arc<[WebOrigin]> = origins.into();
    Middleware::new(move |request, next| serve(request, next, Arc::clone(&origins)))
}

async fn serve(request: Request<Body>, next: Next, origins: Arc<[WebOrigin]>) -> Response<Body> {
    let headers = request.headers();
    let mut named = headers.get_all(ORIGIN).iter();
    let Some(origin) = named.next().cloned() else {
        return next.call(request).await;
    };
    let is_known = |origin: &str| origins.iter().any(|known| known.is(origin));
    if named.next().is_some() || !origin.to_str().is_ok_and(is_known) {
        return refusal();
    }
    let asks_first =
        request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match asks_first {
        true => permission(),
        false => next.call(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN);
    vary(headers);
    response
}

/// The response to a page that is not allowed. The browser hides it from the page.
fn refusal() -> Response<Body> {
    let mut refusal = rpc::origin_refused().into_http();
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    vary(refusal.headers_mut());
    refusal
}

/// The response to a preflight request, which has no credential.
fn permission() -> Response<Body> {
    let mut permission = Response::new(Body::empty());
    *permission.status_mut() = StatusCode::NO_CONTENT;
    let headers = permission.headers_mut();
    let post = HeaderValue::from_static("POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, post);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    permission
}

/// Caches must not answer one origin with the response to another.
fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderName::from_static("origin").into());
}
