//! The options of `serve` that say who is admitted, and how connections are protected.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, Args, Command, builder::NonEmptyStringValueParser, value_parser};

use crate::cli::failure::UsageError;
use crate::{
    access::{
        InvalidIssuer, ProxyNetwork, PublicUrl, SignInProvider, WebOrigin,
        jwt::{AlgorithmName, InvalidKeySetUrl, JwtKeyLocation, JwtSettings},
    },
    config::{SecuritySettings, TlsFiles},
};

/// Without any of these the server speaks plain text, on this machine only.
#[derive(Args, Debug)]
#[command(next_help_heading = "Security")]
pub(super) struct SecurityArgs {
    /// PEM file with the server's certificate, and the certificates that lead from it to a known authority. The
    /// server reads it again when it changes
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CERT")]
    pub(super) tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_KEY")]
    pub(super) tls_key: Option<PathBuf>,
    /// PEM file with the authorities that issue client certificates
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CLIENT_CA")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// JSON file with the client certificates that are admitted, each by a subject alternative name (dns:, uri: or
    /// email:): `{"identities": [{"san": "dns:cad.example", "organization": "my-department", "permissions":
    /// ["users.import"]}]}`
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TLS_CLIENT_IDENTITIES")]
    pub(super) tls_client_identities: Option<PathBuf>,
    /// File or URL with the public keys (a JWK set) of the identity provider whose tokens this server accepts
    #[arg(long, value_name = "FILE|URL", env = "USER_IMPORT_JWT_JWKS")]
    #[arg(value_parser = parse_keys)]
    pub(super) jwt_jwks: Option<JwtKeyLocation>,
    /// PEM file with authorities to trust for the certificate of the --jwt-jwks URL, besides those that browsers
    /// trust
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_JWT_JWKS_CA")]
    pub(super) jwt_jwks_ca: Option<PathBuf>,
    /// Name of the identity provider, as it is in the `iss` of its tokens
    #[arg(long, value_name = "ISS", env = "USER_IMPORT_JWT_ISSUER")]
    jwt_issuer: Option<String>,
    /// Name of this service, as it is in the `aud` of the provider's tokens
    #[arg(long, value_name = "AUD", env = "USER_IMPORT_JWT_AUDIENCE")]
    jwt_audience: Option<String>,
    /// Algorithms that tokens may be signed with, separated by commas
    #[arg(
        long,
        value_name = "ALG",
        env = "USER_IMPORT_JWT_ALGORITHMS",
        value_delimiter = ','
    )]
    #[arg(default_value = "RS256,ES256,EdDSA")]
    jwt_algorithms: Vec<AlgorithmName>,
    /// Seconds by which the provider's clock and this server's may differ
    #[arg(
        long,
        value_name = "S",
        env = "USER_IMPORT_JWT_LEEWAY_SECONDS",
        default_value_t = 30
    )]
    #[arg(value_parser = value_parser!(u64).range(..=60))]
    jwt_leeway_seconds: u64,
    /// Claim that holds the slug of the organisation, or `*` for all organisations
    #[arg(long, value_name = "CLAIM", env = "USER_IMPORT_JWT_ORGANIZATION_CLAIM")]
    #[arg(default_value = "organization")]
    jwt_organization_claim: String,
    /// Claim that holds the permissions: a list, or one text with spaces between them
    #[arg(long, value_name = "CLAIM", env = "USER_IMPORT_JWT_PERMISSIONS_CLAIM")]
    #[arg(default_value = "permissions")]
    jwt_permissions_claim: String,
    /// Client ID of the console at the identity provider. People then sign in to the console with that provider
    #[arg(long, value_name = "ID", env = "USER_IMPORT_OIDC_CLIENT_ID")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    oidc_client_id: Option<String>,
    /// Scopes that the console asks the provider for, separated by spaces [default: openid]
    #[arg(long, value_name = "SCOPE", env = "USER_IMPORT_OIDC_SCOPE")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    oidc_scope: Option<String>,
    /// Other origins that browsers call to sign in, separated by commas. Give the origin of the provider's token
    /// endpoint if it is not the issuer's
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "USER_IMPORT_OIDC_ORIGIN",
        value_delimiter = ','
    )]
    oidc_origin: Vec<WebOrigin>,
    /// Addresses at which people on other machines open the console, such as `https://roster.example`, separated by
    /// commas. At any other name, except loopback, the console is refused
    #[arg(
        long,
        value_name = "URL",
        env = "USER_IMPORT_PUBLIC_URL",
        value_delimiter = ','
    )]
    public_url: Vec<PublicUrl>,
    /// Origins of web pages that may call this server over gRPC-Web, such as `https://roster.example`, separated by
    /// commas. Pages of other origins are refused, except the console
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "USER_IMPORT_WEB_ORIGIN",
        value_delimiter = ','
    )]
    web_origin: Vec<WebOrigin>,
    /// Addresses or networks of proxies in front of this server, such as `10.1.0.0/16`, separated by commas. The
    /// server believes what they state about the origin of a call, in X-Forwarded-For, Forwarded or version 2 of the
    /// PROXY protocol
    #[arg(
        long,
        value_name = "ADDR",
        env = "USER_IMPORT_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<ProxyNetwork>,
    /// Seconds that a client may take for its TLS handshake, and a trusted proxy for its PROXY header
    #[arg(long, value_name = "S", env = "USER_IMPORT_TLS_HANDSHAKE_SECONDS")]
    #[arg(default_value_t = 10, value_parser = value_parser!(u64).range(1..=300))]
    tls_handshake_seconds: u64,
}

