//! One document over HTTP: bounded in time and size, without redirects, over TLS unless from this machine.

use std::{fmt, net::IpAddr, path::Path, str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use http::{Request, StatusCode, Uri, header::HOST};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1, rt};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// Longest time for all of it.
const TIME: Duration = Duration::from_secs(10);

/// Most bytes of a document.
const BYTES: usize = 256 * 1024;

/// The address of a document: `https://…`, or `http://` on this machine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetUrl {
    uri: Uri,
    host: String,
}

/// The document must not be fetched from this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write it as https://HOST/PATH, without a user or a password; http:// only for a loopback address"
)]
pub struct InvalidKeySetUrl;

impl KeySetUrl {
    fn is_tls(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    fn port(&self) -> u16 {
        let default = if self.is_tls() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(default)
    }
}

impl FromStr for KeySetUrl {
    type Err = InvalidKeySetUrl;

    fn from_str(text: &str) -> Result<Self, InvalidKeySetUrl> {
        let uri = Uri::from_str(text).map_err(|_| InvalidKeySetUrl)?;
        // A name and password in the URL would not be sent, and would be shown wherever the URL is shown.
        if uri
            .authority()
            .is_some_and(|whole| whole.as_str().contains('@'))
        {
            return Err(InvalidKeySetUrl);
        }
        let host = uri.host().ok_or(InvalidKeySetUrl)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let is_loopback = host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback => {}
            _ => return Err(InvalidKeySetUrl),
        }
        Ok(Self { uri, host })
    }
}

impl fmt::Display for KeySetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// Fetches the document. The authorities in the file `own`, as PEM, are trusted besides the public ones.
///
/// # Errors
/// Fails if it does not come completely, in time, with status 200.
pub async fn fetch(address: &KeySetUrl, own: Option<&Path>) -> anyhow::Result<Bytes> {
    let fetching = connect_and_get(address, own);
    timeout(TIME, fetching).await.context("it takes too long")?
}

async fn connect_and_get(address: &KeySetUrl, own: Option<&Path>) -> anyhow::Result<Bytes> {
    let stream = TcpStream::connect((&*address.host, address.port())).await?;
    if !address.is_tls() {
        return get(address, TokioIo::new(stream)).await;
    }
    let name = ServerName::try_from(address.host.clone())?;
    let stream = TlsConnector::from(trust(own)?)
        .connect(name, stream)
        .await?;
    get(address, TokioIo::new(stream)).await
}

/// Trusts the public authorities, and those of a file, which is read again each time.
fn trust(own: Option<&Path>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for authority in own.map(authorities).transpose()?.unwrap_or_default() {
        roots.add(authority)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The authorities in a file.
///
/// # Errors
/// Fails if it cannot be read, or has none.
pub(super) fn authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = || -> anyhow::Result<Vec<_>> {
        let pem = std::fs::read(file)?;
        let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>()?;
        ensure!(!found.is_empty(), "there is no certificate in it");
        Ok(found)
    };
    read().with_context(|| file.display().to_string())
}

async fn get(
    address: &KeySetUrl,
    stream: impl rt::Read + rt::Write + Unpin + Send + 'static,
) -> anyhow::Result<Bytes> {
    let (mut sender, connection) = http1::handshake(stream).await?;
    let driving = tokio::spawn(connection);
    let path = address
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let authority = address
        .uri
        .authority()
        .map_or("", |authority| authority.as_str());
    let request = Request::get(path).header(HOST, authority);
    let answer = sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    let status = answer.status();
    ensure!(status == StatusCode::OK, "the answer is {status}");
    let body = Limited::new(answer.into_body(), BYTES).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!(error))?;
    driving.abort();
    Ok(body.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for (text, valid) in [
            ("https://id.example/keys?x=1", true),
            ("https://192.0.2.1:8443/keys", true),
            ("http://127.0.0.1:8080/keys", true),
            ("http://[::1]:8080/keys", true),
            ("http://id.example/keys", false),
            ("http://localhost/keys", false),
            ("file:///keys", false),
            ("/keys", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<KeySetUrl>().is_ok(), valid, "{text}");
        }
    }
}
