//! Which server a client command talks to, and as whom.

use std::{fs, path::PathBuf};

use clap::Args;

use super::failure::UsageError;
use crate::client::{Address, Client, Token};

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
        Ok(Client::connect(&self.endpoint, self.token()?).await?)
    }

    /// The token, from wherever it is.
    fn token(&self) -> Result<Option<Token>, UsageError> {
        let Some(file) = &self.token_file else {
            return Ok(self.token.clone());
        };
        let shown = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| UsageError::new(format!("{shown} cannot be read: {error}.")))?;
        let token = text.trim().parse();
        token
            .map(Some)
            .map_err(|error| UsageError::new(format!("{shown} has no token: {error}.")))
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
