//! Which identity provider is trusted, and how its tokens are read.

use std::{path::PathBuf, time::Duration};

use super::{AlgorithmName, KeySetUrl};

/// An identity provider whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// Where its public keys are.
    pub keys: JwtKeyLocation,
    /// File with authorities that are trusted for the URL besides the public ones, as PEM.
    pub keys_ca: Option<PathBuf>,
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of tokens for this service.
    pub audience: String,
    /// The accepted algorithms, whatever tokens and keys say.
    pub algorithms: Vec<AlgorithmName>,
    /// How far its clock and ours may differ; at most a minute.
    pub leeway: Duration,
    /// The claim with the slug of the organisation, or `*`.
    pub organization_claim: String,
    /// The claim with the permissions.
    pub permissions_claim: String,
}

/// Where public keys are.
#[derive(Clone, Debug)]
pub enum JwtKeyLocation {
    /// In a file.
    File(PathBuf),
    /// At a URL.
    Url(KeySetUrl),
}
