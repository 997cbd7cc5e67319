//! Which steps of the schema a database has had, and how it gets the missing ones.
//!
//! Steps only ever add: a table, a column that may be left out, an index. So the release before the newest step still
//! works with it, and a server may be rolled back without its database.

use std::{collections::HashSet, time::Duration};

use sea_orm::{ConnectionTrait, DbErr};

use super::{SqlDialect, Store, StoreError, sql};
use crate::{
    clock::Clock,
    migrations::{self, steps},
};

/// A database's schema compared to the steps that this release knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Steps that the database has not had yet, oldest first.
    pub missing: Vec<String>,
    /// Steps of a newer release, which are harmless.
    pub newer: Vec<String>,
}

impl Store {
    /// Brings the schema up to date. Several servers that start at once wait for each other. A schema of a newer
    /// release does not change.
    ///
    /// # Errors
    /// Fails if a step fails; the schema then does not change.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.schema().await?.missing.is_empty() {
            return Ok(());
        }
        let tx = self.begin().await?;
        if self.dialect() == SqlDialect::Postgres {
            // Waits however long another server takes for its steps. The lock's number is arbitrary; nothing else
            // in this database uses it.
            for sql in [
                "SET LOCAL lock_timeout = 0",
                "SET LOCAL statement_timeout = 0",
                // If the tables are distributed, Citus changes one part after the other. Otherwise it refuses some
                // steps after others in one transaction. Without Citus the setting means nothing.
                "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
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
        tx.commit().await?;
        tracing::info!(
            steps = schema.missing.len(),
            newest = schema.missing.last(),
            "the schema has been brought up to date"
        );
        Ok(())
    }

    /// Compares the schema to the steps that this release knows; changes nothing.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn schema(&self) -> Result<SchemaStatus, StoreError> {
        Ok(read(&self.db).await?)
    }

    /// Makes sure that the database can be reached and has its tables.
    ///
    /// # Errors
    /// Fails if it cannot, or has not.
    pub async fn check_tables(&self) -> Result<(), StoreError> {
        // A distributed database serves the organisations whose machines are there.
        let sql = match self.is_distributed {
            true => "SELECT id FROM servers LIMIT 1",
            false => "SELECT id FROM organizations LIMIT 1",
        };
        let found = sql::query_one(&self.db, sql, []).await;
        if let (Err(_), Some(hosts)) = (&found, &self.hosts) {
            Box::pin(hosts.find_again()).await;
        }
        found?;
        Ok(())
    }

    /// Returns the database's name and version, and its clock as the time since 1970.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn server_info(&self) -> Result<(String, Duration), StoreError> {
        let dialect = self.dialect();
        let sql = format!("SELECT {}, {}", dialect.version(), dialect.now_ms());
        let nothing = || DbErr::RecordNotFound("the database's version".to_owned());
        let row = sql::query_one(&self.db, sql, []).await?;
        let row = row.ok_or_else(nothing)?;
        let now: i64 = row.try_get_by_index(1)?;
        let now = Duration::from_millis(now.unsigned_abs());
        Ok((row.try_get_by_index(0)?, now))
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<SchemaStatus, DbErr> {
    let taken = steps(db).await?;
    let known = migrations::all().into_iter();
    let known: Vec<String> = known.map(|(name, _)| name.to_owned()).collect();
    let is_unknown = |step: &&String| !known.contains(step);
    Ok(SchemaStatus {
        newer: taken.iter().filter(is_unknown).cloned().collect(),
        missing: known
            .iter()
            .filter(|step| !taken.contains(*step))
            .cloned()
            .collect(),
    })
}

/// Returns every step that the database has had.
async fn steps(db: &impl ConnectionTrait) -> Result<HashSet<String>, DbErr> {
    let recorded = SqlDialect::of(db).schema_is_recorded();
    if sql::query_one(db, recorded, []).await?.is_none() {
        return Ok(HashSet::new());
    }
    let rows = sql::query_all(db, "SELECT version FROM seaql_migrations", []).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
