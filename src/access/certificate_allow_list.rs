//! The allow-list of client certificates: the principal for a name in a certificate.

use anyhow::{Context, ensure};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{AccessDenial, OrganizationScope};
use crate::domain::{OrganizationSlug, Permission, Permissions};

/// A client's certificate. The TLS handshake has shown that a known authority issued it, and that the
/// client has its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its subject alternative names: `dns:…` (lower case), `uri:…` and `email:…`.
    pub names: Vec<String>,
    /// When it expires.
    pub expires_at: OffsetDateTime,
}

/// The allow-list.
#[derive(Clone, Debug, Default)]
pub struct CertificateAllowList(Vec<AllowedCertificate>);

/// One entry of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedCertificate {
    /// A subject alternative name, with its kind.
    pub san: String,
    /// The organisations that its owner may act on.
    pub scope: OrganizationScope,
    /// What its owner may do there.
    pub permissions: Permissions,
}

/// The file, a JSON document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowListDocument {
    identities: Vec<AllowListEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowListEntry {
    san: String,
    organization: String,
    permissions: Vec<String>,
}

impl CertificateAllowList {
    /// Reads a document.
    ///
    /// # Errors
    /// Fails if it is not valid, or an entry is not understood: an entry understood in part would permit
    /// something else.
    pub fn parse(document: &[u8]) -> anyhow::Result<Self> {
        let document: AllowListDocument =
            serde_json::from_slice(document).context("this is not a list of identities")?;
        let mut identities: Vec<AllowedCertificate> = Vec::new();
        for entry in document.identities {
            let identity = identity(entry)?;
            let is_new = identities.iter().all(|known| known.san != identity.san);
            ensure!(is_new, "\"{}\" is listed twice", identity.san);
            identities.push(identity);
        }
        Ok(Self(identities))
    }

    /// Returns `true` if the list is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entry for a certificate.
    ///
    /// # Errors
    /// Fails if none of its names is on the list, or more than one is, because either could be meant.
    pub fn find(
        &self,
        certificate: &ClientCertificate,
    ) -> Result<&AllowedCertificate, AccessDenial> {
        let is_named = |identity: &&AllowedCertificate| certificate.names.contains(&identity.san);
        let mut named = self.0.iter().filter(is_named);
        match (named.next(), named.next()) {
            (Some(identity), None) => Ok(identity),
            _ => Err(AccessDenial::Invalid),
        }
    }
}

fn identity(entry: AllowListEntry) -> anyhow::Result<AllowedCertificate> {
    let san = entry.san;
    let (kind, name) = san.split_once(':').unwrap_or_default();
    let is_known = matches!(kind, "dns" | "uri" | "email") && !name.is_empty();
    ensure!(
        is_known,
        "san \"{san}\": write it as dns:NAME, uri:URI or email:ADDRESS"
    );
    let permissions: Result<Permissions, _> = entry
        .permissions
        .iter()
        .map(|name| name.parse::<Permission>())
        .collect();
    let permissions = permissions.with_context(|| format!("san \"{san}\""))?;
    let scope = OrganizationScope::parse(&entry.organization);
    if let OrganizationScope::One(slug) = &scope {
        OrganizationSlug::parse(slug)
            .with_context(|| format!("san \"{san}\", organization \"{slug}\""))?;
    }
    let san = match kind {
        "dns" => san.to_ascii_lowercase(),
        _ => san,
    };
    Ok(AllowedCertificate {
        san,
        scope,
        permissions,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn list(entries: &str) -> anyhow::Result<CertificateAllowList> {
        CertificateAllowList::parse(format!("{{\"identities\": [{entries}]}}").as_bytes())
    }

    fn entry(san: &str) -> String {
        let organization = "pd";
        format!(
            "{{\"san\": \"{san}\", \"organization\": \"{organization}\", \
             \"permissions\": [\"users.import\"]}}"
        )
    }

    fn certificate(names: &[&str]) -> ClientCertificate {
        ClientCertificate {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            expires_at: datetime!(2030-01-01 00:00 UTC),
        }
    }

    #[test]
    fn a_certificate_is_of_the_one_identity_that_it_names() {
        let entries = [
            "dns:CAD.example",
            "uri:spiffe://pd/cad",
            "email:cad@pd.example",
        ];
        let list = list(&entries.map(entry).join(",")).unwrap();
        for (names, expected) in [
            (&["dns:cad.example"][..], Some("dns:cad.example")),
            (
                &["uri:spiffe://pd/cad", "dns:other"],
                Some("uri:spiffe://pd/cad"),
            ),
            (&["email:cad@pd.example"], Some("email:cad@pd.example")),
            (&["dns:cad.example", "uri:spiffe://pd/cad"], None),
            (&["dns:spiffe://pd/cad"], None),
            (&["dns:x.cad.example"], None),
            (&["uri:spiffe://pd/cad/x"], None),
            (&[], None),
        ] {
            let found = list.find(&certificate(names)).ok().map(|found| &*found.san);
            assert_eq!(found, expected, "{names:?}");
        }
    }

    #[test]
    fn a_list_that_is_not_understood_whole_is_refused() {
        let good = entry("dns:a");
        assert!(list(&good).is_ok() && list("").is_ok());
        for bad in [
            good.replace("dns:a", "a"),
            good.replace("dns:a", "dns:"),
            good.replace("dns:a", "ip:127.0.0.1"),
            good.replace("users.import", "users.*"),
            good.replace("\"pd\"", "\"P D\""),
            good.replace("\"san\"", "\"name\": \"x\", \"san\""),
            [good.clone(), good.clone()].join(","),
            "{}".to_owned(),
        ] {
            assert!(list(&bad).is_err(), "{bad}");
        }
    }
}
