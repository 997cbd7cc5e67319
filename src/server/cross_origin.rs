//! Calls from web pages (CORS): only this server's own page, and pages of origins that the operator has named, may call.
//! gRPC-Web itself is tonic's; see `server`.
//!
//! A call that names another origin is refused before it reaches a service. So a page that a person happens to visit
//! cannot call a server on that person's machine, under any host name. The server's own page has the origin of the
//! public URL, or on this machine exactly the origin that the call goes to. A page on another port is another origin.

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

use super::request_host::host_of;
use crate::{
    access::{PublicUrl, WebOrigin, is_loopback_authority},
    config::SecuritySettings,
    rpc::{self, InnerService, Middleware},
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

/// The layer. Allows the pages of the settings' origins, and callers that are no web pages.
pub(super) fn layer(security: &SecuritySettings) -> Middleware {
    let origins = Arc::new(AllowedOrigins::of(security));
    Middleware::new(move |request, next| serve(request, next, Arc::clone(&origins)))
}

/// Origins of pages that may call.
#[derive(Debug)]
struct AllowedOrigins {
    /// Those that the operator has named.
    named: Vec<WebOrigin>,
    /// The scheme of pages that this server serves itself.
    own_scheme: &'static str,
}

impl AllowedOrigins {
    fn of(security: &SecuritySettings) -> Self {
        let public = security.public_urls.iter().map(PublicUrl::origin);
        Self {
            named: security.web_origins.iter().chain(public).cloned().collect(),
            own_scheme: match security.tls {
                Some(_) => "https://",
                None => "http://",
            },
        }
    }

    /// Returns `true` if a page of this origin may make a call to this host.
    fn admits(&self, origin: &str, host: Option<&str>) -> bool {
        let is_own = || {
            let own = origin.strip_prefix(self.own_scheme);
            own.is_some() && own == host && own.is_some_and(is_loopback_authority)
        };
        self.named.iter().any(|known| known.is(origin)) || is_own()
    }
}

async fn serve(
    request: Request<Body>,
    next: InnerService,
    origins: Arc<AllowedOrigins>,
) -> Response<Body> {
    let headers = request.headers();
    let mut named = headers.get_all(ORIGIN).iter();
    let Some(origin) = named.next().cloned() else {
        return next.call(request).await;
    };
    let is_known = |origin: &str| origins.admits(origin, host_of(&request));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsFiles;

    fn allowed(tls: bool) -> AllowedOrigins {
        let files = TlsFiles {
            certificate: "c".into(),
            key: "k".into(),
            client_ca: None,
        };
        AllowedOrigins::of(&SecuritySettings {
            tls: tls.then_some(files),
            web_origins: vec!["https://named.example".parse().unwrap()],
            public_urls: vec!["https://roster.example".parse().unwrap()],
            ..SecuritySettings::default()
        })
    }

    #[test]
    fn only_the_own_page_and_named_origins_may_call() {
        let here = Some("127.0.0.1:50051");
        for (origin, host, expected) in [
            ("https://named.example", here, true),
            ("https://roster.example", here, true),
            ("https://roster.example", Some("roster.example"), true),
            ("http://127.0.0.1:50051", here, true),
            ("http://localhost:50051", Some("localhost:50051"), true),
            ("http://localhost", Some("localhost"), true),
            ("http://[::1]:50051", Some("[::1]:50051"), true),
            ("https://roster.example.", Some("roster.example."), false),
            ("http://roster.example", Some("roster.example"), false),
            (
                "https://roster.example:8443",
                Some("roster.example:8443"),
                false,
            ),
            ("https://evil.roster.example", here, false),
        ] {
            let admitted = allowed(false).admits(origin, host);
            assert_eq!(admitted, expected, "{origin} {host:?}");
        }
    }

    #[test]
    fn pages_of_others_may_not_call_this_machine() {
        let here = Some("127.0.0.1:50051");
        for (origin, host) in [
            // Another program on this machine.
            ("http://127.0.0.1:8080", here),
            ("http://127.0.0.1", here),
            ("http://127.0.0.2:50051", here),
            ("http://localhost:50051", here),
            ("http://localhost", Some("localhost:50051")),
            // The same name with another protocol is another page.
            ("https://127.0.0.1:50051", here),
            // A name that its owner points to this machine.
            (
                "http://rebound.example:50051",
                Some("rebound.example:50051"),
            ),
            (
                "http://localhost.evil.example",
                Some("localhost.evil.example"),
            ),
            (
                "http://127.0.0.1.evil.example",
                Some("127.0.0.1.evil.example"),
            ),
            ("http://localhost.:50051", Some("localhost.:50051")),
            ("http://[::ffff:127.0.0.1]:1", Some("[::ffff:127.0.0.1]:1")),
            (
                "http://localhost@evil.example",
                Some("localhost@evil.example"),
            ),
            (
                "http://evil.example@localhost",
                Some("evil.example@localhost"),
            ),
            ("HTTP://127.0.0.1:50051", here),
            ("http://127.0.0.1:50051/", here),
            ("http://127.0.0.1:50051", None),
            ("http://", Some("")),
            ("null", here),
            ("null", Some("null")),
            ("", here),
        ] {
            assert!(!allowed(false).admits(origin, host), "{origin} {host:?}");
        }
    }

    #[test]
    fn a_server_with_tls_has_pages_with_tls() {
        let host = Some("localhost:50051");
        assert!(allowed(true).admits("https://localhost:50051", host));
        assert!(!allowed(true).admits("http://localhost:50051", host));
    }
}