/// The name of a field, which is clap's ID of its option, and whether the option is given.
macro_rules! given {
    ($args:ident.$field:ident) => {
        (stringify!($field), $args.$field.iter().next().is_some())
    };
}

impl SecurityArgs {
    /// Returns a sentence for each option that has no effect without another one.
    fn unpaired(&self) -> Vec<String> {
        let certificate = given!(self.tls_cert);
        let key = given!(self.tls_key);
        let authority = given!(self.tls_client_ca);
        let identities = given!(self.tls_client_identities);
        let keys = given!(self.jwt_jwks);
        let issuer = given!(self.jwt_issuer);
        let audience = given!(self.jwt_audience);
        let keys_authority = given!(self.jwt_jwks_ca);
        let client = given!(self.oidc_client_id);
        let scope = given!(self.oidc_scope);
        let origin = given!(self.oidc_origin);
        let needs = [
            (certificate, key),
            (key, certificate),
            (authority, certificate),
            (authority, identities),
            (identities, authority),
            (keys, issuer),
            (keys, audience),
            (issuer, keys),
            (audience, keys),
            (keys_authority, keys),
            (client, issuer),
            (scope, client),
            (origin, client),
        ];
        let missing = needs
            .iter()
            .filter(|((_, given), (_, needed))| *given && !needed);
        let command = Self::augment_args(Command::new("serve"));
        let missing = missing.map(|((option, _), (needed, _))| {
            let (option, needed) = (option_of(&command, option), option_of(&command, needed));
            format!("{option} needs {needed}: give both.")
        });
        missing.collect()
    }

