//! The files of the console's build (`console/dist`), as `build.rs` puts them into this program: each one unchanged,
//! and compressed in the ways that browsers accept if that makes it smaller.

use std::str::FromStr;

use http::{HeaderMap, header::ACCEPT_ENCODING};

/// One file.
#[derive(Debug)]
pub(super) struct EmbeddedFile {
    /// Its path below `/console/`.
    pub path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// All files, by path.
static FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

/// The page, which is served at every address of the console that names no file.
pub(super) const PAGE: &str = "index.html";

/// Everything in this folder has a hash of its content in its name.
const HASHED: &str = "assets/";

/// Returns all files.
pub(super) fn all() -> impl Iterator<Item = &'static EmbeddedFile> {
    FILES.iter()
}

/// Finds what is served at a path below `/console/`: the file, or else the page, whose script knows the address. No
/// page stands in for a missing file of the build.
pub(super) fn find(path: &str) -> Option<&'static EmbeddedFile> {
    let named = |path: &str| FILES.iter().find(|file| file.path == path);
    match named(path) {
        None if !path.starts_with(HASHED) => named(PAGE),
        found => found,
    }
}

impl EmbeddedFile {
    /// Returns `true` if another content would have another path.
    pub(super) fn is_hashed(&self) -> bool {
        self.path.starts_with(HASHED)
    }

    /// The content as built.
    pub(super) const fn content(&self) -> &'static [u8] {
        self.plain
    }

    /// The `Content-Type`.
    pub(super) fn content_type(&self) -> &'static str {
        let (_, extension) = self.path.rsplit_once('.').unwrap_or_default();
        match extension {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" => "application/json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "woff2" => "font/woff2",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }

    /// Returns the smallest form that the client accepts, with its `Content-Encoding`.
    pub(super) fn encoded_for(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let forms = [("br", self.brotli), ("gzip", self.gzip)];
        let accepted = forms
            .into_iter()
            .find_map(|(name, content)| Some((name, content.filter(|_| accepts(headers, name))?)));
        match accepted {
            Some((name, content)) => (Some(name), content),
            None => (None, self.plain),
        }
    }
}

/// Returns `true` if an `Accept-Encoding` header names the encoding with a weight that is not zero. No browser sends
/// `*`, and a client that does gets the file uncompressed.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut named = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    named.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_this = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let weight = parts.find_map(|part| part.strip_prefix("q=").map(f32::from_str));
        is_this && !matches!(weight, Some(Ok(0.0) | Err(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: EmbeddedFile = EmbeddedFile {
        path: "assets/x.js",
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };

    #[test]
    fn the_smallest_form_that_is_accepted_is_sent() {
        for (accepted, expected) in [
            (&["gzip, deflate, br, zstd"][..], Some("br")),
            (&["gzip, deflate"], Some("gzip")),
            (&["GZIP;q=0.5"], Some("gzip")),
            (&["gzip", "br"], Some("br")),
            (&["br;q=0, gzip;q=1.0"], Some("gzip")),
            (&["br; q=0.000"], None),
            (&["br;q=x"], None),
            (&["brotli"], None),
            (&["*"], None),
            (&["identity"], None),
            (&[""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in accepted {
                headers.append(ACCEPT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(FILE.encoded_for(&headers).0, expected, "{accepted:?}");
        }
    }

    #[test]
    fn what_is_not_smaller_is_not_compressed() {
        let small = EmbeddedFile {
            brotli: None,
            gzip: None,
            ..FILE
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, "br, gzip".parse().unwrap());
        assert_eq!(small.encoded_for(&headers), (None, &b"plain"[..]));
    }

    #[test]
    fn every_file_has_a_type_that_browsers_know_and_is_smaller_compressed() {
        assert!(find("").is_some_and(|file| file.path == PAGE));
        for file in all() {
            assert_ne!(
                file.content_type(),
                "application/octet-stream",
                "{}",
                file.path
            );
            for compressed in [file.brotli, file.gzip].into_iter().flatten() {
                assert!(compressed.len() < file.plain.len(), "{}", file.path);
            }
        }
    }

    #[test]
    fn an_address_of_the_page_is_no_missing_file() {
        for path in [
            "",
            "users",
            "imports/018f4e9e-5c7b",
            "settings/catalog",
            "no-such.js",
        ] {
            assert_eq!(find(path).map(|file| file.path), Some(PAGE), "{path}");
        }
        assert!(find("assets/index-00000000.js").is_none());
    }
}
