//! The URL of the database. It may contain a password: no error and no debug output repeats any of its text.

use std::{fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

/// A valid `sqlite://FILE` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. It has no `Display`, and its `Debug` shows
/// only the kind of database.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The fault of a database URL, without any of the URL's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// It names no database that this service supports.
    #[error("it must begin with sqlite: or postgres:")]
    Scheme,
    /// It does not separate user, password, host and database clearly.
    #[error(
        "it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE; in a name or a password write % as %25, \
         @ as %40, : as %3A, / as %2F, ? as %3F and # as %23"
    )]
    Postgres,
    /// It has an unknown parameter.
    #[error(
        "what follows ? must be parameters such as sslmode=require; known are {}",
        PARAMETERS.join(", ")
    )]
    Parameter,
    /// It names no file.
    #[error("it must be sqlite://FILE; in the file's name write % as %25, ? as %3F and @ as %40")]
    Sqlite,
}

/// The parameters of a `PostgreSQL` URL. The database's library logs the value of any other parameter.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

impl DatabaseUrl {
    /// The text, for the database's library.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns `true` for SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    /// Returns SQLite's file, which may not exist yet, or `None` for a database in memory and for `PostgreSQL`.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.0.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let (path, options) = path.split_once('?').unwrap_or((path, ""));
        let in_memory = options.split('&').any(|option| option == "mode=memory");
        if in_memory || path == ":memory:" {
            return None;
        }
        let path = percent_decode_str(path).decode_utf8().ok()?;
        Some(PathBuf::from(&*path))
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or(InvalidDatabaseUrl::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        match &*scheme {
            "sqlite" => expect_sqlite(rest)?,
            "postgres" | "postgresql" => expect_postgres(rest)?,
            _ => return Err(InvalidDatabaseUrl::Scheme),
        }
        Ok(Self(format!("{scheme}:{rest}")))
    }
}

/// Logs may show the name of a file, so a text that looks like a user and a password is refused.
fn expect_sqlite(rest: &str) -> Result<(), InvalidDatabaseUrl> {
    let parsed = SqliteConnectOptions::from_str(&format!("sqlite:{rest}"));
    match parsed.is_err() || has_password(rest) {
        true => Err(InvalidDatabaseUrl::Sqlite),
        false => Ok(()),
    }
}

/// If a password contains a character that ends the authority, the rest of it becomes part of the database's name,
/// which errors of the database quote. So the text after the authority must have no `@`.
fn expect_postgres(rest: &str) -> Result<(), InvalidDatabaseUrl> {
    let after = rest.strip_prefix("//");
    let after = after.ok_or(InvalidDatabaseUrl::Postgres)?;
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let path = after.get(end..).unwrap_or_default();
    if path.contains(['@', '#']) {
        return Err(InvalidDatabaseUrl::Postgres);
    }
    let parameters = path
        .split_once('?')
        .map_or("", |(_, parameters)| parameters);
    let mut parameters = parameters.split('&').filter(|text| !text.is_empty());
    if !parameters.all(is_known) {
        return Err(InvalidDatabaseUrl::Parameter);
    }
    let parsed = PgConnectOptions::from_str(&format!("postgres:{rest}"));
    parsed.map_or(Err(InvalidDatabaseUrl::Postgres), |_| Ok(()))
}

fn is_known(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    PARAMETERS.contains(&name) || name == "options" || name.starts_with("options[")
}

/// Returns `true` if the text has a `:` before an `@`, as in `USER:PASSWORD@HOST`.
#[must_use]
pub(crate) fn has_password(text: &str) -> bool {
    let (colon, at) = (text.find(':'), text.rfind('@'));
    colon.zip(at).is_some_and(|(colon, at)| colon < at)
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_sqlite() {
            "sqlite"
        } else {
            "postgres"
        };
        write!(f, "DatabaseUrl({kind}:…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, InvalidDatabaseUrl> {
        text.parse()
    }

    #[test]
    fn urls_of_both_databases_are_taken() {
        for text in [
            "sqlite://user-import.db",
            "sqlite:///var/lib/user-import/users.db?mode=rwc",
            "sqlite::memory:",
            "postgres://import@db/users",
            "postgresql://import:s%40cret@db.example:5432/users?sslmode=require&options[search_path]=a",
            "POSTGRES://import:a@b:c@[::1]:5432/users",
            " postgres://import:100%@db/users\n",
            "postgres://db",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn no_error_and_no_debug_output_has_any_of_the_text() {
        use InvalidDatabaseUrl::{Parameter, Postgres, Scheme, Sqlite};
        for (text, wrong) in [
            ("import:geheim@db/users", Scheme),
            ("geheim", Scheme),
            ("mysql://import:geheim@db/users", Scheme),
            ("postgres:import:geheim@db/users", Postgres),
            ("postgres:/import:geheim@db/users", Postgres),
            ("postgres:///import:geheim@db/users", Postgres),
            ("postgres://import:geheim/2@db/users", Postgres),
            ("postgres://import:12/geheim@db/users", Postgres),
            ("postgres://import:12#geheim@db/users", Postgres),
            ("postgres://import:12?geheim@db/users", Postgres),
            ("postgres://import:geheim#2@db/users", Postgres),
            ("postgres://import:geheim%ff@db/users", Postgres),
            ("postgres://import:geheim@db:port/users", Postgres),
            ("postgres://db/users?passwort=geheim", Parameter),
            ("postgres://db/users?sslmode=geheim", Postgres),
            ("sqlite://import:geheim@db/users", Sqlite),
            ("sqlite://users.db?mode=geheim", Sqlite),
        ] {
            assert_eq!(parse(text), Err(wrong), "{text}");
            assert!(!format!("{wrong} {wrong:?}").contains("geheim"));
        }
        let shown = format!("{:?}", parse("postgres://import:geheim@db/users"));
        assert_eq!(shown, "Ok(DatabaseUrl(postgres:…))");
    }

    #[test]
    fn the_file_is_that_of_sqlite() {
        let file = |text| parse(text).unwrap().file();
        assert_eq!(file("sqlite://a%3Fb.db?mode=rwc"), Some("a?b.db".into()));
        assert_eq!(file("sqlite:/var/a.db"), Some("/var/a.db".into()));
        assert_eq!(file("sqlite://a.db?mode=memory"), None);
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://db/users"), None);
    }
}
