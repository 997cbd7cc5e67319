//! PostgreSQL checks once for each statement, not for each row, whether users refer to removed roles, ranks and groups:
//! the removal of a thousand of them costs one pass over the users.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// Columns of users, and the tables that they refer to.
const REFERENCES: [(&str, &str); 3] = [
    ("role_id", "roles"),
    ("rank_id", "ranks"),
    ("group_id", "evidence_groups"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for (column, table) in REFERENCES {
            execute(manager, &hold_each_changed(column, table)).await?;
            execute(manager, &hold_removed(column, table)).await?;
        }
        Ok(())
    }
}

async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let connection = manager.get_connection();
    connection.execute_unprepared(sql).await.map(|_| ())
}

/// Keeps the check for each single row if a row's ID changes.
fn hold_each_changed(column: &str, table: &str) -> String {
    format!(
        "DROP TRIGGER {table}_referred_{column} ON {table}; \
        CREATE TRIGGER {table}_referred_{column} AFTER UPDATE OF organization_id, id \
        ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_referred_{column}()"
    )
}

/// Refuses a statement that removes a row to which a user refers by `column`. The query is planned each time, for the
/// number of removed rows.
fn hold_removed(column: &str, table: &str) -> String {
    format!(
        "CREATE FUNCTION {table}_removed_{column}() RETURNS trigger LANGUAGE plpgsql AS $body$ \
        DECLARE used boolean; \
        BEGIN \
        PERFORM FROM organizations WHERE id IN (SELECT organization_id FROM gone) FOR UPDATE; \
        EXECUTE 'SELECT EXISTS (SELECT FROM users AS u JOIN gone AS g \
        ON g.organization_id = u.organization_id AND g.id = u.{column})' INTO used; \
        IF used THEN \
        RAISE foreign_key_violation USING MESSAGE = 'a user refers to it by {column}', \
        TABLE = '{table}', COLUMN = 'id'; \
        END IF; \
        RETURN NULL; \
        END $body$; \
        CREATE TRIGGER {table}_removed_{column} AFTER DELETE ON {table} \
        REFERENCING OLD TABLE AS gone \
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_removed_{column}()"
    )
}
