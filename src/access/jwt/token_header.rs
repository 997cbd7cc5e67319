//! The header of a token (RFC 7515).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::AlgorithmName;

/// The types of a token that is meant for a service like this (RFC 7519 §5.1, RFC 9068 §2.1). Others, such
/// as those of log-out tokens, are signed with the same keys and permit nothing.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A header that is understood completely.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenHeader {
    /// The algorithm of the signature; one that is allowed.
    pub algorithm: Algorithm,
    /// Which key signed it, if the header says.
    pub key_id: Option<String>,
}

impl TokenHeader {
    /// Reads the header of a token; `None` if it is to be refused.
    pub(super) fn parse(token: &str, allowed: &[AlgorithmName]) -> Option<Self> {
        let (encoded, _) = token.split_once('.')?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let header: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        // `crit` names extensions that a reader must understand (§4.1.11), and this service understands none. A payload
        // that is not encoded (RFC 7797) is such an extension.
        if header.contains_key("crit") || header.get("b64").is_some_and(|b64| *b64 != true) {
            return None;
        }
        if !header.get("typ").is_none_or(is_known_type) {
            return None;
        }
        let name = header.get("alg")?.as_str()?;
        let key_id = header.get("kid").map(|id| id.as_str().ok_or(()));
        // Only allowed algorithms count, so neither the token nor its key chooses how the token is verified.
        let algorithm = allowed.iter().find(|known| known.to_string() == name)?;
        Some(Self {
            algorithm: algorithm.algorithm(),
            key_id: key_id.transpose().ok()?.map(str::to_owned),
        })
    }
}

/// Media types are compared without regard to case, and may leave `application/` out (§4.1.9).
fn is_known_type(kind: &Value) -> bool {
    let kind = kind.as_str().map(str::to_ascii_lowercase);
    kind.is_some_and(|kind| {
        let short = kind.strip_prefix("application/").unwrap_or(&kind);
        TYPES.contains(&short)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(header: &Value) -> Option<TokenHeader> {
        let token = format!(
            "{}.e30.x",
            BASE64_URL_SAFE_NO_PAD.encode(header.to_string())
        );
        TokenHeader::parse(&token, &["ES256".parse().unwrap()])
    }

    #[test]
    fn a_header_names_an_allowed_algorithm_and_perhaps_a_key() {
        for (header, key_id) in [
            (json!({"alg": "ES256"}), None),
            (json!({"alg": "ES256", "kid": "k"}), Some("k")),
            (json!({"alg": "ES256", "kid": "", "cty": "x"}), Some("")),
        ] {
            let found = parse(&header).unwrap();
            assert_eq!(found.algorithm, Algorithm::ES256);
            assert_eq!(found.key_id.as_deref(), key_id);
        }
        for header in [
            json!({"alg": "RS256"}),
            json!({"alg": "es256"}),
            json!({"alg": "none"}),
            json!({"alg": ["ES256"]}),
            json!({"alg": null}),
            json!({}),
            json!([]),
            json!({"alg": "ES256", "kid": 1}),
            json!({"alg": "ES256", "kid": null}),
            json!({"alg": "ES256", "kid": ["k"]}),
        ] {
            assert_eq!(parse(&header), None, "{header}");
        }
        for token in ["", "x", ".", "e30=.e30.x", "\u{e4}.e30.x"] {
            assert_eq!(TokenHeader::parse(token, &[]), None, "{token}");
        }
    }

    #[test]
    fn an_extension_that_must_be_understood_is_refused() {
        for crit in [json!([]), json!(["exp"]), json!(["b64"]), json!(null)] {
            assert_eq!(parse(&json!({"alg": "ES256", "crit": crit})), None);
        }
        for b64 in [json!(false), json!(null), json!("true")] {
            assert_eq!(parse(&json!({"alg": "ES256", "b64": b64})), None);
        }
        assert!(parse(&json!({"alg": "ES256", "b64": true})).is_some());
    }

    #[test]
    fn a_token_is_of_a_type_that_is_meant_for_services() {
        for (kind, is_known) in [
            (json!("JWT"), true),
            (json!("jwt"), true),
            (json!("application/jwt"), true),
            (json!("Application/AT+JWT"), true),
            (json!("at+jwt"), true),
            (json!("logout+jwt"), false),
            (json!("dpop+jwt"), false),
            (json!("id_token"), false),
            (json!("application/json"), false),
            (json!("application/application/jwt"), false),
            (json!("JWT "), false),
            (json!(""), false),
            (json!(null), false),
            (json!(["JWT"]), false),
        ] {
            let found = parse(&json!({"alg": "ES256", "typ": kind}));
            assert_eq!(found.is_some(), is_known, "{kind}");
        }
    }
}
