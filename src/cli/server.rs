//! Which server a client command talks to, and as whom.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, builder::BoolishValueParser};

use super::failure::UsageError;
use crate::client::{Address, Client, Credentials, Token};

/// The options that every client command has.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Address of the server
    #[arg(long, value_name = "URL", env = "USER_IMPORT_ENDPOINT")]
    #[arg(default_value = "http://127.0.0.1:50051")]
    pub endpoint: Address,
    /// Token to present to the server
    #[arg(long, env = "USER_IMPORT_TOKEN", hide_env_values = true)]
    #[arg(conflicts_with = "token_file")]
    pub token: Option<Token>,
    /// File with the token in it; nobody but its owner should be able to read it
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Send the token to another machine although the endpoint has no TLS: whoever is on the way can
    /// take it
    #[arg(long, env = "USER_IMPORT_INSECURE_TOKEN_WITHOUT_TLS")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub insecure_token_without_tls: bool,
    /// PEM file with the authorities that vouch for the server [default: those that browsers trust]
    #[arg(long, value_name = "FILE", env = "USER_IMPORT_CA_CERT")]
    pub ca_cert: Option<PathBuf>,
    /// Name that the server's certificate has, where it is not that of the endpoint
    #[arg(long, value_name = "NAME", env = "USER_IMPORT_SERVER_NAME")]
    pub server_name: Option<String>,
    /// PEM file with a client certificate to show to the server
    #[arg(
        long,
        value_name = "FILE",
        env = "USER_IMPORT_CLIENT_CERT",
        requires = "client_key"
    )]
    pub client_cert: Option<PathBuf>,
    /// PEM file with the private key of the client certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "USER_IMPORT_CLIENT_KEY",
        requires = "client_cert"
    )]
    pub client_key: Option<PathBuf>,
}

/// The options of every client command that works on one organisation.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct OrganizationArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Slug of the organisation
    #[arg(long, value_name = "SLUG", env = "USER_IMPORT_ORGANIZATION")]
    pub organization: String,
}

impl ServerArgs {
    /// Connects.
    ///
    /// # Errors
    /// As [`Client::connect`], and where the token's file cannot be read.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(&self.endpoint, self.credentials()?).await?)
    }

    fn credentials(&self) -> Result<Credentials, UsageError> {
        let token = self.token()?;
        if token.is_some() && self.endpoint.is_overheard() && !self.insecure_token_without_tls {
            let message = format!(
                "{} has no TLS, and whoever is on the way could take the token. Use https://, or \
                 accept that with --insecure-token-without-tls.",
                self.endpoint
            );
            return Err(UsageError::new(message));
        }
        let certificate = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        Ok(Credentials {
            token,
            server_name: self.server_name.clone(),
            ca_certificate: self.ca_cert.as_deref().map(read).transpose()?,
            certificate,
        })
    }

    /// The token, from wherever it is.
    fn token(&self) -> Result<Option<Token>, UsageError> {
        let Some(file) = &self.token_file else {
            return Ok(self.token.clone());
        };
        let token = read(file)?.trim().parse();
        let no_token = |error| {
            let file = file.display();
            UsageError::new(format!("{file} has no token: {error}."))
        };
        token.map(Some).map_err(no_token)
    }
}

impl OrganizationArgs {
    /// Connects.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect(&self) -> anyhow::Result<Client> {
        self.server.connect().await
    }
}

fn read(file: &Path) -> Result<String, UsageError> {
    let unreadable =
        |error| UsageError::new(format!("{} cannot be read: {error}.", file.display()));
    fs::read_to_string(file).map_err(unreadable)
}
