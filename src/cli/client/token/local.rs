//! `token local`: the local token of a server on this machine, for clients that do not find it themselves, browsers among
//! them.

use anyhow::anyhow;
use clap::{Args, builder::BoolishValueParser};

use crate::{
    access::local_token,
    cli::{
        ExitStatus, client::connection::DEFAULT_ENDPOINT, console_address::ConsoleAddress,
        failure::UsageError, output::print,
    },
    client::ServerAddress,
};

/// Print the local token of your own server on this machine
///
/// A server on loopback creates a local token when it starts, if no credential has been configured. The token is
/// valid until the server stops or the first credential is configured. The other commands find it by themselves.
/// Exits with 1 if there is no local token.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples: for a client that takes its token from the environment, and for a browser:\n  \
    user-import token local --endpoint http://127.0.0.1:50051\n  \
    user-import token local --console"
)]
pub(crate) struct LocalArgs {
    /// Address of the server, which has to be on this machine
    #[arg(
        long,
        value_name = "URL",
        env = "USER_IMPORT_ENDPOINT",
        default_value = DEFAULT_ENDPOINT
    )]
    endpoint: ServerAddress,
    /// Print the address that opens the console in a browser and signs in with the token
    #[arg(long, env = "USER_IMPORT_CONSOLE", value_parser = BoolishValueParser::new())]
    console: bool,
}

/// Runs the command.
///
/// # Errors
/// If the endpoint is not on this machine, or there is no local token for it.
pub(super) fn run(args: &LocalArgs) -> anyhow::Result<ExitStatus> {
    let endpoint = &args.endpoint;
    if !endpoint.is_loopback() {
        return Err(UsageError::new(format!(
            "{endpoint} is not on this machine; local tokens are for http://127.0.0.1, [::1] and \
             localhost."
        ))
        .into());
    }
    match local_token::find(endpoint.port())? {
        Some(token) => {
            let shown = match args.console {
                true => ConsoleAddress::at(endpoint).with_token(&token),
                false => token.reveal().to_owned(),
            };
            print(&format!("{shown}\n"))?;
            Ok(ExitStatus::Done)
        }
        None => Err(anyhow!(
            "there is no local token for {endpoint}. Only a server that you run on this machine \
             has one, and only until a credential is configured. Start one with user-import serve, \
             or create a token with user-import token create."
        )),
    }
}
