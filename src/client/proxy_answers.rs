//! Recognises answers that a proxy on the way made or cut off: a page of its own in place of the server's answer, and a
//! stream that ends without trailers.
//!
//! tonic reports a page as a damaged message, and takes such a stream as one that has ended well. Here both become
//! statuses that name the proxy, so an import is sent again, and half an answer never passes for a whole one.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use tonic::{Code, Status, body::Body};

const GRPC_STATUS: &str = "grpc-status";

/// Replaces an answer that is not the server's, and makes sure that the server's comes to its end.
pub(super) fn expect_servers(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    if headers.contains_key(GRPC_STATUS) {
        return response;
    }
    let status = response.status();
    if status != StatusCode::OK || !is_grpc(headers) {
        return page(status).into_http();
    }
    response.map(|body| Body::new(TrailersRequired { body, ended: false }))
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The status of a call that a proxy has answered. A fault of the proxy, or of its way to the server, is temporary; a
/// fault of the request is not.
fn page(status: StatusCode) -> Status {
    let code = match status.as_u16() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        413 => Code::ResourceExhausted,
        501 | 505 => Code::Unimplemented,
        408 | 425 | 429 | 500..=599 => Code::Unavailable,
        400..=499 => Code::FailedPrecondition,
        // Something else is at this address.
        _ => Code::Unimplemented,
    };
    let message = format!("A proxy on the way answered, not the server: HTTP status {status}.");
    Status::new(code, message)
}

/// A response's body that fails if it ends without the status of the call.
struct TrailersRequired {
    body: Body,
    ended: bool,
}

impl HttpBody for TrailersRequired {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let has_status = |frame: &Frame<Bytes>| {
            let trailers = frame.trailers_ref();
            trailers.is_none_or(|trailers| trailers.contains_key(GRPC_STATUS))
        };
        self.ended = match &polled {
            Some(Ok(frame)) => frame.is_trailers(),
            Some(Err(_)) | None => true,
        };
        Poll::Ready(match polled {
            Some(Ok(frame)) if has_status(&frame) => Some(Ok(frame)),
            Some(Ok(_)) | None => Some(Err(cut_off())),
            failed => failed,
        })
    }
}

/// This client's connection still works, so the proxy has lost its connection to the server.
fn cut_off() -> Status {
    Status::unavailable(
        "A proxy on the way lost its connection to the server before the end of the answer: HTTP \
         status 200 OK, without trailers.",
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http_body_util::{BodyExt, Full, StreamBody};
    use rstest::rstest;

    use super::*;

    fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    #[rstest]
    #[case::nginx_without_the_server(502, "text/html", Code::Unavailable, "502 Bad Gateway")]
    #[case::haproxy_without_the_server(
        503,
        "text/html",
        Code::Unavailable,
        "503 Service Unavailable"
    )]
    #[case::no_answer_in_time(504, "text/html", Code::Unavailable, "504 Gateway Timeout")]
    #[case::a_page_that_claims_to_be_grpc(
        502,
        "application/grpc",
        Code::Unavailable,
        "502 Bad Gateway"
    )]
    #[case::slow_upload(408, "text/html", Code::Unavailable, "408 Request Timeout")]
    #[case::too_many(429, "text/plain", Code::Unavailable, "429 Too Many Requests")]
    #[case::own_fault(500, "text/html", Code::Unavailable, "500 Internal Server Error")]
    #[case::own_number(599, "text/html", Code::Unavailable, "599 <unknown status code>")]
    #[case::over_nginx_megabyte(413, "text/html", Code::ResourceExhausted, "413 Payload Too Large")]
    #[case::login(401, "text/html", Code::Unauthenticated, "401 Unauthorized")]
    #[case::not_for_you(403, "text/html", Code::PermissionDenied, "403 Forbidden")]
    #[case::no_such_place(404, "text/html", Code::FailedPrecondition, "404 Not Found")]
    #[case::another_service(200, "text/html", Code::Unimplemented, "200 OK")]
    #[case::moved(301, "text/html", Code::Unimplemented, "301 Moved Permanently")]
    fn a_page_in_place_of_an_answer_names_its_status(
        #[case] status: u16,
        #[case] kind: &'static str,
        #[case] code: Code,
        #[case] named: &str,
    ) {
        let page = Body::new(Full::from("<html>"));
        let answer = expect_servers(response(status, kind, page));
        let told = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(told.code(), code);
        let expected = format!("A proxy on the way answered, not the server: HTTP status {named}.");
        assert_eq!(told.message(), expected);
    }

    #[test]
    fn the_servers_own_status_is_left_as_it_is() {
        for status in [200, 403] {
            let mut refusal = Status::not_found("no such user").into_http();
            *refusal.status_mut() = StatusCode::from_u16(status).unwrap();
            let answer = expect_servers(refusal);
            let told = Status::from_header_map(answer.headers()).unwrap();
            assert_eq!(
                (told.code(), told.message()),
                (Code::NotFound, "no such user")
            );
        }
    }

    async fn read(frames: impl IntoIterator<Item = Frame<Bytes>>) -> (usize, Option<Status>) {
        let frames: Vec<_> = frames.into_iter().map(Ok::<_, Status>).collect();
        let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
        let answer = expect_servers(response(200, "application/grpc+proto", body));
        let mut body = answer.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes += frame.data_ref().map_or(0, Bytes::len),
                Err(status) => return (bytes, Some(status)),
            }
        }
        (bytes, None)
    }

    fn trailers(name: &'static str) -> Frame<Bytes> {
        let mut trailers = HeaderMap::new();
        trailers.insert(name, HeaderValue::from_static("0"));
        Frame::trailers(trailers)
    }

    #[tokio::test]
    async fn an_answer_without_its_status_was_cut_off() {
        let message = || Frame::data(Bytes::from_static(b"12345"));
        let (bytes, status) = read([message(), trailers(GRPC_STATUS)]).await;
        assert!(bytes == 5 && status.is_none(), "{status:?}");
        for cut in [
            vec![message()],
            vec![message(), trailers("x-proxy")],
            vec![],
        ] {
            let (_, status) = read(cut).await;
            assert_eq!(status.unwrap().code(), Code::Unavailable);
        }
    }
}
