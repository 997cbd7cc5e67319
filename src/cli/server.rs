//! Which server a client command talks to, and as whom.

use clap::Args;

use crate::client::{Address, Client, ClientError, Token};

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
    pub token: Option<Token>,
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
    /// As [`Client::connect`].
    pub async fn connect(&self) -> Result<Client, ClientError> {
        Client::connect(&self.endpoint, self.token.clone()).await
    }
}

impl OrganizationArgs {
    /// Connects.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect(&self) -> Result<Client, ClientError> {
        self.server.connect().await
    }
}
