//! What the security settings name, read at the start and kept fresh.

use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::tls;
use crate::{
    access::{
        Identities, Reloaded, Sources,
        jwt::{Jwt, KeySet, Keys},
    },
    config::{JwtKeys, JwtSettings, Security},
};

/// What they name.
#[derive(Debug)]
pub struct Named {
    /// TLS, where it is spoken.
    pub tls: Option<Arc<Reloaded<ServerConfig>>>,
    /// Whose credentials are good besides tokens.
    pub sources: Sources,
}

/// Reads all of it, and keeps it fresh until `stop`.
///
/// # Errors
/// Where a file cannot be read or is no good. (A URL may be away for a while.)
pub fn start(security: &Security, stop: &CancellationToken) -> anyhow::Result<Named> {
    let interval = security.reload_interval;
    let tls = security.tls.as_ref().map(tls::start).transpose()?;
    let identities = security
        .identities
        .clone()
        .map(|file| Reloaded::start(vec![file], |contents| Identities::parse(&contents[0])));
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
    let sources = Sources {
        identities,
        jwt,
        local,
    };
    Ok(Named { tls, sources })
}

fn provider(settings: &JwtSettings) -> anyhow::Result<Jwt> {
    let keys = match &settings.keys {
        JwtKeys::Url(address) => Keys::at(address.clone(), settings.keys_ca.clone())
            .context("the authorities of the identity provider")?,
        JwtKeys::File(file) => {
            let place = file.display().to_string();
            let keys = Reloaded::start(vec![file.clone()], move |contents| {
                let keys = KeySet::parse(&contents[0])?;
                keys.complain(&place);
                Ok(keys)
            });
            Keys::File(keys?)
        }
    };
    Ok(Jwt::new(settings.clone(), keys))
}
