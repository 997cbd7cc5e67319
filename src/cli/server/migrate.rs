//! `migrate` brings a database's schema up to date. Also the option that names the database of the server's commands.

use anyhow::Context;
use clap::{Args, builder::BoolishValueParser};

use crate::cli::{ExitStatus, output::Verbosity, secret::unquoted};
use crate::{
    config::Settings,
    store::{DatabaseUrl, Store, StoreError, TableDistribution},
};

/// Bring the schema of a database up to date, as `serve` does when it starts
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    user-import migrate --database-url postgres://import@db/users\n  \
    user-import migrate --database-url postgres://import@coordinator/users --distribute")]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Spread the organisations, with all their rows, over the workers of Citus. Stop all servers first
    #[arg(long, env = "USER_IMPORT_DISTRIBUTE", value_parser = BoolishValueParser::new())]
    distribute: bool,
}

/// Which database to use.
#[derive(Args, Debug)]
pub(crate) struct DatabaseArgs {
    /// URL of the database: `sqlite://FILE` (created if it does not exist) or `postgres://USER@HOST/NAME`
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
        let store = self.try_connect(settings).await;
        store.context("the database cannot be used; see --database-url")
    }

    /// The same, with the store's own error.
    pub(super) async fn try_connect(&self, settings: &Settings) -> Result<Store, StoreError> {
        let (url, lease) = (&self.database_url, settings.lease);
        Store::connect_within(url, lease, settings.database).await
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
    if args.distribute {
        distribute(&store, verbosity).await?;
    }
    Ok(ExitStatus::Done)
}

async fn distribute(store: &Store, verbosity: Verbosity) -> anyhow::Result<()> {
    let distributed = store.distribute().await;
    distributed.context("the database cannot be distributed; it stays as it was")?;
    let text = match store.distribution().await? {
        TableDistribution::Distributed { workers: 1 } => {
            "Its organisations are on 1 worker.\n".to_owned()
        }
        TableDistribution::Distributed { workers } => {
            format!("Its organisations are spread over {workers} workers.\n")
        }
        TableDistribution::Plain | TableDistribution::Partial(_) => {
            "It is not distributed.\n".to_owned()
        }
    };
    verbosity.confirm(&text)
}
