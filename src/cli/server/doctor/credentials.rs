//! Whether the files and addresses that say who is admitted are of use.

use std::path::Path;

use anyhow::Context;

use super::{CheckLevel, CheckResult, DoctorArgs};
use crate::{
    access::{
        CertificateAllowList,
        jwt::{JwtKeyLocation, KeySet, fetch},
    },
    config::TlsFiles,
    server::{CredentialState, ListenExposure, expect_sound_tls},
    store::Store,
};

/// Returns the results for the credentials; empty if none is configured.
pub(crate) async fn look(args: &DoctorArgs) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    findings.extend(pair(args));
    findings.extend(args.tls_client_identities.as_deref().map(identities));
    if let Some(keys) = &args.jwt_jwks {
        findings.push(provider(keys, args.jwt_jwks_ca.as_deref()).await);
    }
    findings
}

/// Checks whether `serve` would listen on the address, and with which warnings.
pub(crate) async fn exposure(args: &DoctorArgs, store: &Store) -> Vec<CheckResult> {
    let about = "exposure";
    // A schema that lacks them is a finding of its own.
    let has_token = store.has_tokens().await.unwrap_or_default();
    let ever = store.has_had_credentials().await.unwrap_or_default();
    let now = has_token || args.tls_client_identities.is_some() || args.jwt_jwks.is_some();
    let exposure = ListenExposure {
        address: args.listen,
        has_tls: args.tls_cert.is_some(),
        credentials: CredentialState::of(now, ever),
        accepts_risk: args.insecure_listen_beyond_loopback,
    };
    match exposure.judge() {
        Ok(warnings) if warnings.is_empty() => {
            let text = match exposure.credentials {
                CredentialState::Now => format!("{} is safe to listen on", args.listen),
                CredentialState::Never | CredentialState::Before => format!(
                    "{} is safe to listen on; no credential is configured, so the user who runs the server \
                     may call, with its local token (user-import token local)",
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

/// Certificate, key and the clients' authorities, as the server would use them.
fn pair(args: &DoctorArgs) -> Option<CheckResult> {
    let files = TlsFiles {
        certificate: args.tls_cert.clone()?,
        key: args.tls_key.clone()?,
        client_ca: args.tls_client_ca.clone(),
    };
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
        Ok(_) => CheckResult::new(CheckLevel::Well, about, format!("{shown} is understood")),
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
                "{shown} has {count} public keys; no token is verified with the others: {unusable}"
            );
            CheckResult::new(CheckLevel::Well, about, text)
        }
        Err(error) => {
            let text = format!("{shown}: {error:#}; no token of the provider would be admitted");
            CheckResult::new(CheckLevel::Wrong, about, text)
        }
    }
}
