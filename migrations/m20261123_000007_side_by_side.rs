//! PostgreSQL lets transactions of one import write users side by side.
//!
//! Whoever gives users a reference held the organisation's row shared, and so kept from committing
//! whoever moves that row's revision on. Now it holds the row's key alone: that still keeps out who
//! removes what may be referred to, and nobody else.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub struct Migration;

/// The function of the step before, as the database has it, with another lock.
const RELOCK: &str = "DO $do$ BEGIN \
    EXECUTE replace(pg_get_functiondef('users_expect_references'::regproc), '{old}', '{new}'); \
    END $do$";

const SHARED: &str = "FOR SHARE;";
const KEY: &str = "FOR KEY SHARE;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        relock(manager, SHARED, KEY).await
    }
}

async fn relock(manager: &SchemaManager<'_>, old: &str, new: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = RELOCK.replace("{old}", old).replace("{new}", new);
    let connection = manager.get_connection();
    connection.execute_unprepared(&sql).await.map(|_| ())
}
