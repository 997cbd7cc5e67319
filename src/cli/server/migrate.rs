//! `migrate`: brings a database's schema up to date; and which database the server side uses.

use anyhow::Context;
use clap::Args;

use crate::cli::{ExitStatus, output::Verbosity, secret::unquoted};
use crate::{
    config::Settings,
    store::{DatabaseUrl, Store},
};

/// Bring the schema of a database up to date, as `serve` does when it starts
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    user-import migrate --database-url postgres://import@db/users")]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Which database to use.
#[derive(Args, Debug)]
pub(crate) struct DatabaseArgs {
    /// `sqlite://FILE` (made when it is missing) or `postgres://USER@HOST/NAME`
    // A URL may hold a password.
    #[arg(
        long,
        value_name = "URL",
        env = "USER_IMPORT_DATABASE_URL",
        hide_env_values = true
    )]
    #[arg(default_value = "sqlite://user-import.db", value_parser = unquoted::<DatabaseUrl>())]
    pub(crate) database_url: DatabaseUrl,
}

impl DatabaseArgs {
    /// Connects.
    ///
    /// # Errors
    /// Fails if the database cannot be reached. The error does not repeat the URL, which may hold a password.
    pub(crate) async fn connect(&self) -> anyhow::Result<Store> {
        self.connect_for(&Settings::default()).await
    }

    /// Connects for a server with these settings.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) async fn connect_for(&self, settings: &Settings) -> anyhow::Result<Store> {
        let (url, lease) = (&self.database_url, settings.lease);
        let store = Store::connect_within(url, lease, settings.database).await;
        store.context("the database cannot be used; see --database-url")
    }
}

/// Runs the command.
///
/// # Errors
/// Fails if the database cannot be reached or changed.
pub(crate) async fn run(args: MigrateArgs, verbosity: Verbosity) -> anyhow::Result<ExitStatus> {
    let store = args.database.connect().await?;
    store
        .migrate()
        .await
        .context("the database cannot be migrated")?;
    verbosity.confirm("The database is up to date.\n")?;
    Ok(ExitStatus::Done)
}
