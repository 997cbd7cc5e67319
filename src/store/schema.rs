//! Which steps of the schema a database has had, and bringing it up to date.
//!
//! Steps only ever add: a table, a column that may be left out, an index. So the release before the
//! newest step works on with it, and a server may be rolled back without its database.

use std::{collections::HashSet, time::Duration};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Store, StoreError, leases::now_ms};
use crate::{
    clock::Clock,
    migrations::{self, steps},
};

/// What a database's schema lacks and has, compared to what this release knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Steps that the database has not had yet, oldest first.
    pub missing: Vec<String>,
    /// Steps of a newer release, which do no harm.
    pub newer: Vec<String>,
}

impl Store {
    /// Brings the schema up to date. Safe with several servers starting at once: they wait for
    /// each other. A schema of a newer release stays as it is.
    ///
    /// # Errors
    /// Where a step fails; the schema then stays as it was.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.schema().await?.missing.is_empty() {
            return Ok(());
        }
        let tx = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            // However long another server takes for its steps. Any number will do for the lock; it is
            // ours alone in this database.
            for sql in [
                "SET LOCAL lock_timeout = 0",
                "SET LOCAL statement_timeout = 0",
                "SELECT pg_advisory_xact_lock(7145530023)",
            ] {
                tx.inner.execute_unprepared(sql).await?;
            }
        }
        let schema = read(&tx.inner).await?;
        if schema.missing.is_empty() {
            return tx.commit().await;
        }
        if !schema.newer.is_empty() {
            return Err(StoreError::SchemaDiverged);
        }
        let now = Clock::system().now().unix_timestamp();
        steps::take(&migrations::all(), &schema.missing, &tx.inner, now).await?;
        tx.commit().await
    }

    /// Compares the schema to what this release knows; changes nothing.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn schema(&self) -> Result<SchemaStatus, StoreError> {
        Ok(read(&self.db).await?)
    }

    /// Answers whether the database can be used: it is there, and has what is kept in it.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn check_tables(&self) -> Result<(), StoreError> {
        let sql = "SELECT id FROM organizations LIMIT 1";
        let statement = Statement::from_string(self.backend(), sql);
        self.db.query_one_raw(statement).await?;
        Ok(())
    }

    /// The database's name and version, and its clock as the time since 1970.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn server_info(&self) -> Result<(String, Duration), StoreError> {
        let backend = self.backend();
        let version = match backend {
            DbBackend::Postgres => "'PostgreSQL ' || current_setting('server_version')",
            _ => "'SQLite ' || sqlite_version()",
        };
        let sql = format!("SELECT {version}, {}", now_ms(backend));
        let row = self.db.query_one_raw(Statement::from_string(backend, sql));
        let nothing = || DbErr::RecordNotFound("the database's version".to_owned());
        let row = row.await?.ok_or_else(nothing)?;
        let now: i64 = row.try_get_by_index(1)?;
        let now = Duration::from_millis(now.unsigned_abs());
        Ok((row.try_get_by_index(0)?, now))
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<SchemaStatus, DbErr> {
    let had = steps(db).await?;
    let known: Vec<String> = migrations::all()
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    Ok(SchemaStatus {
        newer: had
            .iter()
            .filter(|step| !known.contains(step))
            .cloned()
            .collect(),
        missing: known
            .into_iter()
            .filter(|step| !had.contains(step))
            .collect(),
    })
}

/// Every step that the database has had; none where nothing has been migrated yet.
async fn steps(db: &impl ConnectionTrait) -> Result<HashSet<String>, DbErr> {
    let backend = db.get_database_backend();
    let table = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
    };
    let table = db
        .query_one_raw(Statement::from_string(backend, table))
        .await?;
    if table.is_none() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT version FROM seaql_migrations";
    let rows = db
        .query_all_raw(Statement::from_string(backend, sql))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
