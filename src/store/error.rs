//! Failures of the store, and which of them are transient.

use std::{io, path::PathBuf};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::{InvalidDatabaseUrl, copied_error};
use crate::tls_faults::tls_fault;

/// A failure of the database, or of a request to it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is not one of a database.
    #[error("the database's URL is refused: {0}")]
    InvalidUrl(#[from] InvalidDatabaseUrl),
    /// SQLite's file can neither be created nor be opened for writing.
    #[error("{} cannot be opened: {error}", file.display())]
    File {
        /// Its path.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// `PostgreSQL` does not store texts as UTF-8.
    #[error(
        "the database stores texts as {0}, which cannot hold every name; create a database with \
         ENCODING 'UTF8' and TEMPLATE template0"
    )]
    Encoding(String),
    /// The certificate of `PostgreSQL`'s server cannot be read.
    #[error(
        "the certificate of the database's server is not of X.509 version 3, as TLS asks for: \
         openssl makes one with -addext subjectAltName=DNS:HOST"
    )]
    CertificateVersion,
    /// A file of certificates or keys that the URL names cannot be read.
    #[error("{}, which the database's URL names, cannot be read: {error}", file.display())]
    CertificateFile {
        /// Its path.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Some hosts of the URL were reached, and none of them takes writes.
    #[error("none of the database's hosts takes writes now")]
    NoWritableHost,
    /// No organisation has this slug.
    #[error("no such organisation")]
    UnknownOrganization,
    /// No user of the organisation has this key.
    #[error("no such user")]
    UnknownUser,
    /// The user has a privileged role, and the caller may not change users who have one.
    #[error("the user has a privileged role")]
    PrivilegedUser,
    /// An organisation has this slug already.
    #[error("the organisation exists already")]
    OrganizationExists,
    /// The database has had steps of a newer release, and lacks steps of this one.
    #[error(
        "the schema is of another release: it has steps that this program does not know, and lacks \
         others; use the newest release that has run on this database"
    )]
    SchemaDiverged,
    /// Too many calls of the organisation are running.
    #[error("the organisation has too much under way")]
    Busy,
    /// The caller does not wait for the answer any more.
    #[error("the caller has gone")]
    Abandoned,
    /// Any error of the database. Its text is the database's own, without those of the libraries in between, and it
    /// has no source: a source would say the same again.
    #[error("{}", innermost(.0))]
    Database(DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Why a transaction of an import did not commit. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody has written to the organisation since the snapshot was taken.
    #[error("the directory has changed since the import was planned")]
    Stale,
    /// A key is taken, or a reference or a user is gone.
    #[error("the directory does not admit what was planned")]
    Conflict,
    /// Another server has taken the organisation's lease.
    #[error("another import has taken over")]
    LeaseLost,
    /// Somebody asked the import to stop.
    #[error("the import was asked to stop")]
    Cancelled,
    /// Another attempt has bound the import ID meanwhile.
    #[error("another attempt under this import ID has begun applying")]
    Bound,
    /// This server is shutting down.
    #[error("the server is shutting down")]
    Stopped,
    /// A task of this process failed.
    #[error("{0}")]
    Task(String),
    /// Any other error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// A value that cannot be encoded for the database.
    pub(crate) fn encoding(error: impl std::fmt::Display) -> Self {
        Self::Database(DbErr::Type(error.to_string()))
    }

    /// Returns the code that the database gave, such as `28P01` of `PostgreSQL` or `14` of SQLite.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Database(error) => match sqlx_error(error)? {
                sqlx::Error::Database(database) => code_of(&**database),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the error of the network, if the database could not be reached.
    #[must_use]
    pub fn network(&self) -> Option<&io::Error> {
        match self {
            Self::Database(error) => match sqlx_error(error)? {
                sqlx::Error::Io(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns `true` if the same call may succeed a moment later: the connection is lost or none is free, the
    /// server is starting or stopping, or it gave up this transaction for another.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let error = match self {
            Self::Database(error) => error,
            Self::NoWritableHost => return true,
            _ => return false,
        };
        match sqlx_error(error) {
            Some(sqlx::Error::Database(database)) => {
                is_transient_code(&code_of(&**database).unwrap_or_default())
            }
            Some(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed,
            ) => true,
            _ => matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)),
        }
    }
}

