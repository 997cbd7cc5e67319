//! The console: the web page for administrators, below `/console/`.
//!
//! Serves files that are built into this program, and says where people sign in. Knows nothing of organisations: the
//! page is a client of the contract like any other. It is served only under names that belong to this server, so that
//! no other site can make its own name point here and read or use it (DNS rebinding).

mod files;
mod page_headers;

use std::{collections::HashMap, sync::Arc};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
        ETAG, IF_NONE_MATCH, LOCATION, VARY,
    },
};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tonic::body::Body;

use self::{files::EmbeddedFile, page_headers::PageHeaders};
use super::{
    connection_usage::ConnectionUsage, request_host::host_of, tracked_connection::CallConnection,
};
use crate::{
    access::{PublicUrl, SignInProvider, is_loopback_authority},
    config::SecuritySettings,
};

const HOME: &str = "/console/";
const SIGN_IN: &str = "sign-in.json";

const WRONG_HOST: &str = "The console is not at this address. On the server's own machine open it under localhost, \
    127.0.0.1 or [::1]. For any other name, the operator starts the server with --public-url and the address that \
    people type, such as --public-url https://roster.example.\n";
const NO_SUCH_FILE: &str = "The console has no such file. Load the page again.\n";

/// The console of one server.
#[derive(Debug)]
pub(super) struct Console {
    public_urls: Vec<PublicUrl>,
    headers: PageHeaders,
    sign_in: Bytes,
    /// By the path of each file whose content may change.
    tags: HashMap<&'static str, HeaderValue>,
}

/// The settings that the page reads before anybody has signed in.
#[derive(Serialize)]
struct SignIn<'a> {
    provider: Option<ProviderSettings<'a>>,
}

#[derive(Serialize)]
struct ProviderSettings<'a> {
    issuer: &'a str,
    client_id: &'a str,
    scope: &'a str,
}

impl Console {
    /// The console under these names, whose users sign in with this provider or a token.
    ///
    /// # Errors
    /// Fails if a setting cannot be in a header.
    pub(super) fn new(security: &SecuritySettings) -> anyhow::Result<Self> {
        let provider = security.sign_in.as_deref();
        let changing = files::all().filter(|file| !file.is_hashed());
        let tags = changing.map(|file| Ok((file.path, entity_tag(file)?)));
        Ok(Self {
            public_urls: security.public_urls.clone(),
            headers: PageHeaders::new(provider)?,
            sign_in: sign_in(provider)?.into(),
            tags: tags.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Returns the response to a request for the console, or `None` if it is for something else.
    pub(super) fn answer(&self, request: &Request<Body>) -> Option<Response<Body>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let mut answer = match request.uri().path() {
            "/" if wants_page(request.headers()) => redirect(HOME),
            "/console" => match request.uri().query() {
                Some(query) => redirect(&format!("{HOME}?{query}")),
                None => redirect(HOME),
            },
            path => self.answer_below(path.strip_prefix(HOME)?, request),
        };
        if let Some(connection) = request.extensions().get::<CallConnection>() {
            // The connection is in use, like by any call.
            drop(ConnectionUsage::begin(Arc::clone(&connection.usage)));
        }
        self.headers.add_to(answer.headers_mut());
        if request.method() == Method::HEAD {
            *answer.body_mut() = Body::empty();
        }
        Some(answer)
    }

    fn answer_below(&self, path: &str, request: &Request<Body>) -> Response<Body> {
        if !host_of(request).is_some_and(|host| self.is_own(host)) {
            return text(StatusCode::MISDIRECTED_REQUEST, WRONG_HOST);
        }
        if path == SIGN_IN {
            let json = HeaderValue::from_static("application/json");
            return content(self.sign_in.clone(), json, "no-store");
        }
        match files::find(path) {
            Some(file) => self.file(file, request.headers()),
            None => text(StatusCode::NOT_FOUND, NO_SUCH_FILE),
        }
    }

    /// Returns `true` if the host is this machine, or a name that the operator has set.
    fn is_own(&self, host: &str) -> bool {
        is_loopback_authority(host) || self.public_urls.iter().any(|url| url.is_host(host))
    }

    fn file(&self, file: &'static EmbeddedFile, asked: &HeaderMap) -> Response<Body> {
        let (encoding, bytes) = file.encoded_for(asked);
        let kind = HeaderValue::from_static(file.content_type());
        let Some(tag) = self.tags.get(file.path) else {
            return encoded(
                content(
                    Bytes::from_static(bytes),
                    kind,
                    "public, max-age=31536000, immutable",
                ),
                encoding,
            );
        };
        let mut answer = encoded(
            content(Bytes::from_static(bytes), kind, "no-cache"),
            encoding,
        );
        if has_tag(asked, tag) {
            answer = encoded(Response::new(Body::empty()), None);
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            let again = HeaderValue::from_static("no-cache");
            answer.headers_mut().insert(CACHE_CONTROL, again);
        }
        answer.headers_mut().insert(ETAG, tag.clone());
        answer
    }
}

/// A weak tag: the content is the same under every encoding, its bytes are not.
fn entity_tag(file: &EmbeddedFile) -> anyhow::Result<HeaderValue> {
    let digest = Sha256::digest(file.content());
    Ok(format!("W/\"{}\"", hex::encode(&digest[..16])).parse()?)
}

fn sign_in(provider: Option<&SignInProvider>) -> serde_json::Result<Vec<u8>> {
    let provider = provider.map(|provider| ProviderSettings {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        scope: &provider.scope,
    });
    serde_json::to_vec(&SignIn { provider })
}

/// Returns `true` if a browser asks for a page; `false` for requests of scripts and programs.
fn wants_page(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let mut kinds = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().map(str::trim) == Some("text/html"))
}

/// Returns `true` if the client has the content of this tag.
fn has_tag(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|known| known == "*" || known == tag)
}

fn redirect(to: &str) -> Response<Body> {
    let mut answer = text(StatusCode::FOUND, "");
    // A query that was parsed fits into a header.
    let to = to.parse().unwrap_or(HeaderValue::from_static(HOME));
    answer.headers_mut().insert(LOCATION, to);
    answer.headers_mut().append(VARY, ACCEPT.into());
    answer
}

fn text(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut answer = content(Bytes::from_static(sentence.as_bytes()), plain, "no-store");
    *answer.status_mut() = status;
    answer
}

fn content(bytes: Bytes, kind: HeaderValue, caching: &'static str) -> Response<Body> {
    let length = bytes.len().into();
    let mut answer = Response::new(Body::new(Full::new(bytes)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer
}

/// Caches must not answer a client with an encoding that it does not know.
fn encoded(mut answer: Response<Body>, encoding: Option<&'static str>) -> Response<Body> {
    let headers = answer.headers_mut();
    headers.append(VARY, ACCEPT_ENCODING.into());
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

#[cfg(test)]
mod tests;
