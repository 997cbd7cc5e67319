use http_body_util::BodyExt;

use super::*;

fn console() -> Console {
    Console::new(&SecuritySettings {
        public_urls: vec!["https://roster.example".parse().unwrap()],
        ..SecuritySettings::default()
    })
    .unwrap()
}

fn request(method: Method, target: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn get(target: &str, headers: &[(&str, &str)]) -> Option<Response<Body>> {
    let mut all = vec![("host", "localhost:50051")];
    all.extend(headers);
    console().answer(&request(Method::GET, target, &all))
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
    answer
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

async fn body(answer: Response<Body>) -> Bytes {
    answer.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn the_page_is_at_every_address_of_the_console() {
    for target in [
        "/console/",
        "/console/users",
        "/console/imports/018f4e9e?tab=rows",
    ] {
        let page = get(target, &[]).unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{target}");
        assert_eq!(
            header(&page, "content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(header(&page, "cache-control"), Some("no-cache"));
        let length = header(&page, "content-length").unwrap().to_owned();
        let bytes = body(page).await;
        assert_eq!(bytes.len().to_string(), length);
        assert_eq!(bytes, files::find("").unwrap().content());
    }
}

#[test]
fn what_is_elsewhere_is_not_answered() {
    for (method, target) in [
        (Method::POST, "/console/"),
        (Method::PUT, "/console/"),
        (Method::OPTIONS, "/console/"),
        (Method::GET, "/"),
        (Method::GET, "/consoles"),
        (Method::GET, "/console.html"),
        (Method::GET, "/userimport.v1.ImportService/ImportUsers"),
    ] {
        let request = request(method, target, &[("host", "localhost")]);
        assert!(console().answer(&request).is_none(), "{target}");
    }
}

#[test]
fn browsers_are_led_to_the_page() {
    let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    for (target, headers, to) in [
        ("/", &[browser][..], "/console/"),
        ("/console", &[], "/console/"),
        ("/console?code=1", &[browser], "/console/?code=1"),
    ] {
        let answer = get(target, headers).unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND, "{target}");
        assert_eq!(header(&answer, "location"), Some(to));
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_head_is_answered_without_the_body() {
    let head = request(Method::HEAD, "/console/", &[("host", "localhost")]);
    let head = console().answer(&head).unwrap();
    let get = get("/console/", &[]).unwrap();
    assert_eq!(head.headers(), get.headers());
    assert!(body(head).await.is_empty());
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let page = get("/console/", &[]).unwrap();
    let tag = header(&page, "etag").unwrap().to_owned();
    for known in [&*tag, "*", &format!("\"x\", {tag}")] {
        let again = get("/console/users", &[("if-none-match", known)]).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&again, "etag"), Some(&*tag));
        assert_eq!(header(&again, "cache-control"), Some("no-cache"));
        assert!(header(&again, "content-security-policy").is_some());
        assert!(body(again).await.is_empty());
    }
    let other = get("/console/", &[("if-none-match", "W/\"0\"")]).unwrap();
    assert_eq!(other.status(), StatusCode::OK);
}

#[test]
fn an_encoding_is_named_and_caches_know() {
    for file in files::all() {
        let target = format!("/console/{}", file.path);
        let answer = get(&target, &[("accept-encoding", "br, gzip")]).unwrap();
        let (encoding, bytes) = file.encoded_for(&HeaderMap::from_iter([(
            ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip"),
        )]));
        assert_eq!(header(&answer, "content-encoding"), encoding, "{target}");
        assert_eq!(
            header(&answer, "content-length"),
            Some(&*bytes.len().to_string())
        );
        assert_eq!(header(&answer, "vary"), Some("accept-encoding"));
        let cached = header(&answer, "cache-control").unwrap();
        assert_eq!(cached.contains("immutable"), file.is_hashed(), "{target}");
    }
}

#[test]
fn a_missing_file_of_the_build_is_missing() {
    let missing = get("/console/assets/index-00000000.js", &[]).unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        header(&missing, "content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(header(&missing, "cache-control"), Some("no-store"));
}

#[test]
fn only_names_of_this_server_have_the_console() {
    for (hosts, expected) in [
        (&["localhost"][..], StatusCode::OK),
        (&["127.0.0.1:50051"], StatusCode::OK),
        (&["[::1]:8443"], StatusCode::OK),
        (&["roster.example"], StatusCode::OK),
        (&["Roster.Example:443"], StatusCode::OK),
        (&[], StatusCode::MISDIRECTED_REQUEST),
        (&[""], StatusCode::MISDIRECTED_REQUEST),
        (&["evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (&["localhost.evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (&["127.0.0.1.evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (
            &["roster.example.evil.example"],
            StatusCode::MISDIRECTED_REQUEST,
        ),
        (&["roster.example:8443"], StatusCode::MISDIRECTED_REQUEST),
        (&["roster.example."], StatusCode::MISDIRECTED_REQUEST),
        (&["localhost."], StatusCode::MISDIRECTED_REQUEST),
        (&["10.0.0.5:50051"], StatusCode::MISDIRECTED_REQUEST),
        (&["0.0.0.0:50051"], StatusCode::MISDIRECTED_REQUEST),
        (&["[::ffff:127.0.0.1]"], StatusCode::MISDIRECTED_REQUEST),
        (&["localhost@evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (&["evil.example@localhost"], StatusCode::MISDIRECTED_REQUEST),
        (&["localhost", "localhost"], StatusCode::MISDIRECTED_REQUEST),
        (
            &["localhost", "evil.example"],
            StatusCode::MISDIRECTED_REQUEST,
        ),
    ] {
        for target in ["/console/", "/console/sign-in.json", "/console/assets/x.js"] {
            let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            let answer = console()
                .answer(&request(Method::GET, target, &hosts))
                .unwrap();
            let is_own = answer.status() != StatusCode::MISDIRECTED_REQUEST;
            assert_eq!(is_own, expected == StatusCode::OK, "{target} {hosts:?}");
        }
    }
    // The target of the request counts as well.
    let other = request(
        Method::GET,
        "http://evil.example/console/",
        &[("host", "localhost")],
    );
    let answer = console().answer(&other).unwrap();
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[test]
fn every_answer_has_the_headers_that_keep_others_out() {
    let elsewhere = [("host", "evil.example")];
    for (target, headers) in [
        ("/console", &[][..]),
        ("/console/", &[]),
        ("/console/sign-in.json", &[]),
        ("/console/assets/x.js", &[]),
        ("/console/", &elsewhere[..]),
    ] {
        let answer = get(target, headers).unwrap();
        let named = |name| header(&answer, name).unwrap_or_default();
        insta::allow_duplicates! {
            insta::assert_snapshot!(named("content-security-policy"), @"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'");
        }
        assert_eq!(named("x-content-type-options"), "nosniff");
        assert_eq!(named("referrer-policy"), "no-referrer");
        assert_eq!(named("cross-origin-opener-policy"), "same-origin");
        assert_eq!(named("cross-origin-resource-policy"), "same-origin");
        assert!(!answer.headers().contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn the_page_learns_where_people_sign_in() {
    let answer = get("/console/sign-in.json", &[]).unwrap();
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(body(answer).await, r#"{"provider":null}"#);

    let other = "https://tokens.example".parse().unwrap();
    let issuer = "https://id.example/realms/pd";
    let provider = SignInProvider::new(issuer, "console", "openid roster", &[other]);
    let console = Console::new(&SecuritySettings {
        sign_in: Some(Box::new(provider.unwrap())),
        ..SecuritySettings::default()
    });
    let request = request(
        Method::GET,
        "/console/sign-in.json",
        &[("host", "localhost")],
    );
    let answer = console.unwrap().answer(&request).unwrap();
    let policy = header(&answer, "content-security-policy").unwrap();
    let called = "connect-src 'self' https://id.example https://tokens.example";
    assert!(policy.ends_with(called), "{policy}");
    insta::assert_snapshot!(
        String::from_utf8_lossy(&body(answer).await),
        @r#"{"provider":{"issuer":"https://id.example/realms/pd","client_id":"console","scope":"openid roster"}}"#
    );
}
