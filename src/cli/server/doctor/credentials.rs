//! Checks the files and addresses that say who is admitted.

use std::path::Path;

use anyhow::Context;

use super::{CheckLevel, CheckResult, is_key, read_certificates};
use crate::{
    access::{
        CertificateAllowList,
        jwt::{JwtKeyLocation, KeySet, fetch},
    },
    cli::server::serve::ServeArgs,
    config::Settings,
    server::{CredentialState, ListenExposure, expect_sound_tls},
    store::Store,
};

/// Returns the results for the credentials; empty if none is configured. A file that is unreadable is a finding of its own.
pub(super) async fn check(args: &ServeArgs) -> Vec<CheckResult> {
    let security = &args.security;
    let mut results = Vec::new();
    results.extend(pair(args));
    results.extend(security.tls_client_identities.as_deref().map(identities));
    let own = security.jwt_jwks_ca.as_deref();
    if let Some(keys) = &security.jwt_jwks
        && own.is_none_or(|file| read_certificates(file).is_ok())
    {
        results.push(provider(keys, own).await);
    }
    results
}

/// Checks whether `serve` would listen on the address, and with which warnings.
pub(super) async fn exposure(
    args: &ServeArgs,
    settings: &Settings,
    store: &Store,
) -> Vec<CheckResult> {
    let about = "exposure";
    // A schema that lacks them is a finding of its own.
    let has_token = store.has_tokens().await.unwrap_or_default();
    let ever = store.has_had_credentials().await.unwrap_or_default();
    let now = has_token
        || args.security.tls_client_identities.is_some()
        || args.security.jwt_jwks.is_some();
    let exposure = ListenExposure {
        address: args.listen,
        has_tls: settings.security.tls.is_some(),
        credentials: CredentialState::of(now, ever),
        accepts_risk: args.insecure_listen_beyond_loopback,
    };
    match exposure.check() {
        Ok(warnings) if warnings.is_empty() => {
            let text = match exposure.credentials {
                CredentialState::Now => format!("{} is safe to listen on", args.listen),
                CredentialState::Never | CredentialState::Before => format!(
                    "{} is safe to listen on; no credential is configured, so only the user who \
                     runs the server may call, with the local token (user-import token local)",
                    args.listen
                ),
            };
            vec![CheckResult::new(CheckLevel::Well, about, text)]
        }
        Ok(warnings) => {
            let warned = |text: &str| CheckResult::new(CheckLevel::Warning, about, text);
            warnings.into_iter().map(warned).collect()
        }
        Err(exposed) => vec![CheckResult::new(
            CheckLevel::Wrong,
            about,
            exposed.to_string(),
        )],
    }
}

/// Checks certificate, key and the clients' authorities as the server would use them.
fn pair(args: &ServeArgs) -> Option<CheckResult> {
    let files = args.security.tls()?;
    let mut certificates = [Some(&files.certificate), files.client_ca.as_ref()]
        .into_iter()
        .flatten();
    let are_there = certificates.all(|file| read_certificates(file).is_ok())
        && std::fs::read(&files.key).is_ok_and(|bytes| is_key(&bytes));
    if !are_there {
        return None;
    }
    Some(match expect_sound_tls(&files) {
        Ok(()) => CheckResult::new(CheckLevel::Well, "TLS", "certificate and key fit together"),
        Err(error) => {
            let text = format!("the server cannot speak TLS with these files: {error:#}");
            CheckResult::new(CheckLevel::Wrong, "TLS", text)
        }
    })
}

fn identities(file: &Path) -> CheckResult {
    let about = "identities";
    let shown = file.display();
    let read = std::fs::read(file).context("it cannot be read");
    match read.and_then(|document| CertificateAllowList::parse(&document)) {
        Ok(list) if list.is_empty() => {
            let text = format!("{shown} admits no certificate; add the certificates that may call");
            CheckResult::new(CheckLevel::Warning, about, text)
        }
        Ok(_) => CheckResult::new(CheckLevel::Well, about, format!("{shown} is valid")),
        Err(error) => CheckResult::new(CheckLevel::Wrong, about, format!("{shown}: {error:#}")),
    }
}

/// Asks a URL as the server would.
async fn provider(keys: &JwtKeyLocation, own: Option<&Path>) -> CheckResult {
    let about = "JWT keys";
    let (shown, read) = match keys {
        JwtKeyLocation::File(file) => {
            let read = std::fs::read(file).context("it cannot be read");
            (file.display().to_string(), read)
        }
        JwtKeyLocation::Url(address) => {
            let read = fetch(address, own).await.map(Into::into);
            (address.to_string(), read)
        }
    };
    match read.and_then(|document| KeySet::parse(&document)) {
        Ok(set) if set.unusable().is_empty() => {
            let text = format!("{shown} has {} public keys", set.len());
            CheckResult::new(CheckLevel::Well, about, text)
        }
        Ok(set) => {
            let (count, unusable) = (set.len(), set.unusable().join("; "));
            let text = format!(
                "{shown} has {count} public keys that can be used; the others cannot be used: \
                 {unusable}"
            );
            CheckResult::new(CheckLevel::Well, about, text)
        }
        Err(error) => {
            let text = format!("{shown}: {error:#}; no token of the provider would be admitted");
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
    }
}
