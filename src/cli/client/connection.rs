//! The server and the credentials of a client command: from an option, or a variable, or the profile,
//! or the default, in this order.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{
    ArgMatches, Args, Command, Error, FromArgMatches, builder::BoolishValueParser,
    error::ErrorKind, parser::ValueSource,
};

use super::profile::{self, ConnectionProfile, TokenLocation};
use crate::cli::{failure::UsageError, output::Verbosity, secret::unquoted};
use crate::{
    access::{local_token, looks_like_token},
    client::{BearerToken, ClientCredentials, PresentedToken, ServerAddress, ServiceClient},
};

/// The endpoint if none is given.
pub(super) const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

/// The options that every client command has.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
struct ConnectionArgs {
    /// Address of the server [default: the profile's, else `http://127.0.0.1:50051`]
    #[arg(long, value_name = "URL", env = "USER_IMPORT_ENDPOINT")]
    endpoint: Option<ServerAddress>,
    /// Token to present to the server [default: the profile's, else the local token of a server on this
    /// machine]
    #[arg(long, env = "USER_IMPORT_TOKEN", hide_env_values = true)]
    #[arg(value_parser = unquoted::<BearerToken>())]
    token: Option<BearerToken>,
    /// File with the token; only its owner should be able to read it
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Send the token to another machine although the endpoint has no TLS: others on the network can
    /// read it
    #[arg(long, env = "USER_IMPORT_INSECURE_TOKEN_WITHOUT_TLS")]
    #[arg(value_parser = BoolishValueParser::new())]
    insecure_token_without_tls: bool,
    /// PEM file with the authorities that sign the server's certificate [default: the profile's, else those that
    /// browsers trust]
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_CA_CERT")]
    ca_cert: Option<PathBuf>,
    /// Name in the server's certificate, if it differs from the endpoint's
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_SERVER_NAME")]
    server_name: Option<String>,
    /// PEM file with a client certificate to show to the server
    #[arg(
        long,
        value_name = "FILE",
        env = "USER_IMPORT_CLIENT_CERT",
        requires = "client_key"
    )]
    client_cert: Option<PathBuf>,
    /// PEM file with the private key of the client certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "USER_IMPORT_CLIENT_KEY",
        requires = "client_cert"
    )]
    client_key: Option<PathBuf>,
    /// Profile to use for settings that are not given [default: the file's `default_profile`]
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_PROFILE")]
    profile: Option<String>,
    /// File of profiles [default: user-import/config.toml in `$XDG_CONFIG_HOME` or ~/.config]
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_CONFIG")]
    config: Option<PathBuf>,
}

/// The options that every client command has, a token on the command line before one in the environment.
#[derive(Clone, Debug)]
pub(super) struct ServerArgs(ConnectionArgs);