    /// Returns a sentence for each option that has no effect, or cannot have it.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = self.unpaired();
        if let Some(Err(error)) = self.sign_in() {
            faults.push(format!(
                "--jwt-issuer does not go with --oidc-client-id: {error}."
            ));
        }
        let plain = self
            .oidc_origin
            .iter()
            .find(|origin| !origin.keeps_secrets());
        faults.extend(plain.map(|origin| {
            format!("--oidc-origin {origin} has no TLS: others on the network could take the token. Use https.")
        }));
        faults
    }

    /// Expects that the options fit together.
    ///
    /// # Errors
    /// Fails if an option has no effect, or cannot have it; the text says which and why.
    pub(super) fn expect_sound(&self) -> Result<(), UsageError> {
        match self.faults() {
            faults if faults.is_empty() => Ok(()),
            faults => Err(UsageError::new(faults.join(" "))),
        }
    }

    /// Returns the options as settings.
    #[must_use]
    pub(super) fn security(&self) -> SecuritySettings {
        SecuritySettings {
            tls: self.tls(),
            identities: self.tls_client_identities.clone(),
            jwt: self.jwt(),
            web_origins: self.web_origin.clone(),
            public_urls: self.public_url.clone(),
            sign_in: self.sign_in().and_then(Result::ok).map(Box::new),
            trusted_proxies: self.trusted_proxy.clone().into(),
            handshake_timeout: Duration::from_secs(self.tls_handshake_seconds),
            ..SecuritySettings::default()
        }
    }

    /// Returns the files for TLS, if a certificate and its key are given.
    pub(super) fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
            client_ca: self.tls_client_ca.clone(),
        })
    }

    /// Returns the provider at which people sign in, if the provider and the console's client ID are given.
    fn sign_in(&self) -> Option<Result<SignInProvider, InvalidIssuer>> {
        let (issuer, client) = (self.jwt_issuer.as_ref()?, self.oidc_client_id.as_ref()?);
        let scope = self.oidc_scope.as_deref().unwrap_or("openid");
        Some(SignInProvider::new(
            issuer,
            client,
            scope,
            &self.oidc_origin,
        ))
    }

    fn jwt(&self) -> Option<JwtSettings> {
        Some(JwtSettings {
            keys: self.jwt_jwks.clone()?,
            keys_ca: self.jwt_jwks_ca.clone(),
            issuer: self.jwt_issuer.clone()?,
            audience: self.jwt_audience.clone()?,
            algorithms: self.jwt_algorithms.clone(),
            leeway: Duration::from_secs(self.jwt_leeway_seconds),
            organization_claim: self.jwt_organization_claim.clone(),
            permissions_claim: self.jwt_permissions_claim.clone(),
        })
    }
}

/// Returns the option that sets a field, as it is written on the command line.
fn option_of(command: &Command, field: &str) -> String {
    let option = command.get_arguments().find(|arg| arg.get_id() == field);
    format!("--{}", option.and_then(Arg::get_long).unwrap_or(field))
}

