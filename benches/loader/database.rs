//! Temporary databases of both kinds, and the CPU time that they use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::process;

/// The kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DatabaseEngine {
    /// PostgreSQL: a server with its default settings.
    #[serde(rename = "PostgreSQL")]
    Postgres,
    /// SQLite: a file in WAL mode with `synchronous = NORMAL`.
    #[serde(rename = "SQLite")]
    Sqlite,
}

/// The place in which databases can be made.
#[derive(Clone, Debug)]
pub struct DatabasePlace {
    /// A superuser's `postgres://` URL; `None` if PostgreSQL is left out.
    pub postgres_url: Option<String>,
    /// ID of that server's first process.
    pub postmaster: Option<u32>,
    /// Folder for files.
    pub directory: PathBuf,
}

/// One database, removed when it is dropped.
#[derive(Debug)]
pub struct Database {
    engine: DatabaseEngine,
    place: DatabasePlace,
    name: String,
}

impl DatabaseEngine {
    /// Returns the name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

impl Database {
    /// Makes an empty database.
    pub fn create(
        engine: DatabaseEngine,
        place: &DatabasePlace,
        name: &str,
    ) -> anyhow::Result<Self> {
        let database = Self {
            engine,
            place: place.clone(),
            name: name.to_owned(),
        };
        database.remove()?;
        if engine == DatabaseEngine::Postgres {
            database.administer(&format!("CREATE DATABASE {name}"))?;
        }
        Ok(database)
    }

    /// Returns the kind of the database.
    pub const fn engine(&self) -> DatabaseEngine {
        self.engine
    }

    /// Returns the URL that `user-import serve --database-url` takes.
    pub fn url(&self) -> String {
        match self.engine {
            DatabaseEngine::Postgres => self.postgres_url(&self.name),
            DatabaseEngine::Sqlite => format!("sqlite://{}", self.file().display()),
        }
    }

    /// Returns the SQLite file.
    pub fn file(&self) -> PathBuf {
        self.place.directory.join(format!("{}.db", self.name))
    }

    /// Returns the first line of a statement's result, with `|` between its columns.
    pub fn query(&self, sql: &str) -> anyhow::Result<String> {
        match self.engine {
            DatabaseEngine::Postgres => process::run(&mut psql(&self.url(), sql)),
            DatabaseEngine::Sqlite => {
                process::run(Command::new("sqlite3").arg(self.file()).arg(sql))
            }
        }
    }

    /// Vacuums, gathers statistics and writes everything to disk, as a database does at night, so that no measurement
    /// includes work that an earlier one left over.
    pub fn settle(&self) -> anyhow::Result<()> {
        match self.engine {
            DatabaseEngine::Postgres => {
                self.query("VACUUM ANALYZE")?;
                self.query("CHECKPOINT")?;
            }
            DatabaseEngine::Sqlite => {
                self.query("PRAGMA wal_checkpoint(TRUNCATE)")?;
            }
        }
        Ok(())
    }

    /// Returns the CPU time of the database's own processes so far, or zero for a database without a server.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        match (self.engine, self.place.postmaster) {
            (DatabaseEngine::Postgres, Some(postmaster)) => process::cpu_of_family(postmaster),
            _ => Ok(Duration::ZERO),
        }
    }

    fn postgres_url(&self, name: &str) -> String {
        let url = self.place.postgres_url.as_deref().unwrap_or_default();
        let server = url.rsplit_once('/').map_or(url, |(server, _)| server);
        format!("{server}/{name}")
    }

    fn administer(&self, sql: &str) -> anyhow::Result<()> {
        let url = self.postgres_url("postgres");
        process::run(&mut psql(&url, sql)).map(|_| ())
    }

    fn remove(&self) -> anyhow::Result<()> {
        if self.engine == DatabaseEngine::Postgres {
            return self.administer(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                self.name
            ));
        }
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", self.file().display());
            if Path::new(&file).exists() {
                fs::remove_file(&file).with_context(|| format!("cannot remove {file}"))?;
            }
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{} could not be removed: {error:#}", self.name);
        }
    }
}

/// Returns `psql` without personal settings, set up to run one statement.
fn psql(url: &str, sql: &str) -> Command {
    let mut command = Command::new("psql");
    command.args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        sql,
        url,
    ]);
    command.env("PGOPTIONS", "-c client_min_messages=warning");
    command
}
