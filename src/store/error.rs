//! What can go wrong in the database.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// A fault of the database, or of what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that this service knows.
    #[error("the database URL must begin with sqlite: or postgres:")]
    UnknownDatabase,
    /// No organisation has this slug.
    #[error("no such organisation")]
    UnknownOrganization,
    /// No user of the organisation has this key.
    #[error("no such user")]
    UnknownUser,
    /// An organisation has this slug already.
    #[error("the organisation exists already")]
    OrganizationExists,
    /// Whatever the database said.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Why an import's transaction did not commit. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody has written to the organisation since the snapshot was taken.
    #[error("the directory has changed since the import was planned")]
    Stale,
    /// A key is taken, or a reference or a user is gone.
    #[error("the directory does not admit what was planned")]
    Conflict,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// A value that cannot be encoded for the database.
    pub(super) fn encoding(error: impl std::fmt::Display) -> Self {
        Self::Database(DbErr::Type(error.to_string()))
    }

    /// True where the database cannot be reached or has no room for one more connection, so that
    /// the same call may succeed later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) => true,
            Self::Database(error) => matches!(
                sqlx_error(error),
                Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
            ),
            _ => false,
        }
    }
}

impl From<DbErr> for WriteError {
    fn from(error: DbErr) -> Self {
        Self::from_store(StoreError::Database(error))
    }
}

impl WriteError {
    /// A violated key or reference, and a deadlock, mean that somebody else has written.
    pub(super) fn from_store(error: StoreError) -> Self {
        match &error {
            StoreError::Database(db) if is_violation(db) || is_rolled_back(db) => Self::Conflict,
            _ => Self::Store(error),
        }
    }
}

pub(super) fn is_violation(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_))
    )
}

/// `PostgreSQL` gave up on the transaction in favour of another: deadlock or serialization failure.
fn is_rolled_back(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(database)) = sqlx_error(error) else {
        return false;
    };
    matches!(database.code().as_deref(), Some("40001" | "40P01"))
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
