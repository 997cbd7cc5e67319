//! Reads the files and URLs that the security settings name, at the start and again when they change.

use std::sync::Arc;

use anyhow::Context;
use futures_util::{FutureExt, future::BoxFuture};
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
    let jwt = security.jwt.as_ref().map(provider).transpose()?;
    let jwt = jwt.map(Arc::new);
    let keep = |keeping: BoxFuture<'static, ()>| {
        tokio::spawn(stop.clone().run_until_cancelled_owned(keeping));
    };
    if let Some(tls) = tls.clone() {
        keep(tls.keep_fresh(interval).boxed());
    }
    if let Some(identities) = identities.clone() {
        keep(identities.keep_fresh(interval).boxed());
    }
    if let Some(jwt) = jwt.clone() {
        keep(async move { jwt.keys().keep_fresh(interval).await }.boxed());
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
