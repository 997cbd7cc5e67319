//! The URL of the database. It may contain a password: no error and no debug output repeats any of its text.
//!
//! A `PostgreSQL` URL may name several hosts, as libpq has it. The database's library knows one host in a URL, so there
//! is a URL for each host.

use std::{fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

/// A valid `sqlite://FILE` or `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE`. It has no `Display`, and its
/// `Debug` shows only the kind of database.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// One URL for each host of `PostgreSQL`, in order; one for SQLite.
    hosts: Vec<String>,
    must_write: bool,
}

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
    /// Its lists of hosts and ports do not have the same length.
    #[error("it must name as many ports as hosts, or one port for all")]
    Hosts,
    /// It asks for a host that takes no writes.
    #[error("this service writes: target_session_attrs must be read-write, primary or any")]
    TargetSession,
    /// It names no file.
    #[error("it must be sqlite://FILE; in the file's name write % as %25, ? as %3F and @ as %40")]
    Sqlite,
}

/// The parameters of a `PostgreSQL` URL. The database's library logs the value of any other parameter.
const PARAMETERS: [&str; 18] = [
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
    TARGET,
];

/// The parameter that says which of several hosts is wanted; the database's library does not know it.
const TARGET: &str = "target_session_attrs";

/// The parameters that name a file with certificates or a key.
const FILES: [&str; 7] = [
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
];

/// The parameters that may list several hosts, and what belongs to each of them.
const LISTS: [&str; 3] = ["host", "hostaddr", "port"];

impl DatabaseUrl {
    /// The text of the first host's URL, for the database's library.
    pub(super) fn reveal(&self) -> &str {
        self.hosts.first().map_or("", String::as_str)
    }

    /// The texts of all hosts' URLs, in order.
    pub(super) fn reveal_hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Returns `true` if only a host that takes writes will do: one of several, or as the URL says.
    pub(super) const fn must_write(&self) -> bool {
        self.must_write
    }

    /// Returns `true` for SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.reveal().starts_with("sqlite:")
    }

    /// Returns each host with its port, or its socket's folder; nothing that is secret. Empty for SQLite.
    #[must_use]
    pub fn shown_hosts(&self) -> String {
        let shown = |url: &String| {
            let options = PgConnectOptions::from_str(url).ok()?;
            Some(match options.get_socket() {
                Some(folder) => folder.display().to_string(),
                None => format!("{}:{}", options.get_host(), options.get_port()),
            })
        };
        if self.is_sqlite() {
            return String::new();
        }
        let hosts: Vec<String> = self.hosts.iter().filter_map(shown).collect();
        hosts.join(" and ")
    }

    /// Returns the files with certificates or a key that a `PostgreSQL` URL names.
    pub(super) fn certificate_files(&self) -> Vec<PathBuf> {
        let (_, parameters) = self.reveal().split_once('?').unwrap_or_default();
        let values = parameters.split('&').filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            FILES.contains(&name).then_some(value)
        });
        let decoded = values.filter_map(|value| percent_decode_str(value).decode_utf8().ok());
        decoded.map(|file| PathBuf::from(&*file)).collect()
    }

    /// Returns SQLite's file, which may not exist yet, or `None` for a database in memory and for `PostgreSQL`.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.reveal().strip_prefix("sqlite:")?;
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
            "sqlite" => {
                expect_sqlite(rest)?;
                Ok(Self {
                    hosts: vec![format!("{scheme}:{rest}")],
                    must_write: false,
                })
            }
            "postgres" | "postgresql" => postgres(&scheme, rest),
            _ => Err(InvalidDatabaseUrl::Scheme),
        }
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
fn postgres(scheme: &str, rest: &str) -> Result<DatabaseUrl, InvalidDatabaseUrl> {
    let after = rest.strip_prefix("//");
    let after = after.ok_or(InvalidDatabaseUrl::Postgres)?;
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (authority, path) = after.split_at(end);
    if path.contains(['@', '#']) {
        return Err(InvalidDatabaseUrl::Postgres);
    }
    let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
    let parameters = parameters.split('&').filter(|text| !text.is_empty());
    let parameters: Vec<&str> = parameters.collect();
    if !parameters.iter().all(|parameter| is_known(parameter)) {
        return Err(InvalidDatabaseUrl::Parameter);
    }
    let hosts = hosts(scheme, authority, path, &parameters)?;
    let is_valid = |url: &String| PgConnectOptions::from_str(url).is_ok();
    if !hosts.iter().all(is_valid) {
        return Err(InvalidDatabaseUrl::Postgres);
    }
    let must_write = must_write(&parameters)?.unwrap_or(hosts.len() > 1);
    Ok(DatabaseUrl { hosts, must_write })
}