impl FromArgMatches for ServerArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given = ConnectionArgs::from_arg_matches(matches)?;
        if given.token.is_some() && given.token_file.is_some() {
            let is_option = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
            match (is_option("token"), is_option("token_file")) {
                (true, false) => given.token_file = None,
                (false, true) => given.token = None,
                _ => {
                    let text = "--token and --token-file (or their variables) are both given; give \
                        only one of them.";
                    return Err(Error::raw(ErrorKind::ArgumentConflict, text));
                }
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServerArgs {
    fn augment_args(command: Command) -> Command {
        ConnectionArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ConnectionArgs::augment_args_for_update(command)
    }
}

/// The options of every client command that works on one organisation.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct OrganizationArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Slug of the organisation [default: the profile's]
    #[arg(long, value_name = "SLUG", env = "USER_IMPORT_ORGANIZATION")]
    organization: Option<String>,
}

impl ServerArgs {
    /// Connects.
    ///
    /// # Errors
    /// Fails like [`ServiceClient::connect`], or if a profile, a token or a certificate cannot be read.
    pub(super) async fn connect(&self, verbosity: Verbosity) -> anyhow::Result<ServiceClient> {
        let profile = self.profile()?;
        self.connect_as(&profile, verbosity).await
    }

    async fn connect_as(
        &self,
        profile: &ConnectionProfile,
        verbosity: Verbosity,
    ) -> anyhow::Result<ServiceClient> {
        let endpoint = self.endpoint(profile)?;
        let credentials = self.credentials(&endpoint, profile, verbosity)?;
        Ok(ServiceClient::connect(&endpoint, credentials).await?)
    }

    /// Returns the profile to use, or an empty one if no profile is chosen.
    fn profile(&self) -> Result<ConnectionProfile, UsageError> {
        let given = &self.0;
        let config = given.config.as_deref();
        let config = config.filter(|path| !path.as_os_str().is_empty());
        let name = given.profile.as_deref().filter(|name| !name.is_empty());
        let chosen = profile::choose(config, name)?;
        Ok(chosen.unwrap_or_default())
    }

    fn endpoint(&self, profile: &ConnectionProfile) -> Result<ServerAddress, UsageError> {
        let said = self.0.endpoint.as_ref().or(profile.endpoint.as_ref());
        match said {
            Some(endpoint) => Ok(endpoint.clone()),
            None => DEFAULT_ENDPOINT.parse().map_err(UsageError::new),
        }
    }

    fn credentials(
        &self,
        endpoint: &ServerAddress,
        profile: &ConnectionProfile,
        verbosity: Verbosity,
    ) -> Result<ClientCredentials, UsageError> {
        let given = &self.0;
        let token = self.token(profile, verbosity)?;
        if token.is_some() && endpoint.is_overheard() && !given.insecure_token_without_tls {
            let message = format!(
                "{endpoint} has no TLS, and others on the network could read the token. Use https://, \
                 or accept that with --insecure-token-without-tls.",
            );
            return Err(UsageError::new(message));
        }
        let certificate = match (&given.client_cert, &given.client_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => profile.certificate.as_ref().map(|(cert, key)| (cert, key)),
        };
        let certificate =
            certificate.map(|(certificate, key)| Ok((read(certificate)?, read(key)?)));
        let ca_cert = given.ca_cert.as_deref().or(profile.ca_cert.as_deref());
        let token = match token {
            Some(token) => PresentedToken::Fixed(token),
            // A certificate is a credential, and the server would prefer a token to it.
            None if certificate.is_none() => local_token_for(endpoint, verbosity),
            None => PresentedToken::None,
        };
        Ok(ClientCredentials {
            token,
            server_name: given.server_name.clone(),
            ca_certificate: ca_cert.map(read).transpose()?,
            certificate: certificate.transpose()?,
        })
    }

    /// The token, from wherever it is.
    fn token(
        &self,
        profile: &ConnectionProfile,
        verbosity: Verbosity,
    ) -> Result<Option<BearerToken>, UsageError> {
        let given = &self.0;
        match (&given.token, &given.token_file, &profile.token) {
            (Some(token), ..) => Ok(Some(token.clone())),
            (_, Some(file), _) | (_, _, Some(TokenLocation::File(file))) => {
                token_in(file, verbosity).map(Some)
            }
            (_, _, Some(TokenLocation::Variable(name))) => token_of(name).map(Some),
            _ => Ok(None),
        }
    }
}

impl OrganizationArgs {
    /// Connects, and says for which organisation.
    ///
    /// # Errors
    /// Fails like [`ServerArgs::connect`], or if no organisation is given.
    pub(crate) async fn connect(
        &self,
        verbosity: Verbosity,
    ) -> anyhow::Result<(ServiceClient, String)> {
        let profile = self.server.profile()?;
        let organization = self.chosen(&profile)?;
        let client = self.server.connect_as(&profile, verbosity).await?;
        Ok((client, organization))
    }

    /// Says which organisation is meant, without connecting.
    ///
    /// # Errors
    /// Fails if no organisation is given.
    pub(crate) fn slug(&self) -> Result<String, UsageError> {
        self.chosen(&self.server.profile()?)
    }

    fn chosen(&self, profile: &ConnectionProfile) -> Result<String, UsageError> {
        // A variable that is set to nothing says nothing.
        let given = self.organization.as_ref().filter(|slug| !slug.is_empty());
        given.or(profile.organization.as_ref()).cloned().ok_or_else(|| {
            UsageError::new(
                "Which organisation? Give --organization SLUG, set USER_IMPORT_ORGANIZATION, or put \
                 organization = \"SLUG\" into a profile (user-import profile --help).",
            )
        })
    }
}

/// What a connection would be made with.
pub(super) struct ConnectionSettings {
    /// The profile that is used, if any.
    pub profile: Option<String>,
    /// The server.
    pub endpoint: ServerAddress,
    /// The caller's credentials.
    pub credentials: ClientCredentials,
    /// What is presented to the server, in words.
    pub presented: &'static str,
    /// Slug of the organisation, if one is given.
    pub organization: Option<String>,
}

impl OrganizationArgs {
    /// Reads everything that a connection would be made with, without connecting.
    ///
    /// # Errors
    /// Fails if a profile, a token or a certificate cannot be read, or the token must not be sent there.
    pub(super) fn settings(&self, verbosity: Verbosity) -> Result<ConnectionSettings, UsageError> {
        let profile = self.server.profile()?;
        let endpoint = self.server.endpoint(&profile)?;
        let credentials = self.server.credentials(&endpoint, &profile, verbosity)?;
        let presented = match (&credentials.token, &credentials.certificate) {
            (PresentedToken::Fixed(_), _) => "the token",
            (PresentedToken::Found(find), _) if find().is_some() => "the local token",
            (_, Some(_)) => "the client certificate",
            _ => "no credential",
        };
        Ok(ConnectionSettings {
            organization: self.chosen(&profile).ok(),
            profile: profile.name,
            endpoint,
            credentials,
            presented,
        })
    }
}

/// The local token of the server at this endpoint, if that is on loopback.
fn local_token_for(endpoint: &ServerAddress, verbosity: Verbosity) -> PresentedToken {
    if !endpoint.is_loopback() {
        return PresentedToken::None;
    }
    let port = endpoint.port();
    if let Err(untrusted) = local_token::find(port) {
        verbosity.notice(&format!("warning: the local token {untrusted}."));
    }
    PresentedToken::Found(Arc::new(move || {
        let token = local_token::find(port).ok()??;
        token.reveal().parse().ok()
    }))
}

fn token_in(file: &Path, verbosity: Verbosity) -> Result<BearerToken, UsageError> {
    if looks_like_token(&file.to_string_lossy()) {
        let text = "--token-file takes the name of a file. The token itself goes into that file, or into \
            USER_IMPORT_TOKEN.";
        return Err(UsageError::new(text));
    }
    let token = read(file)?;
    if is_readable_by_others(file) {
        let file = file.display();
        verbosity.notice(&format!(
            "warning: others on this machine can read the token in {file}. Keep it to yourself:\n  \
             chmod 600 {file}"
        ));
    }
    let no_token = |error| UsageError::new(format!("{} has no token: {error}.", file.display()));
    parse_token(&token).map_err(no_token)
}

fn token_of(variable: &str) -> Result<BearerToken, UsageError> {
    let Ok(token) = std::env::var(variable) else {
        return Err(UsageError::new(format!(
            "The profile's token should be in the variable {variable} (token_env), which is not set. \
             Set it, or give the token with --token-file."
        )));
    };
    let no_token =
        |error| UsageError::new(format!("The variable {variable} has no token: {error}."));
    parse_token(&token).map_err(no_token)
}

fn parse_token(text: &str) -> Result<BearerToken, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        token => token.parse(),
    }
}

#[cfg(unix)]
fn is_readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

fn read(file: impl AsRef<Path>) -> Result<String, UsageError> {
    let file = file.as_ref();
    fs::read_to_string(file).map_err(|error| UsageError::unreadable(file, &error))
}