/// `PostgreSQL`: connection exceptions, serialization failure, deadlock, out of resources, operator intervention,
/// the time-outs of statements, locks and idle transactions, and a server that takes no writes (yet), as during a
/// fail-over. SQLite: busy, locked, full and I/O errors.
fn is_transient_code(code: &str) -> bool {
    const POSTGRES_CLASSES: [&str; 4] = ["08", "40", "53", "57"];
    const SQLITE: [i32; 4] = [5, 6, 10, 13];
    let postgres = code.len() == 5 && POSTGRES_CLASSES.iter().any(|class| code.starts_with(class));
    let sqlite = code
        .parse::<i32>()
        .is_ok_and(|code| SQLITE.contains(&(code & 0xff)));
    postgres || matches!(code, "25006" | "25P03" | "55P03") || (code.len() != 5 && sqlite)
}

impl From<DbErr> for WriteError {
    fn from(error: DbErr) -> Self {
        Self::from_store(StoreError::Database(error))
    }
}

impl WriteError {
    /// A task of this process failed.
    pub fn task(error: impl std::fmt::Display) -> Self {
        Self::Task(error.to_string())
    }

    /// A violated key or reference means that somebody else has written.
    pub(super) fn from_store(error: StoreError) -> Self {
        match &error {
            StoreError::Database(db) if is_violation(db) => Self::Conflict,
            _ => Self::Store(error),
        }
    }
}

pub(super) fn is_violation(error: &DbErr) -> bool {
    let is_told = matches!(
        error.sql_err(),
        Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_))
    );
    let code = match sqlx_error(error) {
        Some(sqlx::Error::Database(database)) => code_of(&**database),
        _ => None,
    };
    is_told || matches!(code.as_deref(), Some("23505" | "23503"))
}

/// The code of an error of the database.
fn code_of(error: &dyn sqlx::error::DatabaseError) -> Option<String> {
    match copied_error::code(error) {
        Some(code) => Some(code.to_owned()),
        None => Some(error.code()?.into_owned()),
    }
}

/// Returns the text of the database or the network.
fn innermost(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(database)) => database.message().to_owned(),
        Some(sqlx::Error::Io(error)) => tls_fault(error).unwrap_or_else(|| error.to_string()),
        Some(sqlx::Error::Tls(error) | sqlx::Error::Configuration(error)) => {
            tls_fault(&**error).unwrap_or_else(|| error.to_string())
        }
        Some(sqlx::Error::PoolTimedOut) => "it does not answer in time".to_owned(),
        Some(other) => other.to_string(),
        None if matches!(error, DbErr::ConnectionAcquire(_)) => {
            "no connection to it could be had in time".to_owned()
        }
        None => error.to_string(),
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error, io};

    use sea_orm::{DbErr, RuntimeErr, sqlx};

    use super::{StoreError, is_transient_code};

    #[test]
    fn a_database_error_is_shown_once_and_without_the_texts_of_libraries() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let shown = refused.to_string();
        let error = RuntimeErr::SqlxError(sqlx::Error::Io(refused).into());
        let error = StoreError::from(DbErr::Conn(error));
        assert_eq!(error.to_string(), shown);
        assert!(error.source().is_none());
        assert!(error.network().is_some() && error.code().is_none());
        assert_eq!(format!("{:#}", anyhow::Error::from(error)), shown);
    }

    #[test]
    fn transient_codes_are_known() {
        // Lost, serialization, deadlock, full, shutting down, starting, read-only, idle too long; busy, full, I/O,
        // snapshot.
        for code in [
            "08006", "40001", "40P01", "53100", "57P01", "57P03", "57014", "25006", "25P03",
            "55P03", "5", "13", "10", "517",
        ] {
            assert!(is_transient_code(code), "{code}");
        }
        // Unique, undefined table; constraint, malformed, none at all.
        for code in ["23505", "42P01", "19", "2067", "11", ""] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
