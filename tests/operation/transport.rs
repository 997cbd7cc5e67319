//! Limits of the transport, within them and beyond: the number of calls at the same time on a connection, and clients
//! that do or do not show that they are still there.

use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use user_import::{
    config::Settings,
    limits::{ClientDeadlines, ServerLimits},
};

use crate::{
    frames::{CANCEL, HEADERS, PING, REFUSED_STREAM, RST_STREAM, RawConnection, SETTINGS},
    http_client::{exchange, grpc, send},
};
use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    a_frame_may_be_larger_than_usual,
    as_many_calls_as_may_be_are_taken_on_a_connection_and_one_more_is_refused,
    a_silent_peer_is_given_up_and_one_that_answers_stays,
    what_is_no_call_is_answered_as_http_has_it,
    http_1_needs_exactly_one_host,
    a_browser_is_sent_to_the_console_and_a_program_gets_an_explanation,
];

const IMPORT: &str = "/userimport.v1.ImportService/ImportUsers";

async fn app(database: Database, server: ServerLimits) -> App {
    let settings = Settings {
        server,
        ..Settings::default()
    };
    App::start_with(database, settings).await
}

async fn as_many_calls_as_may_be_are_taken_on_a_connection_and_one_more_is_refused(
    database: Database,
) {
    let app = app(
        database,
        ServerLimits {
            streams: 2,
            ..ServerLimits::default()
        },
    )
    .await;
    let mut raw = RawConnection::connect(app.address()).await;
    let settings = raw.until(SETTINGS, 0).await.unwrap();
    // MAX_CONCURRENT_STREAMS: a client that respects the limit waits, and is never refused.
    let told = settings
        .payload
        .chunks(6)
        .any(|setting| setting == [0, 3, 0, 0, 0, 2]);
    assert!(told, "{settings:?}");
    raw.acknowledge(&settings).await;
    for stream in [1, 3] {
        raw.call(stream, IMPORT).await;
        raw.until(HEADERS, stream).await.unwrap();
    }
    raw.call(5, IMPORT).await;
    let reset = raw.until(RST_STREAM, 5).await.unwrap();
    assert_eq!(reset.error_code(), REFUSED_STREAM);
    // Another connection has places of its own, and a call that has ended frees its place.
    app.people(["ada"]).await;
    raw.send(RST_STREAM, 0, 1, &CANCEL.to_be_bytes()).await;
    raw.call(7, IMPORT).await;
    raw.until(HEADERS, 7).await.unwrap();
}

async fn a_silent_peer_is_given_up_and_one_that_answers_stays(database: Database) {
    let deadlines = ClientDeadlines {
        keepalive: (Duration::from_millis(100), Duration::from_secs(3)),
        ..ClientDeadlines::default()
    };
    let app = app(
        database,
        ServerLimits {
            deadlines,
            ..ServerLimits::default()
        },
    )
    .await;
    let (mut silent, mut awake) = (
        RawConnection::connect(app.address()).await,
        RawConnection::connect(app.address()).await,
    );
    // Each has a call, so that neither is idle.
    for raw in [&mut silent, &mut awake] {
        raw.call(1, IMPORT).await;
        raw.until(HEADERS, 1).await.unwrap();
    }
    let ending = async { while silent.next().await.is_some() {} };
    let staying = async {
        // Each is sent at least a tenth of a second after the one before, which is longer than the silent connection
        // lasted.
        for _ in 0..40 {
            let ping = awake.until(PING, 0).await.expect("it stays");
            assert!(awake.acknowledge(&ping).await);
        }
    };
    tokio::join!(ending, staying);
    awake.call(3, IMPORT).await;
    awake.until(HEADERS, 3).await.expect("it is served");
}

/// The frame is of an unknown kind. Such a frame is skipped (RFC 9113 §5.5) unless it is too large to be read.
async fn a_frame_may_be_larger_than_usual(database: Database) {
    const UNKNOWN: u8 = 0xFA;
    let app = App::start(database).await;
    for (bytes, is_served) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
        let mut raw = RawConnection::connect(app.address()).await;
        raw.until(SETTINGS, 0).await.expect("it answers");
        raw.send(UNKNOWN, 0, 0, &vec![0; bytes]).await;
        raw.call(1, IMPORT).await;
        let answered = raw.until(HEADERS, 1).await;
        assert_eq!(answered.is_some(), is_served, "{bytes} bytes");
    }
}

async fn what_is_no_call_is_answered_as_http_has_it(database: Database) {
    let app = App::start(database).await;
    for (method, content_type, expected) in [
        (
            Method::GET,
            "application/grpc",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::PUT,
            "application/grpc",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (Method::DELETE, "text/plain", StatusCode::METHOD_NOT_ALLOWED),
        (
            Method::POST,
            "application/json",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::POST,
            "application/grpc+json",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (Method::POST, "", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Method::POST, "application/grpc+proto", StatusCode::OK),
    ] {
        let mut request = grpc(app.address(), IMPORT, &[])
            .method(method.clone())
            .body(Full::<Bytes>::default())
            .unwrap();
        let value = content_type.parse().unwrap();
        request.headers_mut().insert("content-type", value);
        let answer = send(app.address(), request).await;
        assert_eq!(answer.status(), expected, "{method} {content_type:?}");
        let allowed = answer.headers().contains_key("allow");
        assert_eq!(allowed, expected == StatusCode::METHOD_NOT_ALLOWED);
    }
}

async fn http_1_needs_exactly_one_host(database: Database) {
    let app = App::start(database).await;
    let call = "content-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\
        connection: close\r\n\r\n\0\0\0\0\0";
    for (hosts, expected) in [
        ("", "400"),
        ("host: a\r\nhost: a\r\n", "400"),
        ("host: a\r\nhost: b\r\n", "400"),
        ("host: a b\r\n", "400"),
        ("host: localhost:50051\r\n", "200"),
    ] {
        let request = format!("POST {IMPORT} HTTP/1.1\r\n{hosts}{call}");
        let answer = exchange(app.address(), request.as_bytes()).await;
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some(expected), "{hosts:?}: {answer}");
    }
}

async fn a_browser_is_sent_to_the_console_and_a_program_gets_an_explanation(database: Database) {
    let app = App::start(database).await;
    let ask = async |line: &str, accept: &str| {
        let head = format!("Host: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        exchange(app.address(), format!("{line}\r\n{head}").as_bytes()).await
    };
    let page = ask("GET / HTTP/1.1", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 302"), "{page}");
    assert!(page.contains("location: /console/\r\n"), "{page}");
    for (line, accept, status) in [
        ("GET / HTTP/1.1", "*/*", "200"),
        ("GET /index.html HTTP/1.1", "text/html", "405"),
    ] {
        let answer = ask(line, accept).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains("content-type: text/plain"), "{answer}");
        assert!(answer.contains("speaks gRPC"), "{answer}");
    }
}
