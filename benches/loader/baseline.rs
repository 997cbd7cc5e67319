//! The loader: the script that a database administrator would write. The database's own command line runs it.

use std::{
    fs::File,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    database::{Database, DatabaseEngine},
    process,
};

const POSTGRES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/loader/postgres.sql");
const SQLITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/loader/sqlite.sql");

/// Loads a roster into an organisation. Returns how long the command took.
pub fn load(database: &Database, slug: &str, roster: &Path) -> anyhow::Result<Duration> {
    let mut command = match database.engine() {
        DatabaseEngine::Postgres => psql(database, slug),
        DatabaseEngine::Sqlite => sqlite3(database, slug),
    };
    command.stdin(File::open(roster)?);
    let began = Instant::now();
    process::run(&mut command)?;
    Ok(began.elapsed())
}

fn psql(database: &Database, slug: &str) -> Command {
    let mut command = Command::new("psql");
    let organization = format!("organization={slug}");
    command.args(["-X", "-q", "-v", &organization, "-f", POSTGRES]);
    command.arg(database.url());
    command
}

fn sqlite3(database: &Database, slug: &str) -> Command {
    let mut command = Command::new("sqlite3");
    let organization = format!(".parameter set @organization \"'{slug}'\"");
    command.args(["-bail", "-cmd", &organization]);
    command.arg(database.file());
    command.arg(format!(".read {SQLITE}"));
    command
}
