//! What the security settings name: files and URLs, read at the start and read again when they change.

use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::tls;
use crate::{
    access::{
        CertificateAllowList, CredentialSources, ReloadedFiles,
        jwt::{IdentityProvider, JwtKeyLocation, JwtSettings, KeySet, ProviderKeys},
    },
    config::SecuritySettings,
};

/// The loaded TLS configuration and credentials.
#[derive(Debug)]
pub(super) struct LoadedSecurity {
    /// The TLS configuration, if TLS is used.
    pub tls: Option<Arc<ReloadedFiles<ServerConfig>>>,
    /// The valid credentials besides tokens.
    pub sources: CredentialSources,
}

/// Reads all files, and reloads them until `stop`.
///
/// # Errors
/// Fails if a file cannot be read or is not valid. A URL may be away for a while.
pub(super) fn start(
    security: &SecuritySettings,
    stop: &CancellationToken,
) -> anyhow::Result<LoadedSecurity> {
    let interval = security.reload_interval;
    let tls = security.tls.as_ref().map(tls::start).transpose()?;
    let identities = security.identities.clone().map(|file| {
        ReloadedFiles::start(vec![file], |contents| {
            CertificateAllowList::parse(&contents[0])
        })
    });
    let identities = identities.transpose()?;
    let jwt = security
        .jwt
        .as_ref()
        .map(provider)
        .transpose()?
        .map(Arc::new);
    if let Some(tls) = &tls {
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(Arc::clone(tls).keep_fresh(interval)),
        );
    }
    if let Some(identities) = &identities {
        let identities = Arc::clone(identities);
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(identities.keep_fresh(interval)),
        );
    }
    if let Some(jwt) = jwt.clone() {
        let keeping = async move { jwt.keys().keep_fresh(interval).await };
        tokio::spawn(stop.clone().run_until_cancelled_owned(keeping));
    }
    let local = security.local_token.clone();
    let sources = CredentialSources {
        identities,
        jwt,
        local,
    };
    Ok(LoadedSecurity { tls, sources })
}

fn provider(settings: &JwtSettings) -> anyhow::Result<IdentityProvider> {
    let keys = match &settings.keys {
        JwtKeyLocation::Url(address) => ProviderKeys::at(address.clone(), settings.keys_ca.clone())
            .context("the authorities of the identity provider")?,
        JwtKeyLocation::File(file) => {
            let place = file.display().to_string();
            let keys = ReloadedFiles::start(vec![file.clone()], move |contents| {
                let keys = KeySet::parse(&contents[0])?;
                keys.complain(&place);
                Ok(keys)
            });
            ProviderKeys::File(keys?)
        }
    };
    Ok(IdentityProvider::new(settings.clone(), keys))
}
