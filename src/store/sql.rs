//! Runs SQL on a connection or in a transaction, and has every expression that SQLite and `PostgreSQL` write
//! differently. Lists of rows are bound by [`super::row_set`].

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// Runs a statement that changes rows. Returns how many it changed.
pub(super) async fn execute(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = statement(db, sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

/// Returns the first row of a query, if it has any.
pub(super) async fn query_one(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(statement(db, sql, values)).await
}

/// Returns all rows of a query.
pub(super) async fn query_all(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(db, sql, values)).await
}

/// A statement with bound values, for a query whose rows are streamed.
pub(super) fn statement(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// A duration as databases count it.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Which SQL a database understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SqlDialect {
    Postgres,
    Sqlite,
}

impl SqlDialect {
    /// The dialect of a connection or a transaction.
    pub(super) fn of(db: &impl ConnectionTrait) -> Self {
        match db.get_database_backend() {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    /// The database's clock when the statement began, in milliseconds since 1970.
    pub(super) const fn now_ms(self) -> &'static str {
        match self {
            Self::Postgres => "(extract(epoch FROM statement_timestamp()) * 1000)::bigint",
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        }
    }

    /// A text of one character.
    pub(super) fn character(self, code: u8) -> String {
        match self {
            Self::Postgres => format!("chr({code})"),
            Self::Sqlite => format!("char({code})"),
        }
    }

    /// Ends a query that locks the rows that it finds. SQLite locks no rows.
    pub(super) const fn lock_rows(self) -> &'static str {
        match self {
            Self::Postgres => "FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// Ends a query of table `i` that passes over rows that another transaction has locked. SQLite locks no
    /// rows.
    pub(super) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Postgres => "FOR UPDATE OF i SKIP LOCKED",
            Self::Sqlite => "",
        }
    }

    /// The database's name and version.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Postgres => "'PostgreSQL ' || current_setting('server_version')",
            Self::Sqlite => "'SQLite ' || sqlite_version()",
        }
    }

    /// A query that has a row if any step of the schema has been recorded.
    pub(super) const fn schema_is_recorded(self) -> &'static str {
        match self {
            // Reads the catalog itself: a session's cache may lack a table that another process has just created.
            Self::Postgres => {
                "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('seaql_migrations')"
            }
            Self::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
        }
    }
}
