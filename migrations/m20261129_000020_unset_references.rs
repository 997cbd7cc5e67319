//! PostgreSQL does not check the references of updated users if the writer says that its statement sets no reference.
//!
//! A trigger that sees all rows of a statement cannot be limited to some columns, so every update had all references of
//! its users checked. For an import that changes phone numbers, that took a quarter of the database's time. References
//! that a statement does not set stay valid, because no row that a user refers to can be removed. Foreign keys work in
//! the same way.

use super::steps::prelude::*;
use sea_orm::DbBackend;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

/// A distributed database has foreign keys instead of the triggers. No other program uses this setting.
const CHECK_UNLESS_UNSET: &str = "\
    DO $do$ BEGIN \
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'users'::regclass \
    AND tgname = 'users_update_references') THEN \
    DROP TRIGGER users_update_references ON users; \
    CREATE TRIGGER users_update_references AFTER UPDATE ON users REFERENCING NEW TABLE AS given \
    FOR EACH STATEMENT \
    WHEN (current_setting('user_import.sets_references', true) IS DISTINCT FROM 'no') \
    EXECUTE FUNCTION users_expect_references(); \
    END IF; \
    END $do$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(CHECK_UNLESS_UNSET).await?;
        Ok(())
    }
}