/// A URL, or a file.
pub(crate) fn parse_keys(text: &str) -> Result<JwtKeyLocation, InvalidKeySetUrl> {
    match text.contains("://") {
        true => text.parse().map(JwtKeyLocation::Url),
        false => Ok(JwtKeyLocation::File(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        args: SecurityArgs,
    }

    fn parse(options: &str) -> anyhow::Result<SecuritySettings> {
        let words = ["serve"].into_iter().chain(options.split_whitespace());
        let args = TestCli::try_parse_from(words)?.args;
        args.expect_sound()?;
        Ok(args.security())
    }

    #[test]
    fn options_that_mean_nothing_without_others_are_refused() {
        for (options, valid) in [
            ("", true),
            ("--tls-cert c --tls-key k", true),
            ("--tls-cert c", false),
            ("--tls-key k", false),
            ("--tls-client-ca a --tls-client-identities i", false),
            ("--tls-cert c --tls-key k --tls-client-ca a", false),
            ("--tls-cert c --tls-key k --tls-client-identities i", false),
            (
                "--tls-cert c --tls-key k --tls-client-ca a --tls-client-identities i",
                true,
            ),
            ("--jwt-jwks f", false),
            ("--jwt-jwks f --jwt-issuer i", false),
            ("--jwt-issuer i --jwt-audience a", false),
            ("--jwt-jwks f --jwt-issuer i --jwt-audience a", true),
            (
                "--jwt-jwks http://id.example/k --jwt-issuer i --jwt-audience a",
                false,
            ),
            ("--jwt-jwks-ca c", false),
            ("--jwt-algorithms HS256", false),
            ("--jwt-algorithms none", false),
            ("--jwt-algorithms RS256,HS256", false),
            ("--jwt-leeway-seconds 61", false),
            ("--trusted-proxy 10.1.0.1,fd00::/8", true),
            ("--trusted-proxy 0.0.0.0/0", false),
            ("--trusted-proxy proxy.example", false),
        ] {
            assert_eq!(parse(options).is_ok(), valid, "{options}");
        }
    }

    #[test]
    fn the_sentence_about_a_missing_option_names_both_as_they_are_written() {
        for (options, expected) in [
            (
                "--tls-client-identities i",
                "--tls-client-identities needs --tls-client-ca: give both.",
            ),
            (
                "--oidc-origin https://t.example",
                "--oidc-origin needs --oidc-client-id: give both.",
            ),
        ] {
            assert_eq!(parse(options).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn options_of_the_console_that_cannot_work_are_refused() {
        for (options, valid) in [
            ("--oidc-client-id c", false),
            ("--oidc-scope openid", false),
            ("--oidc-origin https://t.example", false),
            (
                "--jwt-jwks f --jwt-issuer https://id.example --jwt-audience a --oidc-client-id c",
                true,
            ),
            (
                "--jwt-jwks f --jwt-issuer http://localhost:1 --jwt-audience a --oidc-client-id c",
                true,
            ),
            (
                "--jwt-jwks f --jwt-issuer http://id.example --jwt-audience a --oidc-client-id c",
                false,
            ),
            (
                "--jwt-jwks f --jwt-issuer i --jwt-audience a --oidc-client-id c",
                false,
            ),
            (
                "--jwt-jwks f --jwt-issuer https://id.example --jwt-audience a --oidc-client-id c \
                --oidc-origin http://t.example",
                false,
            ),
            (
                "--public-url https://roster.example,http://10.0.0.5:50051",
                true,
            ),
            ("--public-url roster.example", false),
            ("--public-url https://roster.example/console", false),
        ] {
            assert_eq!(parse(options).is_ok(), valid, "{options}");
        }
    }

    #[test]
    fn every_option_reaches_its_setting() {
        let security = parse(
            "--tls-cert c --tls-key k --tls-client-ca a --tls-client-identities i \
            --web-origin https://r.example --trusted-proxy ::1 --tls-handshake-seconds 4",
        );
        insta::assert_debug_snapshot!(security.unwrap(), @r#"
        SecuritySettings {
            tls: Some(
                TlsFiles {
                    certificate: "c",
                    key: "k",
                    client_ca: Some(
                        "a",
                    ),
                },
            ),
            identities: Some(
                "i",
            ),
            jwt: None,
            local_token: None,
            web_origins: [
                WebOrigin(
                    "https://r.example",
                ),
            ],
            public_urls: [],
            sign_in: None,
            trusted_proxies: TrustedProxies(
                [
                    ProxyNetwork(
                        ::1/128,
                    ),
                ],
            ),
            reload_interval: 5s,
            handshake_timeout: 4s,
        }
        "#);
    }

    #[test]
    fn options_of_the_identity_provider_reach_their_settings() {
        let security = parse(
            "--jwt-jwks https://id.example/k --jwt-jwks-ca ca --jwt-issuer iss --jwt-audience aud \
            --jwt-algorithms ES256 --jwt-leeway-seconds 3 --jwt-organization-claim o \
            --jwt-permissions-claim p",
        );
        insta::assert_debug_snapshot!(security.unwrap().jwt.unwrap(), @r#"
        JwtSettings {
            keys: Url(
                KeySetUrl {
                    uri: https://id.example/k,
                    host: "id.example",
                },
            ),
            keys_ca: Some(
                "ca",
            ),
            issuer: "iss",
            audience: "aud",
            algorithms: [
                AlgorithmName(
                    ES256,
                ),
            ],
            leeway: 3s,
            organization_claim: "o",
            permissions_claim: "p",
        }
        "#);
    }

    #[test]
    fn options_of_the_console_reach_their_settings() {
        let security = parse(
            "--jwt-jwks f --jwt-issuer https://id.example/pd --jwt-audience a --oidc-client-id c \
            --oidc-scope o --oidc-origin https://t.example --public-url https://p.example",
        );
        let SecuritySettings {
            public_urls,
            sign_in,
            ..
        } = security.unwrap();
        insta::assert_snapshot!(format!("{public_urls:?} {sign_in:?}"), @r#"[PublicUrl(WebOrigin("https://p.example"))] Some(SignInProvider { issuer: "https://id.example/pd", client_id: "c", scope: "o", origins: [WebOrigin("https://id.example"), WebOrigin("https://t.example")] })"#);
    }
}
