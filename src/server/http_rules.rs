//! Answers requests that are no calls with a status of HTTP and a sentence for people.
//!
//! Knows methods, hosts and content types. A request that passes is gRPC, or gRPC-Web under a content type
//! that tonic knows.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HOST},
    uri::Authority,
};
use tonic::body::Body;

use super::{console::Console, web_text::WebText};
use crate::rpc::{InnerService, Middleware};

const WEB: HeaderValue = HeaderValue::from_static("application/grpc-web+proto");
const WEB_TEXT: HeaderValue = HeaderValue::from_static("application/grpc-web-text+proto");

const WHAT_THIS_IS: &str = "This is a User Import server. It keeps users in step with roster files, and \
    speaks gRPC and gRPC-Web: use the command line (user-import), or a gRPC client. Its page for browsers is at /console/.\n";
const ONE_HOST: &str = "A request over HTTP/1.1 needs exactly one valid Host header.\n";
const POST_ALONE: &str = "This server speaks gRPC and gRPC-Web: calls are made with POST.\n";
const GRPC_ALONE: &str = "This server speaks gRPC (application/grpc, over HTTP/2 alone) and gRPC-Web \
    (application/grpc-web, application/grpc-web-text), with protobuf messages.\n";

/// The layer. Only calls pass it. Pages are those of `console`, if there is one on this port.
pub(super) fn layer(console: Option<Arc<Console>>) -> Middleware {
    Middleware::new(move |mut request, next: InnerService| {
        let answered = answer_other(&mut request, console.as_deref());
        async move {
            match answered {
                None => next.call(request).await,
                Some(answer) => answer,
            }
        }
    })
}

/// Returns the response to a request that is no call, or `None` for a call, whose content type is set to
/// the one that tonic knows.
fn answer_other(request: &mut Request<Body>, console: Option<&Console>) -> Option<Response<Body>> {
    let is_http_1 = request.version() < Version::HTTP_2;
    if is_http_1 && !has_one_host(request) {
        return Some(answer(StatusCode::BAD_REQUEST, ONE_HOST));
    }
    if let Some(page) = console.and_then(|console| console.answer(request)) {
        return Some(page);
    }
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_look && request.uri().path() == "/" {
        return Some(answer(StatusCode::OK, WHAT_THIS_IS));
    }
    if request.method() != Method::POST {
        let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, POST_ALONE);
        let post = HeaderValue::from_static("POST");
        refusal.headers_mut().insert(ALLOW, post);
        return Some(refusal);
    }
    match dialect(request.headers()) {
        Some(CallProtocol::Grpc) if !is_http_1 => {}
        Some(CallProtocol::Web) => {
            request.headers_mut().insert(CONTENT_TYPE, WEB);
        }
        Some(CallProtocol::WebText) => {
            // We decode its text, because tonic does not read padded parts.
            request.headers_mut().insert(CONTENT_TYPE, WEB);
            request.headers_mut().entry(ACCEPT).or_insert(WEB_TEXT);
            request.extensions_mut().insert(WebText);
        }
        Some(CallProtocol::Grpc) | None => {
            return Some(answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, GRPC_ALONE));
        }
    }
    None
}

/// The protocol of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallProtocol {
    Grpc,
    Web,
    WebText,
}

/// Returns `None` if it is no call, or its messages are not protobuf.
fn dialect(headers: &HeaderMap) -> Option<CallProtocol> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next()?.trim().to_ascii_lowercase();
    let kind = kind.strip_prefix("application/grpc")?;
    match kind.strip_suffix("+proto").unwrap_or(kind) {
        "" => Some(CallProtocol::Grpc),
        "-web" => Some(CallProtocol::Web),
        "-web-text" => Some(CallProtocol::WebText),
        _ => None,
    }
}

/// Follows RFC 9112 (3.2). HTTP/1.0 may have no host.
fn has_one_host(request: &Request<Body>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => Authority::try_from(host.as_bytes()).is_ok(),
        (Some(_), Some(_)) => false,
    }
}

fn answer(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::new(http_body_util::Full::from(sentence)));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_recognised_by_its_content_type() {
        use CallProtocol::{Grpc, Web, WebText};
        for (value, expected) in [
            ("application/grpc", Some(Grpc)),
            ("application/grpc+proto", Some(Grpc)),
            ("Application/GRPC; charset=utf-8", Some(Grpc)),
            ("application/grpc-web", Some(Web)),
            ("application/grpc-web+proto", Some(Web)),
            ("application/grpc-web-text", Some(WebText)),
            ("application/grpc-web-text+proto ; x=y", Some(WebText)),
            ("application/grpc+json", None),
            ("application/grpc-web+json", None),
            ("application/grpcx", None),
            ("application/json", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(dialect(&headers), expected, "{value}");
        }
        assert_eq!(dialect(&HeaderMap::new()), None);
    }

    #[test]
    fn http_1_needs_exactly_one_host() {
        for (version, hosts, expected) in [
            (Version::HTTP_11, &[][..], false),
            (Version::HTTP_11, &["x"], true),
            (Version::HTTP_11, &["[::1]:50051"], true),
            (Version::HTTP_11, &["x", "x"], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &[""], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["x", "y"], false),
        ] {
            let mut request = Request::new(Body::empty());
            *request.version_mut() = version;
            for host in hosts {
                request.headers_mut().append(HOST, host.parse().unwrap());
            }
            assert_eq!(has_one_host(&request), expected, "{version:?} {hosts:?}");
        }
    }
}
