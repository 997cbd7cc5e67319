//! PostgreSQL lets transactions of one import write users at the same time.
//!
//! A statement that adds references used to lock the organisation's row shared, which blocked every transaction that
//! increments the row's revision. From this step on it locks only the row's key. That still blocks the removal of rows
//! that users may refer to, and nothing else.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// Replaces the lock in the function of the preceding step. The function is read from the database.
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
