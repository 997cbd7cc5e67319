//! The claims of a token, once its signature has been verified.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{
    access::{AccessDenial, CredentialKind, OrganizationScope, Principal, jwt::JwtSettings},
    domain::{OrganizationSlug, Permissions},
};

/// Most characters of a subject that records keep.
const MAX_SUBJECT: usize = 200;

/// The claims that this service reads, each of the type that RFC 7519 gives it: the issuer is one text, and
/// the times are numbers. A claim that is not understood must not count as none.
#[derive(Debug, Deserialize)]
pub(super) struct TokenClaims {
    iss: String,
    aud: TokenAudience,
    sub: String,
    exp: f64,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<f64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The services that a token is for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TokenAudience {
    One(String),
    Several(Vec<String>),
}

impl TokenAudience {
    fn includes(&self, service: &str) -> bool {
        match self {
            Self::One(one) => one == service,
            Self::Several(several) => several.iter().any(|one| one == service),
        }
    }
}

/// A number that is there; `null` is none.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

impl TokenClaims {
    /// Returns the principal that the claims name.
    ///
    /// # Errors
    /// Fails if they are of another issuer or for another service, have expired or are not valid yet, or name no
    /// organisation.
    pub(super) fn principal(
        &self,
        settings: &JwtSettings,
        now: OffsetDateTime,
    ) -> Result<Principal, AccessDenial> {
        if self.iss != settings.issuer || !self.aud.includes(&settings.audience) {
            return Err(AccessDenial::Invalid);
        }
        let expires_at =
            moment(self.exp)?.saturating_add(settings.leeway.try_into().unwrap_or_default());
        if expires_at <= now {
            return Err(AccessDenial::Expired);
        }
        if let Some(from) = self.nbf
            && moment(from)? > now + settings.leeway
        {
            return Err(AccessDenial::Invalid);
        }
        let subject = self.sub.chars().filter(|c| !c.is_control());
        let subject: String = subject.take(MAX_SUBJECT).collect();
        if subject.trim().is_empty() {
            return Err(AccessDenial::Invalid);
        }
        Ok(Principal {
            name: format!("jwt {subject}"),
            scope: self.scope(&settings.organization_claim)?,
            permissions: self.permissions(&settings.permissions_claim),
            expires_at: Some(expires_at),
            credential: CredentialKind::Jwt,
        })
    }

    fn scope(&self, claim: &str) -> Result<OrganizationScope, AccessDenial> {
        let text = self.others.get(claim).and_then(Value::as_str);
        let scope = OrganizationScope::parse(text.ok_or(AccessDenial::Invalid)?);
        match &scope {
            OrganizationScope::One(slug) if OrganizationSlug::parse(slug).is_err() => {
                Err(AccessDenial::Invalid)
            }
            _ => Ok(scope),
        }
    }

    /// A list of names, or names separated by spaces as in `scope`. Names that are no permissions of this
    /// service are ignored.
    fn permissions(&self, claim: &str) -> Permissions {
        match self.others.get(claim) {
            Some(Value::String(names)) => Permissions::parse_known(names),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                names.filter_map(|name| name.parse().ok()).collect()
            }
            _ => Permissions::NONE,
        }
    }
}

/// A time of a token: seconds since 1970, which may have a fraction.
fn moment(seconds: f64) -> Result<OffsetDateTime, AccessDenial> {
    let since_1970 = time::Duration::checked_seconds_f64(seconds.floor());
    let moment = since_1970.and_then(|since| OffsetDateTime::UNIX_EPOCH.checked_add(since));
    moment.ok_or(AccessDenial::Invalid)
}
