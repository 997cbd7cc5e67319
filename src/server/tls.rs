//! TLS: the server's certificate, and the authorities of client certificates.

use std::{io, sync::Arc};

use anyhow::{Context, ensure};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

use crate::{
    access::{ClientCertificate, ReloadedFiles},
    config::TlsFiles,
};

/// Loads the files, and returns what reloads them.
///
/// # Errors
/// Fails if a file cannot be read, or the files do not fit together.
pub(super) fn start(files: &TlsFiles) -> anyhow::Result<Arc<ReloadedFiles<ServerConfig>>> {
    let mut paths = vec![files.certificate.clone(), files.key.clone()];
    paths.extend(files.client_ca.clone());
    ReloadedFiles::start(paths, configure)
}

/// Expects that the files can be read and fit together.
///
/// # Errors
/// Fails if they cannot be read or do not fit together.
pub fn expect_sound(files: &TlsFiles) -> anyhow::Result<()> {
    start(files).map(drop)
}

/// Makes the configuration from a certificate, a key and, if given, the authorities of client certificates,
/// all PEM.
fn configure(contents: &[Vec<u8>]) -> anyhow::Result<ServerConfig> {
    let [certificate, key, rest @ ..] = contents else {
        anyhow::bail!("a certificate and a key are needed");
    };
    let chain = certificates(certificate).context("the certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key).context("the key")?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match rest.first() {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities).context("the clients' authorities")? {
                roots.add(authority).context("the clients' authorities")?;
            }
            // A client without a certificate may have a token. A certificate of another authority fails the
            // handshake.
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .allow_unauthenticated()
                .build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .context("certificate and key")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A resumed session would not check its certificate against a list that has changed.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(config)
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    ensure!(!certificates.is_empty(), "there is no certificate in it");
    Ok(certificates)
}

/// Makes a handshake with the newest certificate.
///
/// # Errors
/// Fails if the client breaks it off, or its certificate is of an unknown authority.
pub(super) async fn accept(
    config: &ReloadedFiles<ServerConfig>,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    TlsAcceptor::from(config.current()).accept(stream).await
}

/// Returns the client's certificate, or `None` if it showed none. A certificate that cannot be read has no
/// names.
#[must_use]
pub(super) fn client_certificate(stream: &TlsStream<TcpStream>) -> Option<ClientCertificate> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    Some(read(certificate).unwrap_or(ClientCertificate {
        names: Vec::new(),
        expires_at: OffsetDateTime::UNIX_EPOCH,
    }))
}

fn read(certificate: &CertificateDer<'_>) -> Option<ClientCertificate> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()?;
    let names = names.map(|names| names.value.general_names.iter());
    Some(ClientCertificate {
        names: names.into_iter().flatten().filter_map(name).collect(),
        expires_at: certificate.validity().not_after.to_datetime(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(format!("dns:{}", name.to_ascii_lowercase())),
        GeneralName::URI(uri) => Some(format!("uri:{uri}")),
        GeneralName::RFC822Name(address) => Some(format!("email:{address}")),
        _ => None,
    }
}
