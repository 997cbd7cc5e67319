//! The host that a request names.

use http::{Request, header::HOST, uri::Authority};

/// Returns the host, with its port if it has one, that a request names: in `:authority` over HTTP/2, else in `Host`.
/// `None` if it names none, several, or two that differ.
#[must_use]
pub(super) fn host_of<B>(request: &Request<B>) -> Option<&str> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = headers.next().map(|value| value.to_str());
    if headers.next().is_some() {
        return None;
    }
    let header = header.transpose().ok()?;
    let target = request.uri().authority().map(Authority::as_str);
    match (target, header) {
        (Some(target), Some(header)) if target != header => None,
        (target, header) => target.or(header),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_once() {
        for (target, hosts, expected) in [
            ("/", &["localhost:1"][..], Some("localhost:1")),
            ("http://localhost:1/", &[], Some("localhost:1")),
            ("http://localhost:1/", &["localhost:1"], Some("localhost:1")),
            ("/", &[], None),
            ("/", &["localhost:1", "localhost:1"], None),
            ("/", &["localhost:1", "evil.example"], None),
            ("http://localhost:1/", &["evil.example"], None),
            ("http://evil.example/", &["localhost:1"], None),
            ("/", &["caf\u{e9}.example"], None),
        ] {
            let mut request = Request::new(());
            *request.uri_mut() = target.parse().unwrap();
            for host in hosts {
                let host = http::HeaderValue::from_bytes(host.as_bytes()).unwrap();
                request.headers_mut().append(HOST, host);
            }
            assert_eq!(host_of(&request), expected, "{target} {hosts:?}");
        }
    }
}
