//! An index on the Active users of a supervisor, for the consequences of an import of few rows: it reads the reports of
//! users who leave. There is no index on the users of a role. Such an index would take a tenth of the time in which a
//! whole roster is created, and for most roles one of the first users that are looked at has the role.

use super::steps::prelude::*;

/// The step.
#[derive(Debug)]
pub(super) struct Migration;

const INDEX: &str = "CREATE INDEX users_reports ON users (organization_id, supervisor_id) \
    WHERE active AND supervisor_id IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(INDEX).await?;
        Ok(())
    }
}