/// Splits the lists of hosts and ports. A list of one is meant for every host.
fn hosts(
    scheme: &str,
    authority: &str,
    path: &str,
    parameters: &[&str],
) -> Result<Vec<String>, InvalidDatabaseUrl> {
    let (user, named) = match authority.rsplit_once('@') {
        Some((user, named)) => (format!("{user}@"), named),
        None => (String::new(), authority),
    };
    let named: Vec<&str> = named.split(',').collect();
    let (mut listed, mut kept): (Vec<(&str, Vec<&str>)>, Vec<&str>) = (Vec::new(), Vec::new());
    for parameter in parameters {
        match parameter.split_once('=') {
            Some((TARGET, _)) => {}
            Some((name, value)) if LISTS.contains(&name) => {
                listed.push((name, value.split(',').collect()));
            }
            _ => kept.push(parameter),
        }
    }
    let lengths = listed.iter().map(|(_, values)| values.len());
    let count = lengths.chain([named.len()]).max().unwrap_or(1);
    let lists = listed.iter().map(|(_, values)| values);
    if lists
        .chain([&named])
        .any(|list| list.len() != 1 && list.len() != count)
    {
        return Err(InvalidDatabaseUrl::Hosts);
    }
    let one = |index: usize| {
        let of = |list: &[&str]| {
            list.get(index)
                .or(list.first())
                .copied()
                .unwrap_or_default()
                .to_owned()
        };
        let further = listed
            .iter()
            .map(|(name, values)| format!("{name}={}", of(values)));
        let parameters: Vec<String> = kept
            .iter()
            .map(ToString::to_string)
            .chain(further)
            .collect();
        let question = if parameters.is_empty() { "" } else { "?" };
        format!(
            "{scheme}://{user}{}{path}{question}{}",
            of(&named),
            parameters.join("&")
        )
    };
    Ok((0..count).map(one).collect())
}

/// Returns whether the URL asks for a host that takes writes, or `None` if it does not say.
fn must_write(parameters: &[&str]) -> Result<Option<bool>, InvalidDatabaseUrl> {
    let target = parameters.iter().rev().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name == TARGET).then_some(value)
    });
    match target {
        None => Ok(None),
        Some("any") => Ok(Some(false)),
        Some("read-write" | "primary") => Ok(Some(true)),
        Some(_) => Err(InvalidDatabaseUrl::TargetSession),
    }
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
            "postgres://a,b/users",
            "postgres://import:s%40cret@a:5432,[::1]:5433,c/users?target_session_attrs=read-write",
            "postgres:///users?host=a,b&port=5432&target_session_attrs=primary",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn no_error_and_no_debug_output_has_any_of_the_text() {
        use InvalidDatabaseUrl::{Hosts, Parameter, Postgres, Scheme, Sqlite, TargetSession};
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
            ("postgres://import:geheim@a,b:geheim/users", Postgres),
            ("postgres://import:geheim@a,b/users?port=1,2,3", Hosts),
            (
                "postgres://a,b/users?target_session_attrs=geheim",
                TargetSession,
            ),
            (
                "postgres://a,b/users?target_session_attrs=standby",
                TargetSession,
            ),
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

    #[test]
    fn files_of_certificates_are_those_that_parameters_name() {
        let url =
            "postgres://db/users?sslmode=verify-full&sslrootcert=/etc/a%20b/ca.crt&ssl-key=key.pem";
        let files = parse(url).unwrap().certificate_files();
        assert_eq!(files, [PathBuf::from("/etc/a b/ca.crt"), "key.pem".into()]);
        for none in ["postgres://db/users", "sqlite://a.db?mode=rwc"] {
            assert!(parse(none).unwrap().certificate_files().is_empty());
        }
    }

    #[test]
    fn hosts_are_shown_without_users_and_passwords() {
        for (text, shown) in [
            ("postgres://me:geheim@db.example/users", "db.example:5432"),
            ("postgres://me:geheim@a:1,b:2/users", "a:1 and b:2"),
            ("postgres:///users?host=/run/postgresql", "/run/postgresql"),
            ("sqlite://users.db", ""),
        ] {
            assert_eq!(parse(text).unwrap().shown_hosts(), shown, "{text}");
        }
    }

    #[test]
    fn each_host_has_a_url_of_its_own() {
        let of = |text: &str| {
            let url = parse(text).unwrap();
            (url.reveal_hosts().join(" "), url.must_write())
        };
        for (text, hosts, must_write) in [
            ("postgres://db/users", "postgres://db/users", false),
            ("postgres://a,b", "postgres://a postgres://b", true),
            (
                "postgres://me:x@a:1,b:2/users?sslmode=require&target_session_attrs=any",
                "postgres://me:x@a:1/users?sslmode=require postgres://me:x@b:2/users?sslmode=require",
                false,
            ),
            (
                "postgres:///users?host=a,b&port=7",
                "postgres:///users?host=a&port=7 postgres:///users?host=b&port=7",
                true,
            ),
            (
                "postgres://db/users?target_session_attrs=primary",
                "postgres://db/users",
                true,
            ),
        ] {
            assert_eq!(of(text), (hosts.to_owned(), must_write), "{text}");
        }
    }
}
